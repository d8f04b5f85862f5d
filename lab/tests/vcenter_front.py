# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front in this process: no simulator, no cluster, one HTTP client."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from vcf_lab import pki
from vcf_lab.settings import ADMINISTRATOR, Lab
from vcf_lab.vcenter.app import make_app, make_lab_app

PASSWORD = "Right-0ne!"


class FakeSimulator:
    """An inventory of one of each."""

    url = "http://127.0.0.1:9"

    async def objects(self) -> list[dict[str, Any]]:
        def record(kind: str, key: str, name: str, parent: str, **more: Any) -> dict[str, Any]:
            return {"kind": kind, "id": key, "name": name, "parent": parent, "datacenter": "datacenter-1", **more}

        return [
            record("Datacenter", "datacenter-1", "DC0", "group-d1"),
            record("ClusterComputeResource", "domain-c1", "C0", "group-h", ha_enabled=False, drs_enabled=True,
                   resource_pool="resgroup-1"),
            record("ClusterComputeResource", "domain-c2", "C1", "group-h", ha_enabled=False, drs_enabled=True,
                   resource_pool="resgroup-2"),
            record("Datastore", "datastore-1", "DS0", "group-s", type="VMFS", free_space=1, capacity=2, accessible=True),
            record("dvs.DistributedVirtualPortgroup", "dvportgroup-1", "PG0", "group-n"),
        ]

    async def policies(self) -> list[dict[str, Any]]:
        return [{"policy": "p-1", "name": "Gold", "description": ""}]

    async def compatible(self, policy: str, datastores: list[str]) -> list[str]:
        return datastores


@dataclass
class Front:
    """A running front and how to speak to it."""

    lab: Lab
    app: web.Application
    url: str
    side_url: str
    http: aiohttp.ClientSession
    token: str = ""

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """Status and JSON of a REST call under the administrator's session."""
        headers = {"vmware-api-session-id": self.token, **more.pop("headers", {})}
        async with self.http.request(method, self.url + path, json=body, headers=headers, **more) as answer:
            text = await answer.text()
            return answer.status, await answer.json() if text else None

    async def side(self, path: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
        """Status and JSON of the plain side door."""
        async with self.http.request(method, self.side_url + path, json=body) as answer:
            return answer.status, await answer.json()

    async def login(self, user: str = ADMINISTRATOR, password: str = PASSWORD) -> tuple[int, Any]:
        """Status and body of a login; a success becomes the session of `call`."""
        status, body = await self.call("POST", "/api/session", auth=aiohttp.BasicAuth(user, password))
        if status == 201:
            self.token = body
        return status, body


def make_lab(folder: Path, version: str = "9.1") -> Lab:
    """A lab's settings and CA, nothing running."""
    pki.make_ca(folder / "pki")
    return Lab(state=folder, bin=folder, version=version, speed="fast", operator=False, password=PASSWORD)


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """Its URL. Served as in the lab: a client that goes away does not end what it had asked for."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def with_front(test: Callable[[Front], Awaitable[None]], version: str = "9.1", **options: Any) -> None:
    """Run a test against a fresh front."""

    async def run(folder: Path) -> None:
        lab = make_lab(folder, version)
        app = make_app(lab, simulator=FakeSimulator(), kube=_NoKube(), **options)
        async with served(app) as url, served(make_lab_app(app)) as side_url, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            await test(Front(lab, app, url, side_url, http))

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


class _NoKube:
    async def close(self) -> None:
        """Nothing was opened."""
