# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that answer themselves, or that spoil the answer on its way: the request is refused, or its answer lost."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import BasicAuth, web

from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.fault import Answer, Call, Fault, Proceed
from vcf_lab.vcenter.legacy_session import in_older_form
from vcf_lab.vcenter.service_content import read
from vcf_lab.vcenter.sessions import HEADER, session_limit, unauthenticated
from vcf_lab.vcenter.soap import SoapFault
from vcf_lab.vcenter.sso import COOKIE
from vcf_lab.vcenter.sts import TRUST
from vcf_lab.vcenter.wcp_request import decoded

REFUSED = "Invalid credentials"
LOCKED = "User account is locked. Please contact your administrator."
PAGE = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Corporate proxy</h1><p>Please sign in.</p></body></html>\n"

# Measured by others on 9.1 right after a service was registered or removed; status and text.
TRY_LATER = {
    "service-account": (404, "The service account is not ready. Please try again later."),
    "compatibility": (500, "Failed to run compatibility check for Supervisor Service {service}/{version}."),
    "signature": (500, "Failed to run compatibility check: signature verification result not found for Supervisor Service {service}/{version}."),
    "terminating": (500, "The namespace (svc-{short}) is in terminating status. Please wait until it is removed."),
}
NOT_ALLOWED = (
    "Creation of Supervisor Service with ID {service} is not allowed. Only service IDs defined in the allow-list file "
    "/etc/vmware/wcp/supervisor-services-allow-list.txt are allowed."
)


def refusal(error: ApiError) -> web.Response:
    """The vendor's body."""
    return web.json_response(error.body(), status=error.status)


async def unavailable(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    if not fault.claim(call):
        return await proceed()
    after = fault.options.get("retry_after")
    headers = {"Retry-After": str(after)} if after else {}
    if not call.rest:
        return web.Response(status=503, text="no healthy upstream", headers=headers)
    error = ApiError("SERVICE_UNAVAILABLE", "The service is not available.", id="com.vmware.vapi.endpoint.failedToConnect")
    return web.json_response(error.body(), status=503, headers=headers)


async def cut(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    """Whoever asked does not learn whether it was done."""
    if not fault.claim(call):
        return await proceed()
    answer = await proceed()
    if call.request.transport is not None:
        call.request.transport.close()
    return answer


async def html(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    """What a proxy or a wrong port says."""
    return web.Response(text=PAGE, content_type="text/html") if fault.claim(call) else await proceed()


async def too_many_sessions(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    if not fault.claim(call):
        return await proceed()
    return _in_form_of(call, session_limit(_user(call)))


async def login_refused(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    return _login_answer(call, REFUSED) if fault.claim(call) else await proceed()


async def login_locked(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    return _login_answer(call, LOCKED) if fault.claim(call) else await proceed()


def _login_answer(call: Call, text: str) -> Answer:
    if call.path.startswith("/sts/"):
        return SoapFault(text, code="ns0:FailedAuthentication", namespace=TRUST).response()
    if call.soap:
        text = "Cannot complete login due to an incorrect user name or password."
        return SoapFault(text, "InvalidLoginFault", namespace="urn:vim25").response()
    return _in_form_of(call, unauthenticated("Authentication failed: " + text))


def _in_form_of(call: Call, error: ApiError) -> web.Response:
    return in_older_form(error) if call.path.startswith("/rest") else refusal(error)


def _user(call: Call) -> str:
    header = call.request.headers.get("Authorization", "")
    return BasicAuth.decode(header, encoding="utf-8").login if header.lower().startswith("basic ") else "-"


async def session_expired(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    """The session of the request ends just before it."""
    app, token, cookie = call.request.app, call.request.headers.get(HEADER, ""), call.request.cookies.get(COOKIE, "")
    if (app["sessions"].touch(token) is not None or cookie in app["sso_sessions"]) and fault.claim(call):
        app["sessions"].end(token)
        app["sso_sessions"].pop(cookie, None)
    return await proceed()


async def conflict(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    if not fault.claim(call):
        return await proceed()
    text = "The object was changed by another request. Read it again and repeat the change."
    return refusal(ApiError("CONCURRENT_CHANGE", text, id="com.vmware.vapi.std.errors.concurrent_change"))


async def try_later(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    if not fault.claim(call):
        return await proceed()
    return await _later(call, fault.options["text"])


async def installed_anyway(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    """The answer says that it failed, and it did not."""
    answer = await proceed()
    return await _later(call, "compatibility") if answer.status < 300 and fault.claim(call) else answer


async def _later(call: Call, which: str) -> web.Response:
    status, text = TRY_LATER[which]
    spec = await sent(call)
    service = str(spec.get("supervisor_service") or call.request.match_info.get("service", ""))
    short = service.split(".", maxsplit=1)[0] or "service"
    version = spec.get("version") or spec.get("target_version", "")
    text = text.format(service=service, version=version, short=short)
    return refusal(ApiError("NOT_FOUND" if status == 404 else "ERROR", text))


async def not_allowed_service(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    """The list is a file on the appliance, which no API shows; that the answer is INVALID_ARGUMENT is inferred."""
    if not fault.claim(call):
        return await proceed()
    spec = await sent(call)
    inner = next((entry for entry in spec.values() if isinstance(entry, dict)), {})
    content = str(inner.get("version_spec", {}).get("content", ""))
    service = inner.get("supervisor_service") or read(decoded(content, "content")).supervisor_service
    return refusal(ApiError("INVALID_ARGUMENT", NOT_ALLOWED.format(service=service), id="vcenter.wcp.services.not_allowed", args=[service]))


async def sent(call: Call) -> dict[str, Any]:
    """The structure that a request carries, empty if there is none."""
    try:
        value = json.loads(await call.request.text() or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
