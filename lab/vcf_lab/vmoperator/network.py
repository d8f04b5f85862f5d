# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's bridge, as virtual machines and load balancers use it."""

from __future__ import annotations

import asyncio
import json
import os
import re

from vcf_lab.settings import BRIDGE

# Interface names have 15 characters at most: machines are numbered, not named.
LINK = re.compile(r"^vm\d+$")
NAMESPACE_SECONDS = 10.0


class NetworkError(Exception):
    """ip(8) refused."""


async def ip(*arguments: str) -> str:
    """Run ip(8)."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("ip", *arguments, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    if process.returncode:
        raise NetworkError(f"ip {' '.join(arguments)}: {err.decode().strip()}")
    return out.decode()


async def push_interface(link: str, pid: int) -> None:
    """Give the namespace of `pid` an eth0 on the bridge."""
    own = os.readlink("/proc/self/ns/net")
    async with asyncio.timeout(NAMESPACE_SECONDS):
        while os.readlink(f"/proc/{pid}/ns/net") == own:  # unshare has not come to it yet
            await asyncio.sleep(0.01)
    await ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    await ip("link", "set", link, "master", BRIDGE, "up")


async def remove_link(link: str) -> None:
    """At once: a dead machine's namespace may live on while its sockets still retransmit."""
    try:
        await ip("link", "del", link)
    except NetworkError:
        if link in await links():  # else it went with its namespace
            raise


async def links() -> list[str]:
    """Interfaces of machines that are there, perhaps from an earlier run."""
    names = [entry["ifname"] for entry in json.loads(await ip("-json", "link", "show"))]
    return [name for name in names if LINK.match(name)]


async def add_address(address: str) -> None:
    """Answer for a load balancer's address."""
    await ip("addr", "replace", f"{address}/32", "dev", BRIDGE)


async def remove_address(address: str) -> None:
    """Answer no longer; gone already is fine."""
    shown = await ip("-json", "addr", "show", "dev", BRIDGE)
    if any(entry.get("local") == address for link in json.loads(shown) for entry in link.get("addr_info", [])):
        await ip("addr", "del", f"{address}/32", "dev", BRIDGE)
