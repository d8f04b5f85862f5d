# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates as cert-manager makes them: self-signed, or signed by a CA that is in a Secret."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import NameOID

DEFAULT_DURATION = datetime.timedelta(days=90)
BACKDATED = datetime.timedelta(minutes=5)  # clocks of clients may lag


@dataclass(frozen=True)
class Pair:
    """What goes into the Secret of a Certificate."""

    cert: bytes
    key: bytes
    ca: bytes


def make(spec: dict[str, Any], signer: Pair | None = None) -> Pair:
    """A key and a certificate for a Certificate's spec, by its own key or by the signer's."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    builder, subject = _builder(spec).public_key(key.public_key()), _subject(spec)
    if signer is None:
        issuer_key: CertificateIssuerPrivateKeyTypes = key
        issuer = subject
    else:
        found = serialization.load_pem_private_key(signer.key, None)
        assert isinstance(found, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey))
        issuer_key, issuer = found, x509.load_pem_x509_certificate(signer.cert).subject
    cert = builder.issuer_name(issuer).sign(issuer_key, hashes.SHA256())
    pem = cert.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return Pair(cert=pem, key=private, ca=signer.cert if signer else pem)


def covers(cert: bytes, spec: dict[str, Any]) -> bool:
    """Whether a certificate still is what the spec asks for."""
    try:
        found = x509.load_pem_x509_certificate(cert)
    except ValueError:
        return False
    names: set[str] = set()
    for extension in found.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names = {str(name.value) for name in extension.value}
    now = datetime.datetime.now(datetime.timezone.utc)
    return names == {*spec.get("dnsNames", []), *spec.get("ipAddresses", [])} and found.not_valid_after_utc > now


def validity(cert: bytes) -> tuple[str, str]:
    """Begin and end as a status writes them."""
    found = x509.load_pem_x509_certificate(cert)
    first, last = found.not_valid_before_utc, found.not_valid_after_utc
    return first.strftime("%Y-%m-%dT%H:%M:%SZ"), last.strftime("%Y-%m-%dT%H:%M:%SZ")


def _subject(spec: dict[str, Any]) -> x509.Name:
    common = spec.get("commonName") or ""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])] if common else [])


def _builder(spec: dict[str, Any]) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in spec.get("dnsNames", [])]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in spec.get("ipAddresses", [])]
    is_ca = bool(spec.get("isCA"))
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(spec))
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + DEFAULT_DURATION)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    if names:
        # An empty subject makes the names critical (RFC 5280, 4.2.1.6).
        critical = not spec.get("commonName")
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=critical)
    return builder
