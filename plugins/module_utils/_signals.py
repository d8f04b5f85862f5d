# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal that ends the process is an exception first, so that what is open on a server is closed."""

from __future__ import annotations

import os
import signal
import threading
import typing as t
from contextlib import contextmanager

ENDING = (signal.SIGINT, signal.SIGTERM)
# Seconds that opening and closing may take from then on; a server that does not answer must not keep the process alive.
GRACE = 5


class Stopped(BaseException):
    """A signal has arrived. No ``except`` but the one below is meant to see it."""


class _Stop:
    """What the two signals do: they are noted, and interrupt what stands inside ``interruptible``."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._inside = False

    def __call__(self, number: int, frame: t.Any) -> None:
        # A job is often told twice to end, by its terminal and by its parent.
        for other in ENDING:
            signal.signal(other, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(GRACE)
        self.number = number
        if self._inside:
            raise Stopped

    @contextmanager
    def interruptible(self) -> t.Iterator[None]:
        self._inside = True
        try:
            if self.number is not None:
                raise Stopped
            yield
        finally:
            self._inside = False


@contextmanager
def closing_first(opening: t.ContextManager[t.Any]) -> t.Iterator[t.Any]:
    """Enter ``opening``. Inside, SIGINT and SIGTERM unwind the stack; then the signal takes the course that it would have taken at once.

    ``opening`` itself is not interrupted: a login whose answer nobody waits for opens a session that nobody can close.
    """
    if threading.current_thread() is not threading.main_thread():
        with opening as opened:
            yield opened
        return
    stop = _Stop()
    before = {number: signal.signal(number, stop) for number in ENDING}
    try:
        with opening as opened, stop.interruptible():
            yield opened
    except Stopped:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if stop.number is not None:
            os.kill(os.getpid(), stop.number)
            # Only a handler that lets the process live comes to here.
            raise SystemExit(128 + stop.number)
