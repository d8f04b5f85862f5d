# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sso_user: what is called, in order, and that no password is ever told."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import sso_user
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import task_for
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

MANAGE = "principalManagementService"
FIND = ("call", ("FindPersonUser", "principalDiscoveryService", {"userId": {"name": "ray-dev", "domain": "vsphere.local"}}))
USER = {"id": {"name": "ray-dev"}, "details": {"description": "dev", "firstName": "Ray"}, "disabled": "false", "locked": "true"}


def run(*script: tuple, check_mode: bool = False, **options: object) -> dict:
    client = Scripted(list(script))
    try:
        return sso_user.ensure(task_for(sso_user, check_mode, name="ray-dev", **options), client)
    finally:
        client.done()


def call(method: str, **params: object) -> tuple:
    return "call", (method, MANAGE, params), None


def test_make() -> None:
    create = call("CreateLocalPersonUser", userName="ray-dev", userDetails={"description": "dev"}, password="S3cret!")
    result = run((*FIND, None), create, (*FIND, USER), user_password="S3cret!", description="dev")
    assert result["changed"] and "S3cret!" not in str(result)
    assert result["sso_user"]["locked"] is True and result["sso_user"]["password_updated"] is True


def test_unchanged_also_with_a_password() -> None:
    assert not run((*FIND, USER), user_password="S3cret!", description="dev")["changed"]


def test_details_go_as_a_whole() -> None:
    details = {"description": "new", "emailAddress": "", "firstName": "Ray", "lastName": ""}
    changed = {**USER, "details": {"description": "new", "firstName": "Ray"}}
    assert run((*FIND, USER), call("UpdateLocalPersonUserDetails", userName="ray-dev", userDetails=details), (*FIND, changed), description="new")["changed"]


def test_a_password_is_set_each_time_when_asked() -> None:
    reset = call("ResetLocalPersonUserPassword", userName="ray-dev", newPassword="S3cret!")
    result = run((*FIND, USER), reset, (*FIND, USER), user_password="S3cret!", update_password="always")
    assert result["changed"] and "S3cret!" not in str(result)


def test_check_mode_tells_no_password() -> None:
    result = run((*FIND, None), user_password="S3cret!", check_mode=True)
    assert result["changed"] and "S3cret!" not in str(result)


def test_a_new_user_needs_a_password() -> None:
    with pytest.raises(RayError, match="user_password is not given"):
        run((*FIND, None))


def test_a_fault_for_a_principal_that_is_not_there_means_absent() -> None:
    fault = RayError("x", code="SsoFaultInvalidPrincipalFault")
    assert not run((*FIND, fault), state="absent")["changed"]
    with pytest.raises(RayError):
        run((*FIND, RayError("x", code="SsoFaultNotAuthenticated")), state="absent")


def test_remove() -> None:
    assert run((*FIND, USER), call("DeleteLocalPrincipal", principalName="ray-dev"), (*FIND, None), state="absent")["changed"]


def test_check_mode_shows_the_user_that_the_real_run_makes() -> None:
    made = {"id": {"name": "ray-dev"}, "details": {"description": "dev"}, "disabled": "false", "locked": "false"}
    create = call("CreateLocalPersonUser", userName="ray-dev", userDetails={"description": "dev"}, password="S3cret!")
    asked = {"user_password": "S3cret!", "description": "dev"}
    assert run((*FIND, None), check_mode=True, **asked)["diff"] == run((*FIND, None), create, (*FIND, made), **asked)["diff"]


def test_an_account_is_switched_off_and_unlocked_by_calls_of_their_own() -> None:
    who = {"name": "ray-dev", "domain": "vsphere.local"}
    off = {**USER, "disabled": "true", "locked": "false"}
    result = run((*FIND, USER), call("DisableUserAccount", userId=who), call("UnlockUserAccount", userId=who), (*FIND, off), disabled=True, unlock=True)
    assert result["changed"] and result["sso_user"]["disabled"] and not result["sso_user"]["locked"]
    assert not run((*FIND, off), disabled=True, unlock=True)["changed"]
    assert run((*FIND, off), call("EnableUserAccount", userId=who), (*FIND, USER), disabled=False)["changed"]


def test_a_user_may_be_born_disabled() -> None:
    create = call("CreateLocalPersonUser", userName="ray-dev", userDetails={}, password="S3cret!")
    off = call("DisableUserAccount", userId={"name": "ray-dev", "domain": "vsphere.local"})
    assert run((*FIND, None), create, off, (*FIND, {**USER, "disabled": "true"}), user_password="S3cret!", disabled=True)["changed"]


def test_a_weak_password_is_refused_in_the_words_of_the_server() -> None:
    create = call("CreateLocalPersonUser", userName="ray-dev", userDetails={}, password="weak")[:2]
    refusal = RayError("vCenter refused CreateLocalPersonUser: Password must have 8 characters (X).", code="X",
                       details={"vendor": "Password must have 8 characters"})
    with pytest.raises(RayError, match="user ray-dev: .*must have 8 characters.*follows the password policy"):
        run((*FIND, None), (*create, refusal), user_password="weak")


def test_the_account_of_the_task_is_left_alone() -> None:
    with pytest.raises(RayError, match="cannot be removed by a task that is logged in as this user"):
        run_as("ray-dev@VSPHERE.LOCAL", (*FIND, USER), state="absent")
    with pytest.raises(RayError, match="cannot be disabled"):
        run_as("vsphere.local\\Ray-Dev", (*FIND, USER), disabled=True)


def test_a_name_has_no_domain_in_it() -> None:
    with pytest.raises(RayError, match="holds a domain"):
        sso_user.ensure(task_for(sso_user, name="ray-dev@vsphere.local"), Scripted([]))


def run_as(login: str, *script: tuple, **options: object) -> dict:
    task = task_for(sso_user, name="ray-dev", **options)
    task.params["username"] = login
    return sso_user.ensure(task, Scripted(list(script)))


def test_a_user_that_another_client_has_made_or_removed_meanwhile_is_settled() -> None:
    create = call("CreateLocalPersonUser", userName="ray-dev", userDetails={}, password="S3cret!")[:2]
    exists = RayError("x", code="SsoFaultX", details={"vendor": "Another user or group already exists with the same name"})
    gone = RayError("x", code="SsoFaultInvalidPrincipalFault")
    result = run((*FIND, None), (*create, exists), (*FIND, USER), (*FIND, USER), user_password="S3cret!")
    assert result["changed"] and result["sso_user"]["description"] == "dev" and not result["sso_user"]["password_updated"]
    lost = run((*FIND, None), (*create, RayError("x", code="CONNECTION")), (*FIND, USER), (*FIND, USER), user_password="S3cret!")
    assert lost["changed"] and lost["sso_user"]["password_updated"]
    delete = call("DeleteLocalPrincipal", principalName="ray-dev")[:2]
    assert run((*FIND, USER), (*delete, gone), (*FIND, None), (*FIND, None), state="absent")["changed"]
