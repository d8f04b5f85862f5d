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
import struct
import typing as t

from ..module_utils._http import HAS_REQUESTS
from . import _run

# Process, user and group of a sender.
CREDENTIALS = struct.Struct("3i")


class ActionModule(_run.ActionModule):
    """Runs ``vcenter_session``, and sees to the end of the session."""

    def run(self, tmp: t.Any = None, task_vars: dict | None = None) -> dict:
        result = super().run(tmp, task_vars)
        if result.get("session_id") and self._is_local():
            logout = {"state": "absent", "session_id": result["session_id"]}
            left = HAS_REQUESTS and _leave_behind(_address(result["session_id"]), lambda: self._here(task_vars or {}, {**self._task.args, **logout}))
            if not left:
                _run.display.vv("This session ends by a logout only: no process can wait for the end of the playbook here.")
        elif result.get("ended"):
            _send_away(_address(str(self._task.args["session_id"])))
        return result


def _address(session_id: str) -> str:
    """A name in the kernel's own table of sockets, which no file stands for and the session cannot be read from."""
    return "\0vcf.ray." + hashlib.sha256(session_id.encode()).hexdigest()


def _leave_behind(address: str, at_end: t.Callable[[], t.Any]) -> bool:
    """Fork a process that calls ``at_end`` when the playbook has ended, unless it is sent away before. False when it cannot be."""
    playbook = multiprocessing.parent_process()
    if playbook is None or not hasattr(os, "pidfd_open"):
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as word:
            word.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            word.bind(address)
            parent = os.pidfd_open(playbook.pid)
            try:
                _fork(lambda: _wait(parent, word, at_end))
            finally:
                os.close(parent)
    except OSError:
        # An old kernel, or one that forbids it.
        return False
    return True


def _fork(do: t.Callable[[], None]) -> None:
    """Let a process do it that is nobody's child, so that nobody waits for it."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        if not os.fork():
            do()
    finally:
        os._exit(0)


def _wait(parent: int, word: socket.socket, at_end: t.Callable[[], t.Any]) -> None:
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _let_go({parent, word.fileno()})
    while True:
        ready = select.select([parent, word], [], [])[0]
        if word in ready and _is_ours(word):
            return
        if parent in ready:
            at_end()
            return


def _is_ours(word: socket.socket) -> bool:
    """Whether who sends it away is this user or root; anybody can write to this kind of socket. (unix(7), SCM_CREDENTIALS)"""
    _text, attached, _flags, _sender = word.recvmsg(16, socket.CMSG_SPACE(CREDENTIALS.size))
    return any(kind == socket.SCM_CREDENTIALS and CREDENTIALS.unpack(data)[1] in (os.getuid(), 0) for _level, kind, data in attached)


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
