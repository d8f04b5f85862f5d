# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancer services on addresses of this machine alone: when they get one, and what answers there."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from vcf_lab.vmoperator import network, services
from vcf_lab.vmoperator.faults import HEAD_LABEL, VmFaults
from vcf_lab.vmoperator.services import Services

FIRST, PORT = "127.0.77.2", 8265


class Objects:
    """The API server: one range, and one service of a head."""

    def __init__(self) -> None:
        spec = {"type": "LoadBalancer", "selector": {HEAD_LABEL: "ray-h-ab1cd"}, "ports": [{"port": PORT}, {"port": 10001}]}
        self.service: dict[str, Any] = {"metadata": {"namespace": "ns", "name": "ray-h-ab1cd", "uid": "s"}, "spec": spec}

    async def watch(self, kind: str, namespace: str | None = None) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        if kind == "ConfigMap":
            yield "ADDED", {"metadata": {"name": "supervisor"}, "data": {"first": FIRST, "count": "4", "vip": FIRST}}
        else:
            yield "ADDED", copy.deepcopy(self.service)
        await asyncio.Event().wait()

    async def patch(self, kind: str, name: str, body: dict[str, Any], namespace: str, subresource: str) -> dict[str, Any]:
        self.service.update(body)
        return self.service

    @property
    def address(self) -> str:
        ingress = self.service.get("status", {}).get("loadBalancer", {}).get("ingress", [{}])
        return str(ingress[0].get("ip", ""))


class Nobody:
    """No machine answers behind a service."""

    def addresses(self, namespace: str, selector: dict[str, str]) -> list[str]:
        return []


def while_it_runs(
    monkeypatch: pytest.MonkeyPatch, scenario: Callable[[Objects, VmFaults], Awaitable[None]], *armed: dict[str, str], speed: str = "fast"
) -> None:
    async def nothing(address: str) -> None:
        pass

    monkeypatch.setattr(network, "add_address", nothing)
    monkeypatch.setattr(network, "remove_address", nothing)

    async def main() -> None:
        kube, faults = Objects(), VmFaults()
        part = Services(kube, Nobody(), faults, speed)  # type: ignore[arg-type]
        for fault in armed:
            faults.add(fault)
        faults.changed = part.wake
        work = [asyncio.create_task(task) for task in (part.watch_pool(), part.watch())]
        try:
            await asyncio.wait_for(scenario(kube, faults), 10)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await part.close()

    asyncio.run(main())


async def soon(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.01)


async def how(address: str, port: int) -> str:
    """What a client of a port feels; behind an open one there is nobody, so that the connection ends."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(address, port), 0.3)
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silent"
    try:
        return "open" if await reader.read(1) == b"" else "?"
    except ConnectionResetError:
        return "reset"
    finally:
        writer.close()


async def become(address: str, port: int, wanted: str) -> None:
    while await how(address, port) != wanted:
        await asyncio.sleep(0.01)


def test_a_service_gets_its_address_when_the_fault_is_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(kube: Objects, faults: VmFaults) -> None:
        await soon(lambda: faults.listing()[0]["struck"] == 1)
        await asyncio.sleep(0.1)
        assert not kube.address
        faults.clear("no-load-balancer-address")
        await soon(lambda: bool(kube.address))
        assert await how(kube.address, PORT) == "open"

    while_it_runs(monkeypatch, scenario, {"name": "no-load-balancer-address"})


def test_ports_are_shut_and_opened_as_armed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(kube: Objects, faults: VmFaults) -> None:
        await soon(lambda: bool(kube.address))
        faults.add({"name": "dashboard-closed"})
        await become(kube.address, PORT, "refused")
        assert await how(kube.address, 10001) == "open"
        faults.add({"name": "load-balancer-unreachable", "mode": "silent"})
        await become(kube.address, PORT, "silent")
        await become(kube.address, 10001, "silent")
        faults.clear("load-balancer-unreachable")
        await become(kube.address, 10001, "open")
        assert await how(kube.address, PORT) == "refused"
        faults.clear()
        await become(kube.address, PORT, "open")

    while_it_runs(monkeypatch, scenario)


def test_at_natural_speed_an_address_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(services.ADDRESS_SECONDS, "natural", 0.3)

    async def scenario(kube: Objects, faults: VmFaults) -> None:
        await asyncio.sleep(0.1)
        assert not kube.address
        await soon(lambda: bool(kube.address))

    while_it_runs(monkeypatch, scenario, speed="natural")
