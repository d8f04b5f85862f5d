# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether vCenter would enable a Supervisor on a cluster or on zones, asked before it is told to."""

from __future__ import annotations

import typing as t

from .._errors import RayError
from .._names import missing
from .messages import texts
from .supervisor import BASE, clusters_of, summaries

ZONES = "/api/vcenter/consumption-domains/zones"
# The network of the workloads as the call for clusters spells it, and the one for zones.
PROVIDERS = {
    "vsphere": ("VSPHERE_NETWORK", "VSPHERE"),
    "nsx": ("NSXT_CONTAINER_PLUGIN", "NSXT"),
    "nsx_vpc": ("NSX_VPC", "NSX_VPC"),
}
HINT = "Mend what vCenter names, or choose another cluster, zone or kind of network."


def refuse_incompatible(client: t.Any, name: str, cluster: str | None, zones: list[str] | None, kind: str) -> None:
    """Raise with vCenter's reasons when it would not take this place for a Supervisor with this kind of network."""
    if zones:
        _refuse_zones(client, name, zones, kind)
    elif cluster:
        _refuse_cluster(client, name, cluster, kind)


def _refuse_cluster(client: t.Any, name: str, cluster: str, kind: str) -> None:
    rows = client.get(f"{BASE}/cluster-compatibility", query={"network_provider": PROVIDERS[kind][0]}) or []
    row = next((row for row in rows if row["cluster"] == cluster), {"compatible": True})
    if row["compatible"]:
        return
    _refuse_taken(client, name, {cluster})
    raise _refusal(name, f"cluster {cluster}", kind, _reasons(row))


def _refuse_zones(client: t.Any, name: str, zones: list[str], kind: str) -> None:
    there = [row["zone"] for row in (client.get(ZONES) or {}).get("items") or []]
    for zone in zones:
        if zone not in there:
            raise missing("zone", zone, there)
    answer = client.get(f"{BASE}/cluster-compatibility/v2", query={"zones": zones, "network_provider": PROVIDERS[kind][1]}) or {}
    if answer.get("compatible", True):
        return
    told = _reasons(answer)
    clusters = set()
    for zone in answer.get("zone_summaries") or []:
        if not zone.get("compatible", True):
            rows = zone.get("cluster_summaries") or []
            clusters |= {row["cluster"] for row in rows}
            told += [f"zone {zone['zone']}: {text}" for row in rows for text in _reasons(row)]
    _refuse_taken(client, name, clusters)
    raise _refusal(name, f"zones {', '.join(zones)}", kind, told)


def _reasons(row: dict) -> list[str]:
    return texts([{"details": reason} for reason in row.get("incompatibility_reasons") or []])


def _refuse_taken(client: t.Any, name: str, clusters: set[str]) -> None:
    """The commonest reason has a name: that of the Supervisor that is there."""
    for other in summaries(client):
        shared = sorted(clusters.intersection(clusters_of(client, other["supervisor"])))
        if shared:
            raise RayError(f"Cluster {', '.join(shared)} already runs the Supervisor {other['name']!r}, so {name!r} cannot be enabled on it.",
                           code="INPUT", hint=f"Use name: {other['name']}, or another cluster.")


def _refusal(name: str, place: str, kind: str, reasons: list[str]) -> RayError:
    return RayError(f"vCenter would not enable the Supervisor {name!r} on {place} with workloads of kind {kind}: "
                    f"{' '.join(reasons) or 'it gives no reason.'}", code="NOT_COMPATIBLE", hint=HINT)
