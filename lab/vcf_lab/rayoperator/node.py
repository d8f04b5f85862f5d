# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of one node, head or worker.

`running` means that the VM has an address, and nothing more: whether Ray runs in it is never
looked at. That is the operator's way, and the reason why its users need a better readiness.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from vcf_lab.kube import Kube, KubeError
from vcf_lab.rayoperator import VIRTUAL_MACHINE_SERVICES, VIRTUAL_MACHINES, head_name, objects

INITIALIZED = "initialized"
RUNNING = "running"
FAILURE = "failure"

Deploy = Callable[[], Awaitable[bool]]  # False: not yet, and nothing is wrong


class NodeError(Exception):
    """A pass could not bring a node forward; the text goes into a condition."""


async def step(kube: Kube, namespace: str, name: str, node: dict[str, Any], deploy: Deploy) -> None:
    """One pass over one node: changes its status in place, raises NodeError when something fails."""
    state = node.get("vm_status")
    if not state:
        await _absent(node, deploy)
    elif state == INITIALIZED:
        await _initialized(kube, namespace, name, node)
    elif state == RUNNING:
        await _running(kube, namespace, name, node)
    elif state == FAILURE:
        await _failure(kube, namespace, name, node)
    else:
        raise NodeError(f"lcm detected invalid node status {state}")


async def _absent(node: dict[str, Any], deploy: Deploy) -> None:
    try:
        if await deploy():
            node["vm_status"] = INITIALIZED
    except (KubeError, ValueError) as error:
        node["vm_status"] = FAILURE
        raise NodeError(_text(error)) from error


async def _initialized(kube: Kube, namespace: str, name: str, node: dict[str, Any]) -> None:
    try:
        machine = await _read(kube, namespace, name)
    except KubeError as error:
        node["vm_status"] = FAILURE
        raise NodeError(_text(error)) from error
    _copy_conditions(machine, node)
    if address := _address(machine):
        node.update(ip=address, vm_status=RUNNING, ray_status=INITIALIZED)


async def _running(kube: Kube, namespace: str, name: str, node: dict[str, Any]) -> None:
    try:
        machine = await _read(kube, namespace, name)
        _copy_conditions(machine, node)
        address = _address(machine)
        if not address:
            raise NodeError(f"primary IPv4 not found for {name} Node")
    except (KubeError, NodeError) as error:
        node.update(vm_status=FAILURE, ray_status=FAILURE)
        raise NodeError(_text(error)) from error
    node.update(ip=address, ray_status=RUNNING)


async def _failure(kube: Kube, namespace: str, name: str, node: dict[str, Any]) -> None:
    """Back to `initialized`, or to nothing so that the next pass deploys; never an error."""
    try:
        await _read(kube, namespace, name)
    except KubeError as error:
        if error.status == 404:
            node.clear()
        return
    node["vm_status"] = INITIALIZED


async def _read(kube: Kube, namespace: str, name: str) -> dict[str, Any]:
    machine = await kube.get(VIRTUAL_MACHINES, name, namespace)
    if machine is None:
        text = f'VirtualMachine.vmoperator.vmware.com "{name}" not found'
        raise KubeError(404, "NotFound", text)
    return machine


async def deploy_head(kube: Kube, cluster: dict[str, Any], status: dict[str, Any]) -> bool:
    """Service first; the VM when the service has its address, as that goes into its user data."""
    if not await _ensure_service(kube, cluster, status):
        return False
    name, spec = head_name(cluster), cluster["spec"]
    vm_class = spec["common_node_config"]["available_node_types"][spec["head_node"]["node_type"]]["vm_class"]
    await objects.ensure_service_account(kube, cluster)
    await objects.ensure_ssh_key(kube, cluster)
    service_ip = status["vm_service_status"]["ip"]
    await objects.ensure_user_data(kube, cluster, service_ip, head=True)
    machine = objects.virtual_machine(cluster, name, vm_class, head=True)
    await objects.create_unless_there(kube, machine)
    return True


async def _ensure_service(kube: Kube, cluster: dict[str, Any], status: dict[str, Any]) -> bool:
    """True when the head's service has an address, which the status then tells."""
    namespace, name = cluster["metadata"]["namespace"], head_name(cluster)
    service = await kube.get(VIRTUAL_MACHINE_SERVICES, name, namespace)
    if service is None:
        await kube.create(objects.virtual_machine_service(cluster))
        return False
    ingress = (service.get("status") or {}).get("loadBalancer", {}).get("ingress") or [{}]
    if not ingress[0].get("ip"):
        raise NodeError("Head node VM service IP is not assigned")
    status["vm_service_status"] = {"ip": ingress[0]["ip"]}
    return True


async def deploy_worker(kube: Kube, cluster: dict[str, Any], name: str, node_type: str) -> bool:
    """A worker's VM; its name and type are the autoscaler's choice."""
    node = cluster["spec"]["common_node_config"]["available_node_types"].get(node_type)
    if node is None:
        raise ValueError(f"Invalid node type `{node_type}` requested")
    await objects.ensure_user_data(kube, cluster, "", head=False)
    machine = objects.virtual_machine(cluster, name, node["vm_class"], head=False)
    await objects.create_unless_there(kube, machine)
    return True


def _address(machine: dict[str, Any]) -> str:
    return ((machine.get("status") or {}).get("network") or {}).get("primaryIP4") or ""


def _copy_conditions(machine: dict[str, Any], node: dict[str, Any]) -> None:
    """The VM's own conditions; only what the schema keeps, else each pass would see a change."""
    kept = ("type", "status", "reason", "message", "lastTransitionTime", "observedGeneration")
    conditions = [
        {"reason": each["status"], "message": "", **{key: each[key] for key in kept if key in each}}
        for each in (machine.get("status") or {}).get("conditions") or []
    ]
    if conditions:
        node["conditions"] = conditions


def _text(error: Exception) -> str:
    return error.message if isinstance(error, KubeError) else str(error)
