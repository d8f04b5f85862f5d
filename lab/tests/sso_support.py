# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of SSO share: a token, a login and a call, each as an envelope by hand."""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from vcenter_front import PASSWORD, Front

from vcf_lab.settings import ADMINISTRATOR

SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
TRUST = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MANAGEMENT = ("SsoAdminPrincipalManagementService", "principalManagementService")
DISCOVERY = ("SsoAdminPrincipalDiscoveryService", "principalDiscoveryService")
GOOD_PASSWORD = "Ray-dev-1!"


async def post(front: Front, path: str, body: str, header: str = "") -> tuple[int, str]:
    text = f'<S:Envelope xmlns:S="{SOAP}"><S:Header>{header}</S:Header><S:Body>{body}</S:Body></S:Envelope>'
    async with front.http.post(front.url + path, data=text, headers={"Content-Type": "text/xml"}) as answer:
        return answer.status, await answer.text()


async def token(front: Front, user: str = ADMINISTRATOR, password: str = PASSWORD) -> tuple[int, str]:
    header = (
        f'<o:Security xmlns:o="{SECURITY}"><o:UsernameToken><o:Username>{escape(user)}</o:Username>'
        f"<o:Password>{escape(password)}</o:Password></o:UsernameToken></o:Security>"
    )
    body = (
        f'<RequestSecurityToken xmlns="{TRUST}"><RequestType>{TRUST}/Issue</RequestType>'
        f"<KeyType>{TRUST}/Bearer</KeyType></RequestSecurityToken>"
    )
    return await post(front, "/sts/STSService/vsphere.local", body, header)


def assertion(text: str) -> str:
    found = re.search(r"<saml2:Assertion .*?</saml2:Assertion>", text, re.DOTALL)
    assert found
    return found.group(0)


async def login(front: Front, saml: str) -> tuple[int, str]:
    header = f'<w:Security xmlns:w="{SECURITY}">{saml}</w:Security>'
    body = '<Login xmlns="urn:sso"><_this type="SsoSessionManager">ssoSessionManager</_this></Login>'
    return await post(front, "/sso-adminserver/sdk/vsphere.local", body, header)


async def sso(front: Front, service: tuple[str, str], operation: str, parameters: str) -> tuple[int, str]:
    kind, value = service
    body = f'<{operation} xmlns="urn:sso"><_this type="{kind}">{value}</_this>{parameters}</{operation}>'
    return await post(front, "/sso-adminserver/sdk/vsphere.local", body)


def cookies_over_plain_http(front: Front) -> None:
    """The cookie is for TLS only; tests speak plain HTTP."""
    values = {cookie.key: cookie.value for cookie in front.http.cookie_jar}
    front.http.headers["Cookie"] = "; ".join(f"{key}={value}" for key, value in values.items())


async def administrator(front: Front) -> None:
    _, issued = await token(front)
    assert (await login(front, assertion(issued)))[0] == 200
    cookies_over_plain_http(front)


def user_id(name: str) -> str:
    return f"<userId><name>{name}</name><domain>vsphere.local</domain></userId>"


def create(name: str, password: str = GOOD_PASSWORD) -> str:
    return (
        f"<userName>{name}</userName><userDetails><description>a &lt;b&gt;</description></userDetails>"
        f"<password>{password}</password>"
    )


def person(name: str, domain: str = "vsphere.local", role: str = "userId") -> str:
    return f"<{role}><name>{name}</name><domain>{domain}</domain></{role}>"


async def changed(front: Front, operation: str, parameters: str) -> str | None:
    """What an operation of the management service returns; it has to succeed."""
    status, text = await sso(front, MANAGEMENT, operation, parameters)
    assert status == 200, text
    found = ElementTree.fromstring(text).find(".//{*}returnval")
    return None if found is None else found.text


async def refused(front: Front, operation: str, parameters: str, service: tuple[str, str] = MANAGEMENT) -> tuple[str, str]:
    """Type and sentence of the fault that an operation ends in."""
    status, text = await sso(front, service, operation, parameters)
    assert status == 500, text
    root = ElementTree.fromstring(text)
    return root.find(".//detail/*").tag.rsplit("}", 1)[-1], root.findtext(".//faultstring") or ""  # type: ignore[union-attr]


async def found(front: Front, operation: str, parameters: str, service: tuple[str, str] = DISCOVERY) -> list[ElementTree.Element]:
    """The elements that an operation returns."""
    status, text = await sso(front, service, operation, parameters)
    assert status == 200, text
    return ElementTree.fromstring(text).findall(".//{*}returnval")


def names(elements: list[ElementTree.Element]) -> list[str]:
    """name@domain of principals, whole ones or bare identifiers."""
    ids = [entry if entry.find("{*}id") is None else entry.find("{*}id") for entry in elements]
    return ["@".join(entry.findtext(f"{{*}}{half}") or "" for half in ("name", "domain")) for entry in ids if entry is not None]


async def as_user(front: Front, user: str, password: str) -> None:
    """Leave the session that is open, and be somebody else."""
    front.http.headers.pop("Cookie", None)
    front.http.cookie_jar.clear()
    status, issued = await token(front, user, password)
    assert status == 200, issued
    assert (await login(front, assertion(issued)))[0] == 200
    cookies_over_plain_http(front)
