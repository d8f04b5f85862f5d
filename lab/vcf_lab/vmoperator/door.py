# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One port of a load balancer's address, which can be shut in different ways."""

from __future__ import annotations

import asyncio
import ctypes
import ipaddress
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

from vcf_lab.forwarder import Address, Listener, Target, carry
from vcf_lab.settings import VM_FIRST_IP

from .machines import VM_ADDRESSES

SO_ATTACH_FILTER = 26  # of asm-generic/socket.h; Python has no name for it
LINGER_NOTHING = struct.pack("ii", 1, 0)  # a close is a reset then
BACKLOG = 100
# Classic BPF: load the sender's address from the IP header, compare, answer how much of the packet to keep.
_LOAD_SENDER = (0x20, 0, 0, (0x100000000 - 0x100000) + 12)
_KEEP, _DROP = (0x06, 0, 0, 0xFFFFFFFF), (0x06, 0, 0, 0)


@dataclass(frozen=True)
class Way:
    """How a port behaves: mode open, closed or silent (nothing is ever answered), towards all or others than VMs."""

    mode: str = "open"
    seen: str = "everywhere"

    def lets_in(self, sender: str) -> bool:
        return self.mode == "open" or (self.seen == "outside" and is_machine(sender))


OPEN = Way()


def is_machine(address: str) -> bool:
    """Whether it is one of a VM; all others belong to whoever uses the clusters."""
    return 0 <= int(ipaddress.ip_address(address)) - int(ipaddress.ip_address(VM_FIRST_IP)) < VM_ADDRESSES


class Door:
    """Listens while it should be felt that somebody does."""

    def __init__(self, listen: Address, target: Target, listener: Callable[[], Listener] | None = None) -> None:
        self._listen, self._target, self._listener = listen, target, listener
        self._way: Way | None = None
        self._server: asyncio.Server | None = None
        self._inside: set[asyncio.StreamWriter] = set()

    async def turn(self, way: Way) -> None:
        """Behave so from now on; who is inside and may not be is thrown out."""
        if way == self._way:
            return
        await self.close()
        self._way = way
        for writer in list(self._inside):
            if not way.lets_in(_sender(writer)):
                _reset(writer)
        if way == Way("closed"):
            return
        try:
            self._server = await asyncio.start_server(self._enter, sock=self._socket(way))
        except OSError:
            self._way = None  # to be tried again
            raise

    async def close(self) -> None:
        """Listen no longer; connections go on."""
        self._way = None
        if self._server is not None:
            self._server.close()
            self._server = None

    def _socket(self, way: Way) -> socket.socket:
        listening = socket.socket()
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if way.mode == "silent":
                _drop(listening, machines_too=way.seen == "everywhere")
            listening.bind(self._listen)
            listening.listen(BACKLOG)
            listening.setblocking(False)
        except OSError:
            listening.close()
            raise
        return listening

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._way is None or not self._way.lets_in(_sender(writer)):
            _reset(writer)
            return
        self._inside.add(writer)
        try:
            await carry(reader, writer, self._target, self._listener() if self._listener else None)
        finally:
            self._inside.discard(writer)


def _sender(writer: asyncio.StreamWriter) -> str:
    peer = writer.get_extra_info("peername")
    return str(peer[0]) if peer else "0.0.0.0"


def _reset(writer: asyncio.StreamWriter) -> None:
    """The client sees a reset, not an end."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOTHING)
    writer.transport.abort()


def _drop(listening: socket.socket, *, machines_too: bool) -> None:
    """Let the kernel drop packets before anybody answers them, as a firewall does: no connection is ever made."""
    first = int(ipaddress.ip_address(VM_FIRST_IP))
    only_machines = [
        _LOAD_SENDER,
        (0x35, 0, 1, first),  # at least the first one, else drop
        (0x25, 0, 1, first + VM_ADDRESSES - 1),  # beyond the last one: drop
        _DROP,
        _KEEP,
    ]
    code = b"".join(struct.pack("HBBI", *each) for each in ([_DROP] if machines_too else only_machines))
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HL", len(code) // 8, ctypes.addressof(buffer))
    listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
