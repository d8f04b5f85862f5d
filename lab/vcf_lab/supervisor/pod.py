# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one pod: made, started, probed, started again, removed."""

from __future__ import annotations

import asyncio
import logging
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from ..kube import Kube, KubeError
from ..settings import Lab
from . import container, images, podobjects
from .container import StartError
from .faults import ClusterFaults
from .images import Image, ImageError, Images
from .podfiles import NotReadyToStart
from .podobjects import History
from .services import Endpoints

LOG = logging.getLogger(__name__)
OPERATOR = "vmray-controller-manager"  # the Deployment whose place can be left to a process of the user
FIRST_BACK_OFF = 1.0
LONGEST_BACK_OFF = 30.0
STABLE_SECONDS = 60.0  # after so long a crash counts as the first one
PROBE_STARTING = 0.2
PROBE_STEADY = 2.0
RETRY = 0.5
GRACE = 30.0  # Kubernetes' own terminationGracePeriodSeconds
FAST_GRACE = 3.0


class AddressPool(Protocol):
    """Where pod addresses come from."""

    async def take(self) -> str: ...

    async def give_back(self, address: str) -> None: ...


@dataclass(frozen=True)
class Node:
    """What the pods of a node have in common."""

    lab: Lab
    kube: Kube
    addresses: AddressPool
    endpoints: Endpoints
    images: Images
    faults: ClusterFaults = field(default_factory=ClusterFaults)


class PodRunner:
    """Keeps the one pod of a Deployment alive until it is cancelled."""

    def __init__(self, node: Node, deployment: dict[str, Any]) -> None:
        self.deployment = deployment
        self._node = node
        self._lab, self._kube = node.lab, node.kube
        self._pod: dict[str, Any] = {}
        self._told = (0, 0)
        self._gone = asyncio.Event()

    @property
    def _name(self) -> str:
        metadata = self.deployment["metadata"]
        return f"{metadata['namespace']}/{metadata['name']}"

    def pod_deleted(self, uid: str) -> None:
        """Somebody deleted the pod: a new one has to take its place."""
        if self._pod.get("metadata", {}).get("uid") == uid:
            self._gone.set()

    @property
    def _may_not_be(self) -> bool:
        return self.deployment["metadata"]["name"] == OPERATOR and self._node.faults.operator_gone

    def wake(self) -> None:
        """A fault was armed or cleared."""
        if self._may_not_be:
            self._gone.set()

    async def run(self) -> None:
        """One pod after the other, for ever."""
        while True:
            try:
                if self._may_not_be:
                    await self.report(1, 0)
                while self._may_not_be:
                    await asyncio.sleep(RETRY)
                await self._one_pod()
            except (KubeError, OSError) as error:
                LOG.warning("%s: %s", self._name, error)
                await asyncio.sleep(RETRY)

    async def changed(self, deployment: dict[str, Any]) -> None:
        """The Deployment is another one, its pods are not: that it was seen belongs into its status."""
        before, self.deployment = self.deployment, deployment
        if before["metadata"].get("generation") != deployment["metadata"].get("generation"):
            try:
                await self.report(*self._told)
            except KubeError as error:
                LOG.warning("%s: %s", self._name, error)

    async def report(self, wanted: int, ready: int) -> None:
        """Write the Deployment's status."""
        metadata, self._told = self.deployment["metadata"], (wanted, ready)
        status = podobjects.deployment_status(self.deployment, wanted, ready)
        try:
            await self._kube.patch(
                "Deployment", metadata["name"], {"status": status}, metadata["namespace"], "status"
            )
        except KubeError as error:
            if error.status != 404:
                raise

    async def _one_pod(self) -> None:
        """From creation to deletion; whichever way it ends, nothing of it stays."""
        await self.report(1, 0)
        self._gone.clear()
        if self._may_not_be:  # since a moment ago
            return
        self._pod = await self._kube.create(podobjects.pod(self.deployment))
        address = await self._node.addresses.take()
        gone = asyncio.create_task(self._gone.wait())
        life = asyncio.create_task(self._containers(address))
        try:
            await asyncio.wait({gone, life}, return_when=asyncio.FIRST_COMPLETED)
            if life.done():
                life.result()
        finally:
            gone.cancel()
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
            self._node.endpoints.drop(self._pod)
            await self._node.addresses.give_back(address)
            await self._delete()
            shutil.rmtree(self._folder, ignore_errors=True)  # secrets were in it

    async def _delete(self) -> None:
        metadata = self._pod["metadata"]
        try:
            await self._kube.delete("Pod", metadata["name"], metadata["namespace"])
        except KubeError as error:
            LOG.warning("pod %s stays: %s", metadata["name"], error)

    async def _containers(self, address: str) -> None:
        """One container after the other in the same pod."""
        if self.deployment["metadata"]["name"] == OPERATOR and not self._lab.operator:
            text = "this lab leaves the operator's place free for another process"
            await self._wait("ContainerCreating", text, History())
            await asyncio.Event().wait()
        history, pause = History(), FIRST_BACK_OFF
        clock = asyncio.get_running_loop().time
        while True:
            image = await self._image(history)
            history = replace(history, image_id=image.image_id)
            spec = await self._spec(image, address, history)
            begin, started = clock(), podobjects.now()
            try:
                code = await self._run(spec, address, history)
                history, why = history.ended(code, started), ""
            except StartError as error:
                history, why = history.start_failed(str(error)), f": {error}"
                code = podobjects.START_ERROR
            pause = FIRST_BACK_OFF if clock() - begin > STABLE_SECONDS else pause
            text = f"back-off {pause:.0f}s restarting failed container, exit code {code}{why}"
            await self._wait("CrashLoopBackOff", text, history)
            await self.report(1, 0)
            LOG.warning("%s: %s", self._name, text)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_BACK_OFF)

    async def _image(self, history: History) -> Image:
        """The container's image; asked for again and again, at growing intervals, until it is there."""
        entry, pause = self._pod["spec"]["containers"][0], FIRST_BACK_OFF
        while True:
            try:
                return await self._node.images.get(entry["image"], images.policy(entry))
            except ImageError as error:
                LOG.warning("%s: %s: %s", self._name, error.reason, error)
                await self._wait(error.reason, str(error), history)
                why = error
            await asyncio.sleep(pause)
            if why.reason == "ErrImagePull":  # a failure of now becomes one of before
                text = f'Back-off pulling image "{entry["image"]}": {why.reason}: {why}'
                await self._wait("ImagePullBackOff", text, history)
                await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_BACK_OFF)

    async def _spec(self, image: Image, address: str, history: History) -> Path:
        """Waits for what the pod mounts, as a kubelet does."""
        told = ""
        while True:
            pod = {**self._pod, "status": {**self._pod["status"], "podIP": address}}
            try:
                return await container.prepare(self._lab, self._kube, pod, image, self._folder)
            except NotReadyToStart as missing:
                reason, text = missing.reason, str(missing)
            if text != told:
                await self._wait(reason, text, history)
                told = text
            await asyncio.sleep(RETRY)

    async def _run(self, spec: Path, address: str, history: History) -> int:
        """Start the container, follow its readiness until it ends; its exit code."""
        log = self._lab.logs / f"pod-{self.deployment['metadata']['name']}.log"
        running = await container.start(self._lab, spec, log)
        LOG.info("%s runs at %s, process %s", self._name, address, running.pid)
        probe = asyncio.create_task(self._probe(address, history))
        end = asyncio.create_task(running.wait())
        try:
            await asyncio.wait({probe, end}, return_when=asyncio.FIRST_COMPLETED)
            if probe.done():
                probe.result()
            return await end
        finally:
            probe.cancel()
            await container.stop(running, self._grace)
            await asyncio.gather(probe, end, return_exceptions=True)

    @property
    def _folder(self) -> Path:
        folder: Path = self._lab.state / "supervisor" / "pods" / self._pod["metadata"]["uid"]
        return folder

    @property
    def _grace(self) -> float:
        """Seconds that the entrypoint has for its end; a fast lab does not wait long for a deaf one."""
        wanted = float(self._pod["spec"].get("terminationGracePeriodSeconds", GRACE))
        return min(wanted, FAST_GRACE) if self._lab.speed == "fast" else wanted

    async def _probe(self, address: str, history: History) -> None:
        """Ready while every declared port takes connections; told only when it changes."""
        started, known = podobjects.now(), None
        containers = self._pod["spec"]["containers"]
        ports = [port["containerPort"] for entry in containers for port in entry.get("ports", [])]
        while True:
            ready = all([await _takes_connections(address, port) for port in ports])
            if ready != known:
                status = podobjects.running(self._pod, address, started, history, ready=ready)
                await self._tell(status)
                await self.report(1, int(ready))
                LOG.info("%s is %s", self._name, "ready" if ready else "not ready")
                known = ready
            await asyncio.sleep(PROBE_STEADY if ready else PROBE_STARTING)

    async def _wait(self, reason: str, message: str, history: History) -> None:
        """Tell what the container waits for."""
        await self._tell(podobjects.waiting(self._pod, reason, message, history))

    async def _tell(self, status: dict[str, Any]) -> None:
        """Write the pod's status; Services of this process need not wait for the watch."""
        metadata = self._pod["metadata"]
        self._pod = await self._kube.patch("Pod", metadata["name"], {"status": status}, metadata["namespace"], "status")
        self._node.endpoints.put(self._pod)


async def _takes_connections(address: str, port: int) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), 1)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return True
