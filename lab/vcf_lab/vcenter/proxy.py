# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/sdk and /pbm: the simulator's SOAP behind the front's TLS, with the front's logins.

The simulator lets anybody in, so a Login is decided here before it is passed on.
"""

from __future__ import annotations

import re
from html import unescape

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from .directory import Directory, Refused
from .security import InvalidToken, verify_assertion
from .soap import ENVELOPE, SoapFault

OPERATION = re.compile(r"<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)")
PASSED = ("Content-Type", "SOAPAction", "Cookie", "vmware-api-session-id")
# These let a client in by means that the front cannot check.
CLOSED = {"LoginExtensionByCertificate", "LoginBySSPI", "CloneSession", "ImpersonateUser"}

routes = web.RouteTableDef()


@routes.route("*", "/sdk")
@routes.route("*", "/sdk/{rest:.*}")
@routes.route("*", "/pbm")
@routes.route("*", "/pbm/{rest:.*}")
async def forward(request: web.Request) -> web.StreamResponse:
    """Pass a request on unchanged, its answer back."""
    content = await request.read()
    try:
        content = _admitted(request, content)
    except SoapFault as fault:
        return fault.response()
    headers = CIMultiDict((name, request.headers[name]) for name in PASSED if name in request.headers)
    url = request.app["simulator"].url + request.path_qs
    async with _client(request.app).request(request.method, url, data=content, headers=headers) as answer:
        kept = CIMultiDict((name, value) for name, value in answer.headers.items() if name in ("Set-Cookie", "Content-Type"))
        return web.Response(status=answer.status, body=await answer.read(), headers=kept)


async def close(app: web.Application) -> None:
    """End the connections to the simulator."""
    if "proxy_client" in app["clients"]:
        await app["clients"].pop("proxy_client").close()


def _client(app: web.Application) -> aiohttp.ClientSession:
    if "proxy_client" not in app["clients"]:
        # Cookies belong to the callers, not to us.
        app["clients"]["proxy_client"] = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
    client: aiohttp.ClientSession = app["clients"]["proxy_client"]
    return client


def _admitted(request: web.Request, content: bytes) -> bytes:
    """The content to pass on; a SoapFault for a login that fails."""
    text = content.decode(errors="replace")
    found = OPERATION.search(text)
    operation = found.group(1) if found else ""
    if operation:
        request["operation"] = operation
    if operation in CLOSED:
        raise SoapFault(f"{operation} is not supported", "NotSupportedFault", namespace="urn:vim25")
    directory: Directory = request.app["directory"]
    try:
        if operation == "Login":
            directory.authenticate(_field(text, "userName"), _field(text, "password"))
        if operation == "LoginByToken":
            claims = verify_assertion(request.app["sts_key"], text)
            return _login(claims.user).encode()
    except (Refused, InvalidToken) as error:
        raise SoapFault(
            "Cannot complete login due to an incorrect user name or password.",
            "InvalidLoginFault",
            namespace="urn:vim25",
        ) from error
    return content


def _field(text: str, name: str) -> str:
    found = re.search(rf"<(?:\w+:)?{name}\b[^>]*>(.*?)</", text, re.DOTALL)
    return unescape(found.group(1)) if found else ""


def _login(user: str) -> str:
    """The simulator knows only its own canned assertion, so ours becomes a plain login."""
    return (
        f'<soapenv:Envelope xmlns:soapenv="{ENVELOPE}"><soapenv:Body><Login xmlns="urn:vim25">'
        '<_this type="SessionManager">SessionManager</_this>'
        f"<userName>{user}</userName><password>-</password></Login></soapenv:Body></soapenv:Envelope>"
    )
