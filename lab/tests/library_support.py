# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of content libraries share: a front beside a publisher, and the usual requests."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp.test_utils import TestServer
from vcenter_front import PASSWORD, Front, with_front

from vcf_lab import pki
from vcf_lab.publisher.__main__ import make_app as make_publisher
from vcf_lab.publisher.items import generate

LIBRARY = "/api/content/subscribed-library"
ITEM = "/api/content/library/item"


def with_publisher(
    test: Callable[[Front, str], Awaitable[None]], *, trusted: bool = True, version: str = "9.1"
) -> None:
    """A logged-in front beside a publisher, whose certificate the front may or may not trust."""

    async def scenario(front: Front) -> None:
        folder = front.lab.state / "publisher"
        generate(front.lab, folder)
        lab = front.lab
        if not trusted:
            (lab.state / "stranger").mkdir()
            lab = type(lab)(**{**vars(lab), "state": lab.state / "stranger"})
            pki.make_ca(lab.state / "pki")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pki.issue(lab, "publisher", ["127.0.0.1"]))
        server = TestServer(make_publisher(folder, PASSWORD))
        await server.start_server(ssl=context)
        try:
            await front.login()
            await test(front, f"https://127.0.0.1:{server.port}/dl-vm/lib.json")
        finally:
            await server.close()

    with_front(scenario, version=version)


def model(url: str, *, on_demand: bool = True, policy: str | None = None, **info: Any) -> dict[str, Any]:
    subscription = {
        "subscription_url": url,
        "authentication_method": "NONE",
        "automatic_sync_enabled": True,
        "on_demand": on_demand,
        **info,
    }
    backing = [{"type": "DATASTORE", "datastore_id": "datastore-1"}]
    found = {"name": "images", "storage_backings": backing, "subscription_info": subscription}
    return found | ({"security_policy_id": policy} if policy else {})


async def create(front: Front, body: dict[str, Any], token: str | None = None) -> tuple[int, Any]:
    status, answer = await front.call("POST", LIBRARY, body, headers={"Client-Token": token or str(uuid.uuid4())})
    if status == 201:
        await front.app["synchronizer"].wait(answer)
    return status, answer


async def items(front: Front, library: str) -> dict[str, Any]:
    _, identifiers = await front.call("GET", f"{ITEM}?library_id={library}")
    found = [(await front.call("GET", f"{ITEM}/{key}"))[1] for key in identifiers]
    return {item["name"]: item for item in found}


async def policy(front: Front) -> str:
    return str((await front.call("GET", "/api/content/security-policies"))[1][0]["policy"])


async def probe(front: Front, url: str, **info: Any) -> dict[str, Any]:
    asked = {"subscription_info": {"subscription_url": url, **info}}
    status, answer = await front.call("POST", f"{LIBRARY}?action=probe", asked)
    assert status == 200
    found: dict[str, Any] = answer
    return found


def use(front: Front, library: str) -> None:
    """Give the library to a namespace, so that it has a user."""
    record = {"libraries": [{"content_library": library}], "access_list": [], "config_status": "REMOVING"}
    front.app["store"]["namespaces"]["ns"] = record
