# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to one Supervisor: image registries, workload networks, capabilities."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from wcp_specs import NM
from wcp_support import front, quick

pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")
PEM = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
ENDPOINT = {"hostname": "registry.lab", "username": "ray", "password": "planted", "certificate_chain": PEM}


def test_the_life_of_a_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            path = f"{NM}/supervisors/{await vc.supervisor()}/container-image-registries"
            spec = {"name": "own", "image_registry": ENDPOINT, "default_registry": True}
            status, made = await vc.call("POST", path, spec)
            assert status == 201 and "password" not in made["image_registry"]
            assert made["image_registry"]["port"] == 443 and made["default_registry"]
            assert (await vc.refused("POST", path, spec))[:2] == (400, "ALREADY_EXISTS")
            other = {"name": "other", "image_registry": {"hostname": "10.244.0.7", "port": 5000}, "default_registry": True}
            _, second = await vc.call("POST", path, other)
            _, found = await vc.call("GET", path)
            assert [(entry["name"], entry["default_registry"]) for entry in found] == [("own", False), ("other", True)]
            assert "planted" not in str(found)
            assert await vc.call("PATCH", f"{path}/{made['id']}", {"port": 8443, "default_registry": True}) == (204, None)
            _, first = await vc.call("GET", f"{path}/{made['id']}")
            assert (first["image_registry"]["port"], first["image_registry"]["username"]) == (8443, "ray")
            assert not (await vc.call("GET", f"{path}/{second['id']}"))[1]["default_registry"]
            assert (await vc.refused("PATCH", f"{path}/{made['id']}", {"name": "other"}))[:2] == (400, "ALREADY_EXISTS")
            assert (await vc.call("DELETE", f"{path}/{made['id']}"))[0] == 204
            assert (await vc.refused("GET", f"{path}/{made['id']}"))[:2] == (404, "NOT_FOUND")
            assert "planted" not in str(vc.store.public())

    asyncio.run(run())


@pytest.mark.parametrize(
    ("endpoint", "names"),
    [
        ({"hostname": "https://registry.lab"}, "https://registry.lab"),
        ({"hostname": "registry.lab", "port": 70000}, "70000"),
        ({"hostname": "registry.lab", "certificate_chain": "AA=="}, "PEM"),
        ({"hostname": "registry.lab", "username": "ray"}, "go together"),
        ({"port": 443}, "missing a field: hostname"),
    ],
)
def test_a_wrong_registry_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: dict[str, Any], names: str
) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            path = f"{NM}/supervisors/{await vc.supervisor()}/container-image-registries"
            status, kind, text = await vc.refused("POST", path, {"name": "own", "image_registry": endpoint})
            assert (status, kind) == (400, "INVALID_ARGUMENT") and names in text

    asyncio.run(run())


@pytest.mark.parametrize(("version", "registries", "others"), [("8.0.1", 404, 404), ("8.0.3", 200, 404), ("9.1", 200, 200)])
def test_each_part_has_its_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, registries: int, others: int
) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path, version=version) as vc:
            path = f"{NM}/supervisors/{await vc.supervisor()}"
            assert (await vc.call("GET", f"{path}/container-image-registries"))[0] == registries
            for part in ("networks", "capabilities"):
                assert (await vc.call("GET", f"{path}/{part}"))[0] == others
            assert (await vc.call("GET", f"{NM}/clusters/domain-c9/networks"))[0] == 200

    asyncio.run(run())


def test_workload_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    vsphere = {"portgroup": "dvportgroup-11", "address_ranges": [], "gateway": "10.244.0.1", "subnet_mask": "255.255.0.0"}
    spec = {"network": "second", "network_provider": "VSPHERE_NETWORK", "vsphere_network": vsphere}

    async def run() -> None:
        async with front(tmp_path) as vc:
            path = f"{NM}/supervisors/{await vc.supervisor()}/networks"
            assert (await vc.call("GET", path))[1] == {"networks": [{"network": "network-1"}]}
            assert await vc.call("POST", path, spec) == (204, None)
            assert (await vc.refused("POST", path, spec))[:2] == (400, "ALREADY_EXISTS")
            namespace = {"cluster": "domain-c9", "namespace": "ray", "networks": ["second"]}
            assert (await vc.call("POST", "/api/vcenter/namespaces/instances", namespace))[0] == 204
            assert (await vc.call("GET", f"{path}/second"))[1]["namespaces"] == ["ray"]
            for used in ("second", "network-1"):
                assert (await vc.refused("DELETE", f"{path}/{used}"))[:2] == (400, "RESOURCE_IN_USE")
            assert (await vc.refused("GET", f"{path}/third"))[:2] == (404, "NOT_FOUND")

    asyncio.run(run())


def test_capabilities_can_be_filtered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            identifier = await vc.supervisor()
            path = f"{NM}/supervisors/{identifier}/capabilities"
            _, answer = await vc.call("GET", path)
            assert answer["supervisor"] == identifier and len(answer["capabilities"]) > 3
            _, some = await vc.call("GET", path, {"status": "UNSUPPORTED"})
            assert [entry["name"] for entry in some["capabilities"]] == ["supports_supervisor_vpc_networks"]

    asyncio.run(run())
