# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Password hashes and SAML assertions.

An assertion is signed as XML signature demands (RSA-SHA256, enveloped). It is written in
canonical form by hand, so the bytes that are sent are the bytes that are signed: a client that
reparses and rewrites an assertion breaks it here as it would break it on a real server.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from html import unescape
from xml.sax.saxutils import escape

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ROUNDS = 60_000  # enough to be a real hash, little enough for a machine with many logins
CLOCK_SKEW = timedelta(minutes=5)
DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
ASSERTION = re.compile(r"<(?:\w+:)?Assertion\b.*?</(?:\w+:)?Assertion>", re.DOTALL)
SIGNATURE = re.compile(r"<ds:Signature .*?</ds:Signature>", re.DOTALL)


class InvalidToken(Exception):
    """The assertion is not ours, was changed, or has ended."""


@dataclass(frozen=True)
class Claims:
    """Who an assertion speaks for."""

    user: str
    groups: list[str]


def hash_password(password: str) -> str:
    """A salted hash; two equal passwords give two different texts."""
    salt = os.urandom(16)
    return f"pbkdf2${salt.hex()}${_derive(password, salt).hex()}"


def check_password(password: str, stored: str) -> bool:
    """Compare in constant time."""
    _, salt, digest = stored.split("$")
    return hmac.compare_digest(_derive(password, bytes.fromhex(salt)).hex(), digest)


def _derive(password: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS)


def issue_assertion(key: rsa.RSAPrivateKey, claims: Claims, issuer: str, lifetime: timedelta) -> str:
    """A bearer assertion for `claims`."""
    start = datetime.now(timezone.utc)
    identifier = "_" + secrets.token_hex(16)
    unsigned = _unsigned(claims, issuer, identifier, _stamp(start), _stamp(start + lifetime))
    signature = _signature(key, identifier, unsigned)
    head, rest = unsigned.split("</saml2:Issuer>", 1)
    return f"{head}</saml2:Issuer>{signature}{rest}"


def verify_assertion(key: rsa.RSAPrivateKey, text: str) -> Claims:
    """The claims of the first assertion in `text`; InvalidToken when it cannot be believed."""
    found = ASSERTION.search(text)
    if not found:
        raise InvalidToken("no assertion in the request")
    assertion = found.group(0)
    signature = SIGNATURE.search(assertion)
    if not signature:
        raise InvalidToken("the assertion is not signed")
    _check_signature(key, assertion.replace(signature.group(0), "", 1), signature.group(0))
    now = datetime.now(timezone.utc)
    if now >= _time(assertion, "NotOnOrAfter") + CLOCK_SKEW or now < _time(assertion, "NotBefore") - CLOCK_SKEW:
        raise InvalidToken("the assertion is not valid at this time")
    name = re.search(r"<saml2:NameID[^>]*>([^<]+)<", assertion)
    if not name:
        raise InvalidToken("the assertion names nobody")
    groups = re.findall(r"<saml2:AttributeValue[^>]*>([^<]+)<", assertion)
    return Claims(unescape(name.group(1)), [unescape(group) for group in groups])


def _check_signature(key: rsa.RSAPrivateKey, unsigned: str, signature: str) -> None:
    digest = re.search(r"<ds:DigestValue>([^<]+)<", signature)
    value = re.search(r"<ds:SignatureValue>([^<]+)<", signature)
    info = re.search(r"<ds:SignedInfo>.*</ds:SignedInfo>", signature, re.DOTALL)
    if not (digest and value and info) or digest.group(1) != _digest(unsigned):
        raise InvalidToken("the assertion was changed after it was signed")
    signed = info.group(0).replace("<ds:SignedInfo>", f'<ds:SignedInfo xmlns:ds="{DS}">', 1)
    try:
        key.public_key().verify(
            base64.b64decode(value.group(1)), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
        )
    except (InvalidSignature, ValueError) as error:
        raise InvalidToken("the signature is not of this token service") from error


def _unsigned(claims: Claims, issuer: str, identifier: str, start: str, end: str) -> str:
    values = "".join(f"<saml2:AttributeValue>{escape(group)}</saml2:AttributeValue>" for group in claims.groups)
    return (
        f'<saml2:Assertion xmlns:saml2="{SAML}" ID="{identifier}" IssueInstant="{start}" Version="2.0">'
        f"<saml2:Issuer>{escape(issuer)}</saml2:Issuer>"
        '<saml2:Subject><saml2:NameID Format="http://schemas.xmlsoap.org/claims/UPN">'
        f"{escape(claims.user)}</saml2:NameID>"
        '<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
        "</saml2:SubjectConfirmation></saml2:Subject>"
        f'<saml2:Conditions NotBefore="{start}" NotOnOrAfter="{end}"></saml2:Conditions>'
        '<saml2:AttributeStatement><saml2:Attribute Name="http://rsa.com/schemas/attr-names/2009/01/GroupIdentity">'
        f"{values}</saml2:Attribute></saml2:AttributeStatement></saml2:Assertion>"
    )


def _signature(key: rsa.RSAPrivateKey, identifier: str, unsigned: str) -> str:
    content = (
        f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"></ds:CanonicalizationMethod>'
        '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>'
        f'<ds:Reference URI="#{identifier}"><ds:Transforms>'
        f'<ds:Transform Algorithm="{DS}enveloped-signature"></ds:Transform>'
        f'<ds:Transform Algorithm="{EXCLUSIVE}"></ds:Transform></ds:Transforms>'
        '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
        f"<ds:DigestValue>{_digest(unsigned)}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
    # Canonical form of SignedInfo alone carries the declaration that its parent has in the text.
    signed = f'<ds:SignedInfo xmlns:ds="{DS}">{content}'
    value = base64.b64encode(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    return (
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{content}'
        f"<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _time(assertion: str, attribute: str) -> datetime:
    found = re.search(rf'{attribute}="([^"]+)"', assertion)
    if not found:
        raise InvalidToken(f"the assertion has no {attribute}")
    return datetime.fromisoformat(found.group(1).replace("Z", "+00:00"))
