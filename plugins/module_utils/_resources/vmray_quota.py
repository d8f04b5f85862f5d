# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a vSphere namespace has left for the machines of a VMRayCluster, as far as its quotas tell."""

from __future__ import annotations

import re
import typing as t

from .._ports import Json
from .vmray_spec import node_types

CLASS_OF_STORAGE = re.compile(r"(?P<name>.+)\.storageclass\.storage\.k8s\.io/requests\.storage")
COUNTED = "count/virtualmachines.vmoperator.vmware.com"
UNITS = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50}
# What a quota limits: how much of it one machine of a class takes.
WORDS = {"limits.cpu": "cores", "limits.memory": "memory", "requests.cpu": "reserved cores", "requests.memory": "reserved memory"}


def amount(text: t.Any) -> float | None:
    """The number of a Kubernetes quantity; None of what is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?(?:e\d+)?)([kMGTP]i?|Ki|m)?", str(text))
    return float(found[1]) * UNITS[found[2] or ""] if found else None


def storage_faults(quotas: list[Json], wanted: str | None, namespace: str) -> list[str]:
    """A storage class that exists on the Supervisor, but is not given to the namespace."""
    limits = {key: limit for quota in quotas for key, limit in _hard(quota).items()}
    given = {found["name"]: limit for key, limit in limits.items() if (found := CLASS_OF_STORAGE.fullmatch(key))}
    if not wanted or not given:
        return []
    if wanted not in given:
        return [f"storage class {wanted} is not assigned to namespace {namespace} (there are: {', '.join(sorted(given))})"]
    return [f"storage class {wanted} has a quota of 0 in namespace {namespace}"] if amount(given[wanted]) == 0 else []


def count_faults(quotas: list[Json], spec: Json) -> list[str]:
    """More machines than the namespace may have."""
    faults, nodes = [], len(_least(spec))
    for quota in quotas:
        left = _left(quota, COUNTED)
        if left is not None and left < nodes:
            faults.append(f"the head and the least number of workers are {nodes} virtual machines, and quota {quota['metadata']['name']} leaves "
                          f"{left:.0f}")
    return faults


def capacity_warnings(quotas: list[Json], spec: Json, classes: dict[str, Json]) -> list[str]:
    """Quotas of cores and memory that the least cluster would go beyond; whether that stops a machine, the platform decides."""
    found = []
    for quota in quotas:
        for key, words in WORDS.items():
            left, needed = _left(quota, key), sum(_takes(classes.get(name) or {}, key) for name in _least(spec))
            if left is not None and needed > left:
                found.append(f"The head and the least number of workers need {_shown(key, needed)} of {words}, and quota {quota['metadata']['name']} "
                             f"({key}) leaves {_shown(key, left)}: some machines may not start.")
    return found


def _hard(quota: Json) -> dict[str, t.Any]:
    return (quota.get("status") or {}).get("hard") or (quota.get("spec") or {}).get("hard") or {}


def _left(quota: Json, key: str) -> float | None:
    hard, used = amount(_hard(quota).get(key)), amount(((quota.get("status") or {}).get("used") or {}).get(key, 0))
    return None if hard is None else max(0.0, hard - (used or 0))


def _least(spec: Json) -> list[str]:
    """The VM class of each machine that is made at once."""
    types, head = node_types(spec), (spec.get("head_node") or {}).get("node_type") or ""
    counts = [(n.get("vm_class") or "", n.get("min_workers")) for n in types.values()]
    return [(types.get(head) or {}).get("vm_class") or ""] + [name for name, least in counts if isinstance(least, int) for each in range(least)]


def _takes(vm_class: Json, key: str) -> float:
    spec = vm_class.get("spec") or {}
    kind, what = key.split(".")
    if kind == "requests":
        return amount(((((spec.get("policies") or {}).get("resources") or {}).get("requests")) or {}).get(what, 0)) or 0
    return amount((spec.get("hardware") or {}).get({"cpu": "cpus"}.get(what, what), 0)) or 0


def _shown(key: str, value: float) -> str:
    return f"{value / 2**20:.0f} MiB" if key.endswith("memory") else f"{value:g}"
