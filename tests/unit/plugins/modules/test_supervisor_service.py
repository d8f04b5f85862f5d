# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""supervisor_service: vCenter says what the package is; registration and removal in the order that it wants."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import supervisor_service, supervisor_service_info
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, refusal, run, task_for, vcenter

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


def release(number: str) -> tuple:
    """vCenter tells its release, which is asked for only before something is registered."""
    return "GET", "/sdk/vimServiceVersions.xml", None, f"<name>urn:vim25</name><version>{number}</version>"


NEW = release("8.0.1.0")


def service(state: str = "ACTIVATED", **versions: str) -> list[tuple]:
    rows = [{"version": v.strip("v").replace("_", "."), "state": s, "display_name": "Ray"} for v, s in versions.items()]
    return [(*GET, {"display_name": "Ray", "state": state, "description": ""}), (*VERSIONS, rows)]


THERE = service(v1_0="ACTIVATED")


def test_register() -> None:
    result = run(supervisor_service, (*CHECK, VALID), (*GET, MISSING), NEW, (*CREATE, (201, None)), *THERE, content=TEXT)
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
    result = run(supervisor_service, (*CHECK, VALID), *service(v0_9="ACTIVATED"), NEW, create, *service(v0_9="ACTIVATED", v1_0="ACTIVATED"), content=TEXT)
    assert result["changed"]
    checked = run(supervisor_service, (*CHECK, VALID), *service(v0_9="ACTIVATED"), NEW, content=TEXT, check_mode=True)
    assert checked["diff"] == result["diff"] and checked["supervisor_service"] == result["supervisor_service"]


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
        run(supervisor_service, (*CHECK, VALID), (*GET, MISSING), NEW, (*CREATE, refusal(400, "INVALID_ARGUMENT", text)), content=TEXT)
    assert "add ray.example.com to the allow-list file" in caught.value.hint


def test_the_allow_list_counts_the_packages_own_id_and_not_the_guides() -> None:
    text = ("Creation of Supervisor Service with ID ray-on-vcf.broadcom.com is not allowed. Only service IDs defined in the allow-list file "
            "/etc/vmware/wcp/supervisor-services-allow-list.txt are allowed.")
    valid = {**VALID, "carvel_apps_check_result": {"supervisor_service": "ray-on-vcf.broadcom.com", "version": "1.0"}}
    with pytest.raises(RayError) as caught:
        run(supervisor_service, (*CHECK, valid), ("GET", f"{BASE}/ray-on-vcf.broadcom.com", None, MISSING), NEW,
            (*CREATE, refusal(400, "INVALID_ARGUMENT", text)), content=TEXT)
    assert "add ray-on-vcf.broadcom.com to the allow-list file /etc/vmware/wcp/supervisor-services-allow-list.txt on vCenter" in caught.value.hint
    assert "The guide of Ray on VCF says ray-on-vcf.vmware.com" in caught.value.hint


def test_an_older_vcenter_is_refused_before_anything_is_written() -> None:
    asked = (*CHECK, refusal(404, "OPERATION_NOT_FOUND", "There is no such operation."))
    for script in [[(*CHECK, VALID), (*GET, MISSING), release("7.0.3.0")], [asked, release("7.0.3.0")],
                   [(*CHECK, {"status": "VALID", "content_type": "CUSTOM_YAML"}), release("7.0.3.0")]]:
        with pytest.raises(RayError, match="needs vCenter 8.0.1; vc is 7.0.3") as caught:
            run(supervisor_service, *script, content=TEXT)
        assert caught.value.code == "UNSUPPORTED"
    with pytest.raises(RayError, match="no such operation"):
        run(supervisor_service, asked, NEW, content=TEXT)


def test_an_account_without_a_right_hears_which_one_is_meant() -> None:
    denied = refusal(403, "UNAUTHORIZED", "Denied.")
    for script, privilege in [([(*CHECK, denied)], "System.Read"), ([(*CHECK, VALID), (*GET, denied)], "System.Read"),
                              ([(*CHECK, VALID), (*GET, MISSING), NEW, (*CREATE, denied)], "SupervisorServices.Manage")]:
        with pytest.raises(RayError) as caught:
            run(supervisor_service, *script, content=TEXT)
        assert f"the privilege {privilege} " in caught.value.hint


def test_another_kind_of_content_is_refused() -> None:
    with pytest.raises(RayError, match="package in the option content is of type CUSTOM_YAML, and only Carvel packages"):
        run(supervisor_service, (*CHECK, {"status": "VALID", "content_type": "CUSTOM_YAML"}), NEW, content=TEXT)


def test_what_vcenter_warns_of_is_passed_on_when_it_matters() -> None:
    answer = {**VALID, "status": "VALID_WITH_WARNINGS", "warning_messages": [{"default_message": "A Secret\n  is ignored"}]}
    new, old = [(*GET, MISSING), NEW, (*CREATE, (201, None)), *THERE], [*THERE, (*VERSION, {"content": B64})]
    for script, warnings in [(new, ["A Secret is ignored."]), (old, [])]:
        warned: list[str] = []
        client, http = vcenter((*CHECK, answer), *script)
        task = task_for(supervisor_service, content=TEXT)
        task.warn = warned.append
        supervisor_service.ensure(task, client)
        http.done()
        assert [words.removeprefix("vCenter says of the package: ") for words in warned] == warnings


def test_a_refusal_that_was_carried_out_all_the_same() -> None:
    result = run(supervisor_service, (*CHECK, VALID), (*GET, MISSING), NEW, (*CREATE, refusal(500, "ERROR", "Internal.")), *THERE, *THERE, content=TEXT)
    assert result["changed"]


def test_check_mode_only_checks() -> None:
    result = run(supervisor_service, (*CHECK, VALID), (*GET, MISSING), NEW, content=TEXT, check_mode=True)
    assert result["changed"] and result["supervisor_service"]["supervisor_service"] == "ray.example.com"
    assert result["supervisor_service"]["versions"] == [{"version": "1.0", "state": "ACTIVATED"}]


ASKED = {"service": "ray.example.com"}


def switched(path: str, action: str) -> tuple:
    return "PATCH", f"{path}?action={action}", None, DONE


def test_a_version_is_deactivated() -> None:
    before, after = service(v0_9="ACTIVATED", v1_0="ACTIVATED"), service(v0_9="DEACTIVATED", v1_0="ACTIVATED")
    off = {**ASKED, "version": "0.9", "active": False}
    result = run(supervisor_service, *before, switched(f"{SVC}/versions/0.9", "deactivate"), *after, **off)
    assert result["changed"] and result["supervisor_service"]["version_state"] == "DEACTIVATED"
    assert run(supervisor_service, *before, check_mode=True, **off)["diff"] == result["diff"]
    assert not run(supervisor_service, *after, **off)["changed"]


def test_a_service_is_deactivated_and_activated_with_all_its_versions() -> None:
    on, off = service(v0_9="DEACTIVATED", v1_0="ACTIVATED"), service("DEACTIVATED", v0_9="DEACTIVATED", v1_0="DEACTIVATED")
    result = run(supervisor_service, *on, switched(SVC, "deactivate"), *off, **ASKED, active=False)
    assert result["changed"] and run(supervisor_service, *on, check_mode=True, **ASKED, active=False)["diff"] == result["diff"]
    result = run(supervisor_service, *off, switched(SVC, "activate"), *service(v0_9="ACTIVATED", v1_0="ACTIVATED"), **ASKED)
    assert result["changed"] and run(supervisor_service, *off, check_mode=True, **ASKED)["diff"] == result["diff"]
    # That one of its versions is off is nobody's wish here.
    assert not run(supervisor_service, *on, **ASKED)["changed"]


def test_the_last_active_version_stays() -> None:
    with pytest.raises(RayError, match="Version 1.0 is the last active one") as caught:
        run(supervisor_service, *service(v0_9="DEACTIVATED", v1_0="ACTIVATED"), **ASKED, version="1.0", active=False)
    assert "deactivate the service" in caught.value.hint


def test_what_another_client_has_switched_meanwhile_is_fine() -> None:
    refused = ("PATCH", f"{SVC}?action=deactivate", None, refusal(400, "NOT_ALLOWED_IN_CURRENT_STATE", "Already so."))
    off = service("DEACTIVATED", v1_0="DEACTIVATED")
    assert run(supervisor_service, *THERE, refused, off[0], *off, **ASKED, active=False)["changed"]
    with pytest.raises(RayError, match="Already so"):
        run(supervisor_service, *THERE, refused, THERE[0], **ASKED, active=False)


def test_a_version_is_not_registered_deactivated() -> None:
    for script, words in [([(*GET, MISSING)], "is not registered yet"), (service("DEACTIVATED", v0_9="DEACTIVATED"), "takes no version")]:
        with pytest.raises(RayError, match=words):
            run(supervisor_service, (*CHECK, VALID), *script, NEW, content=TEXT, active=False)
    create = ("POST", f"{SVC}/versions", {"carvel_spec": {"content": B64}}, (201, None))
    result = run(supervisor_service, (*CHECK, VALID), *service(v0_9="ACTIVATED"), NEW, create, switched(f"{SVC}/versions/1.0", "deactivate"),
                 *service(v0_9="ACTIVATED", v1_0="DEACTIVATED"), content=TEXT, active=False)
    assert result["supervisor_service"]["version_state"] == "DEACTIVATED"


def test_a_service_or_version_that_is_not_registered_cannot_be_switched() -> None:
    there = ("GET", BASE, None, [{"supervisor_service": "ray.example.org"}])
    for more in ({}, {"version": "1.0"}):
        with pytest.raises(RayError, match="There is: ray.example.org"):
            run(supervisor_service, (*GET, MISSING), there, **ASKED, **more)
    with pytest.raises(RayError, match="No version of ray.example.com is called '1.1'. There is: 1.0"):
        run(supervisor_service, *THERE, **ASKED, version="1.1")
    result = run(supervisor_service, *THERE, **ASKED, version="1.1", check_mode=True)
    assert result["changed"] and result["unknown"]


@pytest.mark.parametrize("option", [{"service": "other"}, {"version": "2.0"}])
def test_a_package_that_is_of_another_service_or_version_is_refused(option: dict) -> None:
    with pytest.raises(RayError, match="The package in the option content is of the"):
        run(supervisor_service, (*CHECK, VALID), content=TEXT, **option)


def test_a_package_with_another_checksum_is_not_shown_to_vcenter() -> None:
    with pytest.raises(RayError, match="nothing was sent to vCenter"):
        run(supervisor_service, content=TEXT, checksum="sha256:" + "0" * 64)


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


def test_a_version_that_is_not_there_is_removed_already() -> None:
    assert not run(supervisor_service, *THERE, **ASKED, version="0.9", state="absent")["changed"]
    assert not run(supervisor_service, (*CHECK, VALID), *service(v0_9="ACTIVATED"), content=TEXT, version="1.0", state="absent")["changed"]


def test_the_last_version_goes_only_with_its_service() -> None:
    with pytest.raises(RayError, match="Version 1.0 is the only one"):
        run(supervisor_service, *THERE, **ASKED, version="1.0", state="absent")
    with pytest.raises(RayError, match="Version 1.0 is the last active one"):
        run(supervisor_service, *service(v0_9="DEACTIVATED", v1_0="ACTIVATED"), **ASKED, version="1.0", state="absent")


def test_a_removal_that_was_cut_is_brought_to_its_end() -> None:
    result = run(supervisor_service, *service("DEACTIVATED"), (*SUPERVISORS, {"items": []}), ("DELETE", SVC, None, DONE), (*GET, MISSING), **ASKED,
                 state="absent")
    assert result["changed"]


def test_a_version_in_use_by_an_upgrade_is_not_touched() -> None:
    upgrading = {"supervisor_services": [{"supervisor_service": "ray.example.com", "current_version": "0.9", "desired_version": "1.0"}]}
    with pytest.raises(RayError, match=r"installed on Supervisor sv \(version 0.9\)"):
        run(supervisor_service, *service(v0_9="ACTIVATED", v1_0="ACTIVATED"), (*SUPERVISORS, ONE), (*INSTALLS, upgrading), **ASKED, version="1.0",
            state="absent")


def test_an_installed_service_is_not_touched() -> None:
    installed = {"supervisor_services": [{"supervisor_service": "ray.example.com", "current_version": "1.0"}]}
    with pytest.raises(RayError, match=r"installed on Supervisor sv \(version 1.0\)"):
        run(supervisor_service, *THERE, (*SUPERVISORS, ONE), (*INSTALLS, installed), **ASKED, state="absent")
    result = run(supervisor_service, *THERE, (*SUPERVISORS, ONE), (*INSTALLS, installed), **ASKED, state="absent", check_mode=True)
    assert result["changed"] and "installed on Supervisor sv" in result["unknown"][0]


def test_info() -> None:
    found = run(supervisor_service_info, ("GET", BASE, None, [{"supervisor_service": "ray.example.com"}]), *THERE)["supervisor_services"]
    assert found[0]["versions"] == [{"version": "1.0", "state": "ACTIVATED"}]
    assert run(supervisor_service_info, (*GET, MISSING), service="ray.example.com")["supervisor_services"] == []


def test_info_in_detail() -> None:
    version = {"display_name": "Ray 1", "content_type": "CARVEL_APPS_YAML", "trust_verified": False, "content": B64, "state": "ACTIVATED"}
    state = {"current_version": "1.0", "desired_version": "1.0", "config_status": "CONFIGURED"}
    rows = {"supervisor_services": [{"supervisor_service": "ray.example.com", **state}, {"supervisor_service": "other"}]}
    found = run(supervisor_service_info, *THERE, (*SUPERVISORS, ONE), (*INSTALLS, rows), (*VERSION, version), service="ray.example.com", details=True)
    assert found["supervisor_services"][0]["versions"] == [{"version": "1.0", "state": "ACTIVATED", "display_name": "Ray 1", "description": "",
                                                            "content_type": "CARVEL_APPS_YAML", "trust_verified": False}]
    assert found["supervisor_services"][0]["installed_on"] == [{"supervisor": "sv-id", "name": "sv", "version": "1.0", "config_status": "CONFIGURED"}]
    # Nothing to describe: no Supervisor is asked.
    assert run(supervisor_service_info, (*GET, MISSING), service="ray.example.com", details=True)["supervisor_services"] == []


def test_info_without_a_right() -> None:
    with pytest.raises(RayError) as caught:
        run(supervisor_service_info, (*GET, refusal(403, "UNAUTHORIZED", "Denied.")), service="ray.example.com")
    assert "the privilege System.Read " in caught.value.hint
