# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vCenter knows of NSX: nothing, until the lab's side door says that a manager is registered.

There is no NSX behind it. A Supervisor with NSX networking runs as any other of the lab does; what
is true to the real thing is the specification, the checks of it and the reasons of a refusal.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.store import Store
from vcf_lab.vcenter.wcp_request import flag, invalid, message, no_content, since

routes = web.RouteTableDef()
side_routes = web.RouteTableDef()
BASE = "/api/vcenter/namespace-management"
NO_MANAGER = "The vCenter has no NSX Manager."
DEFAULT_SWITCH = "dvs-8"  # DVS0 of the inventory
DEFAULT_PROJECT = "/orgs/default/projects/default"
_FACTS = {"managers", "dvs", "edge_clusters", "tier0_gateways", "projects"}


def facts(store: Store) -> dict[str, Any]:
    """Distributed switches, edge clusters, gateways and projects; nothing when there is no manager."""
    found: dict[str, Any] = store.data.get("nsx", {})
    return found


def available(store: Store) -> bool:
    """Whether a Supervisor can have NSX networking."""
    return bool(facts(store).get("managers"))


def reasons(store: Store) -> list[dict[str, Any]]:
    """Why a cluster cannot have a Supervisor with NSX networking."""
    return [] if available(store) else [message(NO_MANAGER, "vcenter.wcp.cluster.incompatible.nsx")]


def require(store: Store) -> None:
    """UNSUPPORTED without a manager."""
    if not available(store):
        raise ApiError("UNSUPPORTED", NO_MANAGER, id="vcenter.wcp.cluster.incompatible.nsx")


def check(store: Store, spec: dict[str, Any]) -> None:
    """What the workload network and the edge of a specification name in NSX has to be there."""
    network, edge, known = spec["workloads"]["network"], spec["workloads"]["edge"], facts(store)
    named = [
        ("workloads.network.nsx.dvs", network.get("nsx", {}).get("dvs"), known["dvs"]),
        ("workloads.edge.nsx.edge_cluster_ID", edge.get("nsx", {}).get("edge_cluster_ID"), known["edge_clusters"]),
        ("workloads.edge.nsx.t0_gateway", edge.get("nsx", {}).get("t0_gateway"), known["tier0_gateways"]),
        ("workloads.network.nsx_vpc.nsx_project", network.get("nsx_vpc", {}).get("nsx_project"), known["projects"]),
    ]
    for field, name, there in named:
        if name is not None and name not in there:
            raise invalid(f"{field}: '{name}' does not exist in NSX.", field, name)
    _check_profile(network.get("nsx_vpc", {}), known)


def _check_profile(network: dict[str, Any], known: dict[str, Any]) -> None:
    profile = network.get("vpc_connectivity_profile")
    project = network.get("nsx_project", known["projects"][0])
    if profile is not None and profile != profile_of(project):
        field = "workloads.network.nsx_vpc.vpc_connectivity_profile"
        raise invalid(f"{field}: '{profile}' does not exist in the project '{project}'.", field, profile)


def profile_of(project: str) -> str:
    """The connectivity profile that every project has."""
    return f"{project}/vpc-connectivity-profiles/default"


@side_routes.get("/nsx")
async def show(request: web.Request) -> web.Response:
    """What the vCenter knows now."""
    return web.json_response(facts(request.app["front"]["store"]))


@side_routes.put("/nsx")
async def register(request: web.Request) -> web.Response:
    """Register a manager with these objects, or none; lists that are not given have one entry."""
    store = request.app["front"]["store"]
    asked = await request.json()
    unknown = sorted(set(asked) - _FACTS)
    if unknown:
        return web.json_response({"error": f"unknown: {', '.join(unknown)}"}, status=400)
    known = {
        "managers": bool(asked.get("managers", True)),
        "dvs": asked.get("dvs", [DEFAULT_SWITCH]),
        "edge_clusters": asked.get("edge_clusters", ["edge-cluster-1"]),
        "tier0_gateways": asked.get("tier0_gateways", ["tier0-1"]),
        "projects": asked.get("projects", [DEFAULT_PROJECT]),
    }
    store.data["nsx"] = known if known["managers"] else {}
    store.changed()
    return no_content()


@routes.get(BASE + "/distributed-switch-compatibility")
async def distributed_switches(request: web.Request) -> web.Response:
    """The switches that NSX uses; the cluster in the query makes no difference with one inventory."""
    if flag(request, "compatible") is False:
        return web.json_response([])
    provider = {"network_provider": "NSXT_CONTAINER_PLUGIN"}
    items = [{"distributed_switch": name, "compatible": True, **provider} for name in facts(request.app["store"]).get("dvs", [])]
    return web.json_response(items)


@routes.get(BASE + "/edge-cluster-compatibility")
async def edge_clusters(request: web.Request) -> web.Response:
    names = [] if flag(request, "compatible") is False else facts(request.app["store"]).get("edge_clusters", [])
    return web.json_response([{"edge_cluster": name, "display_name": name, "compatible": True} for name in names])


@routes.get(BASE + "/nsx-tier0-gateways")
async def tier0_gateways(request: web.Request) -> web.Response:
    names = facts(request.app["store"]).get("tier0_gateways", [])
    return web.json_response([{"tier0_gateway": n, "display_name": n, "path": f"/infra/tier-0s/{n}"} for n in names])


@routes.get(BASE + "/networks/nsx/distributed-switches")
@since("8.0.1")
async def switches(request: web.Request) -> web.Response:
    names = facts(request.app["store"]).get("dvs", [])
    return web.json_response([{"distributed_switch": name, "name": _switch_name(name)} for name in names])


def _switch_name(switch: str) -> str:
    """The one that the inventory has is known by its name there."""
    return "DVS0" if switch == DEFAULT_SWITCH else switch


@routes.get(BASE + "/networks/nsx/edges")
@since("8.0.1")
async def edges(request: web.Request) -> web.Response:
    names = facts(request.app["store"]).get("edge_clusters", [])
    path = "/infra/sites/default/enforcement-points/default/edge-clusters/"
    return web.json_response([{"edge_cluster": name, "name": name, "path": path + name} for name in names])


def _project(path: str) -> dict[str, Any]:
    name = path.rsplit("/", 1)[-1]
    profile = {"profile": "default", "name": "default", "nsx_path": profile_of(path)}
    return {
        "project": name,
        "name": name,
        "description": "",
        "nsx_path": path,
        "gateways": [],
        "edge_clusters": [],
        "external_IPv4_blocks": [],
        "default_project": path == DEFAULT_PROJECT,
        "vpc_connectivity_profiles": [profile],
    }


@routes.get(BASE + "/networks/nsx/projects")
@since("9.0")
async def projects(request: web.Request) -> web.Response:
    return web.json_response({"projects": [_project(path) for path in facts(request.app["store"]).get("projects", [])]})
