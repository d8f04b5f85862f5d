# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP forwarding: what kube-proxy and the load balancer do in a data centre."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

LOG = logging.getLogger(__name__)
CHUNK = 65536
CONNECT_TIMEOUT = 5.0

Address = tuple[str, int]


async def forward(listen: Address, target: Callable[[], Address | None]) -> asyncio.Server:
    """Listen on an address and carry each connection to `target()`, asked anew each time.

    A target of None (no ready endpoint) or one that does not answer resets the connection, so
    that the client sees a refusal at once and not a hang.
    """

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        goal = target()
        try:
            if goal is None:
                raise ConnectionError("no endpoint")
            async with asyncio.timeout(CONNECT_TIMEOUT):
                far_reader, far_writer = await asyncio.open_connection(*goal)
        except (OSError, TimeoutError) as error:
            LOG.info("%s:%s -> %s: %s", *listen, goal, error)
            writer.transport.abort()
            return
        await _both_ways(reader, writer, far_reader, far_writer)

    return await asyncio.start_server(connection, *listen, reuse_address=True)


async def _both_ways(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    far_writer: asyncio.StreamWriter,
) -> None:
    try:
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
    finally:
        for side in (writer, far_writer):
            side.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction until its end, which is passed on: the other one may still have to say something."""
    with contextlib.suppress(OSError):  # a peer that resets ends this direction, as a close does
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
            return
    writer.close()
