# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of NSX objects to the ids and paths by which vCenter knows them."""

from __future__ import annotations

from .._names import choose, missing
from .._ports import Json, VCenter

BASE = "/api/vcenter/namespace-management"


def edge_cluster(client: VCenter, wanted: str | None) -> str | None:
    if wanted is None:
        return None
    return choose("edge cluster", wanted, client.get(f"{BASE}/networks/nsx/edges") or [], "edge_cluster")


def tier0_gateway(client: VCenter, wanted: str | None, switch: str) -> str | None:
    """Gateways are listed by the switch, name or id, whose traffic they take."""
    if wanted is None:
        return None
    rows = client.get(f"{BASE}/nsx-tier0-gateways", query={"distributed_switch": client.inventory.distributed_switch(switch)}) or []
    return choose("tier-0 gateway", wanted, rows, "tier0_gateway", "display_name")


def vpc_project(client: VCenter, wanted: str | None) -> str | None:
    """The path of a project; one that begins with a slash is taken as it is."""
    if wanted is None or wanted.startswith("/"):
        return wanted
    return choose("NSX project", wanted, _projects(client), "nsx_path")


def vpc_profile(client: VCenter, project: str | None, wanted: str | None) -> str | None:
    """The path of a connectivity profile of the project, or of the default project."""
    if wanted is None or wanted.startswith("/"):
        return wanted
    rows = [row for row in _projects(client) if (row["nsx_path"] == project if project else row.get("default_project"))]
    if not rows:
        raise missing("NSX project", project or "the default one", [row["name"] for row in _projects(client)])
    return choose("VPC connectivity profile", wanted, rows[0].get("vpc_connectivity_profiles") or [], "nsx_path")


def _projects(client: VCenter) -> list[Json]:
    return (client.get(f"{BASE}/networks/nsx/projects") or {}).get("projects") or []
