# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory by REST: names that stand twice are told apart by folder and datacenter."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from vcenter_front import Front, with_front

from vcf_lab import build
from vcf_lab.settings import Lab
from vcf_lab.vcenter import landscape
from vcf_lab.vcenter.vim import Vcsim

BINARY = build.cache() / "vcsim"
real = pytest.mark.skipif(not BINARY.exists(), reason="the simulator is not built")


@asynccontextmanager
async def simulator(front: Front) -> AsyncIterator[Lab]:
    """The real simulator on a port of this machine, behind the front."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([BINARY, "-l", f"127.0.0.1:{port}"], stderr=subprocess.PIPE)
    try:
        assert process.stderr and b"listening" in process.stderr.readline()
        front.app["inventory"]._simulator = Vcsim(front.lab, "127.0.0.1", port)
        yield front.lab
    finally:
        process.terminate()
        process.wait()


async def rows(front: Front, path: str) -> Any:
    status, body = await front.call("GET", f"/api/vcenter/{path}")
    assert status == 200, body
    return body


async def one(front: Front, path: str) -> str:
    """The identifier of the only object that a list holds."""
    (row,) = await rows(front, path)
    return str(row[path.partition("?")[0]])


@real
def test_a_path_leads_to_one_of_two_clusters_of_one_name() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        async with simulator(front):
            assert len(await rows(front, "cluster?names=twin")) == 2
            first, second = await one(front, "datacenter?names=DC0"), await one(front, "datacenter?names=DC1")
            edge = await one(front, f"folder?names=edge&datacenters={first}&type=HOST")
            hosts = await one(front, f"folder?names=host&datacenters={first}")
            assert await one(front, f"folder?names=edge&parent_folders={hosts}") == edge
            by_folder = await one(front, f"cluster?names=twin&folders={edge}")
            assert by_folder == await one(front, f"cluster?names=twin&datacenters={first}")
            assert by_folder != await one(front, f"cluster?names=twin&datacenters={second}")
            regions = await one(front, "folder?names=regions")
            assert await one(front, f"datacenter?folders={regions}") == second
            for what in ("datastore?names=shared", "network?names=twin-net", "network?names=VM+Network"):
                assert len(await rows(front, what)) == 2
                assert len(await rows(front, f"{what}&datacenters={second}")) == 1

    with_front(scenario)


@real
def test_the_names_of_the_first_datacenter_are_clear() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        async with simulator(front):
            for path in ("cluster?names=DC0_C0", "datastore?names=LocalDS_0", "network?names=DC0_DVPG0", "network?names=DC0_DVPG1"):
                await one(front, path)
            assert (await rows(front, "folder?names=Datacenters"))[0]["type"] == "DATACENTER"
            assert {row["type"] for row in await rows(front, "datastore?types=NFS")} == {"NFS"}

    with_front(scenario)


@real
def test_policies_have_datastores_of_their_own() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        async with simulator(front):
            names = {row["datastore"]: row["name"] for row in await rows(front, "datastore")}
            fitting: dict[str, set[str]] = {}
            for row in await rows(front, "storage/policies"):
                path = f"/api/vcenter/storage/policies/{row['policy']}?action=check-compatibility"
                status, body = await front.call("POST", path, {"datastores": list(names)})
                assert status == 200
                fitting[row["name"]] = {names[entry["datastore"]] for entry in body["compatible_datastores"]}
            assert fitting[landscape.GOLD] == {"shared"}
            assert fitting["vSAN Default Storage Policy"] == {"shared", "LocalDS_0"}
            assert fitting["VVol No Requirements Policy"] == set()

    with_front(scenario)


@real
def test_a_front_that_starts_again_adds_nothing_and_a_new_simulator_gets_all() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        async with simulator(front) as lab:
            before = await front.app["inventory"]._simulator.objects()
            front.app["inventory"]._simulator = Vcsim(lab, "127.0.0.1", front.app["inventory"]._simulator._port)
            assert await front.app["inventory"]._simulator.objects() == before
        async with simulator(front):
            names = [(entry["kind"], entry["name"]) for entry in await front.app["inventory"]._simulator.objects()]
            assert sorted(names) == sorted((entry["kind"], entry["name"]) for entry in before)

    with_front(scenario)


def test_a_filter_that_a_list_does_not_have() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        for path in ("cluster?parent_folders=group-h", "folder?type=CLUSTER", "datastore?types=FLOPPY", "network?clusters=domain-c1"):
            status, error = await front.call("GET", f"/api/vcenter/{path}")
            assert (status, error["error_type"]) == (400, "INVALID_ARGUMENT"), path

    with_front(scenario)
