# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vCenter tells of vSphere Namespaces, in one shape for both generations of its API."""

from __future__ import annotations

from urllib.parse import quote

from .._names import canonical
from .._ports import Json, VCenter
from .messages import texts

BASE = "/api/vcenter/namespaces/instances"
# A limit that is not there, in options and in results: null could not be told from "leave it as it is".
NO_LIMIT = -1
# The limit of ours, and what vCenter calls it (ResourceQuotaOptionsV1).
LIMITS = {
    "cpu_mhz": "cpu_limit",
    "memory_mib": "memory_limit",
    "storage_mib": "storage_request_limit",
    "pods": "pod_count",
    "services": "service_count",
    "deployments": "deployment_count",
    "replica_sets": "replica_set_count",
    "stateful_sets": "stateful_set_count",
    "daemon_sets": "daemon_set_count",
    "replication_controllers": "replication_controller_count",
    "jobs": "job_count",
    "config_maps": "config_map_count",
    "secrets": "secret_count",
    "persistent_volume_claims": "persistent_volume_claim_count",
    "container_cpu_limit_mhz": "cpu_limit_default",
    "container_cpu_request_mhz": "cpu_request_default",
    "container_memory_limit_mib": "memory_limit_default",
    "container_memory_request_mib": "memory_request_default",
}
UNLIMITED = dict.fromkeys(LIMITS, NO_LIMIT)
USAGE = {"cpu_mhz": "cpu_used", "memory_mib": "memory_used", "storage_mib": "storage_used"}


def find_namespace(client: VCenter, name: str) -> Json | None:
    """What vCenter tells of one, as it tells it. The newer path knows the Supervisor, the older one is all that 7.0 has."""
    found = client.find(f"{BASE}/v2/{quote(name, safe='')}")
    namespace: Json | None = client.find(path_of(name)) if found is None else found
    return namespace


def list_namespaces(client: VCenter) -> list[str]:
    """The names of all that the account may see."""
    rows = client.find(f"{BASE}/v2")
    rows = client.get(BASE) if rows is None else rows
    return sorted(row["namespace"] for row in rows or [])


def path_of(name: str) -> str:
    """The path of everything but making and reading, in every release."""
    return f"{BASE}/{quote(name, safe='')}"


def described(name: str, info: Json) -> Json:
    """A namespace in our words; lists that are sets are sorted, and ids are in one case."""
    service = info.get("vm_service_spec") or {}
    libraries = library_entries(info)
    ids = {*map(canonical, service.get("content_libraries") or []), *libraries}
    return {
        "name": name,
        "supervisor": canonical(info.get("supervisor") or info.get("cluster") or ""),
        "description": info.get("description") or "",
        "config_status": info.get("config_status"),
        "storage_policies": sorted((storage_of(s) for s in info.get("storage_specs") or []), key=lambda s: s["policy"]),
        "vm_classes": sorted(service.get("vm_classes") or []),
        "content_libraries": sorted(ids),
        "writable_libraries": sorted(i for i, entry in libraries.items() if entry.get("writable")),
        "limits": limits_of(info),
        "networks": sorted(info.get("networks") or []),
        "zones": sorted(zone["zone"] for zone in info.get("zones") or [] if not zone.get("marked_for_removal")),
        "access": sorted((access_of(a) for a in info.get("access_list") or []), key=lambda a: (a["domain"], a["subject"])),
        "messages": texts(info.get("messages")),
    }


def usage(info: Json) -> Json:
    """What is used of a namespace at this moment."""
    stats = info.get("stats") or {}
    return {ours: stats.get(theirs) for ours, theirs in USAGE.items()}


def storage_of(spec: Json) -> Json:
    limit = spec.get("limit")
    return {"policy": canonical(spec["policy"]), "limit_mib": NO_LIMIT if limit is None else limit}


def access_of(entry: Json) -> Json:
    return {**{key: entry.get(key) for key in ("subject", "domain", "subject_type", "role")}, "inherited": bool(entry.get("inherited"))}


def limits_of(info: Json) -> Json:
    """All limits, with those that are not set."""
    told = info.get("resource_spec") or {}
    return {ours: NO_LIMIT if told.get(theirs) is None else told[theirs] for ours, theirs in LIMITS.items()}


def library_entries(info: Json) -> dict[str, Json]:
    """The attached libraries by id, with what is set for each. Empty before 8.0 U2, which knows no more than their ids."""
    return {canonical(entry["content_library"]): entry for entry in info.get("content_libraries") or []}
