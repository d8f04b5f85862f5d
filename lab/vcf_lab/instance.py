# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running lab of a state folder: its outer process, and how it ends."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .settings import write_private

GONE_WITHIN = 30.0


class NotRunning(Exception):
    """A sentence: there is no lab here."""


@dataclass(frozen=True)
class Instance:
    """The outer `unshare`; pids are reused, so its start time belongs to it."""

    pid: int
    start: str

    @classmethod
    def of(cls, pid: int) -> Instance:
        start = start_time(pid)
        if start is None:
            raise NotRunning(f"process {pid} ended at once")
        return cls(pid, start)

    def save(self, state: Path) -> None:
        write_private(state / "instance.json", json.dumps({"pid": self.pid, "start": self.start}) + "\n")

    @property
    def alive(self) -> bool:
        return start_time(self.pid) == self.start

    def end(self) -> None:
        """Kill the lab and wait until its last process is gone.

        The kernel lets PID 1 of a namespace end only after all its other
        processes, so one pidfd tells of all of them.
        """
        inner = [fd for pid in _children(self.pid) if (fd := _pidfd(pid)) is not None]
        outer = _pidfd(self.pid)
        if outer is None or not self.alive:
            return
        signal.pidfd_send_signal(outer, signal.SIGKILL)
        deadline = time.monotonic() + GONE_WITHIN
        for fd in [outer, *inner]:
            select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
            os.close(fd)


def start_time(pid: int) -> str | None:
    """Start time of a live process in clock ticks; None for none and for a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def network_of_self() -> int:
    return os.stat("/proc/self/ns/net").st_ino


def inside(state: Path) -> bool:
    """True in a command that `lab exec` started: pids of the host mean nothing there."""
    try:
        return int((state / "network").read_text()) == network_of_self()
    except (FileNotFoundError, NotADirectoryError):
        return False


def find(state: Path) -> Instance | None:
    """The live lab of this folder."""
    try:
        values = json.loads((state / "instance.json").read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    instance = Instance(values["pid"], values["start"])
    return instance if instance.alive else None


def need(state: Path) -> Instance:
    """The live lab of this folder, which must belong to us."""
    instance = find(state)
    if instance is None:
        raise NotRunning(f"no lab runs in {state}: start one by `lab up`")
    owner = state.stat().st_uid
    if owner != os.geteuid():
        raise NotRunning(f"the lab in {state} belongs to user {owner}: run this as that user")
    return instance


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """One `lab up` per folder at a time; survives that the folder is removed meanwhile."""
    while True:
        state.mkdir(parents=True, exist_ok=True)
        with open(state / ".lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                same = os.stat(state / ".lock").st_ino == os.fstat(file.fileno()).st_ino
            except FileNotFoundError:
                same = False
            if same:
                yield
                return


def clean(state: Path, *, keep_folder: bool = False) -> None:
    """Remove what a lab left; never a folder that is not a lab's."""
    if not state.exists():
        return
    entries = [entry for entry in state.iterdir() if entry.name != ".lock"]
    if entries and not (state / "lab.json").exists() and not (state / "instance.json").exists():
        raise NotRunning(f"{state} is not empty and not a lab's folder: choose another by --state")
    for entry in entries:
        # What tells that it is a lab's goes last, or a broken removal could not be repeated.
        if entry.name != "lab.json":
            _remove(entry)
    (state / "lab.json").unlink(missing_ok=True)
    if not keep_folder:
        _remove(state)


def _remove(path: Path) -> None:
    def open_up(function, name, _info) -> None:  # type: ignore[no-untyped-def]
        os.chmod(os.path.dirname(name), stat.S_IRWXU)
        if os.path.isdir(name) and not os.path.islink(name):
            os.chmod(name, stat.S_IRWXU)
            shutil.rmtree(name)
        else:
            function(name)

    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, onerror=open_up)
    else:
        path.unlink(missing_ok=True)


def _children(pid: int) -> list[int]:
    """Direct children; by a scan, since not every kernel lists them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == pid:
                found.append(int(entry.name))
    return found


def _pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None
