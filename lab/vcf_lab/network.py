# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own network and the few files of /etc that go with it."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from . import settings
from .namespaces import program

# Without a MAC of its own a bridge takes its lowest port's. When that machine
# goes, the others keep a dead address in their ARP tables and calls hang.
BRIDGE_MAC = "02:0a:f4:00:00:01"
_ADDRESSES = (
    settings.BRIDGE_IP,
    settings.VCENTER_IP,
    settings.APISERVER_IP,
    settings.PUBLISHER_IP,
    settings.REGISTRY_IP,
    settings.VCSIM_IP,
    settings.MIRROR_IP,
    settings.FILES_IP,
)


def commands() -> str:
    """Script for `ip -batch -`: loopback, bridge, addresses of the fixed servers."""
    bridge, prefix = settings.BRIDGE, settings.NETWORK_PREFIX
    return "\n".join(
        [
            "link set lo up",
            f"link add {bridge} address {BRIDGE_MAC} type bridge",
            f"link set {bridge} up",
            *(f"address add {address}/{prefix} dev {bridge}" for address in _ADDRESSES),
            "",
        ]
    )


def hosts_file() -> str:
    """Names of the lab's servers; the machine's own name stays resolvable."""
    names = {"127.0.0.1": "localhost", "::1": "localhost ip6-localhost", "127.0.1.1": socket.gethostname()}
    names |= {address: host for host, address in settings.HOSTS.items()}
    return "".join(f"{address}\t{host}\n" for address, host in names.items())


def make(state: Path) -> None:
    """Build the network and cover /etc/hosts and /etc/resolv.conf.

    An empty resolv.conf makes a look-up fail at once, where the host's would
    hang on servers that cannot be reached from here.
    """
    subprocess.run([program("ip"), "-batch", "-"], input=commands(), text=True, check=True)
    folder = state / "etc"
    folder.mkdir(exist_ok=True)
    for name, content in {"hosts": hosts_file(), "resolv.conf": ""}.items():
        (folder / name).write_text(content)
        target = Path("/etc") / name
        if target.exists():
            subprocess.run([program("mount"), "--bind", str(folder / name), os.path.realpath(target)], check=True)
