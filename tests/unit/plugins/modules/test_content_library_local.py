# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""content_library with a password: local libraries that are published, and publishers that ask for a login."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import content_library
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import run

LOCAL, SUBSCRIBED, URL = "/api/content/local-library", "/api/content/subscribed-library", "https://publisher/lib.json"
STORE = ("GET", "/api/vcenter/datastore?names=ds", None, [{"datastore": "datastore-1", "name": "ds", "type": "VSAN"}])
BACKING = [{"type": "DATASTORE", "datastore_id": "datastore-1"}]
OK = (204, None)


def find(kind: str, *ids: str) -> tuple:
    return "POST", "/api/content/library?action=find", {"name": "mine", "type": kind}, list(ids)


def local(**publication: t.Any) -> tuple:
    info = {"published": False, "authentication_method": "NONE", **publication}
    return "GET", f"{LOCAL}/lib-1", None, {"id": "lib-1", "name": "mine", "type": "LOCAL", "storage_backings": BACKING, "publish_info": info}


def subscribed(**subscription: t.Any) -> tuple:
    info = {"subscription_url": URL, "on_demand": True, "automatic_sync_enabled": True, "authentication_method": "NONE", **subscription}
    return "GET", f"{SUBSCRIBED}/lib-1", None, {"id": "lib-1", "name": "mine", "type": "SUBSCRIBED", "storage_backings": BACKING,
                                                "subscription_info": info, "last_sync_time": "2026-01-01T00:00:00Z"}


BASIC = {"published": True, "authentication_method": "BASIC"}
PUBLISHED = local(**BASIC, publish_url="https://vc:443/cls/vcsp/lib/lib-1/lib.json")


def publish(**info: t.Any) -> tuple:
    return "PATCH", f"{LOCAL}/lib-1", {"publish_info": info}, OK


def test_make_a_local_one() -> None:
    body = {"name": "mine", "type": "LOCAL", "storage_backings": BACKING,
            "publish_info": {"published": False, "persist_json_enabled": False, "authentication_method": "NONE"}}
    result = run(content_library, find("LOCAL"), find("SUBSCRIBED"), STORE, ("POST", LOCAL, body, (201, "lib-1")), find("LOCAL", "lib-1"), local(),
                 name="mine", type="local", datastore="ds")
    assert result["changed"] and result["content_library"]["published"] is False and "synchronized" not in result["content_library"]


def test_publish_with_a_password() -> None:
    options = {"name": "mine", "type": "local", "published": True, "authentication": "basic", "library_password": "secret"}
    sent = {"persist_json_enabled": False, **BASIC, "password": "secret"}
    result = run(content_library, find("LOCAL", "lib-1"), local(), publish(**sent), PUBLISHED, **options)
    assert result["changed"] and result["content_library"]["publish_url"].startswith("https://vc") and result["content_library"]["password_updated"]
    assert "secret" not in str(result)
    assert not run(content_library, find("LOCAL", "lib-1"), PUBLISHED, **options)["changed"]


def test_another_password_is_proved_with_the_one_before() -> None:
    sent = {"persist_json_enabled": False, **BASIC, "password": "new", "current_password": "old"}
    result = run(content_library, find("LOCAL", "lib-1"), PUBLISHED, publish(**sent), PUBLISHED, name="mine", type="local",
                 library_password="new", library_current_password="old", update_password="always")
    assert result["changed"]


def test_the_end_of_a_publication_is_proved() -> None:
    with pytest.raises(RayError, match="only for who knows its password"):
        run(content_library, find("LOCAL", "lib-1"), PUBLISHED, name="mine", type="local", published=False)
    sent = {"published": False, "persist_json_enabled": False, "authentication_method": "NONE", "current_password": "old"}
    result = run(content_library, find("LOCAL", "lib-1"), PUBLISHED, publish(**sent), local(), name="mine", type="local", published=False,
                 authentication="none", library_password="old")
    assert result["changed"] and "publish_url" not in result["content_library"]


def test_a_local_library_waits_for_items_and_fetches_none() -> None:
    item = ("POST", "/api/content/library/item?action=find", {"library_id": "lib-1", "name": "node"}, [])
    script = (find("LOCAL", "lib-1"), local(), item)
    with pytest.raises(RayError, match="has to upload"):
        run(content_library, *script, *script[1:], ("GET", "/api/content/library/item?library_id=lib-1", None, []),
            name="mine", type="local", items=["node"])
    assert not run(content_library, *script, name="mine", type="local", items=["node"], wait=False)["changed"]


def test_subscribe_with_a_login() -> None:
    info = {"subscription_url": URL, "on_demand": True, "automatic_sync_enabled": False, "authentication_method": "BASIC", "user_name": "vcsp",
            "password": "secret"}
    body = {"name": "mine", "type": "SUBSCRIBED", "storage_backings": BACKING, "subscription_info": info}
    result = run(content_library, find("SUBSCRIBED"), find("LOCAL"), STORE,
                 ("POST", f"{SUBSCRIBED}?action=probe", {"subscription_info": info}, {"status": "SUCCESS"}),
                 ("POST", SUBSCRIBED, body, (201, "lib-1")), find("SUBSCRIBED", "lib-1"),
                 ("POST", f"{SUBSCRIBED}/lib-1?action=sync", None, OK), subscribed(authentication_method="BASIC", user_name="vcsp"),
                 name="mine", subscription_url=URL, datastore="ds", automatic_sync=False, authentication="basic", library_password="secret")
    assert result["changed"] and result["content_library"]["authentication"] == "basic"
    assert "secret" not in str(result)


def test_a_password_is_sent_at_each_run_only_when_asked() -> None:
    there = subscribed(authentication_method="BASIC", user_name="me")
    assert not run(content_library, find("SUBSCRIBED", "lib-1"), there, name="mine", library_password="secret")["changed"]
    info = {"subscription_url": URL, "on_demand": True, "automatic_sync_enabled": True, "authentication_method": "BASIC", "user_name": "me",
            "password": "secret"}
    result = run(content_library, find("SUBSCRIBED", "lib-1"), there,
                 ("POST", f"{SUBSCRIBED}?action=probe", {"subscription_info": info}, {"status": "SUCCESS"}),
                 ("PATCH", f"{SUBSCRIBED}/lib-1", {"subscription_info": info}, OK), there,
                 name="mine", library_password="secret", update_password="always")
    assert result["changed"]


def test_what_vcenter_keeps_to_itself_cannot_be_probed() -> None:
    there = subscribed(authentication_method="BASIC", user_name="me")
    info = {"subscription_url": f"{URL}2", "on_demand": True, "automatic_sync_enabled": True, "authentication_method": "BASIC", "user_name": "me"}
    result = run(content_library, find("SUBSCRIBED", "lib-1"), there, ("PATCH", f"{SUBSCRIBED}/lib-1", {"subscription_info": info}, OK),
                 ("POST", f"{SUBSCRIBED}/lib-1?action=sync", None, OK), (*there[:3], {**there[3], "last_sync_time": "2026-01-02T00:00:00Z"}),
                 name="mine", subscription_url=f"{URL}2")
    assert result["changed"]


@pytest.mark.parametrize(("options", "text"), [
    ({"authentication": "basic"}, "needs library_password"),
    ({"library_password": "x"}, "asks for no password"),
    ({"update_password": "always"}, "nothing to update"),
    ({"published": True}, "no published"),
    ({"library_current_password": "x"}, "no library_current_password"),
])
def test_what_does_not_fit_is_refused_before_the_first_write(options: dict, text: str) -> None:
    with pytest.raises(RayError, match=text):
        run(content_library, find("SUBSCRIBED", "lib-1"), subscribed(), name="mine", **options)


@pytest.mark.parametrize("option", ["subscription_url", "on_demand", "sync", "evict", "library_username"])
def test_what_only_a_subscription_has_is_refused(option: str) -> None:
    with pytest.raises(RayError, match=f"no {option}; a subscribed one has"):
        run(content_library, find("LOCAL", "lib-1"), local(), *([("POST", "/api/content/library/item?action=find", ..., [])] if option == "evict" else []),
            name="mine", type="local", **{option: True})
