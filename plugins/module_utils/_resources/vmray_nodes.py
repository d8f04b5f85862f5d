# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual machines of a VMRayCluster, by what its custom resource says of them: no request of its own."""

from __future__ import annotations

from .._ports import Json
from . import vmray_ready

# The operator's own label (RayOnVCF, vmraycluster_controller.go); Ray's provider finds the head by it too.
NOUNCE = "vmray.kubernetes.io/head-nounce"
# The state of a machine that is wanted and of which the operator says nothing yet; all other states are its own words.
PENDING = "pending"


def nodes(raw: Json) -> list[Json]:
    """The head, then the workers by name; an empty ``address`` or ``node_type`` is one that nobody has said yet."""
    spec, status = raw.get("spec") or {}, raw.get("status") or {}
    wanted, current = spec.get("autoscaler_desired_workers") or {}, status.get("current_workers") or {}
    head = _head_name(raw)
    found = [_node(raw, head, "head", (spec.get("head_node") or {}).get("node_type"), status.get("head_node_status"))] if head else []
    return found + [_node(raw, name, "worker", wanted.get(name), current.get(name)) for name in sorted({*wanted, *current})]


def _head_name(raw: Json) -> str | None:
    """The operator names the head at its first pass; the label may be lost later, the finalizer then says that it was there."""
    meta = raw["metadata"]
    nounce = (meta.get("labels") or {}).get(NOUNCE)
    if nounce:
        return f"{meta['name']}-h-{nounce}"
    return f"{meta['name']}-h" if meta.get("finalizers") else None


def _node(raw: Json, name: str, role: str, node_type: str | None, status: Json | None) -> Json:
    config = (raw.get("spec") or {}).get("common_node_config") or {}
    status = status or {}
    return {"name": name, "cluster": raw["metadata"]["name"], "namespace": raw["metadata"]["namespace"], "role": role, "node_type": node_type,
            "state": status.get("vm_status") or PENDING, "address": status.get("ip") or None, "user": config.get("vm_user") or None,
            "dashboard_url": vmray_ready.dashboard_url(raw)}
