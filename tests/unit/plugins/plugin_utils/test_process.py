# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import time
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.plugin_utils import _process

FORK = multiprocessing.get_context("fork")


def alive(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().split()[2] != "Z"


def run(work: t.Callable[[], None]) -> tuple[int, multiprocessing.Process]:
    """A worker that leads its group, with a child inside ``ending_children`` while it works. Returns the child's pid and the worker."""
    pids = FORK.SimpleQueue()

    def worker() -> None:
        os.setsid()
        with _process.ending_children():
            pids.put(subprocess.Popen(["sleep", "60"]).pid)
            work()

    process = FORK.Process(target=worker)
    process.start()
    return pids.get(), process


def gone(pid: int) -> bool:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            if not alive(pid):
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    return False


def test_a_signal_ends_the_child_first() -> None:
    child, worker = run(lambda: time.sleep(60))
    os.kill(worker.pid, signal.SIGTERM)
    assert gone(child)
    worker.join()
    assert worker.exitcode == -signal.SIGTERM


def test_a_second_signal_comes_too_late_to_spare_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parent that tells its worker to end and ends itself sends two at once: its own, and the one for its end."""
    killpg = os.killpg

    def twice(*args: int) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        killpg(*args)

    monkeypatch.setattr(os, "killpg", twice)
    child, worker = run(lambda: time.sleep(60))
    os.kill(worker.pid, signal.SIGTERM)
    assert gone(child)
    worker.join()


def test_a_task_whose_time_has_run_out_ends_its_child() -> None:
    def work() -> None:
        raise TimeoutError

    child, worker = run(work)
    assert gone(child)
    worker.join()
    assert worker.exitcode == 1


def test_a_task_that_ends_well_ends_nobody() -> None:
    child, worker = run(lambda: None)
    worker.join()
    assert worker.exitcode == 0 and alive(child)
    os.kill(child, signal.SIGKILL)


def test_a_process_without_a_group_of_its_own_sends_nothing_to_the_others() -> None:
    assert os.getpgrp() != os.getpid() or pytest.skip("this one leads its group")
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(TimeoutError), _process.ending_children():
        assert signal.getsignal(signal.SIGTERM) is before
        raise TimeoutError


def test_a_worker_ends_with_its_parent() -> None:
    pids = FORK.SimpleQueue()

    def worker() -> None:
        _process.end_with_parent()
        pids.put((os.getpid(), os.getpgrp()))
        time.sleep(60)

    parent = FORK.Process(target=lambda: (FORK.Process(target=worker).start(), time.sleep(60)))
    parent.start()
    pid, group = pids.get()
    assert group == pid
    parent.kill()
    assert gone(pid)
    parent.join()


def test_the_command_itself_is_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """There it would be the terminal that it asked for the signal."""
    monkeypatch.setattr(os, "setsid", lambda: pytest.fail("it has left its terminal"))
    _process.end_with_parent()
