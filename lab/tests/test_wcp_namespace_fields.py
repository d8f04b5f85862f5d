# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vSphere Namespaces: limits, networks, zones, libraries and external principals, release by release."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from wcp_specs import NM, POLICY, enable_spec
from wcp_support import Front, front, quick

pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")
NS = "/api/vcenter/namespaces/instances"
INVALID = (400, "INVALID_ARGUMENT")
PROVIDER = "9b4b3cf1-6a4a-4f2e-8f0f-0c8d8f1f3e11"


async def made(vc: Front, **fields: Any) -> None:
    """A running namespace."""
    await vc.supervisor()
    assert await vc.call("POST", NS, {"cluster": "domain-c9", "namespace": "ray", **fields}) == (204, None)
    await vc.settled()


async def info(vc: Front, version: str = "") -> dict[str, Any]:
    await vc.settled()
    status, found = await vc.call("GET", f"{NS}{version}/ray")
    assert status == 200
    return dict(found)


async def zonal(vc: Front, **fields: Any) -> None:
    """A namespace of a Supervisor on three zones."""
    spec = {**enable_spec(), "zones": ["zone-1", "zone-2", "zone-3"]}
    _, identifier = await vc.call("POST", f"{NM}/supervisors?action=enable_on_zones", spec)
    await vc.settled()
    namespace = {"supervisor": identifier, "namespace": "ray", **fields}
    assert await vc.call("POST", f"{NS}/v2", namespace) == (204, None)


def test_limits_become_a_quota_and_are_changed_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    def hard(vc: Front) -> dict[str, str]:
        return dict(vc.kube.objects[("ResourceQuota", "ray", "ray")]["spec"]["hard"])

    async def run() -> None:
        async with front(tmp_path) as vc:
            await made(vc, resource_spec={"memory_limit": 2048, "cpu_limit": 4588, "pod_count": 3, "secret_count": 7})
            assert hard(vc) == {"limits.memory": "2048Mi", "limits.cpu": "2000m", "pods": "3", "secrets": "7"}
            change = {"resource_spec": {"memory_limit": 4096, "pod_count_unset": True, "storage_request_limit": 100}}
            assert await vc.call("PATCH", f"{NS}/ray", change) == (204, None)
            after = {"memory_limit": 4096, "cpu_limit": 4588, "secret_count": 7, "storage_request_limit": 100}
            assert (await info(vc))["resource_spec"] == after
            assert "pods" not in hard(vc) and hard(vc)["requests.storage"] == "100Mi"
            unset = {"resource_spec": {"pod_count_unset": True}}
            assert (await vc.refused("PUT", f"{NS}/ray", unset))[:2] == INVALID  # only an update knows it
            assert (await vc.refused("PATCH", f"{NS}/ray", {"resource_spec": {"cpus": 1}}))[:2] == INVALID
            assert (await vc.refused("PATCH", f"{NS}/ray", {"resource_spec": {"cpu_limit": -1}}))[:2] == INVALID
            assert (await vc.call("PUT", f"{NS}/ray", {"resource_spec": {"pod_count": 1}}))[0] == 204
            assert (await info(vc))["resource_spec"] == {"pod_count": 1}
            gone = {"resource_spec": {"pod_count_unset": True}}
            assert (await vc.call("PATCH", f"{NS}/ray", gone))[0] == 204
            assert "resource_spec" not in await info(vc)
            assert "ray" not in vc.kube.names("ResourceQuota", "ray")
            _, types = await vc.call("GET", f"{NM}/clusters/domain-c9/workload-resource-options")
            assert types["update_resource_quota_type"] == types["create_resource_quota_type"] + "_update"

    asyncio.run(run())


def test_networks_are_those_of_the_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    vsphere = {"portgroup": "dvportgroup-11", "address_ranges": [], "gateway": "10.244.0.1", "subnet_mask": "255.255.0.0"}
    second = {"network": "second", "network_provider": "VSPHERE_NETWORK", "vsphere_network": vsphere}

    async def run() -> None:
        async with front(tmp_path) as vc:
            await made(vc)
            assert (await info(vc))["networks"] == ["network-1"]
            wrong = {"cluster": "domain-c9", "namespace": "other", "networks": ["gone"]}
            assert (await vc.refused("POST", NS, wrong))[:2] == INVALID
            nsx = {"network_provider": "NSXT_CONTAINER_PLUGIN"}
            overrides = {"cluster": "domain-c9", "namespace": "other", "namespace_network": nsx}
            assert (await vc.refused("POST", NS, overrides))[:2] == (400, "UNSUPPORTED")
            assert (await vc.call("POST", f"{NM}/clusters/domain-c9/networks", second))[0] == 204
            change = {"network_provider": "VSPHERE_NETWORK", "vsphere_network_config": {"networks_to_add": ["second"]}}
            assert (await vc.call("PATCH", f"{NS}/ray", {"network_spec": change}))[0] == 204
            assert (await info(vc))["networks"] == ["network-1", "second"]
            told = (await info(vc, "/v2"))["network_spec"]["vsphere_network"]
            assert told["default_workload_network"] == "network-1" and len(told["networks"]) == 2
            change["vsphere_network_config"] = {"networks_to_remove": ["network-1"]}
            assert (await vc.refused("PATCH", f"{NS}/ray", {"network_spec": change}))[:2] == INVALID
            other = {"network_spec": {"network_provider": "NSX_VPC"}}
            assert (await vc.refused("PATCH", f"{NS}/ray", other))[:2] == INVALID

    asyncio.run(run())


def test_a_namespace_in_chosen_zones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    def states(found: dict[str, Any]) -> list[tuple[str, bool]]:
        return [(entry["zone"], entry["marked_for_removal"]) for entry in found["zones"]]

    async def run() -> None:
        async with front(tmp_path) as vc:
            await zonal(vc, zones=[{"name": "zone-1", "cpu_limit_MHz": 1000}])
            assert states(await info(vc, "/v2")) == [("zone-1", False)]
            assert (await vc.refused("PATCH", f"{NS}/ray", {"zones": [{"name": "zone-9"}]}))[:2] == INVALID
            twice = {"zones": [{"name": "zone-2"}, {"name": "zone-2"}]}
            assert (await vc.refused("PATCH", f"{NS}/ray", twice))[:2] == INVALID
            assert (await vc.call("PATCH", f"{NS}/ray", {"zones": [{"name": "zone-2"}]}))[0] == 204
            assert states(await info(vc, "/v2")) == [("zone-1", False), ("zone-2", False)]
            assert (await vc.refused("DELETE", f"{NS}/ray/zones/zone-3"))[:2] == (404, "NOT_FOUND")
            machine = {"kind": "VirtualMachine", "metadata": {"name": "vm", "namespace": "ray"}}
            await vc.kube.apply(machine)
            assert (await vc.call("DELETE", f"{NS}/ray/zones/zone-1"))[0] == 204
            assert states(await info(vc, "/v2")) == [("zone-1", True), ("zone-2", False)]
            assert (await vc.refused("DELETE", f"{NS}/ray/zones/zone-2"))[:2] == (500, "ERROR")  # the last one
            await vc.kube.delete("VirtualMachine", "vm", "ray")
            assert (await vc.call("PATCH", f"{NS}/ray", {"description": "drained"}))[0] == 204
            assert states(await info(vc, "/v2")) == [("zone-2", False)]

    asyncio.run(run())


def test_without_a_choice_a_namespace_has_all_zones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            await zonal(vc)
            assert [entry["zone"] for entry in (await info(vc, "/v2"))["zones"]] == ["zone-1", "zone-2", "zone-3"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("field", "value", "first"),
    [
        ("content_libraries", [], "8.0.3"),
        ("network_spec", {"network_provider": "VSPHERE_NETWORK"}, "9.0"),
        ("zones", [], "9.0"),
        ("edges", [], "9.1"),
        ("infrastructure_policies", [], "9.1"),
        ("access_list", [], "7.0.3"),
    ],
)
@pytest.mark.parametrize("version", ["7.0.3", "8.0.1", "8.0.3", "9.0", "9.1"])
def test_a_field_is_unexpected_before_its_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, field: str, value: Any, first: str
) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path, version=version) as vc:
            await made(vc)
            found = await info(vc)
            assert ("content_libraries" in found, "edges" in found) == (version >= "8.0.3", version >= "9.1")
            if version >= first:
                assert (await vc.call("PATCH", f"{NS}/ray", {field: value}))[0] == 204
            else:
                status, kind, text = await vc.refused("PATCH", f"{NS}/ray", {field: value})
                assert (status, kind) == INVALID and f"unexpected field: {field}" in text

    asyncio.run(run())


def test_the_newer_view_of_namespaces_has_its_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path, version="7.0.3") as vc:
            await made(vc)
            assert (await vc.refused("GET", f"{NS}/v2/ray"))[:2] == (404, "OPERATION_NOT_FOUND")
            assert (await vc.refused("DELETE", f"{NS}/ray/zones/zone-1"))[:2] == (404, "OPERATION_NOT_FOUND")
            assert (await vc.call("DELETE", f"{NS}/ray"))[0] == 204
            await vc.settled()
            assert vc.store["namespaces"] == {}
        async with front(tmp_path / "new", version="8.0.3") as vc:
            await made(vc)
            assert "zones" not in await info(vc, "/v2")

    asyncio.run(run())


def test_rules_of_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    def entry(**fields: Any) -> dict[str, Any]:
        return {"content_libraries": [{"content_library": "lib-2", **fields}]}

    async def run() -> None:
        async with front(tmp_path) as vc:
            vc.store["libraries"]["lib-2"] = {"id": "lib-2", "type": "LOCAL"}
            await made(vc, **entry(writable=True, allow_import=True))
            assert (await vc.refused("PATCH", f"{NS}/ray", entry(allow_import=True)))[:2] == INVALID
            strategy = entry(writable=True, resource_naming_strategy="PREFER_ITEM_SOURCE_ID")
            assert (await vc.refused("PATCH", f"{NS}/ray", strategy))[:2] == INVALID  # it cannot be changed
            found = await info(vc)
            assert found["vm_service_spec"]["content_libraries"] == ["lib-2"]
            assert found["content_libraries"][0]["allow_import"] is True
            # Named by the older field alone, a library stays as it was; the new one is read-only.
            both = {"vm_service_spec": {"content_libraries": ["lib-1", "lib-2"]}}
            assert (await vc.call("PATCH", f"{NS}/ray", both))[0] == 204
            writable = {e["content_library"]: e["writable"] for e in (await info(vc))["content_libraries"]}
            assert writable == {"lib-1": False, "lib-2": True}
            # The newer field says all: what it leaves out goes from both.
            assert (await vc.call("PATCH", f"{NS}/ray", entry()))[0] == 204
            assert (await info(vc))["vm_service_spec"]["content_libraries"] == ["lib-2"]

    asyncio.run(run())


def test_storage_is_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            await made(vc)
            twice = {"storage_specs": [{"policy": POLICY}, {"policy": POLICY, "limit": 5}]}
            assert (await vc.refused("PATCH", f"{NS}/ray", twice))[:2] == INVALID
            assert (await vc.call("PATCH", f"{NS}/ray", {"storage_specs": [{"policy": POLICY, "limit": 5}]}))[0] == 204
            await vc.settled()
            hard = vc.kube.objects[("ResourceQuota", "ray", "ray-storagequota")]["spec"]["hard"]
            assert list(hard.values()) == ["5Mi"]

    asyncio.run(run())


def test_groups_and_external_principals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    def path(subject: str, domain: str, kind: str) -> str:
        return f"{NS}/ray/access/{domain}/{subject}?type={kind}"

    async def run() -> None:
        async with front(tmp_path) as vc:
            vc.store["groups"]["ray-team@corp.lab"] = {}
            vc.store["users"]["alice@corp.lab"] = {"groups": ["ray-team@corp.lab"]}
            await made(vc)
            team = path("ray-team", "corp.lab", "GROUP")
            assert await vc.call("POST", team, {"role": "EDIT"}) == (204, None)
            alice = path("alice", "corp.lab", "USER")
            assert (await vc.call("GET", alice))[1] == {"role": "EDIT", "inherited": True}
            assert (await vc.refused("DELETE", alice))[:2] == (400, "UNSUPPORTED")
            user = path("eve", "idp.example", "USER")
            external = {"role": "VIEW", "identity_provider": PROVIDER}
            assert (await vc.refused("POST", user, {"role": "VIEW"}))[:2] == (400, "UNSUPPORTED")
            assert (await vc.refused("POST", user, {**external, "role": "OWNER"}))[:2] == (400, "UNSUPPORTED")
            assert await vc.call("POST", user, external) == (204, None)
            assert (await vc.call("GET", user))[1] == {**external, "inherited": False}
            assert (await vc.refused("PUT", user, {"role": "OWNER"}))[:2] == (400, "UNSUPPORTED")
            assert (await vc.refused("PUT", team, {"role": "OWNER"}))[:2] == (400, "UNSUPPORTED")
            owner = {"subject_type": "GROUP", "subject": "ray-team", "domain": "corp.lab", "role": "OWNER"}
            assert (await vc.refused("PATCH", f"{NS}/ray", {"access_list": [owner]}))[:2] == (400, "UNSUPPORTED")
            inside = path("Administrators", "vsphere.local", "GROUP")
            assert await vc.call("POST", inside, {"role": "OWNER"}) == (204, None)
            listed = "/api/vcenter/namespaces-user/namespaces?username=alice@corp.lab"
            assert [entry["namespace"] for entry in (await vc.call("GET", listed))[1]] == ["ray"]

    asyncio.run(run())
