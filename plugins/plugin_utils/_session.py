# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session that many tasks share ends with its play at the latest, even if that is killed before it logs out.

The tasks of a play are processes of their own, and of a cancelled play none is left to log out. So a small process
waits for the end of ansible-playbook beside it, and ends the session then; the play's own logout sends it away.
Linux only; elsewhere the session of a cancelled play ends by vCenter's limit of idle time.
"""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import os
import select
import signal
import socket
import typing as t

from . import _run


class ActionModule(_run.ActionModule):
    """Runs ``vcenter_session``, and sees to the end of the session."""

    def run(self, tmp: t.Any = None, task_vars: dict | None = None) -> dict:
        result = super().run(tmp, task_vars)
        if result.get("session_id") and self._connection.transport == "local":
            logout = {"state": "absent", "session_id": result["session_id"]}
            _leave_behind(_address(result["session_id"]), lambda: self._here(task_vars or {}, {**self._task.args, **logout}))
        elif self._task.args.get("state") == "absent" and not result.get("failed"):
            _send_away(_address(str(self._task.args["session_id"])))
        return result


def _address(session_id: str) -> str:
    """A name in the kernel's own table of sockets, which no file stands for and the session cannot be read from."""
    return "\0vcf.ray." + hashlib.sha256(session_id.encode()).hexdigest()


def _leave_behind(address: str, at_end: t.Callable[[], t.Any]) -> None:
    """Fork a process that calls ``at_end`` when the parent of this worker has ended, unless it is sent away before."""
    playbook = multiprocessing.parent_process()
    if playbook is None or not hasattr(os, "pidfd_open"):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as word:
        word.bind(address)
        parent = os.pidfd_open(playbook.pid)
        child = os.fork()
        if child:
            os.close(parent)
            os.waitpid(child, 0)
            return
        try:
            # Once more, so that it is nobody's child and nobody waits for it.
            if not os.fork():
                _wait(parent, word, at_end)
        finally:
            os._exit(0)


def _wait(parent: int, word: socket.socket, at_end: t.Callable[[], t.Any]) -> None:
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _let_go({parent, word.fileno()})
    ended, _rest, _none = select.select([parent, word], [], [])
    if word not in ended:
        # The play's own logout may be on its way.
        at_end()


def _let_go(kept: set[int]) -> None:
    """Close all but these: who reads the output of the play must see its end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2 and descriptor not in kept:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _send_away(address: str) -> None:
    """Tell the process that waits that there is nothing left to do; there may be none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as word, contextlib.suppress(OSError):
        word.sendto(b"done", address)
