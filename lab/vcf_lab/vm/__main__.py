# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PID 1 of a virtual machine."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from . import cloudinit, disk, shims, ssh
from .reaper import reap_around
from .spec import VmSpec, read
from .userdata import UserDataError

LOG = logging.getLogger("vcf_lab.vm")
INTERFACE = "eth0"
LINK_SECONDS = 30.0


async def main(spec: VmSpec) -> None:
    """Boot: disk, network, then SSH while cloud-init is still at work."""
    disk.prepare(spec)
    shims.install(spec)
    await _network(spec)
    async with await ssh.serve(spec):
        tell({"event": "up", "address": spec.address})
        LOG.info("%s is up at %s", spec.name, spec.address)
        await _cloud_init(spec)
        await asyncio.Event().wait()


async def _cloud_init(spec: VmSpec) -> None:
    try:
        await asyncio.to_thread(cloudinit.run, spec)
    except UserDataError as error:
        LOG.error("cloud-init: %s", error)  # noqa: TRY400 - a mistake of the user, and no place in this code
        tell({"event": "bootstrap", "ok": False, "message": str(error)})
    else:
        tell({"event": "bootstrap", "ok": True, "message": ""})


async def _network(spec: VmSpec) -> None:
    """Configure the interface that the platform pushes into this namespace."""
    async with asyncio.timeout(LINK_SECONDS):
        while INTERFACE not in {name for _, name in socket.if_nameindex()}:
            await asyncio.sleep(0.01)
    for arguments in (
        ["link", "set", "lo", "up"],
        ["addr", "add", f"{spec.address}/16", "dev", INTERFACE],
        ["link", "set", INTERFACE, "up"],
        ["route", "add", "default", "via", spec.gateway],
    ):
        subprocess.run(["ip", *arguments], check=True)


def tell(event: dict[str, Any]) -> None:
    """A line for the platform; it reads our standard output."""
    os.write(1, (json.dumps(event) + "\n").encode())


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    reap_around()
    asyncio.run(main(read(Path(sys.argv[1]))))
