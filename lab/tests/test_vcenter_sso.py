# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token service and the administration of users, by SOAP."""

from __future__ import annotations

import base64
import gzip
import re

from sso_support import (
    DISCOVERY,
    GOOD_PASSWORD,
    MANAGEMENT,
    TRUST,
    administrator,
    assertion,
    cookies_over_plain_http,
    create,
    login,
    sso,
    token,
    user_id,
)
from vcenter_front import Front, with_front

from vcf_lab import lifecycle
from vcf_lab.vcenter.directory import check_policy


def test_a_wrong_password_is_the_fault_of_ws_trust() -> None:
    async def scenario(front: Front) -> None:
        status, text = await token(front, password="wrong")
        assert status == 500
        assert f'xmlns:ns0="{TRUST}"' in text and "ns0:FailedAuthentication" in text

    with_front(scenario)


def test_a_user_from_birth_to_removal() -> None:
    async def scenario(front: Front) -> None:
        await administrator(front)
        assert "<returnval>" not in (await sso(front, DISCOVERY, "FindPersonUser", user_id("ray-dev")))[1]
        assert (await sso(front, MANAGEMENT, "CreateLocalPersonUser", create("ray-dev")))[0] == 200
        _, text = await sso(front, DISCOVERY, "FindPersonUser", user_id("ray-dev"))
        assert "<name>ray-dev</name>" in text and "<description>a &lt;b&gt;</description>" in text
        assert (await token(front, "ray-dev@vsphere.local", GOOD_PASSWORD))[0] == 200
        reset = "<userName>ray-dev</userName><newPassword>An0ther-1!</newPassword>"
        assert (await sso(front, MANAGEMENT, "ResetLocalPersonUserPassword", reset))[0] == 200
        assert (await token(front, "ray-dev@vsphere.local", GOOD_PASSWORD))[0] == 500
        assert (await token(front, "ray-dev@vsphere.local", "An0ther-1!"))[0] == 200
        removal = "<principalName>ray-dev</principalName>"
        assert (await sso(front, MANAGEMENT, "DeleteLocalPrincipal", removal))[0] == 200
        status, text = await sso(front, MANAGEMENT, "DeleteLocalPrincipal", removal)
        assert status == 500 and "SsoFaultInvalidPrincipalFault" in text

    with_front(scenario)


def test_groups() -> None:
    async def scenario(front: Front) -> None:
        await administrator(front)
        await sso(front, MANAGEMENT, "CreateLocalPersonUser", create("ray-dev"))
        joining = user_id("ray-dev") + "<groupName>Administrators</groupName>"
        assert "true" in (await sso(front, MANAGEMENT, "AddUserToLocalGroup", joining))[1]
        assert "false" in (await sso(front, MANAGEMENT, "AddUserToLocalGroup", joining))[1]
        group = "<groupId><name>Administrators</name><domain>vsphere.local</domain></groupId>"
        assert "<name>Administrators</name>" in (await sso(front, DISCOVERY, "FindGroup", group))[1]
        leaving = joining.replace("userId", "principalId")
        assert "true" in (await sso(front, MANAGEMENT, "RemoveFromLocalGroup", leaving))[1]

    with_front(scenario)


def test_what_the_server_refuses() -> None:
    async def scenario(front: Front) -> None:
        _, text = await sso(front, DISCOVERY, "FindPersonUser", user_id("x"))
        assert "SsoFaultNotAuthenticatedFault" in text
        await administrator(front)
        _, text = await sso(front, MANAGEMENT, "CreateLocalPersonUser", create("weak", "short"))
        assert "PasswordPolicyViolation" in text and "at least 1 uppercase" in text
        _, text = await sso(front, MANAGEMENT, "CreateLocalPersonUser", create("Administrator"))
        assert "Another user or group already exists" in text
        await sso(front, MANAGEMENT, "CreateLocalPersonUser", create("plain"))
        _, issued = await token(front, "plain@vsphere.local", GOOD_PASSWORD)
        front.http.headers.pop("Cookie")
        await login(front, assertion(issued))
        cookies_over_plain_http(front)
        _, text = await sso(front, MANAGEMENT, "CreateLocalPersonUser", create("other"))
        assert "SsoFaultNoPermissionFault" in text

    with_front(scenario)


def test_an_assertion_that_was_changed_is_refused() -> None:
    async def scenario(front: Front) -> None:
        _, issued = await token(front)
        saml = assertion(issued)
        for forged in (saml.replace("Administrator@", "somebody@"), re.sub(r"<ds:Signature .*</ds:Signature>", "", saml)):
            status, text = await login(front, forged)
            assert status == 500 and "SsoFaultInvalidCredentialsFault" in text

    with_front(scenario)


def test_rest_session_by_assertion() -> None:
    async def scenario(front: Front) -> None:
        _, issued = await token(front)
        packed = base64.b64encode(gzip.compress(assertion(issued).encode())).decode()
        status, _ = await front.call("POST", "/api/session", headers={"Authorization": f'SIGN token="{packed}"'})
        assert status == 201

    with_front(scenario)


def test_the_labs_own_passwords_meet_the_policy() -> None:
    """Each of a thousand: one digit four times in a row would fail the users of a lab from time to time."""
    for _draw in range(1000):
        for suffix in ("-Dev1", "-View1"):
            check_policy(lifecycle._password() + suffix)
