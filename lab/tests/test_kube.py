# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against an API server that answers by script."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from vcf_lab import kube as kube_module
from vcf_lab.kube import Kube, KubeError

Script = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube_module, "PAUSE", 0.01)


def with_server(script: Script, use: Callable[[Kube], Awaitable[Any]]) -> Any:
    """Run `use` with a client of a server that answers every request by `script`."""

    async def run() -> Any:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", script)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        client = Kube(f"http://127.0.0.1:{port}", True, "t0ken")
        try:
            return await asyncio.wait_for(use(client), 10)
        finally:
            await client.close()
            await runner.cleanup()

    return asyncio.run(run())


def status(code: int, reason: str) -> web.Response:
    return web.json_response({"kind": "Status", "reason": reason, "message": f"told: {reason}"}, status=code)


def pod(name: str, version: int) -> dict:
    return {"metadata": {"name": name, "namespace": "ns", "resourceVersion": str(version)}}


def pod_list(version: int, *items: dict) -> web.Response:
    return web.json_response(
        {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": str(version)}, "items": list(items)}
    )


async def events(request: web.Request, *found: tuple[str, dict]) -> web.StreamResponse:
    reply = web.StreamResponse()
    await reply.prepare(request)
    for kind, obj in found:
        await reply.write(json.dumps({"type": kind, "object": obj}).encode() + b"\n")
    return reply


async def take(source: Any, count: int) -> list[tuple[str, str]]:
    found = []
    async for kind, obj in source:
        found.append((kind, obj["metadata"]["name"]))
        if len(found) == count:
            await source.aclose()
            break
    return found


def test_get_sends_the_token_and_a_missing_object_is_none() -> None:
    seen = []

    async def script(request: web.Request) -> web.StreamResponse:
        seen.append((request.method, request.path, request.headers["Authorization"]))
        return status(404, "NotFound")

    assert with_server(script, lambda k: k.get("Secret", "s", "ns")) is None
    assert seen == [("GET", "/api/v1/namespaces/ns/secrets/s", "Bearer t0ken")]


def test_errors_carry_the_reason_of_the_server() -> None:
    async def script(request: web.Request) -> web.StreamResponse:
        return status(403, "Forbidden")

    with pytest.raises(KubeError) as caught:
        with_server(script, lambda k: k.list("Pod", "ns"))
    assert (caught.value.status, caught.value.reason, caught.value.message) == (403, "Forbidden", "told: Forbidden")


def test_a_server_that_is_away_is_status_0() -> None:
    async def run() -> None:
        async with Kube("http://127.0.0.1:1", True) as client:
            await client.list("Pod")

    with pytest.raises(KubeError) as caught:
        asyncio.run(run())
    assert caught.value.status == 0


def test_apply_waits_for_discovery_and_for_the_storage_of_a_new_crd() -> None:
    seen = []

    async def script(request: web.Request) -> web.StreamResponse:
        seen.append(request.method)
        if request.path == "/apis/example.com/v1":
            if seen.count("GET") == 1:
                return status(404, "NotFound")
            resources = [
                {"name": "things/status", "kind": "Thing", "namespaced": True},
                {"name": "things", "kind": "Thing", "namespaced": True},
            ]
            return web.json_response({"resources": resources})
        if seen.count("PATCH") == 1:
            return status(429, "TooManyRequests")
        assert request.path == "/apis/example.com/v1/namespaces/ns/things/a"
        assert request.query == {"fieldManager": "lab", "force": "true"}
        assert request.content_type == "application/apply-patch+yaml"
        return web.json_response(await request.json())

    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a", "namespace": "ns"}}
    assert with_server(script, lambda k: k.apply(thing)) == thing
    assert seen == ["GET", "GET", "PATCH", "PATCH"]


def test_watch_goes_on_from_the_last_version_after_a_drop() -> None:
    versions = []

    async def script(request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            return pod_list(5, pod("a", 3))
        versions.append(request.query["resourceVersion"])
        if len(versions) == 1:
            return await events(request, ("MODIFIED", pod("a", 6)), ("BOOKMARK", pod("", 8)))
        return await events(request, ("ADDED", pod("b", 9)))

    found = with_server(script, lambda k: take(k.watch("Pod", "ns"), 3))
    assert found == [("ADDED", "a"), ("MODIFIED", "a"), ("ADDED", "b")]
    assert versions[:2] == ["5", "8"]


def test_watch_lists_again_after_410_and_tells_what_vanished() -> None:
    lists = []

    async def script(request: web.Request) -> web.StreamResponse:
        if "watch" in request.query:
            gone = {"kind": "Status", "code": 410, "reason": "Expired"}
            return await events(request, ("ERROR", gone))
        lists.append(1)
        return pod_list(5, pod("a", 1), pod("b", 2)) if len(lists) == 1 else pod_list(9, pod("b", 7))

    found = with_server(script, lambda k: take(k.watch("Pod"), 4))
    assert found == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a"), ("MODIFIED", "b")]


def test_watch_waits_for_a_crd() -> None:
    calls = []

    async def script(request: web.Request) -> web.StreamResponse:
        calls.append(request.path)
        return status(404, "NotFound") if len(calls) < 3 else pod_list(1, pod("vm", 1))

    assert with_server(script, lambda k: take(k.watch("VirtualMachine"), 1)) == [("ADDED", "vm")]
