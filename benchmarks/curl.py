# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same requests by one curl: what the network and the server take, without any Ansible."""

from __future__ import annotations

import json

from .counting import Call
from .world import World


def config(calls: list[Call], header: str, ca: str) -> str:
    """A configuration of curl for stdin, so that the credential is in nobody's list of processes."""
    parts = []
    for call in calls:
        lines = [f'url = "{call.url}"', f'request = "{call.method}"', f'header = "{header}"', f'cacert = "{ca}"', 'output = "/dev/null"',
                 "silent", "show-error", "fail", r'write-out = "%{time_total} %{num_connects}\n"']
        if call.body is not None:
            text = json.dumps(call.body).replace("\\", "\\\\").replace('"', '\\"')
            lines += ['header = "Content-Type: application/json"', f'data = "{text}"']
        parts.append("\n".join(lines))
    return "\nnext\n".join(parts) + "\n"


def timed(world: World, calls: list[Call], header: str) -> float:
    """Milliseconds of all calls together, the handshake of their one connection included."""
    told = [line.split() for line in world.run("curl", "--config", "-", data=config(calls, header, world.ca)).splitlines()]
    connections = sum(int(line[1]) for line in told)
    if connections != 1:
        raise RuntimeError(f"curl opened {connections} connections for {len(calls)} calls, it should be one")
    return sum(float(line[0]) for line in told) * 1000
