# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each release takes to enable a Supervisor, and the networks and load balancers of all kinds."""

from __future__ import annotations

import asyncio
import copy
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from wcp_specs import ENABLE_PATH, HAPROXY, NM, POLICY, enable_spec, enable_spec_of, enable_spec_v1
from wcp_support import Front, front, quick

from vcf_lab.vcenter.app import make_lab_app

pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")
RELEASES = ("7.0.3", "8.0.1", "8.0.3", "9.0", "9.1")
PROJECT = "/orgs/default/projects/default"
V1_PATH = f"{NM}/clusters/domain-c9?action=enable"
NSXT = {
    "network": {"network_type": "NSXT", "nsx": {"dvs": "dvs-8"}},
    "edge": {
        "provider": "NSX",
        "load_balancer_address_ranges": [{"address": "10.244.1.2", "count": 64}],
        "nsx": {"edge_cluster_ID": "edge-cluster-1", "routing_mode": "NAT"},
    },
}
VPC = {
    "network": {
        "network_type": "NSX_VPC",
        "nsx_vpc": {"nsx_project": PROJECT, "default_private_cidrs": [{"address": "172.16.0.0", "prefix": 16}]},
    },
    "edge": {"provider": "NSX_VPC"},
}
ALB = {"server": {"host": "10.244.0.8", "port": 443}, **{k: v for k, v in HAPROXY.items() if k != "servers"}}


async def register(vc: Front, facts: dict[str, Any]) -> None:
    """Tell the side door about NSX."""
    async with TestClient(TestServer(make_lab_app(vc.app))) as side, side.put("/nsx", json=facts) as reply:
        assert reply.status == 204


@pytest.mark.parametrize("version", RELEASES)
def test_every_release_has_a_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path, version=version) as vc:
            identifier = await vc.supervisor()
            _, found = await vc.call("GET", f"{NM}/clusters")
            assert [(entry["cluster"], entry["config_status"]) for entry in found] == [("domain-c9", "RUNNING")]
            old = version == "7.0.3"
            assert (await vc.call("GET", f"{NM}/supervisors/summaries"))[0] == (404 if old else 200)
            status, summary = await vc.call("GET", f"{NM}/supervisors/{identifier}/summary")
            assert status == (404 if old else 200)
            assert old or ("messages" in summary) == (version == "9.1")
            _, info = await vc.call("GET", f"{NM}/clusters/domain-c9")
            assert (info["service_cidr"], info["master_storage_policy"]) == ({"address": "10.96.0.0", "prefix": 16}, POLICY)
            assert info["workload_networks"]["supervisor_primary_workload_network"]["vsphere_network"]["portgroup"]
            assert ("conditions" in info) != old and ("content_libraries" in info) == (version >= "8.0.3")
            assert "planted" not in vc.store.path.read_text()

    asyncio.run(run())


@pytest.mark.parametrize("version", RELEASES)
def test_the_side_door_brings_one_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path, version=version) as vc, TestClient(TestServer(make_lab_app(vc.app))) as side:
            for cluster, code in (("C9", 400), ("C1", 200), ("C0", 400)):
                async with side.post("/supervisors", json={"cluster": cluster}) as reply:
                    assert reply.status == code
            (record,) = vc.store["supervisors"].values()
            assert (record["name"], record["cluster"], record["config_status"]) == ("C1", "domain-c10", "RUNNING")

    asyncio.run(run())


def _with(path: str, value: Any) -> dict[str, Any]:
    spec = copy.deepcopy(enable_spec_of("8.0.1"))
    place = spec
    *parents, last = path.split(".")
    for name in parents:
        place = place.setdefault(name, {})
    place[last] = value
    return spec


@pytest.mark.parametrize(
    ("path", "value", "first"),
    [
        ("control_plane.count", 1, "9.0"),
        ("control_plane.login_banner", "Hello", "8.0.1"),
        ("workloads.edge.foundation", {}, "9.0"),
        ("workloads.edge.provider", "VSPHERE_FOUNDATION", "9.0"),
        ("workloads.images.content_libraries", [], "8.0.3"),
        ("control_plane.enable_namespace_api_fairness", True, "9.1"),
    ],
)
@pytest.mark.parametrize("version", RELEASES[1:])
def test_a_field_is_unexpected_before_its_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, path: str, value: Any, first: str
) -> None:
    quick(monkeypatch)
    spec = _with(path, value)
    if "foundation" in path or value == "VSPHERE_FOUNDATION":
        spec["workloads"]["edge"].pop("haproxy")
        spec["workloads"]["edge"]["provider"] = "VSPHERE_FOUNDATION"

    async def run() -> None:
        async with front(tmp_path, version=version) as vc:
            if version >= first:
                assert (await vc.call("POST", ENABLE_PATH, spec))[0] == 200
            else:
                assert (await vc.refused("POST", ENABLE_PATH, spec))[:2] == (400, "INVALID_ARGUMENT")

    asyncio.run(run())


def test_the_form_of_7_0_is_checked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path, version="7.0.3") as vc:
            without = enable_spec_v1()
            del without["load_balancer_config_spec"]
            assert (await vc.refused("POST", V1_PATH, without))[:2] == (400, "INVALID_ARGUMENT")
            newer = {**enable_spec_v1(), "count": 1}
            assert "unexpected field: count" in (await vc.refused("POST", V1_PATH, newer))[2]
            gone = {**enable_spec_v1(), "master_storage_policy": "gone"}
            assert "gone" in (await vc.refused("POST", V1_PATH, gone))[2]
            assert await vc.call("POST", V1_PATH, enable_spec_v1()) == (204, None)
            assert (await vc.refused("POST", V1_PATH, enable_spec_v1()))[:2] == (400, "ALREADY_EXISTS")
            (record,) = vc.store["supervisors"].values()
            assert (record["name"], record["topology"][0]["zone"]) == ("C0", "domain-c9")
            _, networks = await vc.call("GET", f"{NM}/clusters/domain-c9/networks")
            assert [entry["network"] for entry in networks] == ["primary"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("edge", "names"),
    [
        ({"provider": "HAPROXY"}, "workloads.edge.haproxy has to be given"),
        ({"provider": "HAPROXY", "haproxy": {**HAPROXY, "servers": []}}, "servers cannot be empty"),
        ({"provider": "HAPROXY", "haproxy": HAPROXY, "nsx_advanced": ALB}, "workloads.edge.nsx_advanced cannot be given"),
        ({"provider": "HAPROXY", "haproxy": {**HAPROXY, "port": 1}}, "unexpected field: port"),
        ({"provider": "NSX_ADVANCED"}, "workloads.edge.nsx_advanced has to be given"),
        ({"provider": "NSX"}, "does not go with network_type VSPHERE"),
        (
            {"foundation": {"interfaces": [{"personas": ["FRONTEND"], "network": {"network_type": "DVPG"}}]}},
            "dvpg_network has to be given",
        ),
    ],
)
def test_the_parts_of_a_load_balancer_go_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edge: dict[str, Any], names: str
) -> None:
    quick(monkeypatch)
    spec = enable_spec()
    spec["workloads"]["edge"] |= edge

    async def run() -> None:
        async with front(tmp_path) as vc:
            status, kind, text = await vc.refused("POST", ENABLE_PATH, spec)
            assert (status, kind) == (400, "INVALID_ARGUMENT") and names in text

    asyncio.run(run())


def test_nsx_advanced_needs_no_addresses_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    spec = enable_spec()
    spec["workloads"]["edge"] = {"provider": "NSX_ADVANCED", "nsx_advanced": ALB}

    async def run() -> None:
        async with front(tmp_path) as vc:
            _, identifier = await vc.call("POST", ENABLE_PATH, spec)
            await vc.settled()
            assert (await vc.call("GET", f"{NM}/supervisors/{identifier}/summary"))[1]["APIEndpoint"] == "10.244.1.2"
            assert "planted" not in vc.store.path.read_text()

    asyncio.run(run())


@pytest.mark.parametrize("workloads", [NSXT, VPC])
def test_nsx_needs_a_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workloads: dict[str, Any]) -> None:
    quick(monkeypatch)
    spec = {**enable_spec(), "workloads": workloads}
    provider = workloads["network"]["network_type"]
    compatibility = f"{NM}/cluster-compatibility/v2?network_provider={provider}&zones=zone-1"

    async def run() -> None:
        async with front(tmp_path) as vc:
            assert (await vc.refused("POST", ENABLE_PATH, spec))[:2] == (400, "UNSUPPORTED")
            _, told = await vc.call("GET", compatibility)
            assert not told["compatible"]
            assert "no NSX Manager" in told["incompatibility_reasons"][0]["default_message"]
            await register(vc, {})
            assert (await vc.call("GET", compatibility))[1]["compatible"]
            assert (await vc.call("POST", ENABLE_PATH, spec))[0] == 200
            await vc.settled()
            _, info = await vc.call("GET", f"{NM}/clusters/domain-c9")
            assert info["network_provider"] == {"NSXT": "NSXT_CONTAINER_PLUGIN"}.get(provider, provider)
            assert (await vc.call("GET", f"{NM}/clusters/domain-c9/networks"))[1] == []

    asyncio.run(run())


@pytest.mark.parametrize(
    ("workloads", "names"),
    [
        ({**NSXT, "network": {"network_type": "NSXT", "nsx": {"dvs": "dvs-99"}}}, "dvs-99"),
        ({**NSXT, "network": {"network_type": "NSXT"}}, "workloads.network.nsx has to be given"),
        ({**VPC, "network": {"network_type": "NSX_VPC", "nsx_vpc": {"default_private_cidrs": [], "nsx_project": "x"}}}, "'x'"),
        ({**VPC, "edge": {"provider": "HAPROXY", "haproxy": HAPROXY}}, "does not go with"),
    ],
)
def test_what_nsx_does_not_have_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workloads: dict[str, Any], names: str
) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            await register(vc, {"managers": True, "edge_clusters": ["edge-cluster-1"]})
            status, kind, text = await vc.refused("POST", ENABLE_PATH, {**enable_spec(), "workloads": workloads})
            assert (status, kind) == (400, "INVALID_ARGUMENT") and names in text

    asyncio.run(run())


def test_what_nsx_has_can_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            assert (await vc.call("GET", f"{NM}/networks/nsx/projects"))[1] == {"projects": []}
            await register(vc, {"projects": [PROJECT]})
            _, found = await vc.call("GET", f"{NM}/networks/nsx/projects")
            assert found["projects"][0]["nsx_path"] == PROJECT
            assert (await vc.call("GET", f"{NM}/networks/nsx/distributed-switches"))[1][0]["name"] == "DVS0"
            assert (await vc.call("GET", f"{NM}/edge-cluster-compatibility"))[1][0]["edge_cluster"] == "edge-cluster-1"
            await register(vc, {"managers": False})
            assert (await vc.call("GET", f"{NM}/distributed-switch-compatibility"))[1] == []

    asyncio.run(run())
