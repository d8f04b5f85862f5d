# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SOAP 1.1 envelopes: read a request, write an answer or a fault."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import web

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass
class SoapFault(Exception):
    """A fault as the client shall see it; `kind` is the name of the element in the detail."""

    text: str
    kind: str = ""
    code: str = "ServerFaultCode"
    namespace: str = "urn:sso"
    fields: dict[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        """HTTP 500, as SOAP 1.1 demands."""
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in self.fields.items())
        element = (
            f'<detail><{self.kind} xmlns="{self.namespace}" xmlns:xsi="{SCHEMA_INSTANCE}">'
            f"{inner}</{self.kind}></detail>"
            if self.kind
            else ""
        )
        declared = f' xmlns:ns0="{self.namespace}"' if self.code.startswith("ns0:") else ""
        body = (
            f"<soapenv:Fault><faultcode{declared}>{self.code}</faultcode>"
            f"<faultstring>{escape(self.text)}</faultstring>{element}</soapenv:Fault>"
        )
        return envelope(body, status=500)


@dataclass(frozen=True)
class Call:
    """One operation that a client asks for."""

    operation: str
    target: str
    parameters: ET.Element
    header: ET.Element | None
    text: str

    def value(self, name: str, default: str | None = None) -> str:
        """Text of a parameter; a missing one is the client's mistake."""
        found = child(self.parameters, name)
        if found is None and default is None:
            raise SoapFault(f"Required parameter {name} is missing", "InvalidArgumentFault", namespace="urn:vim25")
        return default or "" if found is None else found.text or ""


def local(element: ET.Element) -> str:
    """Name without namespace."""
    return element.tag.rsplit("}", 1)[-1]


def child(parent: ET.Element | None, *path: str) -> ET.Element | None:
    """First descendant along local names."""
    for name in path:
        if parent is None:
            return None
        parent = next((entry for entry in parent if local(entry) == name), None)
    return parent


def anywhere(parent: ET.Element | None, name: str) -> ET.Element | None:
    """First element of that local name, however deep."""
    if parent is None:
        return None
    return next((entry for entry in parent.iter() if local(entry) == name), None)


async def read(request: web.Request) -> Call:
    """Parse a request; what is no SOAP is a fault, not a crash."""
    text = await request.text()
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise SoapFault(f"Cannot parse the request: {error}", code="soapenv:Client") from error
    body = child(root, "Body")
    if body is None or len(body) == 0:
        raise SoapFault("The envelope has no body", code="soapenv:Client")
    target = child(body[0], "_this")
    reference = "" if target is None else target.text or ""
    return Call(local(body[0]), reference, body[0], child(root, "Header"), text)


def envelope(body: str, status: int = 200, header: str = "") -> web.Response:
    """A whole answer."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<soapenv:Envelope xmlns:soapenv="{ENVELOPE}" xmlns:xsi="{SCHEMA_INSTANCE}">'
        f"{header}<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
    return web.Response(text=text, status=status, content_type="text/xml", charset="utf-8")


def element(name: str, value: Any) -> str:
    """XML of a value: None is left out, lists repeat, dictionaries nest."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "".join(element(name, entry) for entry in value)
    if isinstance(value, dict):
        return f"<{name}>" + "".join(element(key, entry) for key, entry in value.items()) + f"</{name}>"
    if isinstance(value, bool):
        value = "true" if value else "false"
    return f"<{name}>{escape(str(value))}</{name}>"
