# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a play of tasks and read what the stopwatch saw."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .world import BIN, ROOT, Failed, World

PLAY = {"name": "Benchmark", "hosts": "localhost", "connection": "local", "gather_facts": False,
        # As in site.yml: nobody shall pay for the search for a Python.
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}}


@dataclass
class Timed:
    """One task: its name, the action, milliseconds until the next one began, and how it ended on its one host."""

    name: str
    action: str
    ms: float
    ended: list[dict[str, Any]] = field(default_factory=list)

    @property
    def skipped(self) -> bool:
        return bool(self.ended) and all(e["skipped"] for e in self.ended)

    @property
    def changed(self) -> bool:
        return any(e["changed"] for e in self.ended)


def records(lines: Iterable[str]) -> list[Timed]:
    """The tasks of a stopwatch file; the time between the last one and the end of the play counts for the last one."""
    tasks: list[Timed] = []
    began = 0.0
    for event in map(json.loads, lines):
        if event["event"] in ("start", "end"):
            if tasks:
                tasks[-1].ms = (event["at"] - began) * 1000
            if event["event"] == "start":
                tasks.append(Timed(event["name"], event["action"], 0.0))
                began = event["at"]
        elif tasks:
            tasks[-1].ended.append(event)
    return tasks


def environment(world: World, times: Path) -> dict[str, str]:
    return {"ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "benchmarks/callback_plugins"), "ANSIBLE_CALLBACKS_ENABLED": "stopwatch",
            "STOPWATCH_FILE": str(times)}


def playbook(world: World, name: str, *args: str, env: dict[str, str] | None = None) -> list[Timed]:
    """Run a playbook by path or name."""
    times = world.work / f"{os.path.basename(name)}.times"
    world.run(BIN / "ansible-playbook", name, *args, env={**environment(world, times), **(env or {})})
    return records(times.read_text().splitlines())


def write(world: World, name: str, tasks: list[dict[str, Any]], **keywords: Any) -> Path:
    """A playbook of these tasks; JSON is YAML. It may hold tokens, so it is for its owner only."""
    path = world.work / f"{name}.yml"
    path.touch(mode=0o600)
    path.write_text(json.dumps([{**PLAY, **keywords, "tasks": tasks}], indent=1))
    return path


def play(world: World, name: str, tasks: list[dict[str, Any]], env: dict[str, str] | None = None, **keywords: Any) -> list[Timed]:
    """Run these tasks and check that none of them has changed anything: all are about nothing to do."""
    done = playbook(world, str(write(world, name, tasks, **keywords)), env=env)
    moved = [t.name for t in done if t.changed]
    if moved:
        raise Failed(f"{name}: changed, where nothing was to be changed: {', '.join(sorted(set(moved)))}")
    return done
