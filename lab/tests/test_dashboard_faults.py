# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of a dashboard: a forwarder in front of a server that answers as Ray's does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from vcf_lab.forwarder import carry
from vcf_lab.vmoperator.dashboard import Conversation
from vcf_lab.vmoperator.faults import VmFaults

SERVICE = {
    "metadata": {"uid": "s"},
    "spec": {"selector": {"vmray.kubernetes.io/ray-cluster-head": "ray-h-ab1cd"}},
}
LOG = "line of a log\n" * 100


class Dashboard:
    """What was handed in, and one connection at a time to ask with."""

    def __init__(self, url: str, http: aiohttp.ClientSession, faults: VmFaults) -> None:
        self.url, self.http, self.faults = url, http, faults
        self.jobs = 0
        self.connections = 0

    async def submit(self) -> int:
        async with self.http.post(f"{self.url}/api/jobs/", json={"entrypoint": "x" * 200_000}) as answer:
            await answer.read()
            return answer.status

    async def log(self) -> str:
        async with self.http.get(f"{self.url}/api/jobs/a/logs") as answer:
            return str((await answer.json())["logs"])


async def served(scenario: Callable[[Dashboard], Awaitable[None]]) -> None:
    faults = VmFaults()

    async def submit(request: web.Request) -> web.Response:
        await request.read()
        dashboard.jobs += 1
        return web.json_response({"submission_id": "a"})

    async def log(request: web.Request) -> web.Response:
        return web.json_response({"logs": LOG if dashboard.jobs else ""})

    async def tail(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for number in range(4):
            await socket.send_str(f"message {number} of a log\n")
            await asyncio.sleep(0.02)
        await socket.close()
        return socket

    async def raw(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(2):
            await answer.write(LOG.encode())
        return answer

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dashboard.connections += 1
        await carry(reader, writer, lambda: address, Conversation(faults, lambda: SERVICE))

    app = web.Application()
    app.add_routes([web.post("/api/jobs/", submit), web.get("/api/jobs/a/logs", log)])
    app.add_routes([web.get("/api/jobs/a/logs/tail", tail), web.get("/api/v0/logs/file", raw)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = runner.addresses[0]
    front = await asyncio.start_server(connection, "127.0.0.1", 0)
    url = "http://{}:{}".format(*front.sockets[0].getsockname())
    async with aiohttp.ClientSession() as http:
        dashboard = Dashboard(url, http, faults)
        await scenario(dashboard)
    front.close()
    await runner.cleanup()


def with_dashboard(scenario: Callable[[Dashboard], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(served(scenario), 20))


def arm(dashboard: Dashboard, name: str, **options: str) -> None:
    dashboard.faults.add({"name": name, **options})


def struck(dashboard: Dashboard) -> int:
    return int(dashboard.faults.listing()[0]["struck"])


def test_an_answer_is_lost_on_a_connection_that_was_open_before() -> None:
    async def scenario(dashboard: Dashboard) -> None:
        assert await dashboard.log() == ""
        arm(dashboard, "answer-lost")
        assert await dashboard.log() == ""  # a read is not a write
        with pytest.raises(aiohttp.ClientError):
            await dashboard.submit()
        assert (dashboard.jobs, dashboard.connections, struck(dashboard)) == (1, 1, 1)
        assert await dashboard.submit() == 200
        dashboard.faults.clear()
        arm(dashboard, "answer-lost", method="get", path="logs$", times="0")  # aiohttp asks twice
        with pytest.raises(aiohttp.ClientError):
            await dashboard.log()

    with_dashboard(scenario)


def test_a_log_is_cut_in_the_middle_and_never_an_empty_one() -> None:
    async def scenario(dashboard: Dashboard) -> None:
        arm(dashboard, "log-cut", times="2")
        assert await dashboard.log() == ""
        await dashboard.submit()
        for _ in range(2):
            async with dashboard.http.get(f"{dashboard.url}/api/jobs/a/logs") as answer:
                with pytest.raises(aiohttp.ClientPayloadError):
                    await answer.read()
        assert await dashboard.log() == LOG and struck(dashboard) == 2

    with_dashboard(scenario)


def test_a_log_whose_length_nobody_knows_is_cut() -> None:
    async def scenario(dashboard: Dashboard) -> None:
        arm(dashboard, "log-cut")
        async with dashboard.http.get(f"{dashboard.url}/api/v0/logs/file?lines=-1") as answer:
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()
        async with dashboard.http.get(f"{dashboard.url}/api/v0/logs/file?lines=-1") as answer:
            assert (await answer.text()) == 2 * LOG

    with_dashboard(scenario)


@pytest.mark.parametrize(("early", "whole"), [(True, 1), (False, 2)])
def test_a_log_that_is_followed_is_cut_in_a_message(early: bool, whole: int) -> None:
    async def scenario(dashboard: Dashboard) -> None:
        if early:
            arm(dashboard, "log-cut", skip=str(whole))
        heard = []
        async with dashboard.http.ws_connect(f"{dashboard.url}/api/jobs/a/logs/tail") as socket:
            async for message in socket:
                heard.append(message.data)
                if not early and len(heard) == whole:
                    arm(dashboard, "log-cut")
            assert socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
        assert len(heard) == whole and struck(dashboard) == 1

    with_dashboard(scenario)


def test_the_dashboard_closes_after_the_job_was_taken() -> None:
    async def scenario(dashboard: Dashboard) -> None:
        arm(dashboard, "dashboard-closed", after="submit")
        assert not dashboard.faults.dashboard_closed(SERVICE)
        assert await dashboard.log() == ""
        assert await dashboard.submit() == 200
        assert dashboard.faults.dashboard_closed(SERVICE)
        dashboard.faults.clear("dashboard-closed")
        assert not dashboard.faults.dashboard_closed(SERVICE)
        arm(dashboard, "dashboard-closed")
        assert dashboard.faults.dashboard_closed(SERVICE)

    with_dashboard(scenario)


def test_other_clusters_are_left_alone() -> None:
    async def scenario(dashboard: Dashboard) -> None:
        arm(dashboard, "answer-lost", cluster="other")
        assert await dashboard.submit() == 200 and struck(dashboard) == 0

    with_dashboard(scenario)
