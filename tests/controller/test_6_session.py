# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session that many tasks share ends with the play, however that ends."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from conftest import WAYS
from fake_vcenter import FakeVCenter
from running import Core, Run, wait_for

ENDS = {"Ctrl-C": (os.kill, signal.SIGINT), "cancelled job": (os.killpg, signal.SIGKILL)}


@pytest.mark.parametrize("end", ENDS)
def test_the_session_of_a_play_that_is_ended(core: Core, way: str, end: str, server: FakeVCenter, tmp_path: Path) -> None:
    with Run(core, tmp_path / "run", server, "session.yml", "-e", "name=slow-1", in_process=WAYS[way]) as run:
        assert wait_for(server.waiting, 90), run.text
        kill, number = ENDS[end]
        kill(run.process.pid, number)
        wait_for(lambda: run.rc is not None and not run.processes(), 10)
        assert not run.processes() and not server.sessions, run.text


def test_the_session_of_a_play_that_forgets_to_log_out(core: Core, server: FakeVCenter, tmp_path: Path) -> None:
    with Run(core, tmp_path / "run", server, "session.yml", "-e", "name=one", "-e", "forget=true") as run:
        assert run.end().rc == 0, run.text
        wait_for(lambda: not run.processes(), 10)
        assert not run.processes() and not server.sessions and len(server.logins) == 1


def test_the_play_s_own_logout_sends_the_process_away(core: Core, server: FakeVCenter, tmp_path: Path) -> None:
    """One logout, and not one more from a process that was not told."""
    with Run(core, tmp_path / "run", server, "session.yml", "-e", "name=one") as run:
        assert run.end().rc == 0, run.text
        assert not run.processes() and not server.sessions
        assert server.requests.count("DELETE /api/session") == 1 and len(server.logins) == 1
