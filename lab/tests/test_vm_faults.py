# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which machines and services a fault strikes, and how a load balancer's port behaves then."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from vcf_lab.vm import docker, docker_args, environment
from vcf_lab.vm.spec import VmSpec
from vcf_lab.vmoperator.door import OPEN, Door, Way, is_machine
from vcf_lab.vmoperator.faults import RUN_FAILS, VmFaults


def machine(uid: str, secret: str) -> dict:
    raw = {"rawCloudConfig": {"name": secret, "key": "user-data"}}
    return {"metadata": {"uid": uid, "name": uid}, "spec": {"bootstrap": {"cloudInit": raw}}}


def service(uid: str, cluster: str = "ray") -> dict:
    selector = {"vmray.kubernetes.io/ray-cluster-head": f"{cluster}-h-ab1cd"}
    return {"metadata": {"uid": uid, "name": uid}, "spec": {"selector": selector}}


HEAD, WORKER, OTHER = machine("h", "ray-hsecret"), machine("w", "ray-wsecret"), machine("o", "mine")


def armed(name: str, **options: str) -> VmFaults:
    faults = VmFaults()
    faults.add({"name": name, **options})
    return faults


def test_no_address_strikes_the_role_that_was_named() -> None:
    faults = armed("no-address", role="worker")
    assert [faults.without_address(vm) for vm in (HEAD, WORKER, OTHER)] == [False, True, False]
    assert faults.without_address(WORKER) and faults.listing()[0]["struck"] == 1  # the same one is struck once
    assert [armed("no-address").without_address(vm) for vm in (HEAD, WORKER, OTHER)] == [True, True, True]
    assert not armed("no-address", cluster="other").without_address(HEAD)


def test_one_worker_is_stuck_until_it_is_cleared() -> None:
    faults = armed("stuck-worker", skip="1")
    workers = [machine(f"w{number}", "ray-wsecret") for number in range(3)]
    assert [faults.without_address(vm) for vm in (HEAD, *workers)] == [False, False, True, False]
    assert [faults.without_address(vm) for vm in (HEAD, *workers)] == [False, False, True, False]
    assert faults.listing()[0]["over"]
    faults.clear("stuck-worker")
    assert not faults.without_address(workers[1])


def test_only_a_running_worker_is_lost_and_stays_so() -> None:
    faults = armed("worker-lost")
    assert not faults.lost(WORKER, running=False) and not faults.lost(HEAD, running=True)
    assert faults.lost(WORKER, running=True) == "off" == faults.lost(WORKER, running=False)
    assert not faults.lost(machine("w2", "ray-wsecret"), running=True)
    assert armed("worker-lost", mode="deleted").lost(WORKER, running=True) == "deleted"


def test_services_are_struck_by_the_name_of_their_cluster() -> None:
    faults = armed("no-load-balancer-address", cluster="ray")
    assert faults.without_balancer(service("a")) and not faults.without_balancer(service("b", "other"))
    faults = armed("load-balancer-unreachable", mode="silent", seen="outside")
    assert faults.unreachable(service("a")) == ("silent", "outside")
    assert VmFaults().unreachable(service("a")) == ("", "")


def test_whoever_arms_or_clears_lets_the_part_look_again() -> None:
    calls = []
    faults = VmFaults(lambda: calls.append(1))
    faults.add({"name": "no-address"})
    assert faults.clear() == 1 and len(calls) == 2


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"name": "no-address", "role": "king"}, "role= one of head, worker"),
        ({"name": "no-address", "path": "x"}, "has no option path"),
        ({"name": "load-balancer-unreachable", "mode": "ajar"}, "mode= one of closed, silent"),
    ],
)
def test_what_cannot_be_armed_is_refused(asked: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        VmFaults().add(asked)


def test_docker_run_says_what_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert armed("container-fails").container(HEAD) == RUN_FAILS
    assert armed("container-fails").container(WORKER) == ""
    assert armed("container-fails", role="worker", text="no room").container(WORKER) == "no room"
    vm = VmSpec("n", "ns", "/nowhere", "10.244.0.11", "10.244.0.1", 1, 2**30, container_fails="no room")
    monkeypatch.setattr(docker.spec, "current", lambda: vm)
    monkeypatch.setattr(docker, "_images", lambda: ["ray"])
    with pytest.raises(docker_args.DockerError, match="no room") as failed:
        docker.run(docker_args.parse(["run", "ray", "bash"]))
    assert failed.value.code == 125


def test_an_image_with_token_brings_it() -> None:
    vm = VmSpec("n", "ns", "/nowhere", "10.244.0.11", "10.244.0.1", 1, 2**30, ray_token="Lab-1!1-Ray1")
    wanted = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "Lab-1!1-Ray1"}
    assert wanted.items() <= environment.of_image(vm, "rayproject/ray:2.60.0-token").items()
    assert environment.of_token(vm, "registry.example.com:5000/ray:1-token@sha256:" + "a" * 64) == wanted
    assert environment.of_token(vm, "rayproject/ray:2.60.0") == {}


def test_machines_are_told_from_everybody_else() -> None:
    assert [is_machine(address) for address in ("10.244.0.10", "10.244.0.11", "10.244.0.210", "10.244.0.211")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert Way("closed", "outside").lets_in("10.244.0.11") and not Way("closed").lets_in("10.244.0.11")


def through_door(scenario: Callable[[Door, int], Awaitable[None]]) -> None:
    """Run a scenario with a door to a server that repeats what it is told."""

    async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(repeat, "127.0.0.1", 0)
        target = server.sockets[0].getsockname()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        door = Door(("127.0.0.1", port), lambda: target)
        await door.turn(OPEN)
        try:
            await scenario(door, port)
        finally:
            await door.close()
            server.close()

    asyncio.run(main())


async def answer(port: int) -> bytes:
    reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 0.5)
    writer.write(b"a")
    try:
        return await reader.read(1)
    finally:
        writer.close()


def test_a_closed_port_refuses_and_drops_who_is_inside() -> None:
    async def scenario(door: Door, port: int) -> None:
        assert await answer(port) == b"a"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"a")
        assert await reader.read(1) == b"a"
        await door.turn(Way("closed"))
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await answer(port)
        await door.turn(OPEN)
        assert await answer(port) == b"a"

    through_door(scenario)


@pytest.mark.parametrize("seen", ["everywhere", "outside"])
def test_a_silent_port_lets_the_client_wait(seen: str) -> None:
    async def scenario(door: Door, port: int) -> None:
        await door.turn(Way("silent", seen))
        with pytest.raises(TimeoutError):
            await answer(port)
        await door.turn(OPEN)
        assert await answer(port) == b"a"

    through_door(scenario)


def test_a_port_that_is_closed_to_others_than_machines_resets_them() -> None:
    async def scenario(door: Door, port: int) -> None:
        await door.turn(Way("closed", "outside"))
        with pytest.raises(ConnectionResetError):
            await answer(port)

    through_door(scenario)
