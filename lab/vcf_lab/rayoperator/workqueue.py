# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue in front of the operator's one worker."""

from __future__ import annotations

import asyncio

FIRST_PAUSE = 0.005  # after a failed pass; doubles with each further one
LONGEST_PAUSE = 1000.0

Key = tuple[str, str]  # namespace, name


class WorkQueue:
    """Keys to work on: each waits once at most, now or later, and may be added while in work."""

    def __init__(self) -> None:
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._waiting: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}

    async def get(self) -> Key:
        """The next key, when there is one."""
        key = await self._ready.get()
        self._waiting.discard(key)
        return key

    def add(self, key: Key) -> None:
        """Work on the key as soon as the worker is free."""
        if key not in self._waiting:
            self._waiting.add(key)
            self._ready.put_nowait(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Work on the key in a while; of two such wishes the earlier holds."""
        due = asyncio.get_running_loop().time() + seconds
        timer = self._timers.get(key)
        if timer and not timer.cancelled() and timer.when() <= due:
            return
        if timer:
            timer.cancel()
        self._timers[key] = asyncio.get_running_loop().call_at(due, self._fire, key)

    def failed(self, key: Key) -> None:
        """Work on the key again, after a pause that grows."""
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        self.add_after(key, min(FIRST_PAUSE * 2 ** min(count, 20), LONGEST_PAUSE))

    def succeeded(self, key: Key) -> None:
        """The next failure starts with the shortest pause again."""
        self._failures.pop(key, None)

    def _fire(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)


class Pace:
    """A bucket of tokens: the operator's API client lets 20 calls a second through, 30 at once.

    A loop that keeps itself going by its own status writes (an unknown node type, a registry secret
    that is missing) runs at this speed, and does not take the machine away from the lab.
    """

    def __init__(self, rate: float = 20.0, burst: int = 30) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._last: float | None = None

    async def wait(self) -> None:
        """Return when the next call may be made."""
        now = asyncio.get_running_loop().time()
        if self._last is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._last) * self._rate)
        self._last = now
        self._tokens -= 1
        if self._tokens < 0:
            await asyncio.sleep(-self._tokens / self._rate)
