# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with the objects that a cluster leans on, and with the operator."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from ..faults import Fault, Faults, Kind
from ..kube import Kube, KubeError

LOG = logging.getLogger(__name__)
CLUSTER, IMAGE, CLASS, SECRET = "VMRayCluster", "VirtualMachineImage", "VirtualMachineClass", "Secret"
FINALIZER = "example.com/held-by-a-fault"
AGAIN = 1.0  # what is taken away is looked for again so often: vCenter may have put it back
OF_CLUSTER = {"cluster": ""}

KINDS = {
    "image-missing": Kind(
        "the VirtualMachineImages of the namespace (image=NAME) go when a VMRayCluster is made, and are back when "
        "this is cleared",
        options={"image": "", **OF_CLUSTER}, times=0,
    ),
    "class-missing": Kind(
        "the same with its VirtualMachineClasses (class=NAME)", options={"class": "", **OF_CLUSTER}, times=0
    ),
    "secret-missing": Kind(
        "the same with a Secret (secret=NAME; the cluster's docker secret if none is named)",
        options={"secret": "", **OF_CLUSTER}, times=0,
    ),
    "stuck-finalizer": Kind(
        "each VMRayCluster gets a finalizer more, which nobody takes away until this is cleared",
        options=OF_CLUSTER, times=0,
    ),
    "operator-gone": Kind("the operator's pod ends, and none comes back until this is cleared", times=0, common=()),
}
TAKES = {"image-missing": (IMAGE, "image"), "class-missing": (CLASS, "class"), "secret-missing": (SECRET, "secret")}


class ClusterFaults(Faults):
    """The armed faults of the Supervisor's part."""

    kinds = KINDS

    @property
    def operator_gone(self) -> bool:
        return bool(self.armed("operator-gone"))


@dataclass
class Taken:
    """An object that a fault has taken away, to be given back."""

    fault: Fault
    obj: dict[str, Any]


class Mischief:
    """Does to the objects what is armed, and undoes it when it is cleared."""

    def __init__(self, kube: Kube, faults: ClusterFaults) -> None:
        self._kube, self._faults = kube, faults
        self._taken: list[Taken] = []
        self._before: dict[int, set[str]] = {}  # clusters that were there when a fault was armed
        self._held: set[tuple[str, str]] = set()  # clusters with our finalizer
        self._news = asyncio.Event()

    def wake(self) -> None:
        """A fault was armed or cleared."""
        self._news.set()

    async def run(self) -> None:
        """For ever; clusters are watched only while a fault is armed."""
        while True:
            self._news.clear()
            done = False
            try:
                done = await self._give_back()
                if self._faults.armed(*TAKES, "stuck-finalizer"):
                    await self._while_armed()
            except KubeError as error:
                LOG.warning("a fault could not strike or end: %s", error)
                done = False
            if not done:
                await asyncio.sleep(AGAIN)
            elif not self._news.is_set():
                await self._news.wait()

    async def _while_armed(self) -> None:
        """Until something is armed or cleared, which is when `run` begins anew."""
        await self._remember()
        watching = asyncio.create_task(self._watch())
        news = asyncio.create_task(self._news.wait())
        try:
            while not news.done():
                await asyncio.wait({watching, news}, timeout=AGAIN, return_when=asyncio.FIRST_COMPLETED)
                if watching.done():
                    watching.result()
                for cluster in await self._clusters():
                    await self._strike(cluster)
        finally:
            for task in (watching, news):
                task.cancel()
            await asyncio.gather(watching, news, return_exceptions=True)

    async def _watch(self) -> None:
        """Strike a new cluster at once. What is written to it later, perhaps twenty times a second, can wait."""
        seen = set()
        async for event, cluster in self._kube.watch(CLUSTER):
            if event != "DELETED" and cluster["metadata"]["uid"] not in seen:
                seen.add(cluster["metadata"]["uid"])
                await self._strike(cluster)

    async def _clusters(self) -> list[dict[str, Any]]:
        try:
            return await self._kube.list(CLUSTER)
        except KubeError as error:
            if error.status == 404:  # no operator is installed yet
                return []
            raise

    async def _remember(self) -> None:
        """Note which clusters there are: what is taken away is taken from those that are made later."""
        there = {cluster["metadata"]["uid"] for cluster in await self._clusters()}
        armed = self._faults.armed(*TAKES)
        self._before = {id(fault): self._before.get(id(fault), there) for fault in armed}

    async def _strike(self, cluster: dict[str, Any]) -> None:
        metadata = cluster["metadata"]
        uid, facts = metadata["uid"], {"cluster": metadata["name"]}
        if self._faults.strike("stuck-finalizer", uid, facts):
            await self._hold(cluster)
        for name, (kind, option) in TAKES.items():
            if any(uid in self._before.get(id(fault), ()) for fault in self._faults.armed(name)):
                continue
            if fault := self._faults.strike(name, uid, facts):
                wanted = fault.options[option] or (_docker_secret(cluster) if kind == SECRET else "")
                if kind != SECRET or wanted:
                    await self._take(fault, kind, wanted, metadata["namespace"])

    async def _take(self, fault: Fault, kind: str, wanted: str, namespace: str) -> None:
        found = await self._kube.list(kind, namespace)
        for obj in found:
            name = obj["metadata"]["name"]
            if wanted in ("", name):
                LOG.info("%s takes %s %s/%s away", fault.name, kind, namespace, name)
                await self._kube.delete(kind, name, namespace)
                if not any(_same(taken.obj, obj) for taken in self._taken):
                    self._taken.append(Taken(fault, obj))

    async def _hold(self, cluster: dict[str, Any]) -> None:
        """One finalizer more; with the version that was read, as others add and remove theirs."""
        metadata = cluster["metadata"]
        finalizers = metadata.get("finalizers") or []
        if FINALIZER in finalizers or metadata.get("deletionTimestamp"):
            return
        change = {"finalizers": [*finalizers, FINALIZER], "resourceVersion": metadata["resourceVersion"]}
        if await self._change(metadata, change):
            self._held.add((metadata["namespace"], metadata["name"]))

    async def _change(self, metadata: dict[str, Any], change: dict[str, Any]) -> bool:
        """False where it has to be tried again: somebody else wrote, or the operator's webhook is away."""
        try:
            await self._kube.patch(CLUSTER, metadata["name"], {"metadata": change}, metadata["namespace"])
        except KubeError as error:
            if error.status != 404:
                LOG.info("VMRayCluster %s: %s", metadata["name"], error)
                return False
        return True

    async def _give_back(self) -> bool:
        """All that cleared faults have taken or added; False if something of it has to be tried again."""
        armed = [id(fault) for fault in self._faults.armed(*TAKES)]
        for taken in [taken for taken in self._taken if id(taken.fault) not in armed]:
            await self._restore(taken.obj)
            self._taken.remove(taken)
        if not self._faults.armed("stuck-finalizer"):
            self._held = {held for held in sorted(self._held) if not await self._release(*held)}
            return not self._held
        return True

    async def _release(self, namespace: str, name: str) -> bool:
        cluster = await self._kube.get(CLUSTER, name, namespace)
        metadata = cluster["metadata"] if cluster else {}
        finalizers = metadata.get("finalizers") or []
        if FINALIZER not in finalizers:
            return True
        rest = [finalizer for finalizer in finalizers if finalizer != FINALIZER]
        return await self._change(metadata, {"finalizers": rest, "resourceVersion": metadata["resourceVersion"]})

    async def _restore(self, obj: dict[str, Any]) -> None:
        """As it was; one that somebody has made meanwhile is left alone."""
        kept = ("name", "namespace", "labels", "annotations")
        metadata = {key: value for key, value in obj["metadata"].items() if key in kept}
        body = {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}
        try:
            await self._kube.create(body)
        except KubeError as error:
            if error.status in (404, 409):  # made anew, or its namespace is gone
                return
            raise
        if obj.get("status"):
            body = {"status": obj["status"]}
            await self._kube.patch(obj["kind"], metadata["name"], body, metadata["namespace"], subresource="status")


def _docker_secret(cluster: dict[str, Any]) -> str:
    return str((cluster["spec"].get("docker_config") or {}).get("auth_secret_name") or "")


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    def identity(obj: dict[str, Any]) -> tuple[str, str, str]:
        return obj["kind"], obj["metadata"]["namespace"], obj["metadata"]["name"]

    return identity(one) == identity(other)
