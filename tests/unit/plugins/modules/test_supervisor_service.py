# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""supervisor_service: vCenter says what the package is; registration and removal in the order that it wants."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import supervisor_service, supervisor_service_info
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, refusal, run

BASE = "/api/vcenter/namespace-management/supervisor-services"
SVC = f"{BASE}/ray.example.com"
TEXT = "kind: Package\n"
B64 = base64.b64encode(TEXT.encode()).decode()
CHECK = ("POST", f"{BASE}?action=checkContent", {"spec": {"content": B64}})
VALID = {"status": "VALID", "content_type": "CARVEL_APPS_YAML", "carvel_apps_check_result": {"supervisor_service": "ray.example.com", "version": "1.0"}}
GET, VERSIONS, VERSION = ("GET", SVC, None), ("GET", f"{SVC}/versions", None), ("GET", f"{SVC}/versions/1.0", None)
CREATE = ("POST", BASE, {"carvel_spec": {"version_spec": {"content": B64}}})
DONE = 204, None
SUPERVISORS = ("GET", "/api/vcenter/namespace-management/supervisors/summaries", None)
INSTALLS = ("GET", "/api/vcenter/namespace-management/supervisors/sv-id/supervisor-services", None)
ONE = {"items": [{"supervisor": "sv-id", "info": {"name": "sv"}}]}


def service(state: str = "ACTIVATED", **versions: str) -> list[tuple]:
    rows = [{"version": v.strip("v").replace("_", "."), "state": s, "display_name": "Ray"} for v, s in versions.items()]
    return [(*GET, {"display_name": "Ray", "state": state, "description": ""}), (*VERSIONS, rows)]


THERE = service(v1_0="ACTIVATED")


def test_register() -> None:
    result = run(supervisor_service, (*CHECK, VALID), (*GET, MISSING), (*CREATE, (201, None)), *THERE, content=TEXT)
    assert result["changed"] and result["version"] == "1.0"
    assert result["supervisor_service"]["versions"] == [{"version": "1.0", "state": "ACTIVATED"}]


def test_unchanged() -> None:
    result = run(supervisor_service, (*CHECK, VALID), *THERE, (*VERSION, {"content": B64}), content=TEXT)
    assert not result["changed"]


def test_the_same_version_with_other_content_is_refused() -> None:
    with pytest.raises(RayError) as caught:
        run(supervisor_service, (*CHECK, VALID), *THERE, (*VERSION, {"content": base64.b64encode(b"other").decode()}), content=TEXT)
    assert "new version" in caught.value.hint


def test_a_version_more() -> None:
    create = ("POST", f"{SVC}/versions", {"carvel_spec": {"content": B64}}, (201, None))
    result = run(supervisor_service, (*CHECK, VALID), *service(v0_9="ACTIVATED"), create, *service(v0_9="ACTIVATED", v1_0="ACTIVATED"), content=TEXT)
    assert result["changed"]


def test_what_is_deactivated_is_activated() -> None:
    activate = ("PATCH", f"{SVC}?action=activate", None, DONE)
    assert run(
        supervisor_service, (*CHECK, VALID), *service("DEACTIVATED", v1_0="DEACTIVATED"), (*VERSION, {"content": B64}), activate, *THERE, content=TEXT
    )["changed"]


def test_an_invalid_package_is_told_in_vcenters_words() -> None:
    with pytest.raises(RayError, match="No refName."):
        run(supervisor_service, (*CHECK, {"status": "INVALID", "error_messages": [{"default_message": "No refName."}]}), content=TEXT)


def test_the_allow_list_has_a_hint() -> None:
    text = "Creation of Supervisor Service with ID ray.example.com is not allowed. Only service IDs defined in the allow-list file x.txt are allowed."
    with pytest.raises(RayError) as caught:
        run(supervisor_service, (*CHECK, VALID), (*GET, MISSING), (*CREATE, refusal(400, "INVALID_ARGUMENT", text)), content=TEXT)
    assert "add ray.example.com to the allow-list file" in caught.value.hint


def test_check_mode_only_checks() -> None:
    result = run(supervisor_service, (*CHECK, VALID), (*GET, MISSING), content=TEXT, check_mode=True)
    assert result["changed"] and result["supervisor_service"]["supervisor_service"] == "ray.example.com"


def test_remove_in_order() -> None:
    result = run(
        supervisor_service,
        *service(v1_0="ACTIVATED", v1_1="ACTIVATED"),
        (*SUPERVISORS, ONE),
        (*INSTALLS, {"supervisor_services": []}),
        ("PATCH", f"{SVC}?action=deactivate", None, DONE),
        ("DELETE", f"{SVC}/versions/1.0", None, DONE),
        ("DELETE", f"{SVC}/versions/1.1", None, DONE),
        ("DELETE", SVC, None, DONE),
        (*GET, MISSING),
        service="ray.example.com",
        state="absent",
    )
    assert result["changed"] and result["supervisor_service"] is None


def test_remove_one_version() -> None:
    result = run(
        supervisor_service,
        *service(v1_0="ACTIVATED", v1_1="ACTIVATED"),
        (*SUPERVISORS, {"items": []}),
        ("PATCH", f"{SVC}/versions/1.0?action=deactivate", None, DONE),
        ("DELETE", f"{SVC}/versions/1.0", None, DONE),
        *service(v1_1="ACTIVATED"),
        service="ray.example.com",
        version="1.0",
        state="absent",
    )
    assert result["changed"]


def test_an_installed_service_is_not_touched() -> None:
    installed = {"supervisor_services": [{"supervisor_service": "ray.example.com", "current_version": "1.0"}]}
    with pytest.raises(RayError, match=r"installed on Supervisor sv \(version 1.0\)"):
        run(supervisor_service, *THERE, (*SUPERVISORS, ONE), (*INSTALLS, installed), service="ray.example.com", state="absent")


def test_info() -> None:
    found = run(supervisor_service_info, ("GET", BASE, None, [{"supervisor_service": "ray.example.com"}]), *THERE)["supervisor_services"]
    assert found[0]["versions"] == [{"version": "1.0", "state": "ACTIVATED"}]
    assert run(supervisor_service_info, (*GET, MISSING), service="ray.example.com")["supervisor_services"] == []
