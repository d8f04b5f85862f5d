# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task says while it waits, and when it keeps quiet."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from conftest import CORES
from fake_vcenter import PASSWORD, FakeVCenter
from running import Core, Run, wait_for

WAIT = ("wait.yml", "-e", "seconds=1")
LINE = "waiting: [vc-1] slow-vc-1: CONFIGURING (0 s)"


def test_a_wait_is_told_on_standard_error(play: t.Callable[..., Run]) -> None:
    run = play(*WAIT)
    assert run.err.splitlines().count(LINE) == 1 and "waiting:" not in run.out, run.text


def test_it_is_told_while_the_task_waits(core: Core, server: FakeVCenter, tmp_path: Path) -> None:
    with Run(core, tmp_path / "run", server, "wait.yml") as run:
        assert wait_for(lambda: LINE in run.err, 60), run.text
        assert server.sessions and not run.rows


@pytest.mark.parametrize(("args", "env"), [(["-e", "hidden=true"], {}), ([], {"ANSIBLE_STDOUT_CALLBACK": "json"})], ids=["no_log", "callback"])
def test_quiet(play: t.Callable[..., Run], args: list[str], env: dict[str, str]) -> None:
    run = play(*WAIT, *args, env=env)
    assert run.failed("Wait") and run.progress == [], run.text
    assert not env or json.loads(run.out) == {}


@pytest.mark.parametrize("core", CORES[:1], ids=str, indirect=True)
@pytest.mark.parametrize(("variable", "environment", "lines"), [("false", None, 0), (None, "false", 0), (None, "0", 0), ("true", "false", 1)])
def test_switch(play: t.Callable[..., Run], core: Core, variable: str | None, environment: str | None, lines: int) -> None:
    args = ["-e", f"vcf_ray_progress={variable}"] if variable else []
    run = play(*WAIT, *args, env={"VCF_RAY_PROGRESS": environment} if environment else {})
    assert run.failed("Wait") and len(run.progress) == lines, run.text


def test_a_secret_is_no_part_of_a_line(play: t.Callable[..., Run]) -> None:
    run = play(*WAIT, "-e", f"suffix={PASSWORD}", "-vvv")
    assert run.progress == ["waiting: [vc-1] slow-********: CONFIGURING (0 s)"]
    assert PASSWORD not in run.text + str(run.rows)
