# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands inside the namespaces of a running lab."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from . import instance, settings
from .namespaces import die_with_parent, enter
from .parts import command_environment, environment

_PASSED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def execute(state: Path, command: list[str], env: Mapping[str, str] | None = None) -> int:
    """Run a command inside and return its exit code, as a shell would tell it."""
    running = None if instance.inside(state) else instance.need(state)
    values = command_environment(settings.read(state)) if env is None else env
    if running:
        enter(running.pid)
    return accompany(_fork(command, values))


def accompany(child: int) -> int:
    """Hand our signals to a child and wait for it."""
    _pass_signals(child)
    return _wait(child)


def python(state: Path, module: str, *arguments: str) -> int:
    """Run one of our modules inside."""
    lab = settings.read(state)
    return execute(state, [sys.executable, "-m", f"vcf_lab.{module}", *arguments], environment(lab))


def _fork(command: list[str], env: Mapping[str, str]) -> int:
    # Blocked until the child can be told: a signal in between would be lost.
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED)
    child = os.fork()
    if child == 0:
        _become(command, env)
    _pass_signals(child)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED)
    return child


def _become(command: list[str], env: Mapping[str, str]) -> None:
    """In the child: die with the parent, then be the command."""
    try:
        die_with_parent(signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED)
        os.execvpe(command[0], command, env)
    except OSError as error:
        print(f"lab exec: {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def _pass_signals(child: int) -> None:
    """Hand signals on, except those of the terminal, which reach the child by themselves."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if number in (signal.SIGINT, signal.SIGQUIT) and _from_terminal():
            return
        os.kill(child, number)

    for number in _PASSED:
        signal.signal(number, pass_on)


def _from_terminal() -> bool:
    """True when we are the foreground group of a terminal: Ctrl-C goes to the whole group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)


def _wait(child: int) -> int:
    while True:
        try:
            _, status = os.waitpid(child, 0)
        except InterruptedError:
            continue
        code = os.waitstatus_to_exitcode(status)
        return 128 - code if code < 0 else code
