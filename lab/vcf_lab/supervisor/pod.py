# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one pod: made, started, probed, started again, removed."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from ..kube import Kube, KubeError
from ..settings import Lab
from . import container, podobjects
from .container import NotReadyToStart
from .services import Endpoints

LOG = logging.getLogger(__name__)
FIRST_BACK_OFF = 1.0
LONGEST_BACK_OFF = 30.0
STABLE_SECONDS = 60.0  # after so long a crash counts as the first one
PROBE_STARTING = 0.2
PROBE_STEADY = 2.0
RETRY = 0.5


class AddressPool(Protocol):
    """Where pod addresses come from."""

    async def take(self) -> str: ...

    async def give_back(self, address: str) -> None: ...


class PodRunner:
    """Keeps the one pod of a Deployment alive until it is cancelled."""

    def __init__(self, lab: Lab, kube: Kube, pool: AddressPool, endpoints: Endpoints, deployment: dict) -> None:
        self.deployment = deployment
        self._lab = lab
        self._kube = kube
        self._pool = pool
        self._endpoints = endpoints
        self._pod: dict = {}
        self._gone = asyncio.Event()

    @property
    def _name(self) -> str:
        metadata = self.deployment["metadata"]
        return f"{metadata['namespace']}/{metadata['name']}"

    def pod_deleted(self, uid: str) -> None:
        """Somebody deleted the pod: a new one has to take its place."""
        if self._pod.get("metadata", {}).get("uid") == uid:
            self._gone.set()

    async def run(self) -> None:
        """One pod after the other, for ever."""
        while True:
            try:
                await self._one_pod()
            except (KubeError, OSError) as error:
                LOG.warning("%s: %s", self._name, error)
                await asyncio.sleep(RETRY)

    async def report(self, wanted: int, ready: int) -> None:
        """Write the Deployment's status."""
        metadata = self.deployment["metadata"]
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
        self._pod = await self._kube.create(podobjects.pod(self.deployment))
        address = await self._pool.take()
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
            self._endpoints.drop(self._pod)
            await self._pool.give_back(address)
            await self._delete()

    async def _delete(self) -> None:
        metadata = self._pod["metadata"]
        try:
            await self._kube.delete("Pod", metadata["name"], metadata["namespace"])
        except KubeError as error:
            LOG.warning("pod %s stays: %s", metadata["name"], error)

    async def _containers(self, address: str) -> None:
        """One process after the other in the same pod."""
        image = self._pod["spec"]["containers"][0]["image"]
        module = container.program(image)
        if module is None:
            text = f'Back-off pulling image "{image}"'
            await self._tell(podobjects.waiting(self._pod, "ImagePullBackOff", text))
            await asyncio.Event().wait()
        if container.image_name(image) == container.OPERATOR and not self._lab.operator:
            text = "this lab leaves the operator's place free for another process"
            await self._tell(podobjects.waiting(self._pod, "ContainerCreating", text))
            await asyncio.Event().wait()
        restarts, pause = 0, FIRST_BACK_OFF
        clock = asyncio.get_running_loop().time
        while True:
            begin = clock()
            code = await self._process(str(module), address, restarts)
            restarts += 1
            pause = FIRST_BACK_OFF if clock() - begin > STABLE_SECONDS else pause
            text = f"back-off {pause:.0f}s restarting failed container, exit code {code}"
            await self._tell(podobjects.waiting(self._pod, "CrashLoopBackOff", text, restarts=restarts))
            await self.report(1, 0)
            LOG.warning("%s: %s", self._name, text)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_BACK_OFF)

    async def _process(self, module: str, address: str, restarts: int) -> int:
        """Start the process, follow its readiness until it ends; its exit code."""
        env = await self._environment(address)
        log = self._lab.logs / f"pod-{self.deployment['metadata']['name']}.log"
        process = await container.start(module, env, log)
        LOG.info("%s runs at %s, process %s", self._name, address, process.pid)
        probe = asyncio.create_task(self._probe(address, restarts))
        end = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({probe, end}, return_when=asyncio.FIRST_COMPLETED)
            if probe.done():
                probe.result()
            return process.returncode if process.returncode is not None else -1
        finally:
            probe.cancel()
            await container.stop(process)
            await asyncio.gather(probe, end, return_exceptions=True)

    async def _environment(self, address: str) -> dict[str, str]:
        """Waits for what the pod mounts, as a kubelet does."""
        metadata, told = self._pod["metadata"], ""
        folder = self._lab.state / "supervisor" / "pods" / metadata["uid"]
        while True:
            pod = {**self._pod, "status": {**self._pod["status"], "podIP": address}}
            try:
                return await container.prepare(self._lab, self._kube, pod, folder)
            except NotReadyToStart as missing:
                text = f"MountVolume.SetUp failed: {missing}"
            if text != told:
                await self._tell(podobjects.waiting(self._pod, "ContainerCreating", text))
                told = text
            await asyncio.sleep(RETRY)

    async def _probe(self, address: str, restarts: int) -> None:
        """Ready while every declared port takes connections; told only when it changes."""
        started, known = podobjects.now(), None
        containers = self._pod["spec"]["containers"]
        ports = [port["containerPort"] for entry in containers for port in entry.get("ports", [])]
        while True:
            ready = all([await _takes_connections(address, port) for port in ports])
            if ready != known:
                status = podobjects.running(self._pod, address, started, ready=ready, restarts=restarts)
                await self._tell(status)
                await self.report(1, int(ready))
                LOG.info("%s is %s", self._name, "ready" if ready else "not ready")
                known = ready
            await asyncio.sleep(PROBE_STEADY if ready else PROBE_STARTING)

    async def _tell(self, status: dict) -> None:
        """Write the pod's status; Services of this process need not wait for the watch."""
        metadata = self._pod["metadata"]
        self._pod = await self._kube.patch("Pod", metadata["name"], {"status": status}, metadata["namespace"], "status")
        self._endpoints.put(self._pod)


async def _takes_connections(address: str, port: int) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), 1)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return True
