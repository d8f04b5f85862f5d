# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever ends the run, the session of a waiting task is closed and no process stays behind."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import pty
import signal
import termios
import time
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import CORES, WAYS
from fake_vcenter import DEAF_LOGOUT, SLOW_LOGIN, FakeVCenter
from running import Core, Run, hear_interrupts, wait_for

# Seconds: until the task waits, and from the signal until all is gone.
START, LIMIT = 90.0, 10.0
# There is no cell of {INT, TERM, KILL} x {parent, group} x cores x ways that cannot hold: a SIGKILL of the group misses the
# worker, which leads a group of its own on every core, and the kernel tells it that its parent has gone.


class End(t.NamedTuple):
    """A way for a run to end: ``send(run, terminal)`` ends it; the other fields are of the run before that."""

    send: t.Callable[[Run, int], t.Any]
    args: tuple[str, ...] = ()
    hosts: str = "vc-1"
    terminal: bool = False


class Left(t.NamedTuple):
    """What was left some seconds after the end."""

    processes: list[int]
    sessions: list[str]
    seconds: float
    text: str


def to_parent(number: int) -> t.Callable[[Run, int], None]:
    return lambda run, terminal: os.kill(run.process.pid, number)


def to_group(number: int) -> t.Callable[[Run, int], None]:
    return lambda run, terminal: os.killpg(run.process.pid, number)


def to_all_twice(run: Run, terminal: int) -> None:
    for pid in run.processes() * 2:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


ENDS = {
    "INT to the parent": End(to_parent(signal.SIGINT)),
    "INT to the group": End(to_group(signal.SIGINT)),
    "TERM to the parent": End(to_parent(signal.SIGTERM)),
    "TERM to the group": End(to_group(signal.SIGTERM)),
    "KILL to the parent": End(to_parent(signal.SIGKILL)),
    "KILL to the group": End(to_group(signal.SIGKILL)),
    "Ctrl-C at a terminal": End(lambda run, terminal: os.write(terminal, b"\x03"), terminal=True),
    "TERM to all and once more": End(to_all_twice),
    "INT to the parent of three tasks": End(to_parent(signal.SIGINT), hosts="a b c"),
    "TERM to the parent while a task logs in": End(to_parent(signal.SIGTERM), args=("-e", f"account={SLOW_LOGIN}")),
    "logout is not answered": End(to_parent(signal.SIGTERM), args=("-e", f"account={DEAF_LOGOUT}")),
}
CELLS = list(itertools.product(CORES, WAYS, ENDS))


def take_terminal() -> None:
    hear_interrupts()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def left(core: Core, way: str, name: str, folder: Path, certificate: Path) -> Left:
    """Let a task wait, end the run, and see what is left."""
    end = ENDS[name]
    ours, theirs = pty.openpty()
    terminal = {"stdin": theirs, "preexec_fn": take_terminal} if end.terminal else {}
    with FakeVCenter(certificate) as server, \
            Run(core, folder, server, "wait.yml", *end.args, in_process=WAYS[way], hosts=end.hosts, **terminal) as run:
        try:
            tasks = len(end.hosts.split())
            assert wait_for(lambda: server.waiting(tasks) or SLOW_LOGIN in list(server.sessions.values()), START), run.text
            start = time.monotonic()
            end.send(run, ours)
            wait_for(lambda: run.rc is not None and not run.processes(), LIMIT)
            return Left(run.processes(), list(server.sessions.values()), time.monotonic() - start, run.text)
        finally:
            os.close(ours)
            os.close(theirs)


@pytest.fixture(scope="module", name="cells")
def fixture_cells(certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[tuple, Future]]:
    """All of them, three at a time: most of their time is waiting."""
    folder = tmp_path_factory.mktemp("signals")
    with ThreadPoolExecutor(3) as pool:
        yield {cell: pool.submit(left, *cell, folder / "-".join(map(str, cell)), certificate) for cell in CELLS}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: ", ".join(map(str, cell)))
def test_nothing_is_left(cells: dict[tuple, Future], cell: tuple) -> None:
    seen = cells[cell].result()
    assert not seen.processes, seen
    if cell[-1] == "logout is not answered":
        # The session is lost, the process is not: it waits for five seconds.
        assert seen.seconds < 8, seen
    else:
        assert not seen.sessions, seen
