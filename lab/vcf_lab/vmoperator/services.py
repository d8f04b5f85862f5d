# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VirtualMachineService objects of type LoadBalancer: an address, and forwarders to the machine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from vcf_lab.kube import Kube, KubeError

from . import dashboard, network
from .addresses import AddressPool, PoolExhausted
from .dashboard import Conversation
from .door import OPEN, Door, Way
from .faults import VmFaults
from .machines import Machines

LOG = logging.getLogger(__name__)
KIND = "VirtualMachineService"
SUPERVISOR = ("kube-system", "supervisor")
RETRY_SECONDS = 1.0
ADDRESS_SECONDS = {"fast": 0.0, "natural": 5.0}  # from a new service to its address, by the lab's speed

Key = tuple[str, str]
Ports = tuple[tuple[int, int], ...]


class Services:
    """All under one lock: services are few, and share the pool."""

    def __init__(self, kube: Kube, machines: Machines, faults: VmFaults, speed: str) -> None:
        self._kube, self._machines, self._faults = kube, machines, faults
        self._seconds = ADDRESS_SECONDS[speed]
        self._since: dict[Key, float] = {}  # when each service was first seen
        self._pool: AddressPool | None = None
        self._pool_data: dict[str, str] = {}
        self._objects: dict[Key, dict[str, Any]] = {}
        self._servers: dict[Key, tuple[str, Ports, dict[int, Door]]] = {}  # doors by their ports
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        return len(self._servers)

    async def watch(self) -> None:
        """For ever."""
        async for event, service in self._kube.watch(KIND):
            key = (service["metadata"]["namespace"], service["metadata"]["name"])
            if event == "DELETED" or service["metadata"].get("deletionTimestamp"):
                self._objects.pop(key, None)
                self._since.pop(key, None)
            else:
                self._objects[key] = service
            await self._reconcile(key)

    async def watch_pool(self) -> None:
        """The Supervisor's load balancer range, while there is a Supervisor."""
        namespace, name = SUPERVISOR
        async for event, config in self._kube.watch("ConfigMap", namespace):
            if config["metadata"]["name"] != name:
                continue
            data = {} if event == "DELETED" else config.get("data", {})
            if data == self._pool_data:
                continue
            for key in list(self._servers):
                await self._stop(key)
            self._pool_data = data
            self._pool = AddressPool(data["first"], int(data["count"]), [data["vip"]]) if data else None
            for key in list(self._objects):
                await self._reconcile(key)

    def wake(self) -> None:
        """A fault was armed or cleared."""
        for key in list(self._objects):
            self._again(key)

    async def close(self) -> None:
        for key in list(self._servers):
            await self._stop(key)

    async def _reconcile(self, key: Key) -> None:
        async with self._lock:
            try:
                await self._bring(key)
            except (KubeError, OSError, network.NetworkError, PoolExhausted) as error:
                LOG.warning("service %s/%s: %s", *key, error)
                asyncio.get_running_loop().call_later(RETRY_SECONDS, self._again, key)

    def _again(self, key: Key) -> None:
        task = asyncio.get_running_loop().create_task(self._reconcile(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _bring(self, key: Key) -> None:
        service = self._objects.get(key)
        if service is None or service["spec"].get("type") != "LoadBalancer":
            await self._stop(key)
            return
        if self._pool is None:
            return  # no Supervisor, no range: the service stays without an address
        if key not in self._servers and self._faults.without_balancer(service):
            return
        loop = asyncio.get_running_loop()
        wait = self._since.setdefault(key, loop.time()) + self._seconds - loop.time()
        if wait > 0:
            loop.call_later(wait, self._again, key)
            return
        wanted = tuple(
            sorted((port["port"], port.get("targetPort", port["port"])) for port in service["spec"].get("ports", []))
        )
        if key not in self._servers or self._servers[key][1] != wanted:
            await self._stop(key)
            await self._start(key, wanted)
        address, _, doors = self._servers[key]
        for port, door in doors.items():
            await door.turn(self._way(service, port))
        ingress = [{"ip": address}]
        if service.get("status", {}).get("loadBalancer", {}).get("ingress") != ingress:
            body = {"status": {"loadBalancer": {"ingress": ingress}}}
            try:
                await self._kube.patch(KIND, key[1], body, key[0], subresource="status")
            except KubeError as error:
                if error.status != 404:
                    raise

    async def _start(self, key: Key, ports: Ports) -> None:
        assert self._pool is not None
        address = self._pool.take("/".join(key))
        await network.add_address(address)
        doors = {}
        for port, target in ports:
            listener = self._conversation(key) if port == dashboard.PORT else None
            doors[port] = Door((address, port), self._target(key, target), listener)
        self._servers[key] = (address, ports, doors)
        LOG.info("service %s/%s answers at %s, ports %s", *key, address, [port for port, _ in ports])

    def _way(self, service: dict[str, Any], port: int) -> Way:
        """How a port of the service behaves now."""
        mode, seen = self._faults.unreachable(service)
        if mode:
            return Way(mode, seen)
        return Way("closed") if port == dashboard.PORT and self._faults.dashboard_closed(service) else OPEN

    def _conversation(self, key: Key) -> Callable[[], Conversation]:
        return lambda: Conversation(self._faults, lambda: self._objects.get(key))

    def _target(self, key: Key, port: int) -> Callable[[], tuple[str, int] | None]:
        def target() -> tuple[str, int] | None:
            service = self._objects.get(key)
            selector = service["spec"].get("selector") or {} if service else {}
            addresses = self._machines.addresses(key[0], selector)
            return (addresses[0], port) if addresses else None

        return target

    async def _stop(self, key: Key) -> None:
        if key not in self._servers:
            return
        address, _, doors = self._servers.pop(key)
        for door in doors.values():
            await door.close()
        await network.remove_address(address)
        if self._pool is not None:
            self._pool.release("/".join(key))
