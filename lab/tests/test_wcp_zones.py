# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vSphere Zones, and a Supervisor on three of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from wcp_specs import ENABLE_PATH, NM, PMEM, enable_spec
from wcp_support import Front, front, quick

pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")
ZONES = "/api/vcenter/consumption-domains/zones"
NS = "/api/vcenter/namespaces/instances"
ON_ZONES = f"{NM}/supervisors?action=enable_on_zones"
THREE = ["zone-1", "zone-2", "zone-3"]


async def zonal(vc: Front) -> str:
    """A running Supervisor on three zones."""
    status, identifier = await vc.call("POST", ON_ZONES, {**enable_spec(), "zones": THREE})
    assert status == 200, identifier
    await vc.settled()
    return str(identifier)


def test_every_cluster_with_a_name_of_its_own_is_a_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            _, found = await vc.call("GET", ZONES)
            assert [entry["zone"] for entry in found["items"]] == THREE
            assert found["items"][0]["info"] == {"description": "Cluster C0"}
            assert (await vc.call("GET", f"{ZONES}/zone-2"))[1] == {"description": "Cluster C1"}
            assert (await vc.call("GET", f"{ZONES}/cluster/zone-2/associations"))[1] == ["domain-c10"]
            assert (await vc.refused("GET", f"{ZONES}/zone-9"))[:2] == (404, "NOT_FOUND")
            _, some = await vc.call("GET", f"{ZONES}?zones=zone-2&zones=zone-3")
            assert [entry["zone"] for entry in some["items"]] == THREE[1:]
        async with front(tmp_path) as vc:  # a restart makes none anew
            assert (await vc.call("DELETE", f"{ZONES}/zone-3"))[0] == 204
        async with front(tmp_path) as vc:
            assert len((await vc.call("GET", ZONES))[1]["items"]) == 2
        async with front(tmp_path / "old", version="7.0.3") as vc:
            assert (await vc.refused("GET", ZONES))[:2] == (404, "OPERATION_NOT_FOUND")

    asyncio.run(run())


def test_zones_are_made_and_given_clusters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    edge = f"{ZONES}/cluster/edge/associations"

    async def run() -> None:
        async with front(tmp_path) as vc:
            assert await vc.call("POST", ZONES, {"zone": "edge"}) == (201, "edge")
            assert (await vc.refused("POST", ZONES, {"zone": "edge"}))[:2] == (400, "ALREADY_EXISTS")
            empty = {**enable_spec(), "zones": ["edge"]}
            assert (await vc.refused("POST", ON_ZONES, empty))[:2] == (400, "INVALID_ARGUMENT")
            _, status = await vc.call("POST", f"{edge}?action=add", ["domain-c12", "domain-c9"])
            assert not status["success"] and list(status["failed_clusters"]) == ["domain-c9"]
            assert (await vc.call("GET", edge))[1] == ["domain-c12"]
            assert (await vc.call("POST", ON_ZONES, empty))[0] == 200
            assert (await vc.refused("DELETE", f"{ZONES}/edge"))[:2] == (400, "NOT_ALLOWED_IN_CURRENT_STATE")
            assert (await vc.refused("POST", f"{edge}?action=remove", ["domain-c12"]))[0] == 400

    asyncio.run(run())


def test_a_supervisor_on_three_zones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            identifier = await zonal(vc)
            _, topology = await vc.call("GET", f"{NM}/supervisors/{identifier}/topology")
            assert [(entry["zone"], entry["clusters"]) for entry in topology] == [
                ("zone-1", ["domain-c9"]),
                ("zone-2", ["domain-c10"]),
                ("zone-3", ["domain-c11"]),
            ]
            _, clusters = await vc.call("GET", f"{NM}/clusters")
            assert [entry["cluster_name"] for entry in clusters] == ["C0", "C1", "C2"]
            assert (await vc.call("GET", f"{NM}/clusters/domain-c11"))[1]["api_server_cluster_endpoint"] == "10.244.1.2"
            _, fit = await vc.call("GET", f"{NM}/cluster-compatibility/v2?network_provider=VSPHERE&zones=zone-2")
            assert not fit["compatible"] and fit["zone_summaries"][0]["cluster_summaries"][0]["cluster"] == "domain-c10"
            assert (await vc.call("POST", f"{NM}/clusters/domain-c10?action=disable"))[0] == 204
            await vc.settled()
            assert vc.store["supervisors"] == {}

    asyncio.run(run())


@pytest.mark.parametrize(
    ("zones", "code", "error", "names"),
    [
        (["zone-1", "zone-2"], 400, "INVALID_ARGUMENT", "not 2"),
        (["zone-1", "zone-1", "zone-2"], 400, "INVALID_ARGUMENT", "different"),
        (["zone-1", "zone-2", "zone-9"], 404, "NOT_FOUND", "zone-9"),
        ("zone-1", 400, "INVALID_ARGUMENT", "list"),
        (None, 400, "INVALID_ARGUMENT", "missing a field: zones"),
    ],
)
def test_wrong_zones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zones: Any, code: int, error: str, names: str
) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            status, kind, text = await vc.refused("POST", ON_ZONES, {**enable_spec(), "zones": zones})
            assert (status, kind) == (code, error) and names in text

    asyncio.run(run())


def test_storage_of_three_zones_is_not_in_one_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    spec = enable_spec()
    spec["control_plane"]["storage_policy"] = PMEM

    async def run() -> None:
        async with front(tmp_path) as vc:
            status, kind, text = await vc.refused("POST", ON_ZONES, {**spec, "zones": THREE})
            assert (status, kind) == (400, "INVALID_ARGUMENT") and "zonal" in text
            assert (await vc.call("POST", ENABLE_PATH, spec))[0] == 200  # one cluster may

    asyncio.run(run())


def test_a_cluster_brings_its_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            wrong = {**enable_spec(), "zone": "zone-2"}
            assert (await vc.refused("POST", ENABLE_PATH, wrong))[:2] == (400, "INVALID_ARGUMENT")
            path = ENABLE_PATH.replace("domain-c9", "domain-c12")  # in no zone yet
            _, identifier = await vc.call("POST", path, enable_spec())
            _, topology = await vc.call("GET", f"{NM}/supervisors/{identifier}/topology")
            assert topology == [{"zone": "domain-c12", "clusters": ["domain-c12"]}]
            assert (await vc.call("GET", f"{ZONES}/domain-c12"))[0] == 200

    asyncio.run(run())
