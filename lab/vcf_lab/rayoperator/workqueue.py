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
