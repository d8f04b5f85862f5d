# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content libraries and their items, as each release has them."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from library_support import ITEM, LIBRARY, create, items, model, policy, use, with_publisher
from vcenter_front import Front

from vcf_lab.publisher.items import GOOD, TAMPERED, UNSIGNED


def test_on_demand_lists_items_without_their_disks() -> None:
    async def scenario(front: Front, url: str) -> None:
        _, library = await create(front, model(url))
        found = await items(front, library)
        assert set(found) == {GOOD, TAMPERED, UNSIGNED}
        assert not found[GOOD]["cached"]
        assert "last_sync_time" in (await front.call("GET", f"{LIBRARY}/{library}"))[1]
        act = f"/api/content/library/subscribed-item/{found[GOOD]['id']}"
        assert (await front.call("POST", f"{act}?action=sync", {"force_sync_content": True}))[0] == 204
        await front.app["synchronizer"].wait(found[GOOD]["id"])
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
            TAMPERED: (False, "VERIFICATION_FAILURE", False),
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
        assert status == "VERIFICATION_FAILURE"

    with_publisher(scenario)


def test_without_a_policy_everything_is_kept() -> None:
    async def scenario(front: Front, url: str) -> None:
        _, library = await create(front, model(url, on_demand=False))
        assert all(item["cached"] for item in (await items(front, library)).values())

    with_publisher(scenario)


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
        use(front, library)
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


def test_a_policy_is_put_on_and_taken_off() -> None:
    async def scenario(front: Front, url: str) -> None:
        _, library = await create(front, model(url))
        path = f"{LIBRARY}/{library}"
        assert (await front.call("PATCH", path, {"security_policy_id": await policy(front)}))[0] == 204
        assert (await front.call("GET", path))[1]["security_policy_id"] == await policy(front)
        assert (await front.call("PATCH", path, {"unset_security_policy_id": True}))[0] == 204
        assert "security_policy_id" not in (await front.call("GET", path))[1]
        assert (await front.call("PATCH", path, {"security_policy_id": "none"}))[1]["error_type"] == "INVALID_ARGUMENT"

    with_publisher(scenario)


def test_usages_and_force_delete_are_of_9_1() -> None:
    async def scenario(front: Front, url: str) -> None:
        _, library = await create(front, model(url))
        use(front, library)
        _, found = await front.call("GET", f"/api/content/library/{library}/usages")
        assert [entry["resource_urn"] for entry in found["library_usage_list"]] == ["urn:vmomi:namespace:ns"]
        assert (await front.call("DELETE", f"/api/content/library/{library}"))[0] == 400
        assert (await front.call("POST", f"{LIBRARY}/{library}?action=force-delete"))[0] == 204
        assert (await front.call("GET", f"{LIBRARY}/{library}"))[0] == 404

    async def before(front: Front, url: str) -> None:
        _, library = await create(front, model(url))
        use(front, library)
        for method, path in (
            ("GET", f"/api/content/library/{library}/usages"),
            ("DELETE", f"/api/content/library/{library}"),
            ("POST", f"{LIBRARY}/{library}?action=force-delete"),
        ):
            status, error = await front.call(method, path)
            assert (status, error["error_type"]) == (404, "OPERATION_NOT_FOUND")
        assert (await front.call("DELETE", f"{LIBRARY}/{library}"))[0] == 204

    with_publisher(scenario)
    with_publisher(before, version="9.0")


def test_files_are_asked_for_as_the_release_has_it() -> None:
    async def files(front: Front, url: str) -> tuple[int, Any, Any]:
        _, library = await create(front, model(url))
        item = (await items(front, library))[GOOD]["id"]
        status, found = await front.call("GET", f"{ITEM}/{item}/file")
        older = (await front.call("GET", f"/rest/com/vmware/content/library/item/file?library_item_id={item}"))[1]["value"]
        return status, found, older

    async def scenario(front: Front, url: str) -> None:
        status, found, older = await files(front, url)
        assert status == 200
        assert {file["name"].rsplit(".")[-1]: (file["cached"], file["size"] > 0) for file in found} == {
            "cert": (True, True), "mf": (True, True), "ovf": (True, True), "vmdk": (False, False)
        }
        assert [file["name"] for file in older] == [file["name"] for file in found]
        endpoint = next(file["file_download_endpoint"] for file in found if file["name"].endswith(".ovf"))
        path = endpoint.removeprefix("https://vcenter.lab")
        async with front.http.get(front.url + path, headers={"vmware-api-session-id": front.token}) as answer:
            assert (await answer.text()).startswith("<?xml")
        assert (await front.call("GET", path, headers={"vmware-api-session-id": "x"}))[0] == 401

    async def before(front: Front, url: str) -> None:
        status, error, older = await files(front, url)
        assert (status, error["error_type"]) == (404, "OPERATION_NOT_FOUND")
        assert len(older) == 4

    with_publisher(scenario)
    with_publisher(before, version="8.0.3")


def test_one_token_at_the_same_moment_makes_one_library() -> None:
    async def scenario(front: Front, url: str) -> None:
        token = str(uuid.uuid4())
        made = await asyncio.gather(*(create(front, model(url), token) for _ in range(3)))
        assert len({answer for _, answer in made}) == 1
        assert len((await front.call("GET", LIBRARY))[1]) == 1

    with_publisher(scenario)


def test_names_repeat_and_case_does_not_count() -> None:
    async def scenario(front: Front, url: str) -> None:
        made = {(await create(front, model(url)))[1], (await create(front, {**model(url), "name": "Images"}))[1]}
        found = (await front.call("POST", "/api/content/library?action=find", {"name": "iMaGes"}))[1]
        assert len(made) == 2 and set(found) == made
        backing = {"type": "DATASTORE", "datastore_id": "datastore-9"}
        assert (await front.call("POST", "/api/content/library?action=find", {"storage_backing": backing}))[1] == []

    with_publisher(scenario)
