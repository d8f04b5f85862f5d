# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The security token service (WS-Trust): a password for a signed assertion."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from aiohttp import web

from .directory import DOMAIN, Directory, Refused, full_name
from .security import SAML, Claims, issue_assertion
from .soap import Call, SoapFault, anywhere, envelope, read

TRUST = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
UTILITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
LONGEST = timedelta(hours=8)
SKEW = timedelta(minutes=10)

routes = web.RouteTableDef()


@routes.post("/sts/STSService")
@routes.post("/sts/STSService/{domain}")
async def token_service(request: web.Request) -> web.Response:
    """Issue is the only request type that this service answers."""
    try:
        domain = request.match_info.get("domain", DOMAIN)
        if domain.lower() != DOMAIN:
            raise _fault("InvalidRequest", f"Unknown tenant {domain}")
        call = await read(request)
        request["operation"] = call.operation
        return _issue(request, call)
    except SoapFault as fault:
        return fault.response()


def _issue(request: web.Request, call: Call) -> web.Response:
    kind = _text(call, "RequestType")
    if call.operation != "RequestSecurityToken" or not kind.endswith("/Issue"):
        raise _fault("InvalidRequest", "Only Issue is supported")
    if not _text(call, "KeyType").endswith("/Bearer"):
        raise _fault("InvalidRequest", "Only bearer tokens are supported")
    _check_clock(call)
    directory: Directory = request.app["directory"]
    try:
        user = directory.authenticate(_text(call, "Username"), _text(call, "Password"))
    except Refused as error:
        raise _fault("FailedAuthentication", str(error)) from error
    claims = Claims(full_name(user), directory.groups_of(user))
    lifetime = _lifetime(call)
    issuer = f"https://{request.host}/websso/SAML2/Metadata/{DOMAIN}"
    assertion = issue_assertion(request.app["sts_key"], claims, issuer, lifetime)
    return envelope(_collection(assertion, lifetime))


def _collection(assertion: str, lifetime: timedelta) -> str:
    start = datetime.now(timezone.utc)
    return (
        f'<RequestSecurityTokenResponseCollection xmlns="{TRUST}"><RequestSecurityTokenResponse>'
        f"<TokenType>{SAML}</TokenType><RequestedSecurityToken>{assertion}</RequestedSecurityToken>"
        f'<Lifetime><u:Created xmlns:u="{UTILITY}">{start.isoformat()}</u:Created>'
        f'<u:Expires xmlns:u="{UTILITY}">{(start + lifetime).isoformat()}</u:Expires></Lifetime>'
        "</RequestSecurityTokenResponse></RequestSecurityTokenResponseCollection>"
    )


def _fault(code: str, text: str) -> SoapFault:
    return SoapFault(text, code=f"ns0:{code}", namespace=TRUST)


def _text(call: Call, name: str) -> str:
    """Credentials are in the header, all else in the body."""
    found = anywhere(call.header, name) if name in ("Username", "Password") else anywhere(call.parameters, name)
    return "" if found is None else (found.text or "").strip()


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise _fault("InvalidRequest", f"'{text}' is not a time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _check_clock(call: Call) -> None:
    """A client whose clock is wrong is turned away before its password is looked at."""
    stamp = anywhere(call.header, "Timestamp")
    created, expires = anywhere(stamp, "Created"), anywhere(stamp, "Expires")
    now = datetime.now(timezone.utc)
    if created is not None and _moment(created.text or "") > now + SKEW:
        raise _fault("InvalidTimeRange", "The token request was created in the future")
    if expires is not None and _moment(expires.text or "") < now - SKEW:
        raise _fault("InvalidTimeRange", "The token request has expired")


def _lifetime(call: Call) -> timedelta:
    asked = anywhere(call.parameters, "Lifetime")
    created, expires = anywhere(asked, "Created"), anywhere(asked, "Expires")
    if created is None or expires is None:
        return timedelta(minutes=5)
    length = _moment(expires.text or "") - _moment(created.text or "")
    if length <= timedelta(0):
        raise _fault("InvalidTimeRange", "The requested lifetime is not a time range")
    return min(length, LONGEST)
