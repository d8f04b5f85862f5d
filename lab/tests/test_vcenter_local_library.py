# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Local libraries: their items, how they are published, and a subscriber on the same vCenter."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from library_support import ITEM, LIBRARY, create, items, policy, use, with_publisher
from library_support import model as subscribed
from vcenter_front import Front, with_front

from vcf_lab.publisher.items import GOOD

LOCAL = "/api/content/local-library"
SESSION = "/api/content/library/item/update-session"
BACKING = [{"type": "DATASTORE", "datastore_id": "datastore-1"}]
PUBLISHED = {"published": True, "authentication_method": "NONE"}
SECRET = {"published": True, "authentication_method": "BASIC", "password": "Publish-1!"}


async def make(front: Front, **more: Any) -> str:
    body = {"name": "own", "storage_backings": BACKING, **more}
    status, library = await front.call("POST", LOCAL, body, headers={"Client-Token": str(uuid.uuid4())})
    assert status == 201, library
    return str(library)


async def add(front: Front, library: str, name: str, files: dict[str, bytes], kind: str = "iso") -> str:
    """An item with content, by an update session."""
    status, item = await front.call("POST", ITEM, {"library_id": library, "name": name, "type": kind})
    assert status == 201, item
    await upload(front, item, files)
    return str(item)


async def upload(front: Front, item: str, files: dict[str, bytes]) -> None:
    _, session = await front.call("POST", SESSION, {"library_item_id": item})
    for name, content in files.items():
        asked = {"name": name, "source_type": "PUSH", "size": len(content)}
        status, file = await front.call("POST", f"{SESSION}/{session}/file", asked)
        assert (status, file["status"]) == (200, "WAITING_FOR_TRANSFER")
        path = file["upload_endpoint"]["uri"].removeprefix("https://vcenter.lab")
        async with front.http.put(front.url + path, data=content) as answer:
            assert answer.status == 200
    assert (await front.call("POST", f"{SESSION}/{session}?action=complete"))[0] == 204


async def told(front: Front, library: str) -> dict[str, Any]:
    info: dict[str, Any] = (await front.call("GET", f"{LOCAL}/{library}"))[1]["publish_info"]
    return info


async def refusal(front: Front, method: str, path: str, body: Any = None) -> str:
    status, error = await front.call(method, path, body)
    assert status >= 400, error
    return str(error["error_type"])


def here(front: Front, url: str) -> str:
    """The front answers on another address in tests than in a lab."""
    return url.replace("https://vcenter.lab:443", front.url)


def test_a_library_from_birth_to_removal() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        library = await make(front)
        path = f"{LOCAL}/{library}"
        assert (await front.call("GET", LOCAL))[1] == [library]
        _, found = await front.call("GET", path)
        assert (found["type"], found["version"], found["description"]) == ("LOCAL", "1", "")
        assert found["publish_info"]["published"] is False and "last_sync_time" not in found
        change = {"name": "mine", "description": "new", "version": "1", "type": "SUBSCRIBED"}
        assert (await front.call("PATCH", path, change))[0] == 204
        _, found = await front.call("GET", path)
        assert (found["name"], found["description"], found["type"], found["version"]) == ("mine", "new", "LOCAL", "2")
        assert await refusal(front, "PATCH", path, {"name": "other", "version": "1"}) == "CONCURRENT_CHANGE"
        assert await refusal(front, "PATCH", f"/api/content/library/{library}", {"version": "1"}) == "INVALID_ARGUMENT"
        assert await refusal(front, "GET", f"{LIBRARY}/{library}") == "INVALID_ELEMENT_TYPE"
        assert await refusal(front, "POST", f"{path}?action=sync") == "OPERATION_NOT_FOUND"
        use(front, library)
        assert await refusal(front, "DELETE", path) == "NOT_ALLOWED_IN_CURRENT_STATE"
        assert (await front.call("POST", f"{path}?action=force-delete"))[0] == 204
        assert (await front.call("GET", "/api/content/library"))[1] == []

    with_front(scenario)


def test_what_a_library_needs() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        good = {"name": "own", "storage_backings": BACKING}
        for wrong, kind in (
            ({"name": None}, "INVALID_ARGUMENT"),
            ({"storage_backings": []}, "INVALID_ARGUMENT"),
            ({"storage_backings": BACKING * 2}, "UNSUPPORTED"),
            ({"storage_backings": [{"type": "DATASTORE", "datastore_id": "datastore-9"}]}, "INVALID_ARGUMENT"),
            ({"publish_info": {"published": True}}, "INVALID_ARGUMENT"),
            ({"publish_info": {**SECRET, "password": ""}}, "INVALID_ARGUMENT"),
            ({"publish_info": {**SECRET, "user_name": "somebody"}}, "INVALID_ARGUMENT"),
            ({"persist_json": True}, "INVALID_ARGUMENT"),
        ):
            assert await refusal(front, "POST", LOCAL, {**good, **wrong}) == kind, wrong
        assert (await front.call("GET", LOCAL))[1] == []

    with_front(scenario)


def test_the_old_password_is_needed_to_loosen_or_change_it() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        library = await make(front, publish_info=SECRET)
        path = f"{LOCAL}/{library}"
        info = await told(front, library)
        assert info["user_name"] == "vcsp" and "password" not in info
        for change in ({"password": "Other-1!"}, {"authentication_method": "NONE"}, {"published": False}):
            assert await refusal(front, "PATCH", path, {"publish_info": change}) == "INVALID_ARGUMENT"
            assert await told(front, library) == info
        change = {"password": "Other-1!", "current_password": SECRET["password"]}
        assert (await front.call("PATCH", path, {"publish_info": change}))[0] == 204
        change = {"authentication_method": "NONE", "current_password": "Other-1!"}
        assert (await front.call("PATCH", path, {"publish_info": change}))[0] == 204
        assert (await told(front, library))["authentication_method"] == "NONE"

    with_front(scenario)


def test_items_and_their_files() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        library = await make(front)
        item = await add(front, library, "tools", {"a.iso": b"one", "b.iso": b"two"})
        _, found = await front.call("GET", f"{ITEM}/{item}")
        assert (found["cached"], found["size"], found["content_version"]) == (True, 6, "2")
        await upload(front, item, {"a.iso": b"three"})
        _, files = await front.call("GET", f"{ITEM}/{item}/file")
        assert [(file["name"], file["size"], file["version"]) for file in files] == [("a.iso", 5, "2"), ("b.iso", 3, "1")]
        body = {"library_id": library, "name": "tools"}
        assert await refusal(front, "POST", ITEM, body) == "ALREADY_EXISTS"
        assert await refusal(front, "POST", ITEM, {**body, "name": "x" * 81}) == "INVALID_ARGUMENT"
        assert (await front.call("PATCH", f"{ITEM}/{item}", {"name": "more", "version": "1"}))[0] == 204
        assert await refusal(front, "PATCH", f"{ITEM}/{item}", {"name": "most", "version": "1"}) == "INVALID_ARGUMENT"
        assert (await front.call("POST", f"{ITEM}?action=find", {"name": "MORE"}))[1] == [item]
        assert await refusal(front, "POST", f"/api/content/library/subscribed-item/{item}?action=evict") == "INVALID_ELEMENT_TYPE"
        assert (await front.call("DELETE", f"{ITEM}/{item}"))[0] == 204
        assert not (front.app["synchronizer"].folder(library) / item).exists()
        assert (await front.call("GET", f"{ITEM}?library_id={library}"))[1] == []

    with_front(scenario)


def test_an_update_session_guards_its_item() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        library = await make(front)
        _, item = await front.call("POST", ITEM, {"library_id": library, "name": "tools"})
        _, session = await front.call("POST", SESSION, {"library_item_id": item})
        assert await refusal(front, "POST", SESSION, {"library_item_id": item}) == "RESOURCE_BUSY"
        await front.call("POST", f"{SESSION}/{session}/file", {"name": "a", "source_type": "PUSH"})
        assert await refusal(front, "POST", f"{SESSION}/{session}?action=complete") == "NOT_ALLOWED_IN_CURRENT_STATE"
        assert await refusal(front, "DELETE", f"{SESSION}/{session}") == "NOT_ALLOWED_IN_CURRENT_STATE"
        assert (await front.call("POST", f"{SESSION}/{session}?action=cancel"))[0] == 204
        assert (await front.call("GET", f"{SESSION}/{session}"))[1]["state"] == "CANCELED"
        assert (await front.call("DELETE", f"{SESSION}/{session}"))[0] == 204
        assert (await front.call("GET", SESSION))[1] == []

    with_front(scenario)


def test_files_are_pulled_and_judged() -> None:
    async def scenario(front: Front, url: str) -> None:
        library = await make(front, security_policy_id=await policy(front))
        _, item = await front.call("POST", ITEM, {"library_id": library, "name": GOOD, "type": "ovf"})
        _, session = await front.call("POST", SESSION, {"library_item_id": item})
        for ending in (".mf", ".cert", ".ovf", "-disk1.vmdk"):
            endpoint = {"uri": url.replace("lib.json", f"{GOOD}/{GOOD}{ending}")}
            asked = {"name": f"{GOOD}{ending}", "source_type": "PULL", "source_endpoint": endpoint}
            _, file = await front.call("POST", f"{SESSION}/{session}/file", asked)
            assert file["status"] == "READY", file
        assert (await front.call("POST", f"{SESSION}/{session}?action=complete"))[0] == 204
        assert (await front.call("GET", f"{ITEM}/{item}"))[1]["security_compliance"] is True
        await upload(front, item, {f"{GOOD}.ovf": b"<changed/>"})
        _, found = await front.call("GET", f"{ITEM}/{item}")
        assert (found["security_compliance"], found["cached"]) == (False, False)

    with_publisher(scenario)


def test_a_published_library_is_subscribed_to() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        own = await make(front, publish_info={**SECRET, "persist_json_enabled": True})
        item = await add(front, own, "tools", {"a.iso": b"one"})
        assert (front.app["synchronizer"].folder(own) / "items.json").exists()
        url = here(front, (await told(front, own))["publish_url"])
        assert url.startswith(front.url) and url.endswith(f"/cls/vcsp/lib/{own}/lib.json")
        for password, expected in (("Publish-1!", 200), ("wrong", 401)):
            sent = "Basic " + base64.b64encode(f"vcsp:{password}".encode()).decode()
            async with front.http.get(url, headers={"Authorization": sent}) as answer:
                assert answer.status == expected
        basic = {"authentication_method": "BASIC", "password": "Publish-1!"}
        status, copy = await create(front, subscribed(url, on_demand=False, **basic))
        assert status == 201
        found = (await items(front, copy))["tools"]
        assert (found["cached"], found["size"], found["source_id"]) == (True, 3, f"urn:uuid:{item}")
        await upload(front, item, {"a.iso": b"three"})
        await front.call("POST", f"{LIBRARY}/{copy}?action=sync")
        await front.app["synchronizer"].wait(copy)
        assert (await items(front, copy))["tools"]["size"] == 5
        assert await refusal(front, "POST", ITEM, {"library_id": copy, "name": "x"}) == "INVALID_ELEMENT_TYPE"
        await front.call("DELETE", f"{ITEM}/{item}")
        act = f"/api/content/library/subscribed-item/{found['id']}?action=sync"
        assert (await front.call("POST", act, {"force_sync_content": False}))[0] == 204
        await front.app["synchronizer"].wait(found["id"])
        assert await items(front, copy) == {}

    with_front(scenario)


def test_publish_pushes_to_those_who_named_this_source() -> None:
    async def scenario(front: Front) -> None:
        await front.login()
        own = await make(front, publish_info=PUBLISHED)
        url = here(front, (await told(front, own))["publish_url"])
        source = {"source_library": own, "subscription": "first"}
        _, copy = await create(front, subscribed(url, automatic_sync_enabled=False, source_info=source))
        await add(front, own, "tools", {"a.iso": b"one"})
        act = f"{LOCAL}/{own}?action=publish"
        assert await refusal(front, "POST", act, {"subscriptions": [{"subscription": "second"}]}) == "INVALID_ARGUMENT"
        assert await items(front, copy) == {}
        assert (await front.call("POST", act, {}))[0] == 204
        await front.app["synchronizer"].wait(copy)
        assert set(await items(front, copy)) == {"tools"}
        assert (await front.call("PATCH", f"{LOCAL}/{own}", {"publish_info": {"published": False}}))[0] == 204
        assert await refusal(front, "POST", act, {}) == "NOT_ALLOWED_IN_CURRENT_STATE"
        async with front.http.get(url) as answer:
            assert answer.status == 404

    with_front(scenario)
