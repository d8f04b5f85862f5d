# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Supervisor can do, by name, as 9.1 tells it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab.vcenter import supervisors
from vcf_lab.vcenter.wcp_request import body, message, since

routes = web.RouteTableDef()
STATES = ("SUPPORTED", "SUPPORTED_NOT_ACTIVATED", "UNSUPPORTED")
# (name, description, state with vSphere networking)
CAPABILITIES = (
    ("supports_VM_service_v1alpha2_apis", "VM Operator API v1alpha2", "SUPPORTED"),
    ("supports_devops_user_network_config_api", "Network settings for DevOps users", "SUPPORTED_NOT_ACTIVATED"),
    ("supports_multiple_zones", "vSphere Namespaces in chosen zones", "SUPPORTED"),
    ("supports_supervisor_vpc_networks", "Virtual private clouds of NSX", "UNSUPPORTED"),
    ("supports_workload_domain_isolation", "Workloads apart from the control plane", "SUPPORTED"),
)


def _of(record: dict[str, Any]) -> list[dict[str, Any]]:
    vpc = record["spec"]["workloads"]["network"]["network_type"] == "NSX_VPC"
    items = []
    for name, description, usual in CAPABILITIES:
        state = "SUPPORTED" if vpc and "vpc" in name else usual
        entry: dict[str, Any] = {"name": name, "status": state, "description": description}
        if state == "SUPPORTED_NOT_ACTIVATED":
            entry["messages"] = [message("The Supervisor was enabled without it.", "vcenter.wcp.capability.off")]
        items.append(entry)
    return items


@routes.get(supervisors.BASE + "/{supervisor}/capabilities")
@since("9.1")
async def capabilities(request: web.Request) -> web.Response:
    """The filter is a body of the GET, as the bindings have it; most clients send none."""
    record = supervisors.supervisor(request.app["store"], request.match_info["supervisor"])
    wanted = await body(request, {"status": STATES, "name": str}, "FilterSpec")
    items = [entry for entry in _of(record) if all(entry[key] == value for key, value in wanted.items())]
    answer = {"supervisor": record["supervisor"], "version": supervisors.KUBERNETES_VERSION, "capabilities": items}
    return web.json_response(answer)
