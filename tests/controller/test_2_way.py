# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a task runs, which ``-vv`` says."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
from conftest import CORES
from running import AS_MODULE, IN_PROCESS, Core, Run

OFF = "vcf_ray_in_process is false"


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def ways(run: Run) -> dict[str, list[str]]:
    """Task -> "Here", or why it runs as a module."""
    found = {}
    for name, text in re.findall(r"^TASK \[(.*?)\] \**\n(.*?)(?=^TASK|^PLAY|\Z)", run.out, re.MULTILINE | re.DOTALL):
        found[name] = ["Here"] * text.count(IN_PROCESS) + [reason for _module, reason in AS_MODULE.findall(text)]
    return found


def test_ways(core: Core, play: t.Callable[..., Run], tmp_path: Path) -> None:
    python = script(tmp_path / "python", f'exec {core.python} "$@"')
    # Called as: sudo -u root COMMAND...
    sudo = script(tmp_path / "sudo", 'shift 2; exec "$@"')
    run = play("ways.yml", "-vv", "-e", f"other_python={python} fake_sudo={sudo}", hosts="vc-1 far")
    seen = ways(run)
    del seen["Look after it"]
    assert len(seen) == 11
    for name, way in seen.items():
        expected = name.removeprefix("Module, as ").split(" (")[0]
        assert len(way) == 1 and way[0].startswith(expected), (name, way, run.text)
    failed = {row["task"] for row in run.rows if row["event"] in ("runner_on_failed", "runner_on_unreachable")}
    assert failed == {"Module, as the connection is ssh", "Module, as the connection is ssh (delegated)"}, run.text
    (job,) = run.results("Look after it")
    assert job["namespaces"] == [] and not run.server.sessions


@pytest.mark.parametrize("core", CORES[:1], ids=str, indirect=True)
@pytest.mark.parametrize(("variable", "environment", "way"), [
    (None, "true", "Here"), ("yes", "false", "Here"), (None, "false", OFF), (None, "0", OFF), ("false", None, OFF), ("no", "true", OFF),
])
def test_switch(play: t.Callable[..., Run], core: Core, variable: str | None, environment: str | None, way: str) -> None:
    """The variable is nearer than the environment."""
    set_variable = ["-e", f"vcf_ray_in_process={variable}"] if variable else []
    run = play("read.yml", "-vv", "-e", f"wanted_python={core.python}", *set_variable, env={"VCF_RAY_IN_PROCESS": environment} if environment else {})
    assert ways(run) == {"Read": [way]}, run.text


def test_a_library_that_the_controller_lacks(play: t.Callable[..., Run], tmp_path: Path) -> None:
    """The Python of the module may have it; here it has not, and the message is the module's."""
    (tmp_path / "requests.py").write_text("raise ImportError('not installed')\n")
    run = play("read.yml", "-vv", env={"PYTHONPATH": str(tmp_path)})
    assert ways(run) == {"Read": ["The Python library requests is missing."]}, run.text
    assert "The Python library requests is missing" in run.results("Read")[0]["msg"]


def test_become_of_the_whole_play(play: t.Callable[..., Run]) -> None:
    assert ways(play("read.yml", "-vv", "--become", "-e", "ansible_become_exe=/bin/false")) == {"Read": ["become is set"]}
