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
# Seconds that closing may take; a server that does not answer must not keep the process alive.
GRACE = 5


class Stopped(BaseException):
    """A signal has arrived. No ``except`` but the one below is meant to see it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def closing_first() -> t.Iterator[None]:
    """Inside, SIGINT and SIGTERM unwind the stack; then the signal takes the course that it would have taken at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: t.Any) -> None:
        # A job is often told twice to end, by its terminal and by its parent.
        for other in ENDING:
            signal.signal(other, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(GRACE)
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in ENDING}
    stopped = None
    try:
        yield
    except Stopped as error:
        stopped = error.number
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if stopped is not None:
        os.kill(os.getpid(), stopped)
        # Only a handler that lets the process live comes to here.
        raise SystemExit(128 + stopped)
