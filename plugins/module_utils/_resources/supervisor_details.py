# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that can be read of Supervisors: the list in short, and closer looks that cost requests of their own."""

from __future__ import annotations

from .._names import canonical
from .._ports import Json, VCenter
from .messages import texts
from .supervisor import BASE, clusters_in, conditions, detailed, is_cluster, messages_of_cluster, summaries, topology


def list_supervisors(client: VCenter, wanted: str | None, closer: bool) -> list[Json]:
    """Those of a name or id, or all, sorted by name; ``closer`` adds conditions, capabilities and version."""
    found = [row for row in summaries(client) if wanted is None or row["name"] == wanted or row["supervisor"] == canonical(wanted)]
    return sorted((_described(client, row, closer) for row in found), key=lambda row: (row["name"], row["supervisor"]))


def _described(client: VCenter, row: Json, closer: bool) -> Json:
    zones = topology(client, row["supervisor"])
    clusters = clusters_in(zones)
    result = {
        **(detailed(client, row) if closer else row),
        "cluster": ", ".join(clusters) or None,
        "clusters": clusters,
        "zones": sorted(zone["zone"] for zone in zones if zone.get("zone")),
    }
    if not closer:
        return result
    if clusters and not result["ready"] and not result["messages"]:
        result["messages"] = messages_of_cluster(client, clusters[0])
    return {**result, **_closer(client, row["supervisor"], clusters)}


def _closer(client: VCenter, supervisor: str, clusters: list[str]) -> Json:
    told = {} if is_cluster(supervisor) else client.find(f"{BASE}/supervisors/{supervisor}/capabilities") or {}
    version = told.get("version")
    if version is None and clusters:
        version = (client.find(f"{BASE}/software/clusters/{clusters[0]}") or {}).get("current_version")
    return {
        "version": version,
        "conditions": conditions(client, supervisor),
        "capabilities": sorted((_capability(row) for row in told.get("capabilities") or []), key=lambda row: row["name"]),
    }


def _capability(row: Json) -> Json:
    # A message here is a bare sentence, without a severity around it.
    return {**{key: row.get(key) for key in ("name", "status", "description")},
            "messages": texts([{"details": message} for message in row.get("messages") or []])}
