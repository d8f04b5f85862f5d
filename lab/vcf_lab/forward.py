# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab forward`: an address of the lab on 127.0.0.1 of the host.

The listening socket is made on the host's side; then the process enters the
lab's network, where it connects to the address for each caller.
"""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path

from . import instance
from .namespaces import enter

_TLS_PORTS = (443, 6443)
_CHUNK = 65536


class ForwardError(Exception):
    """A sentence: what is wrong with the request for a forward."""


def parse(text: str) -> tuple[int, str, int]:
    """`[LOCALPORT:]ADDR:PORT` as three values; local port 0 takes a free one."""
    found = re.fullmatch(r"(?:(\d+):)?([A-Za-z0-9.-]+):(\d+)", text)
    if not found or not 0 < int(found[3]) < 65536 or not 0 <= int(found[1] or 0) < 65536:
        raise ForwardError(f"{text!r} is not [LOCALPORT:]ADDRESS:PORT, as 8265:10.244.1.3:8265")
    return int(found[1] or 0), found[2], int(found[3])


def forward(state: Path, text: str) -> int:
    local, address, port = parse(text)
    running = instance.need(state)
    listening = _listen(local)
    enter(running.pid, ("user", "net", "mnt"))  # mnt: for the names in /etc/hosts
    scheme = "https" if port in _TLS_PORTS else "http"
    print(f"{scheme}://127.0.0.1:{listening.getsockname()[1]}  (to {address}:{port} in the lab; Ctrl-C ends it)", flush=True)
    try:
        asyncio.run(_serve(listening, address, port))
    except KeyboardInterrupt:
        pass
    return 0


def _listen(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        raise ForwardError(f"cannot listen on 127.0.0.1:{port}: {error.strerror}") from error
    return listening


async def _serve(listening: socket.socket, address: str, port: int) -> None:
    async def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection(address, port)
        except OSError as error:
            print(f"{address}:{port}: {error.strerror or error}", flush=True)
            writer.close()
            return
        await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))

    server = await asyncio.start_server(caller, sock=listening)
    async with server:
        await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction; its end is passed on, the other direction may go on."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:  # one side is gone: so is this direction
        writer.close()
