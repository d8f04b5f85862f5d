# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of virtual machines and of load balancer services."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable


class PoolExhausted(Exception):
    """No address is free."""


class AddressPool:
    """Addresses of a range, one per owner.

    They are given in turn and not the lowest first: neighbours remember the hardware address behind
    an IP for half a minute, so one that was just given back must rest.
    """

    def __init__(self, first: str, count: int, reserved: Iterable[str] = ()) -> None:
        start = ipaddress.ip_address(first)
        taken = set(reserved)
        self._range = [text for number in range(count) if (text := str(start + number)) not in taken]
        self._owners: dict[str, str] = {}  # owner -> address
        self._next = 0

    def take(self, owner: str) -> str:
        """The owner's address, a new one at the first call."""
        if owner in self._owners:
            return self._owners[owner]
        used = set(self._owners.values())
        for offset in range(len(self._range)):
            position = (self._next + offset) % len(self._range)
            if self._range[position] not in used:
                self._next = position + 1
                self._owners[owner] = self._range[position]
                return self._range[position]
        raise PoolExhausted(f"all {len(self._range)} addresses are in use")

    def release(self, owner: str) -> str | None:
        """Give the owner's address back."""
        return self._owners.pop(owner, None)
