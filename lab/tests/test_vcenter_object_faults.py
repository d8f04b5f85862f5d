# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of Supervisors, services and namespaces: each strikes, and then it is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from wcp_specs import NM
from wcp_support import Front, MemoryKube, make_app, package, quick

from vcf_lab.vcenter.fault import Fault
from vcf_lab.vcenter.faults import Faults, strike

SERVICE = "ray-on-vcf.broadcom.com"
NAMESPACES = "/api/vcenter/namespaces/instances"
REGISTER = {"carvel_spec": {"version_spec": {"content": package()}}}


@asynccontextmanager
async def faulty(folder: Path) -> AsyncIterator[Front]:
    kube = MemoryKube()
    app = make_app(folder, kube)
    app["faults"] = Faults()
    app.middlewares.insert(0, strike)
    async with TestClient(TestServer(app)) as client:
        yield Front(app, client, kube)


@pytest.fixture(name="run")
def fixture_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Front, str], Awaitable[None]]], None]:
    """Run a scenario on a front with a Supervisor, whose identifier it gets."""
    quick(monkeypatch)

    def run(scenario: Callable[[Front, str], Awaitable[None]]) -> None:
        async def inside() -> None:
            async with faulty(tmp_path) as front:
                await scenario(front, await front.supervisor())

        asyncio.run(inside())

    return run


def arm(front: Front, name: str, **options: Any) -> Fault:
    return front.app["faults"].add({"name": name, **options})


async def namespace(front: Front, supervisor: str) -> int:
    return (await front.call("POST", f"{NAMESPACES}/v2", {"supervisor": supervisor, "namespace": "ray"}))[0]


async def states(front: Front, path: str, count: int) -> list[str]:
    """What so many reads say."""
    found = []
    for _ in range(count):
        _, body = await front.call("GET", path)
        entry = body["items"][0]["info"] if "items" in body else body[0] if isinstance(body, list) else body
        found.append(entry.get("config_status") or entry["error_type"])
    return found


def test_error_state_of_a_supervisor(run) -> None:
    async def scenario(front: Front, supervisor: str) -> None:
        fault = arm(front, "error-state", object="supervisor", polls=2)
        assert await states(front, f"{NM}/supervisors/{supervisor}/summary", 3) == ["ERROR", "ERROR", "RUNNING"]
        assert (fault.struck, fault.over) == (2, True)
        arm(front, "error-state", object="supervisor", polls=1)
        assert await states(front, f"{NM}/supervisors/summaries", 2) == ["ERROR", "RUNNING"]
        arm(front, "error-state", object="supervisor", polls=1)
        assert await states(front, f"{NM}/clusters/domain-c9", 2) == ["ERROR", "RUNNING"]
        arm(front, "error-state", object="supervisor", polls=0)
        _, body = await front.call("GET", f"{NM}/supervisors/{supervisor}/summary")
        assert "Failed to configure" in body["messages"][0]["details"]["default_message"]
        assert await states(front, f"{NM}/supervisors/{supervisor}/summary", 5) == ["ERROR"] * 5
        assert front.app["faults"].clear("error-state") == 4
        assert await states(front, f"{NM}/supervisors/{supervisor}/summary", 1) == ["RUNNING"]

    run(scenario)


def test_error_state_of_a_namespace(run) -> None:
    async def scenario(front: Front, supervisor: str) -> None:
        arm(front, "error-state", object="namespace", polls=2)
        assert await states(front, f"{NAMESPACES}/v2/ray", 1) == ["NOT_FOUND"]  # nothing to lie about yet
        assert await namespace(front, supervisor) == 204
        await front.settled()
        assert await states(front, f"{NAMESPACES}/v2/ray", 3) == ["ERROR", "ERROR", "RUNNING"]

    run(scenario)


def test_terminating_namespace(run) -> None:
    async def scenario(front: Front, supervisor: str) -> None:
        fault = arm(front, "terminating-namespace", namespace="ray", polls=2)
        # Not there any more, and still not free.
        assert await states(front, f"{NAMESPACES}/v2/ray", 1) == ["REMOVING"]
        assert await namespace(front, supervisor) == 400
        assert await states(front, f"{NAMESPACES}/ray", 2) == ["REMOVING", "NOT_FOUND"]
        assert fault.over and await namespace(front, supervisor) == 204
        await front.settled()
        arm(front, "terminating-namespace", polls=1)
        status, kind, text = await front.refused("PATCH", f"{NAMESPACES}/ray", {"description": "x"})
        assert (status, kind) == (400, "NOT_ALLOWED_IN_CURRENT_STATE") and "ray is being removed" in text
        assert await states(front, NAMESPACES, 2) == ["REMOVING", "RUNNING"]
        assert (await front.call("PATCH", f"{NAMESPACES}/ray", {"description": "x"}))[0] == 204

    run(scenario)


@pytest.mark.parametrize(
    ("which", "status", "text"),
    [
        ("service-account", 404, "The service account is not ready. Please try again later"),
        ("compatibility", 500, "Failed to run compatibility check"),
        ("signature", 500, f"signature verification result not found for Supervisor Service {SERVICE}/0.1.0"),
        ("terminating", 500, "The namespace (svc-ray-on-vcf) is in terminating status"),
    ],
)
@pytest.mark.parametrize("view", ["supervisors", "clusters"])
def test_try_later(run, which: str, status: int, text: str, view: str) -> None:
    async def scenario(front: Front, supervisor: str) -> None:
        assert (await front.call("POST", f"{NM}/supervisor-services", REGISTER))[0] == 201
        path = f"{NM}/{view}/{supervisor if view == 'supervisors' else 'domain-c9'}/supervisor-services"
        install = {"supervisor_service": SERVICE, "version": "0.1.0"}
        fault = arm(front, "try-later", text=which, times=2)
        for _ in range(2):
            seen = await front.refused("POST", path, install)
            assert seen[0] == status and text in seen[2]
        assert not front.store["installs"]
        assert (await front.call("POST", path, install))[0] in (201, 204) and fault.over

    run(scenario)


def test_try_later_of_a_precheck(run) -> None:
    async def scenario(front: Front, supervisor: str) -> None:
        await front.call("POST", f"{NM}/supervisor-services", REGISTER)
        path = f"{NM}/supervisors/{supervisor}/supervisor-services/{SERVICE}?action=precheck"
        fault = arm(front, "try-later", text="signature", method="POST", path="precheck")
        assert (await front.refused("POST", path, {"target_version": "0.1.0"}))[:2] == (500, "ERROR")
        assert fault.over and (await front.call("POST", path, {"target_version": "0.1.0"}))[0] < 300

    run(scenario)


def test_installed_anyway_and_error_state_of_an_install(run) -> None:
    async def scenario(front: Front, supervisor: str) -> None:
        await front.call("POST", f"{NM}/supervisor-services", REGISTER)
        path, install = f"{NM}/supervisors/{supervisor}/supervisor-services", {"supervisor_service": SERVICE, "version": "0.1.0"}
        fault = arm(front, "installed-anyway")
        assert (await front.refused("POST", path, install))[:2] == (500, "ERROR")
        assert fault.over and (await front.call("GET", f"{path}/{SERVICE}"))[0] == 200
        assert (await front.refused("POST", path, install))[1] == "ALREADY_EXISTS"
        arm(front, "error-state", object="install", polls=1)
        _, body = await front.call("GET", f"{path}/{SERVICE}")
        assert body["config_status"] == "ERROR" and "ReconcileFailed" in body["messages"][0]["details"]["default_message"]
        assert (await front.call("GET", f"{path}/{SERVICE}"))[1]["config_status"] == "CONFIGURING"

    run(scenario)


def test_not_allowed_service(run) -> None:
    async def scenario(front: Front, supervisor: str) -> None:
        arm(front, "not-allowed-service")
        check = {"spec": {"content": package()}}
        assert (await front.call("POST", f"{NM}/supervisor-services?action=checkContent", check))[0] == 200
        status, kind, text = await front.refused("POST", f"{NM}/supervisor-services", REGISTER)
        assert (status, kind) == (400, "INVALID_ARGUMENT")
        assert text.startswith(f"Creation of Supervisor Service with ID {SERVICE} is not allowed. Only service IDs defined")
        assert (await front.call("POST", f"{NM}/supervisor-services", REGISTER))[0] == 201
        arm(front, "not-allowed-service")
        broken = {"carvel_spec": {"version_spec": {"content": "%"}}}
        assert (await front.refused("POST", f"{NM}/supervisor-services", broken))[:2] == (400, "INVALID_ARGUMENT")

    run(scenario)


def test_changed_meanwhile_of_a_namespace(run) -> None:
    async def scenario(front: Front, supervisor: str) -> None:
        assert await namespace(front, supervisor) == 204
        await front.settled()
        arm(front, "changed-meanwhile")
        assert (await front.call("PATCH", f"{NAMESPACES}/ray", {"vm_service_spec": {"vm_classes": ["best-effort-small"]}}))[0] == 204
        _, seen = await front.call("GET", f"{NAMESPACES}/ray")
        assert seen["description"] == "Changed by another client."
        assert seen["vm_service_spec"]["vm_classes"] == ["best-effort-small"]

    run(scenario)


def test_reordered(run) -> None:
    async def scenario(front: Front, supervisor: str) -> None:
        library = "0b1c2d3e-0000-4000-8000-00000000000a"
        front.store["libraries"][library] = {"id": library, "type": "SUBSCRIBED"}
        classes = ["best-effort-small", "best-effort-medium"]
        spec = {"namespace": "ray", "vm_service_spec": {"vm_classes": classes, "content_libraries": [library]},
                "access_list": [{"subject_type": "USER", "subject": "ray-dev", "domain": "vsphere.local", "role": "EDIT"}]}  # fmt: skip
        fault = arm(front, "reordered")
        # Identifiers in capitals go in, as a client got them.
        status, body = await front.call("POST", f"{NAMESPACES}/v2", {**spec, "supervisor": supervisor.upper()})
        assert status == 204, body
        await front.settled()
        _, seen = await front.call("GET", f"{NAMESPACES}/v2/ray")
        assert seen["supervisor"] == supervisor.upper()
        assert seen["vm_service_spec"]["vm_classes"] == classes[::-1]
        assert seen["content_libraries"][0]["content_library"] == library.upper()
        assert seen["access_list"][0]["domain"] == "VSPHERE.LOCAL"
        assert "field_of_a_newer_release" in seen
        change = {"vm_service_spec": {"vm_classes": classes, "content_libraries": [library.upper()]}}
        assert (await front.call("PATCH", f"{NAMESPACES}/ray", change))[0] == 204
        assert (await front.call("GET", f"{NM}/supervisors/{supervisor.upper()}/summary"))[0] == 200
        assert fault.struck > 0 and not fault.over
        front.app["faults"].clear()
        _, seen = await front.call("GET", f"{NAMESPACES}/v2/ray")
        assert seen["supervisor"] == supervisor and seen["content_libraries"][0]["content_library"] == library
        assert seen["vm_service_spec"]["vm_classes"] == classes and "field_of_a_newer_release" not in seen

    run(scenario)


def test_reordered_leaves_what_has_an_order() -> None:
    from vcf_lab.vcenter.fault_reorder import other

    seen = other({"servers": ["10.0.0.1", "10.0.0.2"], "messages": [{"args": ["a", "b"]}], "item_type_rules": {"ovf": "X"}})
    assert seen["servers"] == ["10.0.0.1", "10.0.0.2"] and seen["messages"][0]["args"] == ["a", "b"]
    assert seen["item_type_rules"] == {"ovf": "X"}
