# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriptions: which publisher is reached and believed, and what follows when it changes."""

from __future__ import annotations

import hashlib
import json
import ssl
from typing import Any

import pytest
from library_support import ITEM, LIBRARY, create, items, model, probe, with_publisher
from vcenter_front import PASSWORD, Front

from vcf_lab.publisher.items import GOOD, TAMPERED, UNSIGNED
from vcf_lab.vcenter import subscription


def test_the_probe_tells_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "INDEX_SECONDS", 0.2)

    async def scenario(front: Front, url: str) -> None:
        private = url.replace("/dl-vm/", "/private/")
        basic = {"authentication_method": "BASIC", "user_name": "vcsp"}
        probes: list[tuple[str, str, dict[str, Any]]] = [
            ("SUCCESS", url, {}),
            ("SUCCESS", private, {**basic, "password": PASSWORD}),
            ("INVALID_CREDENTIALS", private, {**basic, "password": "wrong"}),
            ("INVALID_CREDENTIALS", private, {}),
            ("INVALID_URL", "ftp://127.0.0.1/lib.json", {}),
            ("INVALID_URL", url.replace("lib.json", "items.json"), {}),
            ("HOST_NOT_FOUND", "https://nobody.invalid/lib.json", {}),
            ("RESOURCE_NOT_FOUND", url.replace("lib.json", "none.json"), {}),
            ("TIMED_OUT", url.replace("/dl-vm/", "/slow/"), {}),
            ("CERTIFICATE_ERROR", url, {"ssl_thumbprint": "AA:" * 31 + "AA"}),
            ("UNKNOWN_ERROR", "https://127.0.0.1:9/lib.json", {}),
        ]
        for status, where, info in probes:
            found = await probe(front, where, **info)
            assert found["status"] == status, found
            assert bool(found["error_messages"]) == (status != "SUCCESS")
        seen = (await probe(front, url))["ssl_thumbprint"]
        assert (await probe(front, url, ssl_thumbprint=seen))["status"] == "SUCCESS"
        assert len(seen.split(":")) == 32

    with_publisher(scenario)


def test_an_unknown_publisher_is_refused_until_its_thumbprint_is_given() -> None:
    async def scenario(front: Front, url: str) -> None:
        status, error = await create(front, model(url))
        assert (status, error["error_type"]) == (500, "RESOURCE_INACCESSIBLE")
        probed = await probe(front, url)
        assert probed["status"] == "CERTIFICATE_ERROR"
        certificate = ssl.PEM_cert_to_DER_cert(probed["ssl_certificate"])
        for wanted in (probed["ssl_thumbprint"], hashlib.sha1(certificate).hexdigest()):
            status, library = await create(front, model(url, ssl_thumbprint=wanted))
            assert status == 201
            assert "ssl_thumbprint" not in (await front.call("GET", f"{LIBRARY}/{library}"))[1]["subscription_info"]
        status, _ = await create(front, model(url, ssl_thumbprint="AA:" * 31 + "AA"))
        assert status == 500

    with_publisher(scenario, trusted=False)


def test_a_certificate_is_pinned_since_9_0() -> None:
    async def scenario(front: Front, url: str) -> None:
        probed = await probe(front, url)
        assert probed["status"] == "CERTIFICATE_ERROR" and "ssl_thumbprint" in probed
        status, library = await create(front, model(url, ssl_certificate=probed["ssl_certificate"]))
        assert status == 201
        assert "ssl_certificate" not in (await front.call("GET", f"{LIBRARY}/{library}"))[1]["subscription_info"]

    async def before(front: Front, url: str) -> None:
        probed = await probe(front, url)
        assert "ssl_certificate" not in probed
        status, error = await create(front, model(url, ssl_certificate="pem"))
        assert status == 400 and "unexpected field: ssl_certificate" in error["messages"][0]["default_message"]
        assert (await create(front, model(url, ssl_thumbprint=probed["ssl_thumbprint"])))[0] == 201

    with_publisher(scenario, trusted=False)
    with_publisher(before, trusted=False, version="8.0.3")


def test_a_subscription_with_a_password() -> None:
    async def scenario(front: Front, url: str) -> None:
        private = url.replace("/dl-vm/", "/private/")
        basic = {"authentication_method": "BASIC", "user_name": "vcsp"}
        assert (await create(front, model(private, **basic)))[1]["error_type"] == "INVALID_ARGUMENT"
        assert (await create(front, model(private, **basic, password="no")))[1]["error_type"] == "RESOURCE_INACCESSIBLE"
        status, library = await create(front, model(private, **basic, password=PASSWORD))
        assert status == 201 and set(await items(front, library)) == {GOOD, TAMPERED, UNSIGNED}
        shown = (await front.call("GET", f"{LIBRARY}/{library}"))[1]["subscription_info"]
        assert shown["user_name"] == "vcsp" and "password" not in shown

    with_publisher(scenario)


def test_what_the_publisher_drops_leaves_the_list_and_stays_in_storage_when_it_was_fetched_at_once() -> None:
    async def scenario(front: Front, url: str) -> None:
        _, immediate = await create(front, model(url, on_demand=False))
        _, on_demand = await create(front, model(url))
        before = {library: (await items(front, library))[UNSIGNED]["id"] for library in (immediate, on_demand)}
        index = front.lab.state / "publisher" / "items.json"
        index.write_text(json.dumps({"items": [e for e in json.loads(index.read_text())["items"] if e["name"] != UNSIGNED]}))
        for library, stays in ((immediate, True), (on_demand, False)):
            assert (await front.call("POST", f"{LIBRARY}/{library}?action=sync"))[0] == 204
            await front.app["synchronizer"].wait(library)
            assert set(await items(front, library)) == {GOOD, TAMPERED}
            assert (front.app["synchronizer"].folder(library) / before[library]).exists() is stays

    with_publisher(scenario)


def test_evict_is_for_what_is_fetched_on_demand() -> None:
    async def scenario(front: Front, url: str) -> None:
        _, library = await create(front, model(url, on_demand=False))
        status, error = await front.call("POST", f"{LIBRARY}/{library}?action=evict")
        assert (status, error["error_type"]) == (400, "NOT_ALLOWED_IN_CURRENT_STATE")
        item = (await items(front, library))[GOOD]["id"]
        status, error = await front.call("POST", f"/api/content/library/subscribed-item/{item}?action=evict")
        assert (status, error["error_type"]) == (400, "INVALID_ELEMENT_CONFIGURATION")
        _, error = await front.call("DELETE", f"{ITEM}/{item}")
        assert error["error_type"] == "INVALID_ELEMENT_TYPE"

    with_publisher(scenario)


def test_another_publisher_loses_the_old_items() -> None:
    async def scenario(front: Front, url: str) -> None:
        _, library = await create(front, model(url))
        before = {item["id"] for item in (await items(front, library)).values()}
        path, private = f"{LIBRARY}/{library}", url.replace("/dl-vm/", "/private/")
        status, error = await front.call("PATCH", path, {"subscription_info": {"subscription_url": private}})
        assert (status, error["error_type"]) == (500, "RESOURCE_INACCESSIBLE")
        change = {"subscription_url": private, "authentication_method": "BASIC", "password": PASSWORD}
        assert (await front.call("PATCH", path, {"subscription_info": change}))[0] == 204
        await front.app["synchronizer"].wait(library)
        after = {item["id"] for item in (await items(front, library)).values()}
        assert len(after) == len(before) and not after & before

    with_publisher(scenario)
