# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""content_library of a publisher: the probe before the first write, the token of creation, and the wait for items."""

from __future__ import annotations

import typing as t
import uuid

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources import content_library as resource
from ansible_collections.vcf.ray.plugins.modules import content_library
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, refusal, run, task_for, vcenter

BASE, URL = "/api/content/subscribed-library", "https://publisher/lib.json"
FIND = ("POST", "/api/content/library?action=find", {"name": "images", "type": "SUBSCRIBED"})
OTHER = ("POST", "/api/content/library?action=find", {"name": "images", "type": "LOCAL"}, [])
STORE = ("GET", "/api/vcenter/datastore?names=ds", None, [{"datastore": "datastore-1", "name": "ds", "type": "VSAN"}])
POLICY = ("GET", "/api/content/security-policies", None, [{"policy": "sp-1", "name": "OVF default policy"}])
SUBSCRIPTION = {"subscription_url": URL, "on_demand": True, "automatic_sync_enabled": True, "authentication_method": "NONE"}
PROBE = ("POST", f"{BASE}?action=probe", {"subscription_info": SUBSCRIPTION})
GET = ("GET", f"{BASE}/lib-1", None)
INFO = {
    "id": "lib-1", "name": "images", "type": "SUBSCRIBED", "subscription_info": SUBSCRIPTION, "security_policy_id": "sp-1",
    "storage_backings": [{"type": "DATASTORE", "datastore_id": "datastore-1"}], "last_sync_time": "2026-01-01T00:00:00Z",
}
TIME = {"last_sync_time": "2026-01-02T00:00:00Z"}
LATER = {**INFO, **TIME}
ITEMS = ("POST", "/api/content/library/item?action=find", {"library_id": "lib-1", "name": "node"})
ITEM = ("GET", "/api/content/library/item/i-1", None)
NODE = {"id": "i-1", "name": "node", "type": "ovf", "security_compliance": True, "cached": False}
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
PIN = ":".join(["AB"] * 32)
SEEN = {**NODE, "verification": None}
ASKED = {"name": "images", "subscription_url": URL, "datastore": "ds", "security_policy": "OVF default policy", "items": ["node"]}
SYNC = ("POST", f"{BASE}/lib-1?action=sync", None, (204, None))
PATCH = ("PATCH", f"{BASE}/lib-1")
GONE = RayError("vCenter vc cannot be reached: reset.", code="CONNECTION")
BODY = {
    "name": "images", "type": "SUBSCRIBED", "storage_backings": [{"type": "DATASTORE", "datastore_id": "datastore-1"}],
    "subscription_info": SUBSCRIPTION, "security_policy_id": "sp-1",
}


def test_make_with_a_token_of_its_own() -> None:
    client, http = vcenter((*FIND, []), OTHER, STORE, POLICY, (*PROBE, {"status": "SUCCESS"}), ("POST", BASE, BODY, (201, "lib-1")), (*FIND, ["lib-1"]),
                           (*GET, INFO), (*ITEMS, ["i-1"]), (*ITEM, NODE))
    result = content_library.ensure(task_for(content_library, **ASKED), client)
    http.done()
    assert result["changed"] and result["content_library"]["library_items"] == [SEEN]
    assert [uuid.UUID(h["Client-Token"]).version for h in http.headers if "Client-Token" in h] == [4]


def test_a_lost_answer_is_asked_for_again_with_the_same_token() -> None:
    client, http = vcenter((*FIND, []), OTHER, STORE, POLICY, (*PROBE, {"status": "SUCCESS"}), ("POST", BASE, BODY, GONE), (*FIND, []),
                           ("POST", BASE, BODY, (201, "lib-1")), (*FIND, ["lib-1"]), (*GET, INFO), (*ITEMS, ["i-1"]), (*ITEM, NODE))
    assert content_library.ensure(task_for(content_library, **ASKED), client)["changed"]
    http.done()
    assert len({h["Client-Token"] for h in http.headers if "Client-Token" in h}) == 1


def test_a_library_that_was_made_although_the_answer_was_lost_is_not_made_twice() -> None:
    new = {k: v for k, v in INFO.items() if k != "last_sync_time"}
    result = run(content_library, (*FIND, []), OTHER, STORE, POLICY, (*PROBE, {"status": "SUCCESS"}), ("POST", BASE, BODY, GONE), (*FIND, ["lib-1"]),
                 (*GET, new), (*ITEMS, []), SYNC, (*GET, INFO), (*ITEMS, ["i-1"]), (*ITEM, NODE), **ASKED)
    assert result["changed"] and not result["content_library"]["missing_items"]


def test_unchanged_costs_two_requests_and_two_for_each_item_and_one_for_each_name() -> None:
    assert not run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), (*ITEMS, ["i-1"]), (*ITEM, NODE), STORE, POLICY, **ASKED)["changed"]
    assert not run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), name="images")["changed"]


def test_a_library_that_was_never_synchronised_is_finished() -> None:
    manual = {**SUBSCRIPTION, "automatic_sync_enabled": False}
    before = {**INFO, "subscription_info": manual, "last_sync_time": None}
    result = run(content_library, (*FIND, ["lib-1"]), (*GET, before), SYNC, (*GET, {**before, "last_sync_time": "2026-01-01T00:00:00Z"}),
                 name="images", automatic_sync=False)
    assert result["changed"] and result["diff"]["before"]["synchronized"] is False and result["diff"]["after"]["synchronized"] is True


def test_an_item_that_is_missing_is_fetched_by_a_synchronisation() -> None:
    result = run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), (*ITEMS, []), STORE, POLICY, SYNC,
                 (*GET, LATER), (*ITEMS, ["i-1"]), (*ITEM, NODE), **ASKED)
    assert result["changed"] and result["diff"]["before"]["missing_items"] == ["node"]


def test_at_once_means_with_files() -> None:
    eager = {**INFO, "subscription_info": {**SUBSCRIPTION, "on_demand": False}}
    result = run(content_library, (*FIND, ["lib-1"]), (*GET, eager), (*ITEMS, ["i-1"]), (*ITEM, NODE), SYNC,
                 (*GET, {**eager, **TIME}), (*ITEMS, ["i-1"]), (*ITEM, {**NODE, "cached": True}), name="images", items=["node"])
    assert result["changed"] and result["diff"]["before"]["missing_items"] == ["node"]


def test_sync_changes_each_time_and_waits_until_it_shows() -> None:
    for check_mode, more in ((True, ()), (False, (SYNC, (*GET, INFO), (*GET, LATER)))):
        result = run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), *more, check_mode=check_mode, name="images", sync=True, wait_timeout=5)
        assert result["changed"] and result["content_library"]["synchronized"]


def test_a_synchronisation_that_another_one_has_swallowed_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "READS", 2)
    waits = [(*GET, INFO)] * 2
    result = run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), SYNC, *waits, SYNC, (*GET, LATER), name="images", sync=True, wait_timeout=60)
    assert result["changed"]


def test_a_synchronisation_that_fails_says_what_may_have_changed() -> None:
    with pytest.raises(RayError, match="update_password: always"):
        run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), (*SYNC[:3], refusal(500, "RESOURCE_INACCESSIBLE", "Connection to VCSP server failed.")),
            name="images", sync=True)


def test_files_of_other_items_are_evicted() -> None:
    cached = ("POST", "/api/content/library/item?action=find", {"library_id": "lib-1", "cached": True})
    old = ("GET", "/api/content/library/item/i-2", None, {**NODE, "id": "i-2", "name": "old"})
    result = run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), (*ITEMS, ["i-1"]), (*ITEM, NODE), (*cached, ["i-1", "i-2"]), old,
                 ("POST", "/api/content/library/subscribed-item/i-2?action=evict", None, (204, None)),
                 (*GET, INFO), (*ITEMS, ["i-1"]), (*ITEM, NODE), (*cached, ["i-1"]), name="images", items=["node"], evict=True)
    assert result["changed"] and result["diff"]["before"]["stale_items"] == [{"id": "i-2", "name": "old"}]
    with pytest.raises(RayError, match="only where they are fetched on demand"):
        run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), (*cached, []), name="images", on_demand=False, evict=True)


@pytest.mark.parametrize(("status", "said", "hint"), [
    ("HOST_NOT_FOUND", "No such host.", "vCenter itself has to find publisher"),
    ("INVALID_URL", "", "whole address"),
    ("TIMED_OUT", "", "firewall"),
    ("RESOURCE_NOT_FOUND", "", "lib.json"),
    ("INVALID_CREDENTIALS", "", "library_password"),
    ("UNKNOWN_ERROR", "", "reach and trust publisher"),
])
def test_a_publisher_that_cannot_be_used_is_told_before_the_first_write(status: str, said: str, hint: str) -> None:
    with pytest.raises(RayError) as caught:
        run(content_library, (*FIND, []), OTHER, STORE, POLICY, (*PROBE, {"status": status, "error_messages": [{"default_message": said}]}), **ASKED)
    assert caught.value.code == status and said.rstrip(".") in caught.value.message and hint in caught.value.hint


def test_a_certificate_that_is_not_trusted_is_told_with_its_thumbprint() -> None:
    answer = {"status": "CERTIFICATE_ERROR", "ssl_thumbprint": "AA:BB", "error_messages": [{"default_message": "Unknown issuer."}]}
    for check_mode in (True, False):
        with pytest.raises(RayError) as caught:
            run(content_library, (*FIND, []), OTHER, STORE, POLICY, (*PROBE, answer), check_mode=check_mode, **ASKED)
        assert caught.value.code == "CERTIFICATE_ERROR" and "Unknown issuer (" in caught.value.message
        assert "AA:BB" in caught.value.hint and caught.value.details == {"ssl_thumbprint": "AA:BB"}


def test_a_thumbprint_that_vcenter_does_not_tell_is_not_compared_and_said_so() -> None:
    result = run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), name="images", ssl_thumbprint=PIN.lower())
    assert not result["changed"] and result["content_library"]["not_compared"] == ["ssl_thumbprint"]
    with pytest.raises(RayError, match="no thumbprint"):
        run(content_library, name="images", ssl_thumbprint="AB:CD")
    told = {**INFO, "subscription_info": {**SUBSCRIPTION, "ssl_thumbprint": PIN}}
    result = run(content_library, (*FIND, ["lib-1"]), (*GET, told), name="images", ssl_thumbprint="ab" * 32)
    assert not result["changed"] and result["content_library"]["not_compared"] == []


def test_a_thumbprint_is_sent_again_on_demand() -> None:
    info = {**SUBSCRIPTION, "ssl_thumbprint": PIN}
    result = run(content_library, (*FIND, ["lib-1"]), (*GET, INFO),
                 ("POST", f"{BASE}?action=probe", {"subscription_info": info}, {"status": "SUCCESS"}),
                 (*PATCH, {"subscription_info": info}, (204, None)), (*GET, INFO),
                 name="images", ssl_thumbprint=PIN.lower(), update_password="always")
    assert result["changed"] and result["content_library"]["password_updated"]


def test_a_certificate_needs_a_release_that_takes_it() -> None:
    about = '<namespaces><namespace><name>urn:vim25</name><version>8.0.3.0</version></namespace></namespaces>'
    version = ("GET", "/sdk/vimServiceVersions.xml", None, about)
    with pytest.raises(RayError, match="The option ssl_certificate of a content library needs vCenter 9.0; vc is 8.0.3"):
        run(content_library, (*FIND, []), OTHER, version, **ASKED, ssl_certificate=PEM)
    with pytest.raises(RayError, match="not one certificate in PEM"):
        run(content_library, **ASKED, ssl_certificate="/etc/ssl/ca.pem")


def test_a_certificate_stands_for_a_thumbprint() -> None:
    info = {**SUBSCRIPTION, "ssl_certificate": PEM}
    version = ("GET", "/sdk/vimServiceVersions.xml", None, "<n><name>urn:vim25</name><version>9.0.0.0</version></n>")
    result = run(content_library, (*FIND, []), OTHER, version, STORE, POLICY,
                 ("POST", f"{BASE}?action=probe", {"subscription_info": info}, {"status": "SUCCESS"}),
                 ("POST", BASE, {**BODY, "subscription_info": info}, (201, "lib-1")), (*FIND, ["lib-1"]), (*GET, INFO), (*ITEMS, ["i-1"]), (*ITEM, NODE),
                 **ASKED, ssl_certificate=f"{PEM}\n")
    assert result["content_library"]["not_compared"] == ["ssl_certificate"] and result["content_library"]["password_updated"]


def test_another_option_replaces_the_whole_subscription() -> None:
    changed = {**SUBSCRIPTION, "on_demand": False}
    result = run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), (*PATCH, {"subscription_info": changed}, (204, None)),
                 SYNC, (*GET, {**LATER, "subscription_info": changed}), name="images", on_demand=False)
    assert result["changed"] and result["content_library"]["on_demand"] is False


def test_what_is_left_unset_stays_as_it_is() -> None:
    eager = {**INFO, "description": "mine", "subscription_info": {**SUBSCRIPTION, "on_demand": False, "automatic_sync_enabled": False}}
    assert not run(content_library, (*FIND, ["lib-1"]), (*GET, eager), name="images")["changed"]


def test_the_security_policy_is_taken_away() -> None:
    without = {k: v for k, v in INFO.items() if k != "security_policy_id"}
    result = run(content_library, (*FIND, ["lib-1"]), (*GET, INFO),
                 (*PATCH, {"unset_security_policy_id": True}, (204, None)), SYNC, (*GET, {**without, **TIME}),
                 name="images", security_policy="")
    assert result["changed"] and result["content_library"]["security_policy"] == ""
    assert not run(content_library, (*FIND, ["lib-1"]), (*GET, without), name="images", security_policy="")["changed"]


@pytest.mark.parametrize(("status", "why"), [("UNTRUSTED", "certificate that vCenter does not trust"), ("NOT_AVAILABLE", "not signed"),
                                             ("VERIFICATION_FAILURE", "changed after it was signed")])
def test_an_item_that_fails_the_policy_fails_the_wait(status: str, why: str) -> None:
    bad = {**NODE, "security_compliance": False, "certificate_verification_info": {"status": status}}
    with pytest.raises(RayError, match=r"Verification Failed.* node: .*" + why):
        run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), (*ITEMS, ["i-1"]), (*ITEM, bad), STORE, POLICY, **ASKED)


def test_two_of_one_name_are_refused_and_one_is_chosen_by_its_id() -> None:
    with pytest.raises(RayError, match="lib-1, lib-2"):
        run(content_library, *[(*FIND, ["lib-2", "lib-1"])] * 4, name="images", state="absent")
    one = "5A1B0000-0000-4000-8000-000000000001"
    result = run(content_library, ("GET", f"{BASE}/{one}", None, {**INFO, "id": one}), name=one)
    assert not result["changed"] and result["content_library"]["id"] == one.lower()
    with pytest.raises(RayError, match="has the id"):
        run(content_library, ("GET", f"{BASE}/{one}", None, MISSING), name=one, subscription_url=URL, datastore="ds")


def test_of_two_that_are_made_at_the_same_moment_the_later_goes() -> None:
    def made(library: str, when: str) -> tuple:
        return "GET", f"/api/content/library/{library}", None, {**INFO, "id": library, "creation_time": when}

    both = (*FIND, ["lib-2", "lib-1"]), made("lib-2", "2026-01-01T00:00:02Z"), made("lib-1", "2026-01-01T00:00:01Z")
    start = (*FIND, []), OTHER, STORE, POLICY, (*PROBE, {"status": "SUCCESS"})
    end = (*GET, INFO), (*ITEMS, ["i-1"]), (*ITEM, NODE)
    late = run(content_library, *start, ("POST", BASE, BODY, (201, "lib-2")), *both, ("DELETE", f"{BASE}/lib-2", None, (204, None)), *end, **ASKED)
    early = run(content_library, *start, ("POST", BASE, BODY, (201, "lib-1")), *both, *end, **ASKED)
    assert late["content_library"]["id"] == early["content_library"]["id"] == "lib-1"


def test_a_library_that_is_about_to_be_taken_back_is_waited_for() -> None:
    assert not run(content_library, (*FIND, ["lib-2", "lib-1"]), (*FIND, ["lib-1"]), (*GET, INFO), name="images")["changed"]


def test_another_datastore_is_refused() -> None:
    other = {**INFO, "storage_backings": [{"datastore_id": "datastore-2"}]}
    with pytest.raises(RayError, match="datastore is 'datastore-2', asked for 'datastore-1'"):
        run(content_library, (*FIND, ["lib-1"]), (*GET, other), STORE, name="images", datastore="ds")


def test_another_type_is_refused() -> None:
    with pytest.raises(RayError, match="lib-7.* is a local one"):
        run(content_library, (*FIND, []), (*OTHER[:3], ["lib-7"]), **ASKED)


def test_an_option_of_the_other_type_is_refused() -> None:
    with pytest.raises(RayError, match="no published"):
        run(content_library, (*FIND, []), **ASKED, published=True)


USAGES = ("GET", "/api/content/library/lib-1/usages", None)
DELETE = ("DELETE", f"{BASE}/lib-1", None)


@pytest.mark.parametrize("usages", [MISSING, {"library_usage_list": []}], ids=["before 9.1", "9.1"])
def test_remove(usages: t.Any) -> None:
    result = run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), (*USAGES, usages), (*DELETE, (204, None)), (*GET, (404, None)),
                 name="images", state="absent")
    assert result["changed"] and result["content_library"] is None


def test_a_library_in_use_says_who_uses_it_before_it_is_touched() -> None:
    usage = {"usage": "u-1", "resource_urn": "urn:vmomi:namespace:ray", "addition_time": "2026-01-01T00:00:00Z"}
    script = ((*FIND, ["lib-1"]), (*GET, INFO), (*USAGES, {"library_usage_list": [usage]}))
    with pytest.raises(RayError, match="cannot be removed: it is used by namespace ray. Detach"):
        run(content_library, *script, name="images", state="absent")
    assert "namespace ray" in run(content_library, *script, check_mode=True, name="images", state="absent")["unknown"][0]


def test_a_library_that_came_into_use_meanwhile_is_left() -> None:
    with pytest.raises(RayError, match="Detach it there first"):
        run(content_library, (*FIND, ["lib-1"]), (*GET, INFO), (*USAGES, MISSING), (*DELETE, refusal(400, "NOT_ALLOWED_IN_CURRENT_STATE", "In use.")),
            name="images", state="absent")
