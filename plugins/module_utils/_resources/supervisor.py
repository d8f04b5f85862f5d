# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vCenter tells of its Supervisors, in one shape for both generations of its API."""

from __future__ import annotations

import typing as t

from .._errors import UnknownYet
from .._names import ambiguous, canonical, missing
from .._ports import Json, VCenter
from .messages import texts

BASE = "/api/vcenter/namespace-management"


def summaries(client: VCenter) -> list[Json]:
    """All Supervisors in one shape; before 8.0 they were known by their cluster only."""
    answer = client.find(f"{BASE}/supervisors/summaries")
    if answer is None:
        return [_from_cluster(row) for row in client.find(f"{BASE}/clusters") or []]
    rows = answer.get("items") or [] if isinstance(answer, dict) else answer
    return [_from_summary(row["supervisor"], row.get("info") or {}) for row in rows]


def find_supervisor(client: VCenter, wanted: str) -> Json | None:
    """The Supervisor of this name or id."""
    matches = [s for s in summaries(client) if s["name"] == wanted or s["supervisor"] == canonical(wanted)]
    if len(matches) > 1:
        raise ambiguous("Supervisor", wanted, matches, "supervisor")
    return matches[0] if matches else None


def supervisor_id(client: VCenter, wanted: str) -> str:
    """The id, or UnknownYet: the step that enables the Supervisor may not have run."""
    found = find_supervisor(client, wanted)
    if found is None:
        raise missing("Supervisor", wanted, [s["name"] for s in summaries(client)], UnknownYet)
    identifier: str = found["supervisor"]
    return identifier


def topology(client: VCenter, supervisor: str) -> list[Json]:
    """Its zones, each ``{zone, clusters}``; before 8.0 there is one cluster, and no word of zones."""
    if is_cluster(supervisor):
        return [{"zone": None, "clusters": [supervisor]}]
    return client.find(f"{BASE}/supervisors/{supervisor}/topology") or []


def clusters_of(client: VCenter, supervisor: str) -> list[str]:
    """The clusters that a Supervisor runs on, one of each zone."""
    return clusters_in(topology(client, supervisor))


def clusters_in(zones: list[Json]) -> list[str]:
    return sorted(cluster for zone in zones for cluster in zone.get("clusters") or [])


def is_cluster(supervisor: str) -> bool:
    """Before 8.0 the id of a Supervisor is that of its cluster."""
    return supervisor.startswith("domain-c")


def detailed(client: VCenter, summary: Json) -> Json:
    """With the address and the messages, which the list of 7.0 leaves out; later ones have them."""
    if not is_cluster(summary["supervisor"]):
        return summary
    info = client.find(f"{BASE}/clusters/{summary['supervisor']}") or {}
    return _described(summary["supervisor"], summary["name"], {**summary, **info}, info.get("api_server_cluster_endpoint"), _messages(info))


def messages_of_cluster(client: VCenter, cluster: str) -> list[str]:
    """What is wrong, where the Supervisor itself does not tell: before 9.1 only its clusters do."""
    return texts(_messages(client.find(f"{BASE}/clusters/{cluster}") or {}))


def _messages(info: Json) -> list[t.Any]:
    return [*(info.get("messages") or []), *(info.get("kubernetes_status_messages") or [])]


def conditions(client: VCenter, supervisor: str) -> list[Json]:
    """The steps of its configuration, in vCenter's order; 7.0 tells none."""
    if is_cluster(supervisor):
        return []
    return [_condition(row) for row in client.find(f"{BASE}/supervisors/{supervisor}/conditions") or []]


def _condition(row: Json) -> Json:
    return {
        **{key: row.get(key) for key in ("type", "status", "reason", "severity", "last_transition_time")},
        "description": " ".join(texts([{"details": row.get("description")}])),
        "messages": texts(row.get("messages")),
    }


def _from_summary(supervisor: str, info: Json) -> Json:
    # The spelling of APIEndpoint differs between releases and pages of the vendor.
    lower = {key.lower().replace("_", ""): value for key, value in info.items()}
    return _described(supervisor, info.get("name") or supervisor, info, lower.get("apiendpoint"), info.get("messages"))


def _from_cluster(row: Json) -> Json:
    return _described(row["cluster"], row.get("cluster_name") or row["cluster"], row, row.get("api_server_cluster_endpoint"), None)


def _described(supervisor: str, name: str, info: Json, endpoint: str | None, messages: list[t.Any] | None) -> Json:
    config, kubernetes = info.get("config_status"), info.get("kubernetes_status")
    return {
        "supervisor": canonical(supervisor),
        "name": name,
        "config_status": config,
        "kubernetes_status": kubernetes,
        "api_endpoint": endpoint,
        # A Supervisor with a WARNING still takes workloads.
        "ready": config == "RUNNING" and kubernetes in ("READY", "WARNING"),
        "messages": texts(messages),
    }
