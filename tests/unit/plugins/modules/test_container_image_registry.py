# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""container_image_registry: every request it makes, and that the password goes only where it is wanted."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import container_image_registry
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, run

BASE = "/api/vcenter/namespace-management/supervisors"
SUPERVISORS = ("GET", f"{BASE}/summaries", None, {"items": [{"supervisor": "sv-id", "info": {"name": "sv"}}]})
LIST = ("GET", f"{BASE}/sv-id/container-image-registries", None)
POST = ("POST", f"{BASE}/sv-id/container-image-registries")
PATCH = ("PATCH", f"{BASE}/sv-id/container-image-registries/r-1")
PEM = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----"
NAMED = {"supervisor": "sv", "name": "site"}
ASKED = {**NAMED, "registry_hostname": "r.example.com", "registry_username": "robot", "registry_password": "s3cret", "certificate_authority": PEM + "\n",
         "default": True}


def listed(default: bool = True, **registry: object) -> list[dict]:
    return [{"id": "r-0", "name": "other", "image_registry": {"hostname": "x"}, "default_registry": False},
            {"id": "r-1", "name": "site", "default_registry": default,
             "image_registry": {"hostname": "r.example.com", "port": 443, "username": "robot", "certificate_chain": PEM, **registry}}]


SHOWN = {"supervisor": "sv-id", "name": "site", "id": "r-1", "registry_hostname": "r.example.com", "registry_port": 443, "registry_username": "robot",
         "certificate_authority": PEM, "default": True, "password_updated": False}


def test_make() -> None:
    body = {"name": "site", "default_registry": True, "image_registry": {
        "hostname": "r.example.com", "port": 443, "username": "robot", "password": "s3cret", "certificate_chain": PEM}}
    result = run(container_image_registry, SUPERVISORS, (*LIST, []), (*POST, body, (201, {"id": "r-1"})), (*LIST, listed()), **ASKED)
    assert result["changed"] and result["container_image_registry"] == {**SHOWN, "password_updated": True}
    foretold = run(container_image_registry, SUPERVISORS, (*LIST, []), check_mode=True, **ASKED)
    assert list(foretold["diff"]["after"]) == [key for key in SHOWN if key != "id"]
    assert {**foretold["diff"]["after"], "id": "r-1"} == result["diff"]["after"]
    assert "s3cret" not in str([result, foretold])


def test_the_least() -> None:
    body = {"name": "site", "default_registry": False, "image_registry": {"hostname": "r", "port": 443}}
    row = {"id": "r-1", "name": "site", "image_registry": {"hostname": "r", "port": 443}, "default_registry": False}
    made = run(container_image_registry, SUPERVISORS, (*LIST, []), (*POST, body, (201, {})), (*LIST, [row]), **NAMED, registry_hostname="r")
    foretold = run(container_image_registry, SUPERVISORS, (*LIST, []), check_mode=True, **NAMED, registry_hostname="r")
    assert {**foretold["diff"]["after"], "id": "r-1"} == made["diff"]["after"]
    assert not run(container_image_registry, SUPERVISORS, (*LIST, [row]), **NAMED, registry_hostname="r")["changed"]


def test_nothing_to_do_is_two_requests() -> None:
    windows = PEM.replace("\n", "\r\n") + "\r\n"
    for options in (ASKED, NAMED, {**ASKED, "certificate_authority": windows}):
        result = run(container_image_registry, SUPERVISORS, (*LIST, listed()), **options)
        assert not result["changed"] and result["container_image_registry"] == SHOWN


def test_only_what_differs_is_sent() -> None:
    patch = (*PATCH, {"default_registry": False}, (204, None))
    assert run(container_image_registry, SUPERVISORS, (*LIST, listed()), patch, (*LIST, listed(False)), **NAMED, default=False)["changed"]
    patch = (*PATCH, {"certificate_chain": PEM}, (204, None))
    other = listed(certificate_chain="-----BEGIN CERTIFICATE-----")
    assert run(container_image_registry, SUPERVISORS, (*LIST, other), patch, (*LIST, listed()), **ASKED)["changed"]


def test_a_password_goes_with_a_new_login_or_always() -> None:
    patch = (*PATCH, {"username": "robot", "password": "s3cret"}, (204, None))
    result = run(container_image_registry, SUPERVISORS, (*LIST, listed(username="old")), patch, (*LIST, listed()), **ASKED)
    assert result["container_image_registry"]["password_updated"]
    patch = (*PATCH, {"password": "s3cret"}, (204, None))
    always = run(container_image_registry, SUPERVISORS, (*LIST, listed()), patch, (*LIST, listed()), **ASKED, update_password="always")
    foretold = run(container_image_registry, SUPERVISORS, (*LIST, listed()), check_mode=True, **ASKED, update_password="always")
    assert always["changed"] and foretold["diff"] == always["diff"]


def test_remove() -> None:
    delete = ("DELETE", PATCH[1], None, (204, None))
    result = run(container_image_registry, SUPERVISORS, (*LIST, listed()), delete, (*LIST, []), **NAMED, state="absent")
    assert result["changed"] and result["container_image_registry"] is None
    assert not run(container_image_registry, SUPERVISORS, (*LIST, []), **NAMED, state="absent")["changed"]
    assert not run(container_image_registry, (*SUPERVISORS[:3], {"items": []}), **NAMED, state="absent")["changed"]


def test_an_older_vcenter_is_refused_and_has_none_to_remove() -> None:
    version = ("GET", "/sdk/vimServiceVersions.xml", None, "<name>urn:vim25</name><version>8.0.1.0</version>")
    with pytest.raises(RayError, match="registry of a Supervisor needs vCenter 8.0.3; vc is 8.0.1") as caught:
        run(container_image_registry, SUPERVISORS, (*LIST, MISSING), version, **ASKED)
    assert caught.value.code == "UNSUPPORTED"
    assert not run(container_image_registry, SUPERVISORS, (*LIST, MISSING), **NAMED, state="absent")["changed"]


def test_a_supervisor_that_is_not_there_yet() -> None:
    nothing = (*SUPERVISORS[:3], {"items": []})
    result = run(container_image_registry, nothing, nothing, nothing, check_mode=True, **ASKED)
    assert result["changed"] and "No Supervisor is called 'sv'" in result["unknown"][0] and "s3cret" not in str(result)


@pytest.mark.parametrize(("options", "sentence"), [
    ({}, "making one needs registry_hostname"),
    ({"registry_hostname": "r", "registry_username": "u"}, "registry_password is not given"),
    ({"registry_hostname": "r", "update_password": "always"}, "update_password is always"),
    ({"registry_hostname": "r", "registry_port": 70000}, "cannot be at port 70000"),
    ({"registry_hostname": "r", "certificate_authority": "/etc/ca.pem"}, "not PEM. Give the content"),
])
def test_mistakes_are_told_before_anything_is_written(options: dict, sentence: str) -> None:
    with pytest.raises(RayError) as caught:
        run(container_image_registry, SUPERVISORS, (*LIST, []), **NAMED, **options)
    assert sentence in str(caught.value) and caught.value.code == "INPUT"
