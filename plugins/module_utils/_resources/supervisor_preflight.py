# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether vCenter would enable a Supervisor on a cluster or on zones, asked before it is told to."""

from __future__ import annotations

import typing as t

from .._errors import RayError
from .._names import missing
from .._ports import Json, VCenter
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


class Place(t.NamedTuple):
    """Where a Supervisor is to be: on a cluster, as the user calls it and by its id, or in zones."""

    written: str | None
    cluster: str | None
    zones: list[str] | None

    def __str__(self) -> str:
        return f"zones {', '.join(self.zones)}" if self.zones else f"cluster {self.written}"


def refuse_incompatible(client: VCenter, name: str, place: Place, kind: str) -> None:
    """Raise with vCenter's reasons when it would not take this place for a Supervisor with this kind of network."""
    told, clusters = _of_zones(client, place.zones, kind) if place.zones else _of_cluster(client, str(place.cluster), kind)
    if told is None:
        return
    # The commonest reason has a name: that of the Supervisor that is there.
    for other in summaries(client):
        if clusters.intersection(clusters_of(client, other["supervisor"])):
            if other["name"] == name:
                # Another run has made it since it was looked for; what the write is told then is settled as any such answer.
                return
            raise RayError(f"The Supervisor {other['name']!r} is there already, so {name!r} cannot be enabled on {place}.",
                           code="INPUT", hint=f"Use name: {other['name']}, or another place.")
    raise RayError(f"vCenter would not enable the Supervisor {name!r} on {place} with workloads of kind {kind}: "
                   f"{' '.join(told) or 'it gives no reason.'}", code="NOT_COMPATIBLE", hint=HINT)


def _of_cluster(client: VCenter, cluster: str, kind: str) -> tuple[list[str] | None, set[str]]:
    """vCenter's reasons against it, None when it has none, and the clusters that they are about."""
    rows = client.get(f"{BASE}/cluster-compatibility", query={"network_provider": PROVIDERS[kind][0]}) or []
    row = next((row for row in rows if row["cluster"] == cluster), {"compatible": True})
    return None if row["compatible"] else _reasons(row), {cluster}


def _of_zones(client: VCenter, zones: list[str], kind: str) -> tuple[list[str] | None, set[str]]:
    refuse_unknown_zones(client, zones)
    answer = client.get(f"{BASE}/cluster-compatibility/v2", query={"zones": zones, "network_provider": PROVIDERS[kind][1]}) or {}
    bad = [zone for zone in answer.get("zone_summaries") or [] if not zone.get("compatible", True)]
    rows = [(zone["zone"], row) for zone in bad for row in zone.get("cluster_summaries") or []]
    told = [*_reasons(answer), *(f"zone {zone}: {text}" for zone, row in rows for text in _reasons(row))]
    return None if answer.get("compatible", True) and not bad else told, {row["cluster"] for zone, row in rows}


def refuse_unknown_zones(client: VCenter, zones: list[str]) -> None:
    """The id of a zone is the name that an administrator gave it."""
    there = [row["zone"] for row in (client.get(ZONES) or {}).get("items") or []]
    for zone in zones:
        if zone not in there:
            raise missing("zone", zone, there)


def _reasons(row: Json) -> list[str]:
    return texts([{"details": reason} for reason in row.get("incompatibility_reasons") or []])
