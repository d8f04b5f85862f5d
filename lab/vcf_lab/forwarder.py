# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP forwarding: what kube-proxy and the load balancer do in a data centre."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Protocol

LOG = logging.getLogger(__name__)
CHUNK = 65536
CONNECT_TIMEOUT = 5.0

Address = tuple[str, int]
Target = Callable[[], Address | None]


class Cut(Exception):
    """The connection ends here; `rest` is what the reader of this direction still gets."""

    def __init__(self, rest: bytes = b"") -> None:
        super().__init__()
        self.rest = rest


class Listener(Protocol):
    """Sees both directions of a connection; either may raise `Cut`."""

    def asked(self, data: bytes) -> None: ...

    def answered(self, data: bytes) -> None: ...


async def forward(listen: Address, target: Target) -> asyncio.Server:
    """Listen on an address and carry each connection to `target()`, asked anew each time."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await carry(reader, writer, target)

    return await asyncio.start_server(connection, *listen, reuse_address=True)


async def carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Target, listener: Listener | None = None
) -> None:
    """One connection from its begin to its end.

    A target of None (no ready endpoint) or one that does not answer resets the connection, so
    that the client sees a refusal at once and not a hang.
    """
    goal = target()
    try:
        if goal is None:
            raise ConnectionError("no endpoint")
        async with asyncio.timeout(CONNECT_TIMEOUT):
            far_reader, far_writer = await asyncio.open_connection(*goal)
    except (OSError, TimeoutError) as error:
        LOG.info("%s -> %s: %s", writer.get_extra_info("sockname"), goal, error)
        writer.transport.abort()
        return
    there = _copy(reader, far_writer, listener.asked if listener else None)
    back = _copy(far_reader, writer, listener.answered if listener else None)
    try:
        await asyncio.gather(there, back)
    except Cut:
        pass
    finally:
        for side in (writer, far_writer):
            side.close()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener: Callable[[bytes], None] | None
) -> None:
    """One direction until its end, which is passed on: the other one may still have to say something."""
    with contextlib.suppress(OSError):  # a peer that resets ends this direction, as a close does
        while data := await reader.read(CHUNK):
            try:
                if listener is not None:
                    listener(data)
            except Cut as cut:
                writer.write(cut.rest)
                raise
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
            return
    writer.close()
