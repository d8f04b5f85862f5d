# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the lab: one CA per lab, one key pair per server.

Elliptic curve keys, since RSA keys would cost seconds on a small machine.
"""

from __future__ import annotations

import datetime
import fcntl
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .settings import Lab

DAYS = 365
BACKDATED = datetime.timedelta(hours=1)  # clocks of clients may lag


def make_ca(folder: Path) -> tuple[Path, Path]:
    """Make `ca.crt` and `ca.key` in `folder` unless they are there."""
    cert_path, key_path = folder / "ca.crt", folder / "ca.key"
    if cert_path.exists() and key_path.exists():
        return cert_path, key_path
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("vcf-lab CA")
    builder = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    _write_key(key_path, key)
    _write(cert_path, _pem(builder.sign(key, hashes.SHA256())), 0o644)
    return cert_path, key_path


def issue(lab: Lab, name: str, hosts: list[str]) -> tuple[Path, Path]:
    """Certificate `name` for `hosts` (names and addresses), signed by the lab's CA.

    Idempotent for the same name and hosts. Other hosts make a new certificate
    at the same path and keep the key: servers that watch their files can reload
    the two at any moment and always find a pair.
    """
    folder = lab.ca_cert.parent
    cert_path, key_path = folder / f"{name}.crt", folder / f"{name}.key"
    with _locked(folder):
        if cert_path.exists() and key_path.exists() and _hosts(cert_path) == sorted(set(hosts)):
            return cert_path, key_path
        key = _key(key_path)
        builder = _leaf(lab, _name(hosts[0] if hosts else name), key).add_extension(
            x509.SubjectAlternativeName([_alt_name(host) for host in sorted(set(hosts))]),
            critical=False,
        )
        _sign(lab, builder, cert_path)
    return cert_path, key_path


def issue_client(lab: Lab, name: str, user: str, groups: list[str]) -> tuple[Path, Path]:
    """Client certificate that the API server takes for `user` of `groups`."""
    folder = lab.ca_cert.parent
    cert_path, key_path = folder / f"{name}.crt", folder / f"{name}.key"
    if not (cert_path.exists() and key_path.exists()):
        subject = x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
            + [x509.NameAttribute(NameOID.COMMON_NAME, user)]
        )
        _sign(lab, _leaf(lab, subject, _key(key_path)), cert_path)
    return cert_path, key_path


def rsa_key(path: Path) -> rsa.RSAPrivateKey:
    """A key for tokens, made when it is not there; it outlives a restart, so tokens do too."""
    if path.exists():
        found = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(found, rsa.RSAPrivateKey)
        return found
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(path, pem, 0o600)
    return key


def signing_key(path: Path) -> Path:
    """Bare key, as the API server needs to sign service account tokens."""
    _key(path)
    return path


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=DAYS))
    )


def _leaf(lab: Lab, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    authority = x509.load_pem_x509_certificate(lab.ca_cert.read_bytes())
    subject_id = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    # Python's strict verification (3.13) wants the authority's key identifier.
    return (
        _builder(subject, authority.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(both, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_id), critical=False)
    )


def _sign(lab: Lab, builder: x509.CertificateBuilder, path: Path) -> None:
    ca_key = serialization.load_pem_private_key(lab.ca_key.read_bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    _write(path, _pem(builder.sign(ca_key, hashes.SHA256())), 0o644)


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alt_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _hosts(path: Path) -> list[str]:
    cert = x509.load_pem_x509_certificate(path.read_bytes())
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(str(name.value) for name in names)


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key
    key = ec.generate_private_key(ec.SECP256R1())
    _write_key(path, key)
    return key


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    _write(path, pem, 0o600)


def _pem(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Rename into place: a server that reloads never sees half a file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    temporary.replace(path)


class _locked:  # noqa: N801 - used as a word of a with statement
    """Two parts may ask for the same certificate at the same moment."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".lock"

    def __enter__(self) -> None:
        self._file = open(self._path, "w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *exc: object) -> None:
        self._file.close()
