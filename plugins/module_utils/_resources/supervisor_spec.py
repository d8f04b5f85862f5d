# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vCenter wants to hear when a Supervisor is enabled, out of the options of the module; names become ids."""

from __future__ import annotations

import typing as t

from .._ports import Inventory, Json, VCenter
from .library_names import library_id
from .supervisor_balancer import edge
from .supervisor_network import MANAGEMENT, WORKLOAD, management_network, workload_network

# Keys of the specification whose values are ids of objects that must be there.
IDS = ("networks", "dvpg", "dvs", "storage_policy", "ephemeral_storage_policy", "image_storage_policy", "content_library", "kubernetes_content_library",
       "vsan_clusters", "edge_cluster_ID", "t0_gateway", "nsx_project", "vpc_connectivity_profile")


def enable_body(name: str, spec: Json, client: VCenter) -> Json:
    """The specification of both calls that enable; that of zones has their names beside it."""
    work, control = spec["workloads"], spec["control_plane"]
    inventory = client.inventory
    policy = inventory.policy(spec.get("storage_policy"))
    body: Json = pruned({
        "name": name,
        "control_plane": {
            **{key: control.get(key) for key in ("size", "count", "login_banner")},
            "storage_policy": inventory.policy(control.get("storage_policy")) or policy,
            "network": management_network(control["network"], client),
        },
        "workloads": {
            "network": workload_network(work, client),
            "edge": edge(spec, client),
            "kube_API_server_options": {"security": {"certificate_dns_names": work.get("api_server_dns_names")}},
            "images": images(work.get("images") or {}, client),
            "storage": storage(work.get("storage") or {}, policy, inventory),
        },
    })
    return body


def images(asked: Json, client: VCenter) -> Json:
    """Where images of machines and containers come from."""
    kubernetes, registry = asked.get("kubernetes_library"), asked.get("registry") or {}
    return {
        "repository": asked.get("repository"),
        "kubernetes_content_library": None if kubernetes is None else library_id(client, kubernetes),
        "content_libraries": [
            {"content_library": library_id(client, entry["name"]), "supervisor_services": entry.get("services"),
             "resource_naming_strategy": entry.get("naming")}
            for entry in asked.get("content_libraries") or []
        ],
        "registry": {**{key: registry.get(key) for key in ("hostname", "port", "username", "password")},
                     "certificate_chain": registry.get("certificate_authority")},
    }


def storage(asked: Json, policy: str | None, inventory: Inventory) -> Json:
    """The policies for pods and their images, and clusters whose vSAN gives file volumes."""
    clusters = [inventory.cluster(name) for name in asked.get("file_volume_clusters") or []]
    return {
        "ephemeral_storage_policy": inventory.policy(asked.get("ephemeral_storage_policy")) or policy,
        "image_storage_policy": inventory.policy(asked.get("image_storage_policy")) or policy,
        "cloud_native_file_volume": {"vsan_clusters": clusters},
    }


def pruned(value: t.Any) -> t.Any:
    """Without keys that are not set: vCenter reads an explicit null or an empty structure as a value."""
    if isinstance(value, dict):
        inner = {k: pruned(v) for k, v in value.items()}
        return {k: v for k, v in inner.items() if v is not None and v != {} and not (v == [] and k != "search_domains")}
    if isinstance(value, list):
        return [pruned(v) for v in value]
    return value


def ids_in(value: t.Any, key: str = "") -> t.Iterator[str]:
    """The ids of what a specification names: vCenter's "not found" need not say of which."""
    if isinstance(value, dict):
        for inner, below in value.items():
            yield from ids_in(below, inner)
    elif isinstance(value, list):
        for below in value:
            yield from ids_in(below, key)
    elif key in IDS or (key == "network" and isinstance(value, str) and value not in (MANAGEMENT, WORKLOAD)):
        yield value
