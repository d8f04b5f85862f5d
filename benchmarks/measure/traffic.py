# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and connections of each task, and the vCenter sessions that it leaves open."""

from __future__ import annotations

import tempfile
from typing import Any

from ..counting import Traffic, counted
from ..rows import BASE, VCENTER, Row, rows
from ..world import LOG_URL, World, get_json

TITLE = "Requests and connections of a task"
BUDGET = 120


def run(world: World) -> dict[str, Any]:
    session = world.session()
    return {"rows": [one(world, row) for row in rows(world, session) if row.group != BASE]}


def one(world: World, row: Row) -> dict[str, Any]:
    """Twice: some neighbours keep what they have found out in a file, and the second time is cheaper."""
    with tempfile.TemporaryDirectory(dir=world.work) as fresh:
        first = counted(world, row.key, row.tasks, env={"TMPDIR": fresh})
        before = open_sessions()
        world.vcenter_log(forget=True)
        seen = counted(world, row.key, row.tasks, env={"TMPDIR": fresh})
        log = world.vcenter_log(forget=True)
    told = {"key": row.key, "label": row.label, "group": row.group, "requests": len(seen.requests), "first_requests": len(first.requests),
            "connections": seen.connections, "asked": [f"{sent.method} {sent.path.split('?')[0]}" for sent in seen.requests]}
    if row.group == VCENTER:
        agree(row, seen, log)
        told |= {"requests": len(log), "first_requests": len(log), "sessions_left": open_sessions() - before,
                 "asked": [f"{entry['method']} {entry['path'].split('?')[0]}" for entry in log]}
    return told


def agree(row: Row, seen: Traffic, log: list[dict[str, Any]]) -> None:
    """The client's count and the server's; a library that does not use http.client is counted by the server alone."""
    if seen.requests and len(seen.requests) != len(log):
        raise RuntimeError(f"{row.label}: sent {len(seen.requests)} requests, vCenter got {len(log)}")
    ours, theirs = sum(seen.connections.values()), len({entry["connection"] for entry in log})
    if ours != theirs:
        raise RuntimeError(f"{row.label}: opened {ours} connections, vCenter saw {theirs}")


def open_sessions() -> int:
    return len(get_json(f"{LOG_URL}/sessions")["rest"])
