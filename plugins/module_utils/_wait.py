# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one loop that waits: a deadline, a growing interval, a memory of what was seen last, and a voice."""

from __future__ import annotations

import time
import typing as t
from contextlib import contextmanager
from contextvars import ContextVar

from ._errors import RayError

T = t.TypeVar("T")
ARGSPEC = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 1800},
}
GROWTH = 1.5
# Seconds without a change after which the state is told again, so that nobody takes a long wait for a dead one.
REPEAT = 60.0
# What a server says, or does not say, while it or the way to it is restarted.
BORNE = ("CONNECTION", "SERVICE_UNAVAILABLE")
# Who hears of the waits below; set around a whole task, so that the small waits inside a resource are heard too.
_listener: ContextVar[t.Callable[[str], None]] = ContextVar("_listener", default=lambda text: None)


@contextmanager
def heard_by(listener: t.Callable[[str], None]) -> t.Iterator[None]:
    """Inside, each wait tells its state as ``WORDS (48 s)``, with the seconds since its start: each change once, and once a minute without one."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


def until(read: t.Callable[[], T], done: t.Callable[[T], bool], *, what: str, timeout: float,
          failed: t.Callable[[T], str | None] | None = None, diagnose: t.Callable[[], str] | None = None,
          interval: float = 0.2, limit: float = 10.0, say: t.Callable[[T], str] | None = None, bear: float = 0,
          clock: t.Callable[[], float] = time.monotonic, sleep: t.Callable[[float], t.Any] | None = None) -> T:
    """Call ``read`` until ``done(value)``, and return that value.

    Args:
        what: what is waited for, a phrase that fits behind "waiting for".
        timeout: seconds; the value is read at least once, also with 0.
        failed: gives a sentence when the value is one that cannot get better, else None.
        diagnose: asked once, when the wait gives up; its text ends the message.
        interval, limit: seconds between two reads at the start and at the most.
        say: the value in words, for the message and for who hears of it.
        bear: seconds for which the server may stay without an answer, since one that restarts comes back.
        sleep: takes seconds; may return early, as a watch does that has seen a change.
    Raises RayError ``TIMEOUT`` or ``FAILED``, with the last state, how long it has stood, and the diagnosis.
    """
    start = clock()
    seen, reads, answered = _Seen(start), 0, start
    while True:
        try:
            value = read()
        except RayError as error:
            now = clock()
            if error.code not in BORNE or now - answered >= bear:
                raise
            seen.note(f"no answer: {error.message.rstrip('.')}", now)
        else:
            reads += 1
            if done(value):
                return value
            # After done: what it found out while it looked closer belongs to the words.
            now = answered = clock()
            seen.note(say(value) if say else None, now)
            if failed and (reason := failed(value)):
                raise RayError(f"Gave up waiting for {what}: {reason}{_more(diagnose)}", code="FAILED")
        if now - start >= timeout:
            raise _late(f"{what} took more than {timeout:.0f} s ({reads} reads){seen.last(now)}.{_more(diagnose)}")
        (sleep or time.sleep)(min(interval, max(0.0, timeout - (now - start))))
        interval = min(interval * GROWTH, limit)


def _late(words: str) -> RayError:
    return RayError(f"Waiting for {words}", code="TIMEOUT", hint="Run it again to go on waiting, or raise wait_timeout.")


class _Seen:
    """The words that were seen last, since when, and when they were last told."""

    def __init__(self, start: float) -> None:
        self._start = self._since = self._told = start
        self._words: str | None = None

    def note(self, words: str | None, now: float) -> None:
        if words and (words != self._words or now - self._told >= REPEAT):
            _listener.get()(f"{words} ({now - self._start:.0f} s)")
            self._told = now
        if words != self._words:
            self._words, self._since = words, now

    def last(self, now: float) -> str:
        return f"; last seen: {self._words}, for {now - self._since:.0f} s" if self._words else ""


def _more(diagnose: t.Callable[[], str] | None) -> str:
    """The diagnosis; one that fails itself must not hide what was waited for."""
    if not diagnose:
        return ""
    try:
        return " " + diagnose()
    except RayError as error:
        return f" (No diagnosis: {error.message})"


def pause(seconds: float) -> None:
    """Wait for as long as a server has asked for."""
    time.sleep(seconds)
