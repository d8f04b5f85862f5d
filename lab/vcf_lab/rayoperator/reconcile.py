# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass over a cluster, and the worker that makes the passes.

Only clusters are watched, so what happens to VMs and services is seen at the next poll; each own
change of the status is an event too, and so a further pass. Nothing else makes the operator look.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import random
import string
from functools import partial
from typing import Any

from vcf_lab.kube import Kube, KubeError
from vcf_lab.rayoperator import (
    CLUSTERS,
    FINALIZER,
    NOUNCE_LABEL,
    STORAGE_CLASSES,
    VIRTUAL_MACHINE_CLASSES,
    VIRTUAL_MACHINE_IMAGES,
    VIRTUAL_MACHINE_SERVICES,
    VIRTUAL_MACHINES,
    head_name,
    node,
    objects,
)
from vcf_lab.rayoperator.delete import DeleteError, condition, delete_cluster
from vcf_lab.rayoperator.workqueue import Pace, WorkQueue

LOG = logging.getLogger(__name__)
HEAD_POLL = 15.0  # after an error of the head
POLL = 60.0
NOUNCE_LENGTH = 5


class Controller:
    """Watches, the queue and its one worker."""

    def __init__(self, kube: Kube, *, fast: bool = False) -> None:
        self.kube = kube
        self.fast = fast
        self.queue = WorkQueue()
        self._known: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Work until cancelled; a watch that ends with an error ends the operator."""
        jobs = [self._watch_clusters(), self._work()]
        if self.fast:
            watched = (VIRTUAL_MACHINES, VIRTUAL_MACHINE_SERVICES, VIRTUAL_MACHINE_IMAGES)
            jobs += [self._wake_up(kind) for kind in watched]
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job)

    async def _watch_clusters(self) -> None:
        async for event, cluster in self.kube.watch(CLUSTERS):
            key = (cluster["metadata"]["namespace"], cluster["metadata"]["name"])
            if event == "DELETED":
                self._known.discard(key)
            else:
                self._known.add(key)
                self.queue.add(key)

    async def _wake_up(self, kind: str) -> None:
        """The lab's faster pace: the same passes, only not as late as the polls would make them."""
        async for _, changed in self.kube.watch(kind):
            for key in self._known:
                if key[0] == changed["metadata"]["namespace"]:
                    self.queue.add(key)

    async def _work(self) -> None:
        pace = Pace()
        while True:
            key = await self.queue.get()
            await pace.wait()
            try:
                again = await reconcile(self.kube, *key)
            except KubeError as error:
                LOG.warning("%s/%s: %s", *key, error)
                self.queue.failed(key)
                continue
            self.queue.succeeded(key)
            if again is not None:
                self.queue.add_after(key, again)


async def reconcile(kube: Kube, namespace: str, name: str) -> float | None:
    """One pass; the seconds until the next poll, None when there is nothing left to look after."""
    cluster = await kube.get(CLUSTERS, name, namespace)
    if cluster is None:
        return None
    if cluster["metadata"].get("deletionTimestamp"):
        return await _delete(kube, cluster)
    cluster = await _adopt(kube, cluster)
    await objects.ensure_root_cert(kube, cluster)
    status = copy.deepcopy(cluster.get("status") or {})
    status["cluster_state"] = "healthy"
    status["conditions"] = []
    again = await _advance(kube, cluster, status)
    await _write_status(kube, cluster, status)
    return again


async def _adopt(kube: Kube, cluster: dict[str, Any]) -> dict[str, Any]:
    """Finalizer, and in the same step the name part of the head unless the client chose one."""
    metadata = cluster["metadata"]
    finalizers = metadata.get("finalizers") or []
    if FINALIZER in finalizers:
        return cluster
    change: dict[str, Any] = {"finalizers": [*finalizers, FINALIZER]}
    if NOUNCE_LABEL not in (metadata.get("labels") or {}):
        letters = random.choices(string.ascii_lowercase + string.digits, k=NOUNCE_LENGTH)
        change["labels"] = {NOUNCE_LABEL: "".join(letters)}
    return await kube.patch(CLUSTERS, metadata["name"], {"metadata": change}, metadata["namespace"])


async def _advance(kube: Kube, cluster: dict[str, Any], status: dict[str, Any]) -> float:
    """Validation, head, workers; the first that fails ends the pass."""
    try:
        status["conditions"] = await _missing(kube, cluster)
    except KubeError as error:
        LOG.warning("%s: %s", cluster["metadata"]["name"], error)
        status["cluster_state"] = "unhealthy"
        return POLL
    if status["conditions"]:
        status["cluster_state"] = "unhealthy"
        return POLL
    head = status.setdefault("head_node_status", {})
    namespace = cluster["metadata"]["namespace"]
    try:
        deploy = partial(node.deploy_head, kube, cluster, status)
        await node.step(kube, namespace, head_name(cluster), head, deploy)
    except node.NodeError as error:
        status["cluster_state"] = "unhealthy"
        status["conditions"].append(condition("HeadNodeReady", "FailureToDeployNode", str(error)))
        return HEAD_POLL
    if head.get("ray_status") == node.RUNNING:
        await _advance_workers(kube, cluster, status)
    return POLL


async def _advance_workers(kube: Kube, cluster: dict[str, Any], status: dict[str, Any]) -> None:
    """Desired against current; failures above the minimum are not told."""
    namespace = cluster["metadata"]["namespace"]
    desired = cluster["spec"].get("autoscaler_desired_workers") or {}
    current = status.setdefault("current_workers", {})
    try:
        for name in [name for name in current if name not in desired]:
            await _delete_worker(kube, namespace, name)
            del current[name]
        for name, node_type in random.sample(sorted(desired.items()), len(desired)):
            worker = current.setdefault(name, {})
            deploy = partial(node.deploy_worker, kube, cluster, name, node_type)
            await node.step(kube, namespace, name, worker, deploy)
    except node.NodeError as error:
        types = cluster["spec"]["common_node_config"]["available_node_types"].values()
        if len(current) <= sum(each.get("min_workers", 0) for each in types):
            status["cluster_state"] = "unhealthy"
            status["conditions"].append(condition("WorkerNodeReady", "FailureToDeployNode", str(error)))


async def _delete_worker(kube: Kube, namespace: str, name: str) -> None:
    try:
        await kube.delete(VIRTUAL_MACHINES, name, namespace)
    except KubeError as error:
        raise node.NodeError(error.message) from error


async def _missing(kube: Kube, cluster: dict[str, Any]) -> list[dict[str, Any]]:
    """A condition for each thing of the spec that the namespace does not have."""
    common, namespace = cluster["spec"]["common_node_config"], cluster["metadata"]["namespace"]
    wanted = [
        ("InvalidVirtualMachineImage", VIRTUAL_MACHINE_IMAGES, common["vm_image"], namespace),
        ("InvalidStorageClass", STORAGE_CLASSES, common["storage_class"], None),
        *(
            ("InvalidVirtualMachineClass", VIRTUAL_MACHINE_CLASSES, each["vm_class"], namespace)
            for _, each in sorted(common["available_node_types"].items())
        ),
    ]
    found = []
    for kind, api, name, where in wanted:
        if await kube.get(api, name, where) is None:
            group, _, singular = api.split("/")
            text = f'{singular}.{group} "{name}" not found'
            found.append(condition(kind, "ResourceNotFound", text))
    return found


async def _delete(kube: Kube, cluster: dict[str, Any]) -> float | None:
    try:
        await delete_cluster(kube, cluster)
    except DeleteError as error:
        status = copy.deepcopy(cluster.get("status") or {})
        status["cluster_state"] = "unhealthy"
        status.setdefault("conditions", []).append(error.condition)
        await _write_status(kube, cluster, status)
        return POLL
    return None


async def _write_status(kube: Kube, cluster: dict[str, Any], status: dict[str, Any]) -> None:
    """Patch what changed; no change, no write, and so no further pass."""
    change = difference(cluster.get("status") or {}, status)
    if change:
        metadata = cluster["metadata"]
        LOG.info("%s/%s: %s", metadata["namespace"], metadata["name"], change)
        await kube.patch(CLUSTERS, metadata["name"], {"status": change}, metadata["namespace"], subresource="status")


def difference(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The merge patch that makes `new` of `old`."""
    change: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            if inner := difference(old[key], value):
                change[key] = inner
        elif key not in old or old[key] != value:
            change[key] = value
    return change
