# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""content_library: the probe before the first write, the token of creation, and the wait for items."""

from __future__ import annotations

import uuid

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import content_library
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import run, task_for, vcenter

BASE, URL = "/api/content/subscribed-library", "https://publisher/lib.json"
FIND = ("POST", "/api/content/library?action=find", {"name": "images", "type": "SUBSCRIBED"})
STORE = ("GET", "/api/vcenter/datastore?names=ds", None, [{"datastore": "datastore-1", "name": "ds", "type": "VSAN"}])
POLICY = ("GET", "/api/content/security-policies", None, [{"policy": "sp-1", "name": "OVF default policy"}])
SUBSCRIPTION = {"subscription_url": URL, "on_demand": True, "automatic_sync_enabled": True, "authentication_method": "NONE"}
PROBE = ("POST", f"{BASE}?action=probe", {"subscription_info": SUBSCRIPTION})
GET = ("GET", f"{BASE}/lib-1", None)
INFO = {
    "id": "lib-1", "name": "images", "subscription_info": SUBSCRIPTION, "security_policy_id": "sp-1",
    "storage_backings": [{"type": "DATASTORE", "datastore_id": "datastore-1"}], "last_sync_time": "2026-01-01T00:00:00Z",
}
ITEMS = ("POST", "/api/content/library/item?action=find", {"library_id": "lib-1", "name": "node"})
ITEM = ("GET", "/api/content/library/item/i-1", None)
NODE = {"id": "i-1", "name": "node", "type": "ovf", "security_compliance": True, "cached": False}
ASKED = {"name": "images", "subscription_url": URL, "datastore": "ds", "security_policy": "OVF default policy", "items": ["node"]}
SYNC = ("POST", f"{BASE}/lib-1?action=sync", None, (204, None))
BODY = {
    "name": "images", "type": "SUBSCRIBED", "storage_backings": [{"type": "DATASTORE", "datastore_id": "datastore-1"}],
    "subscription_info": SUBSCRIPTION, "security_policy_id": "sp-1",
}


def test_make_with_a_token_of_its_own() -> None:
    client, http = vcenter((*FIND, []), STORE, POLICY, (*PROBE, {"status": "SUCCESS"}), ("POST", BASE, BODY, (201, "lib-1")),
                           (*GET, INFO), (*ITEMS, ["i-1"]), (*ITEM, NODE))
    result = content_library.ensure(task_for(content_library, **ASKED), client)
    http.done()
    assert result["changed"] and result["content_library"]["items"] == [NODE]
    assert [uuid.UUID(h["Client-Token"]).version for h in http.headers if "Client-Token" in h] == [4]


def test_unchanged() -> None:
    assert not run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), (*ITEMS, ["i-1"]), (*ITEM, NODE), STORE, POLICY, **ASKED)["changed"]


def test_an_item_that_is_missing_is_fetched_by_a_synchronisation() -> None:
    result = run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), (*ITEMS, []), STORE, POLICY, SYNC, (*GET, INFO), (*ITEMS, ["i-1"]), (*ITEM, NODE), **ASKED)
    assert result["changed"] and result["diff"]["before"]["missing_items"] == ["node"]


def test_a_certificate_that_is_not_trusted_is_told_with_its_thumbprint_before_the_first_write() -> None:
    answer = {"status": "CERTIFICATE_ERROR", "ssl_thumbprint": "AA:BB", "error_messages": [{"default_message": "Unknown issuer."}]}
    for check_mode in (True, False):
        with pytest.raises(RayError) as caught:
            run(content_library, (*FIND, []), STORE, POLICY, (*PROBE, answer), check_mode=check_mode, **ASKED)
        assert caught.value.code == "CERTIFICATE_ERROR" and "Unknown issuer." in caught.value.message
        assert "AA:BB" in caught.value.hint and caught.value.details == {"ssl_thumbprint": "AA:BB"}


def test_another_option_replaces_the_whole_subscription() -> None:
    changed = {**SUBSCRIPTION, "on_demand": False}
    result = run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), ("PATCH", f"{BASE}/lib-1", {"subscription_info": changed}, (204, None)),
                 SYNC, (*GET, {**INFO, "subscription_info": changed}), name="images", on_demand=False)
    assert result["changed"] and result["content_library"]["on_demand"] is False


def test_an_item_that_fails_the_policy_fails_the_wait() -> None:
    bad = {**NODE, "security_compliance": False}
    with pytest.raises(RayError, match="holds node, but the security policy refused the signature"):
        run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), (*ITEMS, ["i-1"]), (*ITEM, bad), STORE, POLICY, **ASKED)


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(RayError, match="lib-1, lib-2"):
        run(content_library, (*FIND, ["lib-2", "lib-1"]), name="images", state="absent")


def test_another_datastore_is_refused() -> None:
    other = {**INFO, "storage_backings": [{"datastore_id": "datastore-2"}]}
    with pytest.raises(RayError, match="datastore is 'datastore-2', asked for 'datastore-1'"):
        run(content_library, (*FIND, ["lib-1"]), (*GET, other), STORE, name="images", datastore="ds")


def test_remove() -> None:
    result = run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), ("DELETE", f"{BASE}/lib-1", None, (204, None)),
                 (*GET, (404, None)), name="images", state="absent")
    assert result["changed"] and result["content_library"] is None
