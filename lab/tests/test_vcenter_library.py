# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscribed libraries against a real publisher over TLS."""

from __future__ import annotations

import hashlib
import ssl
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp.test_utils import TestServer
from vcenter_front import Front, with_front

from vcf_lab import pki
from vcf_lab.publisher.__main__ import make_app as make_publisher
from vcf_lab.publisher.items import GOOD, TAMPERED, UNSIGNED, generate

LIBRARY = "/api/content/subscribed-library"
ITEM = "/api/content/library/item"


def with_publisher(test: Callable[[Front, str], Awaitable[None]], *, trusted: bool = True) -> None:
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
        server = TestServer(make_publisher(folder))
        await server.start_server(ssl=context)
        try:
            await front.login()
            await test(front, f"https://127.0.0.1:{server.port}/dl-vm/lib.json")
        finally:
            await server.close()

    with_front(scenario)


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


def test_on_demand_lists_items_without_their_disks() -> None:
    async def scenario(front: Front, url: str) -> None:
        _, library = await create(front, model(url))
        found = await items(front, library)
        assert set(found) == {GOOD, TAMPERED, UNSIGNED}
        assert not found[GOOD]["cached"]
        assert "last_sync_time" in (await front.call("GET", f"{LIBRARY}/{library}"))[1]
        act = f"/api/content/library/subscribed-item/{found[GOOD]['id']}"
        assert (await front.call("POST", f"{act}?action=sync", {"force_sync_content": True}))[0] == 204
        assert (await items(front, library))[GOOD]["cached"]
        assert (await front.call("POST", f"{act}?action=evict"))[0] == 204
        assert not (await items(front, library))[GOOD]["cached"]

    with_publisher(scenario)


def test_under_the_policy_only_what_is_signed_and_unchanged_is_kept() -> None:
    async def scenario(front: Front, url: str) -> None:
        _, library = await create(front, model(url, on_demand=False, policy=await policy(front)))
        found = await items(front, library)
        told = {
            name: (item["security_compliance"], item["certificate_verification_info"]["status"], item["cached"])
            for name, item in found.items()
        }
        assert told == {
            GOOD: (True, "VERIFIED", True),
            TAMPERED: (False, "VERIFICATION_FAILED", False),
            UNSIGNED: (False, "NOT_AVAILABLE", False),
        }
        _, files = await front.call("GET", f"{ITEM}/{found[TAMPERED]['id']}/file")
        assert not any(file["cached"] for file in files)

    with_publisher(scenario)


def test_a_disk_changed_in_place_is_found_when_it_is_fetched() -> None:
    async def scenario(front: Front, url: str) -> None:
        disk = front.lab.state / "publisher" / GOOD / f"{GOOD}-disk1.vmdk"
        disk.write_bytes(disk.read_bytes()[::-1])
        _, library = await create(front, model(url, on_demand=False, policy=await policy(front)))
        status = (await items(front, library))[GOOD]["certificate_verification_info"]["status"]
        assert status == "VERIFICATION_FAILED"

    with_publisher(scenario)


def test_without_a_policy_everything_is_kept() -> None:
    async def scenario(front: Front, url: str) -> None:
        _, library = await create(front, model(url, on_demand=False))
        assert all(item["cached"] for item in (await items(front, library)).values())

    with_publisher(scenario)


def test_an_unknown_publisher_is_refused_until_its_thumbprint_is_given() -> None:
    async def scenario(front: Front, url: str) -> None:
        status, error = await create(front, model(url))
        assert (status, error["error_type"]) == (500, "RESOURCE_INACCESSIBLE")
        probing = {"subscription_info": {"subscription_url": url}}
        _, probe = await front.call("POST", f"{LIBRARY}?action=probe", probing)
        assert probe["status"] == "CERTIFICATE_ERROR"
        certificate = ssl.PEM_cert_to_DER_cert(probe["ssl_certificate"])
        for wanted in (probe["ssl_thumbprint"], hashlib.sha1(certificate).hexdigest()):
            assert (await create(front, model(url, ssl_thumbprint=wanted)))[0] == 201
        status, _ = await create(front, model(url, ssl_thumbprint="AA:" * 31 + "AA"))
        assert status == 500

    with_publisher(scenario, trusted=False)


def test_a_client_token_makes_a_retry_harmless() -> None:
    async def scenario(front: Front, url: str) -> None:
        token = str(uuid.uuid4())
        first, second = await create(front, model(url), token), await create(front, model(url), token)
        assert first == second
        assert (await create(front, model(url), "no uuid"))[1]["error_type"] == "INVALID_ARGUMENT"
        asked = {"name": "IMAGES", "type": "SUBSCRIBED"}
        assert (await front.call("POST", "/api/content/library?action=find", asked))[1] == [first[1]]

    with_publisher(scenario)


def test_update_and_delete() -> None:
    async def scenario(front: Front, url: str) -> None:
        _, library = await create(front, model(url))
        path = f"{LIBRARY}/{library}"
        assert (await front.call("PATCH", path, {"description": "new", "version": "1"}))[0] == 204
        status, error = await front.call("PATCH", path, {"description": "newer", "version": "1"})
        assert (status, error["error_type"]) == (409, "CONCURRENT_CHANGE")
        front.app["store"]["namespaces"]["ns"] = {"libraries": [{"content_library": library}], "access_list": []}
        assert (await front.call("DELETE", path))[1]["error_type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
        del front.app["store"]["namespaces"]["ns"]
        assert (await front.call("DELETE", path))[0] == 204
        assert front.app["store"]["items"] == {}
        assert (await front.call("GET", path))[0] == 404

    with_publisher(scenario)


def test_state_is_equal_after_a_sync_that_found_nothing_new() -> None:
    async def scenario(front: Front, url: str) -> None:
        _, library = await create(front, model(url))
        before = (await front.side("/state"))[1]
        assert (await front.call("POST", f"{LIBRARY}/{library}?action=sync"))[0] == 204
        await front.app["synchronizer"].wait(library)
        assert (await front.side("/state"))[1] == before

    with_publisher(scenario)
