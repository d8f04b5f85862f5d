# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Supervisor by the lab's side door: for tests of what comes after, on releases where enabling it is long."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab import settings
from vcf_lab.vcenter import supervisor_enable, supervisor_spec
from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.wcp_jobs import pause

side_routes = web.RouteTableDef()
POLICY = "vSAN Default Storage Policy"
PORTGROUP = "DC0_DVPG0"


@side_routes.post("/supervisors")
async def bring_up(request: web.Request) -> web.Response:
    """`{"cluster": name, "name": name}`: answers when it runs."""
    front, asked = request.app["front"], await request.json()
    try:
        identifier = await _enable(front, str(asked["cluster"]), str(asked.get("name", asked["cluster"])))
    except ApiError as error:
        return web.json_response({"error": error.text}, status=400)
    except KeyError as error:
        return web.json_response({"error": f"there is no {error}"}, status=400)
    record = front["store"]["supervisors"][identifier]
    while record["config_status"] == "CONFIGURING":
        await pause(front, "poll")
    return web.json_response({"supervisor": identifier, "config_status": record["config_status"]})


async def _enable(front: web.Application, cluster: str, name: str) -> str:
    inventory = front["inventory"]
    clusters = {entry["name"]: entry["cluster"] for entry in await inventory.clusters()}
    networks = {entry["name"]: entry["network"] for entry in await inventory.networks()}
    policies = {entry["name"]: entry["policy"] for entry in await inventory.policies()}
    spec = _spec(name, policies[POLICY], networks[PORTGROUP], networks[settings.WORKLOAD_PORTGROUP])
    return await supervisor_enable.enable_on(front, clusters[cluster], spec)


def _spec(name: str, policy: str, management: str, workloads: str) -> dict[str, Any]:
    haproxy = {"servers": [{"host": settings.BRIDGE_IP, "port": 5556}], "username": "wcp"}
    edge = {
        "provider": "HAPROXY",
        "haproxy": {**haproxy, "certificate_authority_chain": ""},
        "load_balancer_address_ranges": [supervisor_spec.DEFAULT_RANGE],
    }
    return {
        "name": name,
        "control_plane": {
            "size": "TINY",
            "storage_policy": policy,
            "network": {"backing": {"backing": "NETWORK", "network": management}},
        },
        "workloads": {"network": {"network_type": "VSPHERE", "vsphere": {"dvpg": workloads}}, "edge": edge},
    }
