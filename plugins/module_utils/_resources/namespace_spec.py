# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vCenter wants to hear when a namespace is made or changed: only what was asked for, and only what differs."""

from __future__ import annotations

import typing as t

from .._diff import same
from .._ports import Json
from .namespaces import LIMITS, NO_LIMIT, UNLIMITED, library_entries

# What may be said of an attached library; an answer can hold more.
ENTRY = ("content_library", "writable", "allow_import", "resource_naming_strategy")
# The part of a zone that was given with its name, and what vCenter calls it.
ZONE = {
    "cpu_limit_mhz": "cpu_limit_MHz",
    "cpu_reservation_mhz": "cpu_reservation_MHz",
    "memory_limit_mib": "memory_limit_MiB",
    "memory_reservation_mib": "memory_reservation_MiB",
}


def merged(before: Json | None, asked: Json, purge: bool) -> Json:
    """What is asked for, laid over what is there: whole lists, and all limits. None stays None.

    A library that the namespace may write to was attached for another purpose than images, so it always stays.
    """
    now = before or {}
    found = dict(asked)
    if asked.get("storage_policies") is not None:
        limits = {entry["policy"]: entry["limit_mib"] for entry in now.get("storage_policies") or []}
        wanted = {} if purge else dict(limits)
        for entry in asked["storage_policies"]:
            kept = limits.get(entry["policy"], NO_LIMIT)
            wanted[entry["policy"]] = kept if entry["limit_mib"] is None else entry["limit_mib"]
        found["storage_policies"] = [{"policy": policy, "limit_mib": wanted[policy]} for policy in sorted(wanted)]
    for key, stays in (("vm_classes", ""), ("content_libraries", "writable_libraries"), ("zones", "")):
        if asked.get(key) is not None:
            found[key] = sorted({*asked[key], *(now.get(stays if purge else key) or [])})
    if asked.get("limits") is not None:
        found["limits"] = {**UNLIMITED, **(now.get("limits") or {}), **asked["limits"]}
    return found


def create_body(desired: Json, zones: list[Json]) -> Json:
    """All that is asked for; a new namespace has nothing that would have to be taken away."""
    body: dict[str, t.Any] = {}
    if desired.get("description"):
        body["description"] = desired["description"]
    limits = {LIMITS[name]: value for name, value in (desired.get("limits") or {}).items() if value != NO_LIMIT}
    if limits:
        body["resource_spec"] = limits
    if desired.get("storage_policies"):
        body["storage_specs"] = [storage_spec(s) for s in desired["storage_policies"]]
    if desired.get("vm_classes") or desired.get("content_libraries"):
        body["vm_service_spec"] = service_spec(desired)
    if desired.get("networks"):
        body["networks"] = desired["networks"]
    if zones:
        body["zones"] = [zone_spec(zone) for zone in zones]
    return body


def update_body(before: Json, desired: Json, info: Json, zones: list[Json]) -> Json:
    """What differs. PATCH leaves alone what is absent, and replaces a list or structure that is given.

    Args:
        info: the namespace as vCenter told it, for what has no option of ours and has to be kept.
        zones: the options of the zones that are wanted.
    """
    changed = {k: v for k, v in desired.items() if v is not None and not same(v, before.get(k))}
    body: dict[str, t.Any] = {}
    if "description" in changed:
        body["description"] = changed["description"]
    if "limits" in changed:
        body["resource_spec"] = quota_update(before["limits"], changed["limits"])
    if "storage_policies" in changed:
        body["storage_specs"] = [storage_spec(s) for s in changed["storage_policies"]]
    if "content_libraries" in changed and info.get("content_libraries") is not None:
        body["content_libraries"] = library_specs(info, changed["content_libraries"])
    if "vm_classes" in changed or ("content_libraries" in changed and "content_libraries" not in body):
        body["vm_service_spec"] = service_spec({**before, **changed})
    if set(changed.get("zones") or []) - set(before["zones"]):
        body["zones"] = [zone_spec(zone) for zone in zones]
    return body


def storage_spec(entry: Json) -> Json:
    limit = {} if entry["limit_mib"] == NO_LIMIT else {"limit": entry["limit_mib"]}
    return {"policy": entry["policy"], **limit}


def service_spec(wanted: Json) -> Json:
    """Both lists always: vCenter takes the one that is not given for an empty one."""
    return {key: wanted.get(key) or [] for key in ("vm_classes", "content_libraries")}


def library_specs(info: Json, wanted: list[str]) -> list[Json]:
    """What is set for a library that stays, stays."""
    known = library_entries(info)
    return [{**{key: known.get(i, {})[key] for key in ENTRY if key in known.get(i, {})}, "content_library": i} for i in wanted]


def quota_update(before: Json, wanted: Json) -> Json:
    """All limits that stay or change, and a word for each that goes: an absent one would be kept."""
    body: dict[str, t.Any] = {}
    for name, theirs in LIMITS.items():
        if wanted[name] != NO_LIMIT:
            body[theirs] = wanted[name]
        elif before[name] != NO_LIMIT:
            body[f"{theirs}_unset"] = True
    return body


def zone_spec(zone: Json) -> Json:
    numbers = {theirs: zone[ours] for ours, theirs in ZONE.items() if zone.get(ours) is not None}
    reserved = [{"reserved_vm_class": r["vm_class"], "count": r["count"]} for r in zone.get("vm_reservations") or []]
    return {"name": zone["name"], **numbers, **({"vm_reservations": reserved} if reserved else {})}
