# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SSO administration service of vCenter: SOAP envelopes of our own, by a bearer token of its STS."""

from __future__ import annotations

import re
import typing as t
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from .._errors import RayError
from .._http import Http, Reply
from .._ports import Json, Task
from . import vcenter
from .vcenter import logged_out, open_http, refused_login, segment

# This service wants a login of its own; a session of the REST API is none here.
ARGSPEC = {name: {**option, "required": True} if name in ("username", "password") else option
           for name, option in vcenter.ARGSPEC.items() if name != "session_id"}

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
TRUST = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
LIFETIME = timedelta(minutes=30)
READS = ("Find", "SsoAdminServiceInstance")
INSTANCE = ("SsoAdminServiceInstance", "SsoAdminServiceInstance")
# What a server says of itself wins; these are the values of every known one.
SERVICES = {
    "sessionManager": ("SsoSessionManager", "ssoSessionManager"),
    "principalDiscoveryService": ("SsoAdminPrincipalDiscoveryService", "principalDiscoveryService"),
    "principalManagementService": ("SsoAdminPrincipalManagementService", "principalManagementService"),
}

# Parts of the names of faults, and what the user can do about them.
HINTS = {
    "NoPermission": "This account may not administer SSO users; use one of the group Administrators.",
    "PasswordPolicy": "Choose a user_password that follows the policy; the server names what is missing.",
    "NotAuthenticated": "The session has ended on the server; run the task again.",
}


class SoapFault(RayError):
    """A SOAP fault; ``type`` is the name of the fault's detail element, without namespace, or ""."""

    def __init__(self, message: str, type: str, sentence: str, hint: str | None = None) -> None:
        super().__init__(message, code=type or "FAILED", hint=hint, details={"vendor": sentence})
        self.type = type


class Sso:
    """Calls of the SSO administration service with the session of this task."""

    def __init__(self, http: Http, domain: str) -> None:
        self._http = http
        self._domain = domain
        self._admin = f"/sso-adminserver/sdk/{segment(domain)}"
        self._sts = f"/sts/STSService/{segment(domain)}"
        self._services = dict(SERVICES)
        self._open = False

    def login(self, username: str, password: str) -> None:
        self._discover()
        assertion = self._issue_token(username, password)
        self._send("Login", "sessionManager", {}, header=security(timestamp() + assertion))
        self._open = True

    def logout(self) -> None:
        if self._open:
            self._send("Logout", "sessionManager", {})
            self._open = False

    def call(self, method: str, service: str, params: Json) -> t.Any:
        """Call a method; params are sent in their order. Returns the returnval as dict or text, None when empty."""
        values = self._send(method, service, params)
        return values[0] if values else None

    def find_all(self, method: str, service: str, params: Json) -> list[t.Any]:
        """Call a method that answers with a list."""
        return [value for value in self._send(method, service, params) if value is not None]

    def _discover(self) -> None:
        """Ask the server for the names of its services; needs no login, and tells whether it administers the domain."""
        body = f'<SsoAdminServiceInstance xmlns="urn:sso"><_this type="{INSTANCE[0]}">{INSTANCE[1]}</_this></SsoAdminServiceInstance>'
        try:
            root = self._soap(self._admin, "urn:sso/version2", envelope(body), "SsoAdminServiceInstance")
        except RayError as error:
            if isinstance(error, SoapFault) or error.code == "NOT_FOUND":
                raise self._external(error) from error
            raise
        for element in root.iter():
            if local(element.tag) in SERVICES and element.text:
                name = local(element.tag)
                self._services[name] = (element.get("type") or SERVICES[name][0], element.text.strip())

    def _external(self, error: RayError) -> RayError:
        return RayError(
            f"{self._http.what} has no SSO domain {self._domain!r} of its own: {error.details.get('vendor') or error.message.rstrip('.')}.",
            code="INPUT",
            hint="Only users and groups of vCenter's own SSO domain can be written here: vsphere.local, unless it was given another name "
                 "at installation. Those of another identity source are made there; here they can be members of a group, and have roles.",
            details=error.details,
        )

    def _issue_token(self, username: str, password: str) -> str:
        """The SAML assertion as the bytes that the STS sent: it is signed, a rewritten one may not verify."""
        try:
            text = self._post(self._sts, f"{TRUST}/RST/Issue", token_request(username, password), "Issue")
        except SoapFault as refusal:
            if "FailedAuthentication" in refusal.type or "credential" in refusal.message.lower():
                raise refused_login(self._http.what, username, refusal) from None
            raise
        found = re.search(r"<((?:[\w.-]+:)?Assertion)[\s>].*?</\1\s*>", text, re.DOTALL)
        if not found:
            raise RayError(f"{self._http.what} answered the request for a token with none.", code="AUTH", hint="Check that the SSO domain is right.")
        return found.group(0)

    def _send(self, method: str, service: str, params: Json, header: str = "") -> list[t.Any]:
        kind, value = self._services[service]
        body = f'<{method} xmlns="urn:sso"><_this type="{kind}">{escape(value)}</_this>{elements(params)}</{method}>'
        root = self._soap(self._admin, "urn:sso/version2", envelope(body, header), method)
        return [simple(e) for e in root.iter() if local(e.tag) == "returnval"]

    def _soap(self, path: str, action: str, text: str, method: str) -> ElementTree.Element:
        return parse(self._post(path, action, text, method), self._http.what, method)

    def _post(self, path: str, action: str, text: str, method: str) -> str:
        headers = {"SOAPAction": action, "Content-Type": "text/xml; charset=UTF-8"}
        # What only reads may be asked again when its answer is lost; a login may not.
        reply = self._http.request("POST", path, data=text.encode(), headers=headers, accept=(500,), safe=method.startswith(READS))
        if reply.status == 500:
            raise fault(reply, self._http.what, method)
        return reply.text


def token_request(username: str, password: str) -> str:
    """A request for a bearer token, which lives as long as one task may need it."""
    token = f"<o:UsernameToken><o:Username>{escape(username)}</o:Username><o:Password>{escape(password)}</o:Password></o:UsernameToken>"
    created, expires = moments()
    body = (
        f'<RequestSecurityToken xmlns="{TRUST}" xmlns:u="{WSU}">'
        "<TokenType>urn:oasis:names:tc:SAML:2.0:assertion</TokenType>"
        f"<RequestType>{TRUST}/Issue</RequestType>"
        f"<Lifetime><u:Created>{created}</u:Created><u:Expires>{expires}</u:Expires></Lifetime>"
        '<Renewing Allow="false" OK="false"/><Delegatable>false</Delegatable>'
        f"<KeyType>{TRUST}/Bearer</KeyType>"
        "<SignatureAlgorithm>http://www.w3.org/2001/04/xmldsig-more#rsa-sha256</SignatureAlgorithm>"
        "</RequestSecurityToken>"
    )
    return envelope(body, security(timestamp() + token))


def moments() -> tuple[str, str]:
    now = datetime.now(timezone.utc)
    return tuple(f"{moment:%Y-%m-%dT%H:%M:%S}.000Z" for moment in (now, now + LIFETIME))  # type: ignore[return-value]


def timestamp() -> str:
    created, expires = moments()
    return f'<u:Timestamp u:Id="_ts"><u:Created>{created}</u:Created><u:Expires>{expires}</u:Expires></u:Timestamp>'


def security(content: str) -> str:
    return f'<o:Security xmlns:o="{WSSE}" xmlns:u="{WSU}" S:mustUnderstand="1">{content}</o:Security>'


def envelope(body: str, header: str = "") -> str:
    return f'<S:Envelope xmlns:S="{ENVELOPE}"><S:Header>{header}</S:Header><S:Body>{body}</S:Body></S:Envelope>'


def elements(params: Json) -> str:
    """Parameters as elements, in order; None is left out, a dict becomes a structure."""
    parts = []
    for name, value in params.items():
        if value is not None:
            inner = elements(value) if isinstance(value, dict) else escape(str(value))
            parts.append(f"<{name}>{inner}</{name}>")
    return "".join(parts)


def local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def simple(element: ElementTree.Element) -> t.Any:
    """An element as dict of its children, as text, or None when there is nothing in it."""
    if len(element):
        return {local(child.tag): simple(child) for child in element}
    return element.text


def parse(text: str, what: str, method: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - of a server that is trusted with passwords; expat bounds entities
    except ElementTree.ParseError as error:
        raise RayError(
            f"{what} answered {method} with something that is not XML: {error}.",
            code="CONNECTION",
            hint="Check that hostname and port are those of vCenter.",
        ) from error


def fault(reply: Reply, what: str, method: str) -> SoapFault:
    """The server's own sentence, and the type: from the detail, or from the fault code where there is no detail."""
    root = parse(reply.text, what, method)
    found = {local(e.tag): e for e in root.iter() if local(e.tag) in ("faultcode", "faultstring", "detail")}
    sentence = (found["faultstring"].text or "").strip().rstrip(".") if "faultstring" in found else "no reason given"
    detail = found.get("detail")
    kind = local(detail[0].tag) if detail is not None and len(detail) else ""
    code = (found["faultcode"].text or "").split(":")[-1] if "faultcode" in found else ""
    kind = kind or code
    hint = next((hint for sign, hint in HINTS.items() if sign in kind), "See what the server says; nothing was changed by this call.")
    return SoapFault(f"{what} refused {method}: {sentence} ({kind or 'SOAP fault'}).", kind, sentence, hint)


@contextmanager
def connect(task: Task) -> t.Iterator[Sso]:
    """Log in to the SSO domain of the task, hand out the client, log out."""
    http = open_http(task.params)
    client = Sso(http, task.params["domain"])
    with logged_out(task, client, http):
        client.login(task.params["username"], task.params["password"])
        yield client
