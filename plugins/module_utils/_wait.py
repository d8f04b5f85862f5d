# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one loop that waits: a deadline, a growing interval, and a memory of what was seen last."""

from __future__ import annotations

import time
import typing as t

from ._errors import RayError

ARGSPEC = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 1800},
}
GROWTH = 1.5


def until(read: t.Callable[[], t.Any], done: t.Callable[[t.Any], bool], *, what: str, timeout: float,
          failed: t.Callable[[t.Any], str | None] | None = None, diagnose: t.Callable[[], str] | None = None,
          interval: float = 0.2, limit: float = 10.0, say: t.Callable[[t.Any], str] | None = None,
          clock: t.Callable[[], float] = time.monotonic, sleep: t.Callable[[float], None] = time.sleep) -> t.Any:
    """Call ``read`` until ``done(value)``, and return that value.

    Args:
        what: what is waited for, a phrase that fits behind "waiting for".
        timeout: seconds; the value is read at least once, also with 0.
        failed: gives a sentence when the value is one that cannot get better, else None.
        diagnose: asked once, when the wait gives up; its text ends the message.
        interval, limit: seconds between two reads at the start and at the most.
        say: the value in words, for the message.
    Raises:
        RayError: ``TIMEOUT`` or ``FAILED``, with the last state, how long it has stood, and the diagnosis.
    """
    start = since = clock()
    last, reads = None, 0
    while True:
        value = read()
        reads += 1
        if done(value):
            return value
        # After done: what it found out while it looked closer belongs to the words.
        now, words = clock(), say(value) if say else None
        if words != last:
            last, since = words, now
        reason = failed(value) if failed else None
        if reason:
            raise RayError(f"Gave up waiting for {what}: {reason}{_more(diagnose)}", code="FAILED")
        if now - start >= timeout:
            state = f"; last seen: {last}, for {now - since:.0f} s" if last else ""
            raise RayError(f"Waiting for {what} took more than {timeout:.0f} s ({reads} reads){state}.{_more(diagnose)}", code="TIMEOUT",
                           hint="Run it again to go on waiting, or raise wait_timeout.")
        sleep(min(interval, max(0.0, timeout - (now - start))))
        interval = min(interval * GROWTH, limit)


def _more(diagnose: t.Callable[[], str] | None) -> str:
    """The diagnosis; one that fails itself must not hide what was waited for."""
    if not diagnose:
        return ""
    try:
        return " " + diagnose()
    except RayError as error:
        return f" (No diagnosis: {error.message})"
