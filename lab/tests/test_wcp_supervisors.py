# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enabling, reading and removing a Supervisor, in both views."""

from __future__ import annotations

import asyncio
import copy
from pathlib import Path
from typing import Any

import pytest
import wcp_support
from aiohttp import web
from aiohttp.test_utils import TestServer
from wcp_specs import ENABLE_PATH, HAPROXY, NM, enable_spec
from wcp_support import Front, MemoryKube, front, quick

from vcf_lab.vcenter import supervisor_lifecycle

pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")


def test_enable_answers_at_once_and_works_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            status, identifier = await vc.call("POST", ENABLE_PATH, enable_spec())
            assert status == 200 and isinstance(identifier, str)
            _, summary = await vc.call("GET", f"{NM}/supervisors/{identifier}/summary")
            assert summary["config_status"] == "CONFIGURING" and "APIEndpoint" not in summary
            await vc.settled()
            _, summary = await vc.call("GET", f"{NM}/supervisors/{identifier}/summary")
            assert (summary["config_status"], summary["kubernetes_status"]) == ("RUNNING", "READY")
            assert summary["APIEndpoint"] == "10.244.1.2"
            _, conditions = await vc.call("GET", f"{NM}/supervisors/{identifier}/conditions")
            assert {entry["status"] for entry in conditions} == {"TRUE"}
            assert vc.kube.names("ConfigMap", "kube-system") == ["supervisor"]
            data = vc.kube.objects[("ConfigMap", "kube-system", "supervisor")]["data"]
            assert (data["vip"], data["count"], data["cluster"]) == ("10.244.1.2", "64", "domain-c9")
            assert "virtualmachines.vmoperator.vmware.com" in vc.kube.names("CustomResourceDefinition")
            _, topology = await vc.call("GET", f"{NM}/supervisors/{identifier}/topology")
            assert topology == [{"zone": "zone-1", "clusters": ["domain-c9"]}]
            _, old = await vc.call("GET", f"{NM}/clusters/domain-c9")
            assert old["api_server_cluster_endpoint"] == "10.244.1.2" and old["network_provider"] == "VSPHERE_NETWORK"

    asyncio.run(run())


def _changed(path: str, value: Any) -> dict[str, Any]:
    spec = copy.deepcopy(enable_spec())
    *parents, last = path.split(".")
    place = spec
    for name in parents:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return spec


@pytest.mark.parametrize(
    ("path", "value", "error", "names"),
    [
        ("control_plane.storage_policy", "gone", "INVALID_ARGUMENT", "gone"),
        ("control_plane.storage_policy", None, "INVALID_ARGUMENT", "control_plane.storage_policy"),
        ("control_plane.network.backing.network", "gone", "INVALID_ARGUMENT", "gone"),
        ("workloads.network.vsphere.dvpg", "network-7", "INVALID_ARGUMENT", "distributed port group"),
        ("workloads.network.network_type", "NSXT", "UNSUPPORTED", "NSX"),
        ("workloads.network.network_type", "nonsense", "INVALID_ARGUMENT", "nonsense"),
        ("workloads.edge.load_balancer_address_ranges", [{"address": "10.9.0.1", "count": 4}], "INVALID_ARGUMENT", "10.9.0.1"),
        ("workloads.edge.load_balancer_address_ranges", [{"address": "x", "count": 4}], "INVALID_ARGUMENT", "'x'"),
        ("workloads.network", None, "INVALID_ARGUMENT", "missing a field: network"),
        ("workloads.colour", "red", "INVALID_ARGUMENT", "unexpected field: colour"),
        ("control_plane.count", 2, "INVALID_ARGUMENT", "1 or 3"),
        ("control_plane.count", "1", "INVALID_ARGUMENT", "type int"),
    ],
)
def test_a_wrong_specification_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, value: Any, error: str, names: str
) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            status, kind, text = await vc.refused("POST", ENABLE_PATH, _changed(path, value))
            assert (status, kind) == (400, error) and names in text
            assert vc.store["supervisors"] == {} and len(vc.kube.objects) == 1

    asyncio.run(run())


def test_unknown_things_are_404(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            wrong = f"{NM}/supervisors/domain-c99?action=enable_on_compute_cluster"
            assert (await vc.refused("POST", wrong, enable_spec()))[:2] == (404, "NOT_FOUND")
            assert (await vc.refused("POST", f"{NM}/supervisors/domain-c9", {}))[:2] == (404, "OPERATION_NOT_FOUND")
            assert (await vc.refused("GET", f"{NM}/clusters/domain-c99"))[:2] == (404, "NOT_FOUND")
            assert (await vc.refused("GET", f"{NM}/clusters/domain-c9"))[:2] == (400, "UNSUPPORTED")
            await vc.supervisor()
            # The two identifiers are never interchangeable.
            assert (await vc.refused("GET", f"{NM}/supervisors/domain-c9/summary"))[:2] == (404, "NOT_FOUND")

    asyncio.run(run())


def test_a_second_supervisor_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            await vc.supervisor()
            status, kind, text = await vc.refused("POST", ENABLE_PATH, enable_spec())
            assert (status, kind, text) == (400, "ALREADY_EXISTS", "A Supervisor with sv1 name already exists.")
            _, compatible = await vc.call("GET", f"{NM}/cluster-compatibility?network_provider=VSPHERE_NETWORK")
            assert [entry["compatible"] for entry in compatible] == [False, True, True, True, True]
            _, default = await vc.call("GET", f"{NM}/cluster-compatibility?compatible=true")
            assert default == []  # the default network provider is NSX

    asyncio.run(run())


def test_an_address_that_does_not_answer_is_an_error_until_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch, answers=False)
    monkeypatch.setattr(supervisor_lifecycle, "ANSWER_TIMEOUT", 0.01)

    async def run() -> None:
        async with front(tmp_path) as vc:
            _, identifier = await vc.call("POST", ENABLE_PATH, enable_spec())
            summary = await _until(vc, identifier, "ERROR")
            assert "10.244.1.2/wcp/loginbanner" in summary["messages"][0]["details"]["default_message"]
            quick(monkeypatch)
            assert (await _until(vc, identifier, "RUNNING"))["messages"] == []

    asyncio.run(run())


async def _until(vc: Front, identifier: str, wanted: str) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while True:
            _, summary = await vc.call("GET", f"{NM}/supervisors/{identifier}/summary")
            if summary["config_status"] == wanted:
                return summary
            await asyncio.sleep(0.01)


def test_removal_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            before = set(vc.kube.objects)
            identifier = await vc.supervisor()
            assert set(vc.kube.objects) > before
            assert (await vc.call("DELETE", f"{NM}/supervisors/{identifier}"))[0] == 204
            _, summary = await vc.call("GET", f"{NM}/supervisors/{identifier}/summary")
            assert summary["config_status"] == "REMOVING"
            await vc.settled()
            assert (await vc.call("GET", f"{NM}/supervisors/{identifier}/summary"))[0] == 404
            assert set(vc.kube.objects) == before

    asyncio.run(run())


def test_removal_waits_for_namespaces_to_be_removed_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            identifier = await vc.supervisor()
            spec = {"supervisor": identifier, "namespace": "ray"}
            assert (await vc.call("POST", "/api/vcenter/namespaces/instances/v2", spec))[0] == 204
            status, kind, text = await vc.refused("DELETE", f"{NM}/supervisors/{identifier}")
            assert (status, kind) == (400, "NOT_ALLOWED_IN_CURRENT_STATE") and "ray" in text

    asyncio.run(run())


@pytest.mark.parametrize(("version", "delete", "summaries", "disable"), [("9.0", 404, 200, 204), ("7.0.3", 404, 404, 204)])
def test_each_release_has_its_own_operations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, delete: int, summaries: int, disable: int
) -> None:
    quick(monkeypatch)

    async def run() -> None:
        kube = MemoryKube()
        async with front(tmp_path, kube=kube) as vc:
            identifier = await vc.supervisor()
        async with front(tmp_path, kube=kube, version=version) as vc:
            assert (await vc.call("DELETE", f"{NM}/supervisors/{identifier}"))[0] == delete
            assert (await vc.call("GET", f"{NM}/supervisors/summaries"))[0] == summaries
            assert (await vc.call("POST", f"{NM}/clusters/domain-c9?action=disable"))[0] == disable
            await vc.settled()
            assert vc.store["supervisors"] == {}

    asyncio.run(run())


def test_a_restarted_front_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch, answers=False)

    async def run() -> None:
        kube = MemoryKube()
        async with front(tmp_path, kube=kube) as vc:
            _, identifier = await vc.call("POST", ENABLE_PATH, enable_spec())
        quick(monkeypatch)
        async with front(tmp_path, kube=kube) as vc:
            await vc.settled()
            assert vc.store["supervisors"][identifier]["config_status"] == "RUNNING"

    asyncio.run(run())


def test_the_load_balancers_password_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    spec = enable_spec()
    spec["workloads"]["edge"] |= {"provider": "HAPROXY", "haproxy": HAPROXY}

    async def run() -> None:
        async with front(tmp_path) as vc:
            assert (await vc.call("POST", ENABLE_PATH, spec))[0] == 200
            assert "planted" not in vc.store.path.read_text()

    asyncio.run(run())


def test_the_login_banner_is_asked_by_https(tmp_path: Path) -> None:
    """A plain server, and none at all, are not a Supervisor."""

    async def run() -> None:
        app = wcp_support.make_app(tmp_path, MemoryKube())
        async with TestServer(web.Application()) as plain:
            assert not await supervisor_lifecycle.login_banner(app, f"127.0.0.1:{plain.port}")
        assert not await supervisor_lifecycle.login_banner(app, f"127.0.0.1:{plain.port}")

    asyncio.run(run())
