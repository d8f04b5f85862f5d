# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold everything after a write, so that a client can be killed at that very point."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from vcf_lab.vcenter.fault import Answer, Call, Fault, Proceed


class Hold(Fault):
    """Counts writes; after the Nth nothing gets an answer until it is released."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.writes = 0
        self.holding = False
        self.ending = False  # the server stops: what was held is not begun any more
        self.released = asyncio.Event()

    def fits(self, method: str, where: str) -> bool:
        """All requests once it holds; `path` and `method` choose the writes that count."""
        return self.holding or super().fits(method, where)

    def release(self, *, ending: bool = False) -> None:
        self.ending = ending
        self.released.set()


async def hold(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    assert isinstance(fault, Hold)
    if fault.holding:
        await fault.released.wait()
        # A request whose client is gone was never carried out: to the client it is as if it had not been sent.
        return web.Response(status=499) if fault.ending or _gone(call) else await proceed()
    if not call.writes:
        return await proceed()
    fault.writes += 1
    if fault.writes < fault.options["after"]:
        return await proceed()
    fault.holding = True
    answer = await proceed()
    fault.claim(call)
    await fault.released.wait()
    return answer


def _gone(call: Call) -> bool:
    transport = call.request.transport
    return transport is None or transport.is_closing()
