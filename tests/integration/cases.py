# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases of ``cases/``, one per module, and the playbook that takes them through their cycle.

All are made in ascending order and removed in descending order, so that each finds below it what it stands on.
"""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import yaml

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
VERSIONS = ("7.0.3", "8.0.1", "8.0.3", "9.0", "9.1")
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
# The steps of a case, and whether each runs in check mode; with the options of create, change, or remove.
MAKE = (("check create", "create", True), ("create", "create", False), ("again", "create", False), ("again in check mode", "create", True),
        ("alone", "create", False), ("check change", "change", True), ("change", "change", False), ("changed again", "change", False))
REMOVE = (("check remove", "remove", True), ("remove", "remove", False), ("removed again", "remove", False))

# Cases of this order and above find the world's library and namespace.
ABOVE = 40


def release(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


@dataclasses.dataclass(frozen=True)
class Case:
    """One file of ``cases/``; the fields are explained in its README."""

    module: str
    since: str = "7.0.3"
    needs: str | None = None
    only: tuple[str, ...] = VERSIONS
    order: int = 50
    prepare: tuple[dict, ...] = ()
    create: dict | None = None
    change: dict | None = None
    remove: dict | None = None
    cleanup: tuple[dict, ...] = ()
    read: tuple[dict, ...] = ()
    idle: int | dict | None = None
    server_set: tuple[str, ...] = ()
    whole: bool = False
    spared: dict = dataclasses.field(default_factory=dict)

    @classmethod
    def load(cls, path: pathlib.Path) -> Case:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
        return cls(path.stem, **{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})

    def runs_on(self, version: str) -> bool:
        return version in self.only and release(version) >= release(self.since)

    def refused_on(self, version: str) -> bool:
        return self.needs is not None and release(version) < release(self.needs)

    def idle_on(self, version: str) -> int | None:
        """A mapping tells it from a version on."""
        if not isinstance(self.idle, dict):
            return self.idle
        return next(count for since, count in sorted(self.idle.items(), key=lambda entry: release(entry[0]), reverse=True) if release(version) >= release(since))

    def steps(self, steps: t.Iterable[tuple[str, str, bool]]) -> t.Iterator[tuple[str, dict, bool]]:
        """Name, options and check mode of the steps that this case has."""
        for name, options, check in steps:
            if getattr(self, options) is not None:
                yield name, getattr(self, options), check


CASES = sorted((Case.load(path) for path in (HERE / "cases").glob("*.yml")), key=lambda case: (case.order, case.module))


def task(case: Case, step: str, options: dict, check: bool = False, alone: bool = False, **more: t.Any) -> dict:
    """An observed task; ``alone`` logs in by itself, all others use the session of the play."""
    defaults = {"group/vcf.ray.vcenter": "{{ login }}", "group/vcf.ray.kubernetes": {"supervisor": "{{ supervisor_login }}"}}
    if not alone:
        defaults["group/vcf.ray.session"] = {"session_id": "{{ session.session_id }}"}
    return {"name": f"{case.module}: {step}", f"vcf.ray.{case.module}": options, "check_mode": check, "diff": True, "ignore_errors": True,
            "module_defaults": defaults, "vars": {"observe": [case.module, step], "whole": case.whole and check, **more}}


def unobserved(tasks: t.Iterable[dict]) -> list[dict]:
    defaults = {"group/vcf.ray.vcenter": "{{ login }}", "group/vcf.ray.kubernetes": {"supervisor": "{{ supervisor_login }}"}}
    return [{"name": f"Prepare: {next(iter(entry))}", "module_defaults": defaults, "ignore_errors": True, **entry} for entry in tasks]


def made(case: Case, version: str) -> list[dict]:
    """The tasks that make the object of a case, or those that see it refused, or those that only read."""
    if case.refused_on(version):
        return [task(case, "refused", case.create or (case.read or [{}])[0])]
    if not case.runs_on(version):
        return []
    reads = [task(case, f"read {number}", options) for number, options in enumerate(case.read)]
    steps = [task(case, name, options, check, alone=name == "alone") for name, options, check in case.steps(MAKE)]
    return [*unobserved(case.prepare), *steps, *reads]


def removed(case: Case, version: str) -> list[dict]:
    if case.refused_on(version) or not case.runs_on(version):
        return []
    return [*(task(case, name, options, check) for name, options, check in case.steps(REMOVE)), *unobserved(case.cleanup)]


def cycle(version: str, world_up: list[dict], world_down: list[dict]) -> list[dict]:
    """One play: all up, all down; the world above what the platform itself needs."""
    up = {stage: [entry for case in CASES if (case.order >= ABOVE) is stage for entry in made(case, version)] for stage in (False, True)}
    down = {stage: [entry for case in reversed(CASES) if (case.order >= ABOVE) is stage for entry in removed(case, version)] for stage in (False, True)}
    return play([*up[False], *unobserved(world_up), *up[True], *looked_at(version), *down[True], *unobserved(world_down), *down[False]])


def looked_at(version: str) -> list[dict]:
    """Everything in check mode at once, with the state of the whole lab at the first and the last task."""
    tasks = [task(case, f"sweep {options}", getattr(case, options), True) for case in CASES if case.runs_on(version)
             for options in ("create", "change", "remove") if getattr(case, options) is not None]
    for end in (tasks[0], tasks[-1]):
        end["vars"]["whole"] = True
    return tasks


def play(tasks: list[dict]) -> list[dict]:
    """A play of these tasks in one session, which is closed at its end."""
    login = {"name": "Log in", "vcf.ray.vcenter_session": {}, "module_defaults": {"group/vcf.ray.vcenter": "{{ login }}"}, "register": "session"}
    logout = {"name": "Log out", "vcf.ray.vcenter_session": {"session_id": "{{ session.session_id }}", "state": "absent"},
              "module_defaults": {"group/vcf.ray.vcenter": "{{ login }}"}}
    return [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
             "tasks": [login, {"name": "Do", "block": tasks, "always": [logout]}]}]
