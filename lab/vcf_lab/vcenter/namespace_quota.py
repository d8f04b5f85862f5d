# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource limits of a vSphere Namespace: one structure to set them, another to change them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab.vcenter import supervisors
from vcf_lab.vcenter.wcp_request import invalid

routes = web.RouteTableDef()
OPTIONS = "/api/vcenter/namespace-management/clusters/{cluster}/workload-resource-options"
CREATE_TYPE = "com.vmware.vcenter.namespaces.resource_quota_options_v1"
# Megahertz of a core of the inventory's hosts: quotas of Kubernetes count cores.
CORE_MHZ = 2294
# Fields that Kubernetes counts, and the name of each there.
COUNTS = {
    "pod_count": "pods",
    "service_count": "services",
    "deployment_count": "count/deployments.apps",
    "daemon_set_count": "count/daemonsets.apps",
    "replica_set_count": "count/replicasets.apps",
    "replication_controller_count": "replicationcontrollers",
    "stateful_set_count": "count/statefulsets.apps",
    "config_map_count": "configmaps",
    "secret_count": "secrets",
    "persistent_volume_claim_count": "persistentvolumeclaims",
    "job_count": "count/jobs.batch",
}
FIELDS = (
    "memory_limit",
    "memory_limit_default",
    "memory_request_default",
    "cpu_limit",
    "cpu_limit_default",
    "cpu_request_default",
    "storage_request_limit",
    *COUNTS,
)
# To set: what is not given is not limited.
SET: dict[str, Any] = dict.fromkeys(FIELDS, int)
# To change: what is not given stays; `<field>_unset` takes a limit away.
UPDATE: dict[str, Any] = {**SET, **{f"{name}_unset": bool for name in FIELDS}}


def check(spec: dict[str, Any]) -> None:
    """No limit is negative."""
    for name, value in spec.items():
        if not isinstance(value, bool) and value < 0:
            raise invalid(f"resource_spec.{name} cannot be negative.", f"resource_spec.{name}")


def changed(before: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """The limits after an update."""
    gone = {name for name in FIELDS if spec.get(f"{name}_unset")}
    given = {name: spec[name] for name in FIELDS if name in spec}
    return {name: value for name, value in {**before, **given}.items() if name not in gone}


def hard(spec: dict[str, Any]) -> dict[str, str]:
    """The limits as a ResourceQuota says them."""
    found = {COUNTS[name]: str(spec[name]) for name in COUNTS if name in spec}
    if "memory_limit" in spec:
        found["limits.memory"] = f"{spec['memory_limit']}Mi"
    if "cpu_limit" in spec:
        found["limits.cpu"] = f"{spec['cpu_limit'] * 1000 // CORE_MHZ}m"
    if "storage_request_limit" in spec:
        found["requests.storage"] = f"{spec['storage_request_limit']}Mi"
    return found


@routes.get(OPTIONS)
async def options(request: web.Request) -> web.Response:
    """Which structures `resource_spec` has on this cluster."""
    await supervisors.supervisor_of_cluster(request)
    answer = {"create_resource_quota_type": CREATE_TYPE, "update_resource_quota_type": f"{CREATE_TYPE}_update"}
    return web.json_response(answer)
