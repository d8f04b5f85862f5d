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
