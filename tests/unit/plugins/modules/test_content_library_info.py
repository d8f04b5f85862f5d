# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""content_library_info: as many requests as were asked for."""

from __future__ import annotations

from ansible_collections.vcf.ray.plugins.modules import content_library_info
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, run

LIBRARY = "/api/content/library"
BACKING = [{"type": "DATASTORE", "datastore_id": "datastore-1"}]
FAR = {"id": "lib-1", "name": "far", "type": "SUBSCRIBED", "storage_backings": BACKING, "last_sync_time": "2026-01-01T00:00:00Z", "subscription_info": {
    "subscription_url": "https://p/lib.json", "on_demand": True, "automatic_sync_enabled": False, "authentication_method": "BASIC", "user_name": "vcsp",
    "ssl_thumbprint": "ab" * 32}}
MINE = {"id": "lib-2", "name": "Mine", "type": "LOCAL", "storage_backings": BACKING, "description": "ours", "publish_info": {
    "published": True, "authentication_method": "NONE", "publish_url": "https://vc/cls/vcsp/lib/lib-2/lib.json", "persist_json_enabled": True}}
ALL = ("GET", LIBRARY, None)


def one(info: dict) -> tuple:
    return "GET", f"{LIBRARY}/{info['id']}", None, info


def test_all_in_the_same_words() -> None:
    rows = run(content_library_info, (*ALL, ["lib-1", "lib-2"]), one(FAR), one(MINE))["content_libraries"]
    assert [row["name"] for row in rows] == ["Mine", "far"] and "library_items" not in rows[0]
    assert rows[0]["published"] and rows[0]["persist_json"] and rows[0]["publish_url"].endswith("lib-2/lib.json") and "on_demand" not in rows[0]
    assert rows[1]["authentication"] == "basic" and rows[1]["ssl_thumbprint"] == ":".join(["AB"] * 32) and "publish_url" not in rows[1]


def test_by_name_by_type_and_by_id() -> None:
    find = ("POST", f"{LIBRARY}?action=find")
    assert run(content_library_info, (*find, {"name": "far"}, ["lib-1"]), one(FAR), name="far")["content_libraries"][0]["id"] == "lib-1"
    assert run(content_library_info, (*find, {"type": "LOCAL"}, ["lib-2"]), one(MINE), type="local")["content_libraries"][0]["type"] == "local"
    assert run(content_library_info, (*find, {"name": "no", "type": "LOCAL"}, []), name="no", type="local")["content_libraries"] == []
    identifier = "5a1b0000-0000-4000-8000-000000000001"
    found = run(content_library_info, one({**FAR, "id": identifier}), name=identifier)["content_libraries"]
    assert [row["id"] for row in found] == [identifier]
    assert run(content_library_info, one({**FAR, "id": identifier}), name=identifier, type="local")["content_libraries"] == []


def test_one_that_goes_meanwhile_is_not_there() -> None:
    assert run(content_library_info, (*ALL, ["lib-1"]), (*one(FAR)[:3], MISSING))["content_libraries"] == []


def test_items_cost_a_request_each() -> None:
    item = {"id": "i-1", "name": "node", "type": "ovf", "cached": False, "security_compliance": False,
            "certificate_verification_info": {"status": "UNTRUSTED"}}
    rows = run(content_library_info, (*ALL, ["lib-1"]), one(FAR), ("GET", f"{LIBRARY}/item?library_id=lib-1", None, ["i-1"]),
               ("GET", f"{LIBRARY}/item/i-1", None, item), items=True)["content_libraries"]
    assert rows[0]["library_items"] == [{"id": "i-1", "name": "node", "type": "ovf", "cached": False, "security_compliance": False,
                                         "verification": "UNTRUSTED"}]
