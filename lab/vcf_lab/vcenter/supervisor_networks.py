# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workload networks of a Supervisor with vSphere networking; namespaces name them."""

from __future__ import annotations

import ipaddress
from typing import Any

from aiohttp import web

from vcf_lab.vcenter import supervisor_shapes, supervisors
from vcf_lab.vcenter.errors import ApiError, missing
from vcf_lab.vcenter.supervisors import supervisor_of_cluster
from vcf_lab.vcenter.wcp_request import body, has, invalid, no_content, since

routes = web.RouteTableDef()
BASE = supervisors.BASE + "/{supervisor}/networks"
BASE_V1 = "/api/vcenter/namespace-management/clusters/{cluster}/networks"
PRIMARY = "network-1"
PROVIDERS = {"VSPHERE": "VSPHERE_NETWORK", "NSXT": "NSXT_CONTAINER_PLUGIN", "NSX_VPC": "NSX_VPC"}
Record = dict[str, Any]


def first(spec: Record) -> dict[str, Record]:
    """The primary workload network of a specification; NSX has none of these objects."""
    network = spec["workloads"]["network"]
    if network["network_type"] != "VSPHERE":
        return {}
    management = network.get("ip_management", {})
    gateway = management.get("gateway_address")
    interface = ipaddress.IPv4Interface(gateway) if gateway else None
    dhcp = management.get("dhcp_enabled", False)
    nodes = [entry for entry in management.get("ip_assignments", []) if entry.get("assignee", "NODE") == "NODE"]
    vsphere = {
        "portgroup": network["vsphere"]["dvpg"],
        "ip_assignment_mode": "DHCP" if dhcp else "STATICRANGE",
        "address_ranges": [entry for assignment in nodes for entry in assignment["ranges"]],
        "gateway": str(interface.ip) if interface else "",
        "subnet_mask": str(interface.netmask) if interface else "",
        "mode": "WORKLOAD",
    }
    return {network.get("network", PRIMARY): {"network_provider": "VSPHERE_NETWORK", "vsphere_network": vsphere}}


def _shown(request: web.Request, supervisor: Record, name: str) -> Record:
    record = supervisor["networks"][name]
    vsphere = {key: value for key, value in record["vsphere_network"].items() if key != "mode" or has(request, "9.0")}
    used = [
        entry["namespace"]
        for entry in request.app["store"]["namespaces"].values()
        if entry["supervisor"] == supervisor["supervisor"] and name in entry["networks"]
    ]
    return {"network_provider": record["network_provider"], "vsphere_network": vsphere, "namespaces": sorted(used)}


async def _supervisor(request: web.Request) -> Record:
    if "cluster" in request.match_info:
        return await supervisor_of_cluster(request)
    return supervisors.supervisor(request.app["store"], request.match_info["supervisor"])


async def _named(request: web.Request) -> tuple[Record, str]:
    supervisor, name = await _supervisor(request), request.match_info["network"]
    if name not in supervisor["networks"]:
        raise missing("Network", name)
    return supervisor, name


@routes.get(BASE)
@since("9.1")
async def list_networks(request: web.Request) -> web.Response:
    return web.json_response({"networks": [{"network": name} for name in (await _supervisor(request))["networks"]]})


@routes.get(BASE_V1)
async def list_networks_v1(request: web.Request) -> web.Response:
    supervisor = await _supervisor(request)
    return web.json_response([{"network": name, **_shown(request, supervisor, name)} for name in supervisor["networks"]])


async def _get(request: web.Request, with_name: bool) -> web.Response:
    supervisor, name = await _named(request)
    shown = _shown(request, supervisor, name)
    return web.json_response({"network": name, **shown} if with_name else shown)


@routes.get(BASE + "/{network}")
@since("9.1")
async def get(request: web.Request) -> web.Response:
    return await _get(request, with_name=False)


@routes.get(BASE_V1 + "/{network}")
async def get_v1(request: web.Request) -> web.Response:
    return await _get(request, with_name=True)


async def _create(request: web.Request) -> web.Response:
    supervisor = await _supervisor(request)
    spec = await body(request, supervisor_shapes.WORKLOAD_NETWORK, "CreateSpec")
    name = spec["network"]
    if not supervisor["networks"] or spec["network_provider"] != "VSPHERE_NETWORK" or "vsphere_network" not in spec:
        raise invalid("Workload networks can be added with vSphere networking only.", "network_provider")
    if name in supervisor["networks"]:
        raise ApiError("ALREADY_EXISTS", f"The network '{name}' already exists.", args=[name])
    supervisors.running(supervisor)
    vsphere = {"ip_assignment_mode": "STATICRANGE", "mode": "WORKLOAD", **spec["vsphere_network"]}
    groups = {entry["network"]: entry["type"] for entry in await request.app["inventory"].networks()}
    if groups.get(vsphere["portgroup"]) != "DISTRIBUTED_PORTGROUP":
        raise invalid(f"'{vsphere['portgroup']}' is not a distributed port group.", "portgroup", vsphere["portgroup"])
    supervisor["networks"][name] = {"network_provider": "VSPHERE_NETWORK", "vsphere_network": vsphere}
    request.app["store"].changed()
    return no_content()


@routes.post(BASE)
@since("9.1")
async def create(request: web.Request) -> web.Response:
    return await _create(request)


@routes.post(BASE_V1)
async def create_v1(request: web.Request) -> web.Response:
    return await _create(request)


async def _delete(request: web.Request) -> web.Response:
    supervisor, name = await _named(request)
    users = _shown(request, supervisor, name)["namespaces"]
    if users or name == next(iter(supervisor["networks"])):
        why = f"by: {', '.join(users)}" if users else "as the primary network of the Supervisor"
        raise ApiError("RESOURCE_IN_USE", f"The network '{name}' is used {why}.", args=[name, *users])
    del supervisor["networks"][name]
    request.app["store"].changed()
    return no_content()


@routes.delete(BASE + "/{network}")
@since("9.1")
async def delete(request: web.Request) -> web.Response:
    return await _delete(request)


@routes.delete(BASE_V1 + "/{network}")
async def delete_v1(request: web.Request) -> web.Response:
    return await _delete(request)
