# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enabling a Supervisor: on one cluster, on zones, and in the older form of 7.0."""

from __future__ import annotations

import ipaddress
from typing import Any

from aiohttp import web

from vcf_lab.vcenter import supervisor_networks, supervisor_shapes, supervisor_spec, zones
from vcf_lab.vcenter.errors import ApiError, missing
from vcf_lab.vcenter.store import new_id
from vcf_lab.vcenter.supervisor_lifecycle import bring_up
from vcf_lab.vcenter.supervisors import BASE, clusters_of
from vcf_lab.vcenter.wcp_jobs import jobs
from vcf_lab.vcenter.wcp_request import body, invalid, release, since, unknown_operation

routes = web.RouteTableDef()
Spec = dict[str, Any]
ZONE_COUNTS = (1, 3)


@routes.post(BASE + "/{cluster}")
@since("8.0.1")
async def enable_on_compute_cluster(request: web.Request) -> web.Response:
    """Answer with the new identifier at once; the work goes on behind it."""
    if request.query.get("action") != "enable_on_compute_cluster":
        raise unknown_operation(request)
    spec = await body(request, supervisor_shapes.ENABLE_ON_CLUSTER, "EnableOnComputeClusterSpec")
    return web.json_response(await enable_on(request.app, request.match_info["cluster"], spec))


@routes.post(BASE)
@since("8.0.1")
async def enable_on_zones(request: web.Request) -> web.Response:
    """One or three zones; every zone has to have a cluster, and none of them another Supervisor."""
    if request.query.get("action") != "enable_on_zones":
        raise unknown_operation(request)
    spec = await body(request, supervisor_shapes.ENABLE_ON_ZONES, "EnableOnZonesSpec")
    names = spec["zones"]
    if len(names) not in ZONE_COUNTS or len(set(names)) != len(names):
        raise invalid(f"zones: one or three different zones have to be given, not {len(names)}.", "zones", *names)
    topology = zones.topology(request.app["store"], names)
    for entry in topology:
        if not entry["clusters"]:
            raise invalid(f"zones: the zone '{entry['zone']}' has no cluster.", "zones", entry["zone"])
    await _refuse(request.app, [cluster for entry in topology for cluster in entry["clusters"]], spec)
    return web.json_response(enable(request.app, topology, spec))


async def enable_v1(request: web.Request) -> None:
    """The same in the words of 7.0; the Supervisor gets the name of its cluster."""
    app, cluster = request.app, request.match_info["cluster"]
    names = {entry["cluster"]: entry["name"] for entry in await app["inventory"].clusters()}
    if cluster not in names:
        raise missing("ClusterComputeResource", cluster)
    given = await body(request, supervisor_shapes.ENABLE_V1, "EnableSpec")
    await enable_on(app, cluster, _of_v1(given, names[cluster]))


async def enable_on(app: web.Application, cluster: str, spec: Spec) -> str:
    """A Supervisor on one cluster; releases without zones take the cluster for one."""
    await _refuse(app, [cluster], spec)
    zone = cluster
    if release(app["lab"].version) >= release(zones.FIRST_RELEASE):
        zone = zones.for_cluster(app["store"], cluster, spec.get("zone"))["zone"]
    return enable(app, [{"zone": zone, "clusters": [cluster]}], spec)


async def _refuse(app: web.Application, clusters: list[str], spec: Spec) -> None:
    """Everything that speaks against it: the specification, another Supervisor, and that the lab has one."""
    await supervisor_spec.validate(app, clusters, spec)
    for other in app["store"]["supervisors"].values():
        if other["name"] == spec["name"]:
            raise ApiError("ALREADY_EXISTS", f"A Supervisor with {spec['name']} name already exists.")
        taken = sorted(set(clusters_of(other)) & set(clusters))
        if taken:
            raise ApiError("ALREADY_EXISTS", f"The cluster {taken[0]} already has a Supervisor.", args=taken)
    if app["store"]["supervisors"]:
        raise ApiError("UNSUPPORTED", "This vCenter has the Kubernetes control plane of one Supervisor only.")


def enable(app: web.Application, topology: list[dict[str, Any]], spec: Spec) -> str:
    """Record the new Supervisor and start the work."""
    store, identifier = app["store"], new_id()
    addresses = supervisor_spec.load_balancer_range(spec)
    store["supervisors"][identifier] = {
        "supervisor": identifier,
        "name": spec["name"],
        "cluster": topology[0]["clusters"][0],
        "topology": topology,
        "spec": supervisor_spec.remembered(spec),
        "networks": supervisor_networks.first(spec),
        "registries": {},
        "vip": str(ipaddress.IPv4Address(addresses["address"])),
        "addresses": addresses["count"],
        "config_status": "CONFIGURING",
        "kubernetes_status": "WARNING",
        "messages": [],
        "conditions": [],
    }
    store.changed()
    jobs(app).add(f"supervisor {identifier}", lambda: bring_up(app, identifier))
    return identifier


def _of_v1(given: Spec, name: str) -> Spec:
    """The specification of 7.0 in the words of 8.0: one set of rules for both."""
    control_plane: Spec = {"size": given["size_hint"], "storage_policy": given["master_storage_policy"]}
    control_plane |= {field: given[field] for field in ("count", "login_banner") if field in given}
    images = {"kubernetes_content_library": given.get("default_kubernetes_service_content_library")}
    images["content_libraries"] = given.get("content_libraries")
    return {
        "name": name,
        "control_plane": {**control_plane, "network": _management_of_v1(given)},
        "workloads": {
            "network": _with_services(_workloads_of_v1(given), given["service_cidr"]),
            "edge": _edge_of_v1(given),
            "storage": {
                "ephemeral_storage_policy": given["ephemeral_storage_policy"],
                "image_storage_policy": given["image_storage"]["storage_policy"],
            },
            "images": {key: value for key, value in images.items() if value is not None},
        },
    }


def _management_of_v1(given: Spec) -> Spec:
    network = given["master_management_network"]
    dns = {"servers": given.get("master_DNS", []), "search_domains": given.get("master_DNS_search_domains", [])}
    services = {"dns": dns, "ntp": {"servers": given.get("master_NTP_servers", [])}}
    management: Spec = {"backing": {"backing": "NETWORK", "network": network["network"]}, "services": services}
    if "network_segment" in network:
        management["backing"] = {"backing": "NETWORK_SEGMENT", "network_segment": network["network_segment"]}
    if (network["mode"] == "STATICRANGE") != ("address_range" in network):
        at = "EnableSpec.master_management_network.address_range"
        raise invalid(f"{at} has to be given with mode STATICRANGE, and only then.", at)
    if "address_range" in network:
        # The addresses stand in the same words in both forms, so a wrong one is refused below.
        span = network["address_range"]
        management["ip_management"] = {
            "dhcp_enabled": False,
            "gateway_address": span["gateway"],
            "ip_assignments": [
                {"assignee": "NODE", "ranges": [{"address": span["starting_address"], "count": span["address_count"]}]}
            ],
        }
    return management


def _workloads_of_v1(given: Spec) -> Spec:
    provider = given["network_provider"]
    if provider == "NSX_VPC":
        raise ApiError("UNSUPPORTED", "NSX_VPC is enabled by enable_on_compute_cluster only.")
    if provider == "NSXT_CONTAINER_PLUGIN":
        ncp = _needed(given, "ncp_cluster_network_spec", provider)
        return {"network_type": "NSXT", "nsx": {"dvs": ncp.get("cluster_distributed_switch", "")}}
    primary = _needed(given, "workload_networks_spec", provider)["supervisor_primary_workload_network"]
    vsphere = _needed(primary, "vsphere_network", primary["network_provider"])
    ranges = vsphere["address_ranges"]
    return {
        "network": primary["network"],
        "network_type": "VSPHERE",
        "vsphere": {"dvpg": vsphere["portgroup"]},
        "ip_management": {
            "gateway_address": f"{vsphere['gateway']}/{vsphere['subnet_mask']}",
            "ip_assignments": [{"assignee": "NODE", "ranges": ranges}] if ranges else [],
        },
    }


def _with_services(network: Spec, cidr: Spec) -> Spec:
    """The network with the addresses of Services, a range in the newer words."""
    management = network.setdefault("ip_management", {})
    span = {"address": cidr["address"], "count": 2 ** (32 - cidr["prefix"])}
    management.setdefault("ip_assignments", []).append({"assignee": "SERVICE", "ranges": [span]})
    return network


def _edge_of_v1(given: Spec) -> Spec:
    if given["network_provider"] == "NSXT_CONTAINER_PLUGIN":
        ncp = given["ncp_cluster_network_spec"]
        nsx = {"edge_cluster_ID": ncp.get("nsx_edge_cluster"), "t0_gateway": ncp.get("nsx_tier0_gateway")}
        ranges = [{"address": entry["address"], "count": 2 ** (32 - entry["prefix"])} for entry in ncp["ingress_cidrs"]]
        given_parts = {key: value for key, value in nsx.items() if value is not None}
        return {"provider": "NSX", "load_balancer_address_ranges": ranges, "nsx": given_parts}
    balancer = _needed(given, "load_balancer_config_spec", given["network_provider"])
    edge = {"id": balancer["id"], "load_balancer_address_ranges": balancer["address_ranges"]}
    if balancer["provider"] == "HA_PROXY":
        part = _needed(balancer, "ha_proxy_config_create_spec", balancer["provider"])
        return {**edge, "provider": "HAPROXY", "haproxy": part}
    part = _needed(balancer, "avi_config_create_spec", balancer["provider"])
    return {**edge, "provider": "NSX_ADVANCED", "nsx_advanced": part}


def _needed(spec: Spec, field: str, word: str) -> Spec:
    """A part that another field's word makes necessary."""
    if field not in spec:
        raise invalid(f"EnableSpec: {field} has to be given with {word}.", field)
    return dict(spec[field])
