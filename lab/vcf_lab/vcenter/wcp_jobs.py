# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Background work of the workload control plane: one serial line of tasks per object.

vCenter answers a write at once and does the work afterwards. What is to be done stands in the
store, so a front that was restarted goes on where the old one stopped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

LOG = logging.getLogger(__name__)
Work = Callable[[], Awaitable[None]]

# Seconds of each kind of pause: (fast, natural).
PACE = {
    "supervisor step": (0.4, 8.0),
    "service": (0.3, 5.0),
    "namespace": (0.2, 2.0),
    "poll": (0.2, 1.0),
    "retry": (1.0, 10.0),
}


class Jobs:
    """The running tasks by object, for example `namespace ray`."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def add(self, key: str, work: Work) -> None:
        """Run after what is under way for the same object."""
        self._tasks[key] = asyncio.create_task(self._run(key, self._tasks.get(key), work))

    def instead(self, key: str, work: Work) -> None:
        """Stop what is under way for the same object, then run: a removal does not wait for a failing set-up."""
        before = self._tasks.get(key)
        if before is not None:
            before.cancel()
        self.add(key, work)

    async def _run(self, key: str, before: asyncio.Task[None] | None, work: Work) -> None:
        try:
            if before is not None:
                await _end_of(before)
            await work()
        except Exception:
            # The record stays as it is and the log names the defect; nobody awaits this task.
            LOG.exception("work on %s failed", key)
            raise
        finally:
            if self._tasks.get(key) is asyncio.current_task():
                del self._tasks[key]

    async def stop(self) -> None:
        """Cancel everything and wait for it."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until nothing is under way (for tests)."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))
            await asyncio.sleep(0)


async def _end_of(before: asyncio.Task[None]) -> None:
    """Wait for an earlier task; whoever cancels us cancels it too, and it has ended when we end."""
    try:
        await asyncio.wait([before])
    except asyncio.CancelledError:
        before.cancel()
        await asyncio.wait([before])
        raise


def jobs(app: web.Application) -> Jobs:
    """The jobs of this application; `wcp.start` makes them."""
    made: Jobs = app["wcp"]
    return made


async def pause(app: web.Application, kind: str) -> None:
    """Take the time that this kind of step takes at the lab's speed."""
    fast, natural = PACE[kind]
    await asyncio.sleep(natural if app["lab"].speed == "natural" else fast)
