# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that come and go while the lab runs: services, pods, load balancers."""

from __future__ import annotations

import asyncio

from . import settings
from .namespaces import program


async def add(address: str) -> None:
    """Let this network answer for an address; one that is there already is fine.

    A /32, so that the kernel never picks it as the source of somebody else's connection.
    """
    await _ip("replace", address)


async def remove(address: str) -> None:
    """Stop answering for an address; OSError when it was not there."""
    await _ip("delete", address)


async def _ip(verb: str, address: str) -> None:
    command = [program("ip"), "address", verb, f"{address}/32", "dev", settings.BRIDGE]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    if process.returncode:
        raise OSError(f"{' '.join(command)}: {errors.decode().strip()}")
