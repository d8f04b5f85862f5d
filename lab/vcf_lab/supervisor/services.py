# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for kube-proxy: a ClusterIP is an address here, with a forwarder for each port."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from .. import addresses
from ..forwarder import Address, forward
from ..kube import Kube

LOG = logging.getLogger(__name__)
Key = tuple[str, str]


class Endpoints:
    """The pods of the cluster, as the kubelet stand-in tells and the API server lists them."""

    def __init__(self) -> None:
        self._pods: dict[Key, dict[str, Any]] = {}

    def put(self, pod: dict[str, Any]) -> None:
        """Remember a pod's newest state."""
        self._pods[_key(pod)] = pod

    def drop(self, pod: dict[str, Any]) -> None:
        """Forget a pod; an unknown one is fine."""
        self._pods.pop(_key(pod), None)

    def pick(self, namespace: str, selector: dict[str, str], target_port: int | str) -> Address | None:
        """Address of the first ready pod that the selector means."""
        for (where, _), pod in sorted(self._pods.items()):
            labels = pod["metadata"].get("labels", {})
            if where != namespace or not selector.items() <= labels.items() or not _ready(pod):
                continue
            port = _port(pod, target_port)
            if port is not None:
                return pod["status"]["podIP"], port
        return None


class Services:
    """Listens on the ClusterIP of every Service that selects pods."""

    def __init__(self, kube: Kube, endpoints: Endpoints) -> None:
        self._kube = kube
        self._endpoints = endpoints
        self._open: dict[Key, tuple[dict[str, Any], list[asyncio.Server]]] = {}

    async def run(self) -> None:
        """For ever follow Services and pods."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_pods())
            tasks.create_task(self._follow_services())

    async def _follow_pods(self) -> None:
        async for event, pod in self._kube.watch("Pod"):
            if event == "DELETED":
                self._endpoints.drop(pod)
            else:
                self._endpoints.put(pod)

    async def _follow_services(self) -> None:
        async for event, service in self._kube.watch("Service"):
            key = _key(service)
            known = self._open.get(key)
            if event != "DELETED" and known is not None and known[0] == service["spec"]:
                continue
            if known is not None:
                await self._close(key)
            spec = service["spec"]
            if event != "DELETED" and spec.get("selector") and spec.get("clusterIP", "None") != "None":
                await self._listen(key, spec)

    async def _listen(self, key: Key, spec: dict[str, Any]) -> None:
        await addresses.add(spec["clusterIP"])
        servers = []
        for port in spec["ports"]:
            goal = self._target(key[0], spec["selector"], port.get("targetPort", port["port"]))
            servers.append(await forward((spec["clusterIP"], port["port"]), goal))
        self._open[key] = (spec, servers)
        LOG.info("service %s/%s at %s", *key, spec["clusterIP"])

    def _target(self, namespace: str, selector: dict[str, str], port: int | str) -> Callable[[], Address | None]:
        return lambda: self._endpoints.pick(namespace, selector, port)

    async def _close(self, key: Key) -> None:
        spec, servers = self._open.pop(key)
        for server in servers:
            server.close()
        await addresses.remove(spec["clusterIP"])

    async def close(self) -> None:
        """Stop listening everywhere."""
        for key in list(self._open):
            await self._close(key)


def _key(obj: dict[str, Any]) -> Key:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _ready(pod: dict[str, Any]) -> bool:
    status = pod.get("status", {})
    conditions = {entry["type"]: entry["status"] for entry in status.get("conditions", [])}
    return "podIP" in status and conditions.get("Ready") == "True"


def _port(pod: dict[str, Any], wanted: int | str) -> int | None:
    """A port by number, or by the name that a container gave to it."""
    if isinstance(wanted, int):
        return wanted
    for container in pod["spec"]["containers"]:
        for port in container.get("ports", []):
            if port.get("name") == wanted:
                return int(port["containerPort"])
    return None
