# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The zones of a vSphere Namespace: some of its Supervisor's, from 9.0 on."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab.vcenter.errors import ApiError, missing
from vcf_lab.vcenter.wcp_request import invalid

SHAPE = [
    {
        "name*": str,
        "vm_reservations": [{"reserved_vm_class*": str, "count*": int}],
        "cpu_limit_MHz": int,
        "cpu_reservation_MHz": int,
        "memory_limit_MiB": int,
        "memory_reservation_MiB": int,
        "disallow_unreserved_direct_path_usage": bool,
    }
]
Record = dict[str, Any]


def of_supervisor(supervisor: Record) -> list[str]:
    """The zones that a namespace has when nothing is said."""
    return [entry["zone"] for entry in supervisor["topology"]]


def check(app: web.Application, supervisor: Record, specs: list[Record]) -> None:
    """Zones of the Supervisor, each once, with limits and classes that make sense."""
    known, seen = of_supervisor(supervisor), set()
    for spec in specs:
        name = spec["name"]
        if name not in known:
            text = f"The zone '{name}' is not one of the Supervisor {supervisor['name']}: {', '.join(known)}."
            raise invalid(text, "zones", name)
        if name in seen:
            raise invalid(f"The zone '{name}' is named twice.", "zones", name)
        seen.add(name)
        for field in ("cpu", "memory"):
            unit = "MHz" if field == "cpu" else "MiB"
            reserved, limit = spec.get(f"{field}_reservation_{unit}", 0), spec.get(f"{field}_limit_{unit}")
            if reserved < 0 or (limit is not None and limit < reserved):
                raise invalid(f"zones: {field}_reservation_{unit} of '{name}' is not between 0 and the limit.", name)
        for entry in spec.get("vm_reservations", []):
            if entry["reserved_vm_class"] not in app["store"]["vm_classes"] or entry["count"] < 1:
                raise invalid(f"zones: the reservation of '{entry['reserved_vm_class']}' in '{name}' is not possible.", name)


def made(supervisor: Record, specs: list[Record]) -> list[Record]:
    """The zones of a new namespace."""
    given = {spec["name"]: spec for spec in specs}
    return [{"zone": name, "spec": given.get(name, {}), "leaving": False} for name in given or of_supervisor(supervisor)]


def changed(record: Record, specs: list[Record]) -> list[Record]:
    """Zones added or set by an update; none is taken away by it."""
    after = {entry["zone"]: entry for entry in record["zones"]}
    for spec in specs:
        after[spec["name"]] = {"zone": spec["name"], "spec": spec, "leaving": False}
    return list(after.values())


def shown(record: Record) -> list[Record]:
    """As the Info of a namespace has them; every zone of the lab's Supervisor has its control plane too."""
    return [
        {"zone": entry["zone"], "type": "MANAGEMENT", "marked_for_removal": entry["leaving"]}
        for entry in record["zones"]
    ]


def leave(record: Record, zone: str) -> None:
    """Mark a zone; it goes when nothing runs there any more."""
    entry = next((entry for entry in record["zones"] if entry["zone"] == zone), None)
    if entry is None:
        raise missing("Zone", zone)
    if [other["zone"] for other in record["zones"] if not other["leaving"]] == [zone]:
        raise ApiError("ERROR", f"The zone '{zone}' is the last one of namespace {record['namespace']}.", args=[zone])
    entry["leaving"] = True


async def drain(app: web.Application, record: Record) -> None:
    """Let the marked zones go once the namespace has no virtual machine; the lab does not place them by zone."""
    if not any(entry["leaving"] for entry in record["zones"]):
        return
    if not await app["kube"].list("VirtualMachine", record["namespace"]):
        record["zones"] = [entry for entry in record["zones"] if not entry["leaving"]]
        app["store"].changed()
