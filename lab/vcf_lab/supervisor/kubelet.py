# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for Deployment controller, scheduler and kubelet: a Deployment becomes one process."""

from __future__ import annotations

import asyncio
import ipaddress
import logging

from .. import addresses, operator_image, settings
from ..kube import Kube, KubeError
from ..settings import Lab
from . import podobjects
from .faults import ClusterFaults
from .images import Images, forget_halves
from .pod import Node, PodRunner
from .reference import Reference
from .services import Endpoints

LOG = logging.getLogger(__name__)
# On the node as `kind load` would leave it: a package that names this image needs no registry.
PRELOADED = str(Reference.parse(operator_image.TAG))
Key = tuple[str, str]


class PodAddresses:
    """Counts pod addresses up; one that was given back is used again."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    async def take(self) -> str:
        """A free address, which this network now answers for."""
        address = ipaddress.ip_address(settings.POD_FIRST_IP)
        while str(address) in self._used:
            address += 1
        self._used.add(str(address))
        await addresses.add(str(address))
        return str(address)

    async def give_back(self, address: str) -> None:
        """The pod is gone."""
        await addresses.remove(address)
        self._used.discard(address)


class Kubelet:
    """One runner for each Deployment; a changed template replaces it."""

    def __init__(self, lab: Lab, kube: Kube, endpoints: Endpoints, faults: ClusterFaults) -> None:
        self._lab = lab
        self._kube = kube
        images = Images(lab, kube, {PRELOADED: lab.operator_image})
        self._node = Node(lab, kube, PodAddresses(), endpoints, images, faults)
        self._runners: dict[Key, tuple[str, PodRunner, asyncio.Task[None]]] = {}

    def wake(self) -> None:
        """A fault was armed or cleared."""
        for _, runner, _ in self._runners.values():
            runner.wake()

    async def run(self) -> None:
        """For ever follow Deployments and the pods that somebody deletes."""
        forget_halves(self._lab)
        await self._forget_pods()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow_deployments(tasks))
                tasks.create_task(self._follow_pods())
        finally:
            for key in list(self._runners):
                await self._end(key)

    async def _forget_pods(self, deployment: Key | None = None) -> None:
        """Remove pod objects without a process: of a Deployment that ended, or all that an earlier kubelet left."""
        for pod in await self._kube.list("Pod", deployment and deployment[0], podobjects.OWNED):
            metadata = pod["metadata"]
            if deployment is None or metadata["labels"][podobjects.OWNED] == deployment[1][:63]:
                await self._kube.delete("Pod", metadata["name"], metadata["namespace"])

    async def _follow_deployments(self, tasks: asyncio.TaskGroup) -> None:
        async for event, deployment in self._kube.watch("Deployment"):
            metadata = deployment["metadata"]
            key = (metadata["namespace"], metadata["name"])
            wanted = deployment["spec"].get("replicas", 1)
            gone = event == "DELETED" or "deletionTimestamp" in metadata
            state = "gone" if gone else f"{metadata['uid']} {podobjects.template_hash(deployment)} {bool(wanted)}"
            known = self._runners.get(key)
            if known is not None and known[0] == state:
                await known[1].changed(deployment)
                continue
            if known is not None:
                await self._end(key)
            if gone:
                continue
            runner = PodRunner(self._node, deployment)
            # More replicas than one would fight for nothing: an operator leads alone.
            work = runner.run() if wanted else runner.report(0, 0)
            self._runners[key] = (state, runner, tasks.create_task(work))

    async def _follow_pods(self) -> None:
        async for event, pod in self._kube.watch("Pod"):
            if event != "DELETED":
                continue
            for _, runner, _ in self._runners.values():
                runner.pod_deleted(pod["metadata"]["uid"])

    async def _end(self, key: Key) -> None:
        _, _, task = self._runners.pop(key)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        try:
            await self._forget_pods(key)  # one that was being made just then
        except KubeError as error:
            LOG.warning("pods of %s/%s may stay: %s", *key, error)
        LOG.info("deployment %s/%s ended", *key)
