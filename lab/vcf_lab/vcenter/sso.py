# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SSO administration service: SOAP of namespace urn:sso.

A session is a cookie that Login sets for a valid assertion. Names of the faults for a duplicate
user and for a weak password are inferred; no public source describes them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from aiohttp import web

from . import sso_wire
from .directory import DOMAIN, PASSWORD_POLICY, Directory
from .security import InvalidToken, verify_assertion
from .soap import Call, SoapFault, element, envelope, read
from .sso_discovery import DISCOVERY
from .sso_domains import DOMAINS
from .sso_principals import MANAGEMENT

COOKIE = "JSESSIONID"
SERVICES = {
    "sessionManager": ("SsoSessionManager", "ssoSessionManager"),
    "principalDiscoveryService": ("SsoAdminPrincipalDiscoveryService", "principalDiscoveryService"),
    "principalManagementService": ("SsoAdminPrincipalManagementService", "principalManagementService"),
    "passwordPolicyService": ("SsoAdminPasswordPolicyService", "passwordPolicyService"),
    "roleManagementService": ("SsoAdminRoleManagementService", "roleManagementService"),
    "lockoutPolicyService": ("SsoAdminLockoutPolicyService", "lockoutPolicyService"),
    "domainManagementService": ("SsoAdminDomainManagementService", "domainManagementService"),
}

routes = web.RouteTableDef()


@routes.post("/sso-adminserver/sdk")
@routes.post("/sso-adminserver/sdk/{domain}")
async def administer(request: web.Request) -> web.Response:
    """All operations of the service come here."""
    try:
        call = await read(request)
        request["operation"] = call.operation
        if request.match_info.get("domain", DOMAIN).lower() != DOMAIN:
            raise SoapFault("Unknown tenant", "SsoFaultInvalidPrincipalFault")
        if call.operation == "SsoAdminServiceInstance":
            return _answer(call, _service_content())
        if call.operation == "Login":
            return _login(request, call)
        return _answer(call, _dispatch(request, call))
    except SoapFault as fault:
        return fault.response()


def _answer(call: Call, returned: str) -> web.Response:
    return envelope(f'<{call.operation}Response xmlns="urn:sso">{returned}</{call.operation}Response>')


def _service_content() -> str:
    references = "".join(
        f'<{name} type="{kind}">{value}</{name}>' for name, (kind, value) in SERVICES.items()
    )
    about = "<aboutInfo><version>1.5</version><build>0</build></aboutInfo>"
    return f"<returnval>{about}{references}</returnval>"


def _login(request: web.Request, call: Call) -> web.Response:
    try:
        claims = verify_assertion(request.app["sts_key"], call.text)
    except InvalidToken as error:
        raise SoapFault(f"Invalid credentials: {error}", "SsoFaultInvalidCredentialsFault") from error
    token = secrets.token_hex(16)
    request.app["sso_sessions"][token] = claims.user
    answer = _answer(call, "")
    answer.set_cookie(COOKIE, token, path="/sso-adminserver", secure=True, httponly=True)
    return answer


def _dispatch(request: web.Request, call: Call) -> str:
    directory: Directory = request.app["directory"]
    token = request.cookies.get(COOKIE, "")
    user = directory.find(request.app["sso_sessions"].get(token, "")) if token else None
    if user is None:
        raise SoapFault("Not authenticated", "SsoFaultNotAuthenticatedFault")
    sso_wire.check(call)
    if call.operation == "Logout":
        del request.app["sso_sessions"][token]
        return ""
    if call.operation == "ResetSelfLocalPersonUserPassword":
        return _returned(MANAGEMENT["ResetLocalPersonUserPassword"](directory, call, user["name"]))
    if call.operation in DISCOVERY:
        return _returned(DISCOVERY[call.operation](directory, call))
    if not directory.is_administrator(user):
        raise SoapFault("Access not authorized to caller", "SsoFaultNoPermissionFault")
    return _returned(_for_administrators()[call.operation](directory, call))


def _for_administrators() -> dict[str, Callable[[Directory, Call], Any]]:
    return {
        **MANAGEMENT,
        **DOMAINS,
        "GetLocalPasswordPolicy": _password_policy,
        "GetLockoutPolicy": _lockout_policy,
    }


def _returned(value: Any) -> str:
    return element("returnval", value)


def _password_policy(directory: Directory, call: Call) -> dict[str, Any]:
    policy = PASSWORD_POLICY
    return {
        "description": "",
        "prohibitedPreviousPasswordsCount": 5,
        "passwordFormat": {
            "lengthRestriction": {"minLength": policy["min_length"], "maxLength": policy["max_length"]},
            "alphabeticRestriction": {
                "minAlphabeticCount": policy["min_alphabetic"],
                "minUppercaseCount": policy["min_upper"],
                "minLowercaseCount": policy["min_lower"],
            },
            "minNumericCount": policy["min_numeric"],
            "minSpecialCharCount": policy["min_special"],
            "maxIdenticalAdjacentCharacters": policy["max_adjacent"],
        },
        "passwordLifetimeDays": 90,
    }


def _lockout_policy(directory: Directory, call: Call) -> dict[str, Any]:
    return {
        "description": "",
        "maxFailedAttempts": 5,
        "failedAttemptIntervalSec": 180,
        "autoUnlockIntervalSec": 300,
    }
