# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is an OVF item what its publisher signed?

The manifest (.mf) lists digests of the files; the certificate file (.cert) holds a signature of
the manifest and the certificate of the signer.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

DIGEST_LINE = re.compile(r"^(SHA1|SHA256|SHA384|SHA512)\s*\(([^)]+)\)\s*=\s*([0-9a-fA-F]+)\s*$", re.IGNORECASE)
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
ALGORITHMS: dict[str, Callable[[], hashes.HashAlgorithm]] = {"SHA1": hashes.SHA1, "SHA256": hashes.SHA256, "SHA384": hashes.SHA384, "SHA512": hashes.SHA512}

VERIFIED = "VERIFIED"
FAILED = "VERIFICATION_FAILURE"
NOT_AVAILABLE = "NOT_AVAILABLE"  # nothing in the item is signed
UNTRUSTED = "UNTRUSTED"  # signed well, by someone unknown


@dataclass(frozen=True)
class Verdict:
    """What was found, why, and who signed."""

    status: str
    reason: str = ""
    chain: tuple[str, ...] = ()


def digests(manifest: str) -> dict[str, tuple[str, str]]:
    """File name to (algorithm, digest) of every line that is one."""
    found = (DIGEST_LINE.match(line.strip()) for line in manifest.splitlines())
    return {match.group(2): (match.group(1).upper(), match.group(3).lower()) for match in found if match}


def digest_matches(content: bytes, expected: tuple[str, str]) -> bool:
    """Does a file have the digest that the manifest gives?"""
    algorithm, digest = expected
    return hashlib.new(algorithm.lower(), content).hexdigest() == digest


def verify(names: list[str], content: Mapping[str, bytes], trusted: list[str]) -> Verdict:
    """Judge an item by the files at hand; `names` are all files that it has.

    Disks may be absent from `content`: an item that is fetched on demand is judged by its
    descriptor first, and its disks when they come.
    """
    manifest_name = _ending(names, ".mf")
    certificate_name = _ending(names, ".cert")
    if not manifest_name or not certificate_name:
        return Verdict(NOT_AVAILABLE, "The item is not signed: it has no manifest or no certificate file.")
    manifest, signed = content[manifest_name], content[certificate_name].decode(errors="replace")
    chain = tuple(CERTIFICATE.findall(signed))
    if not chain:
        return Verdict(FAILED, f"{certificate_name} holds no certificate.")
    signer = _load(chain[0])
    if signer is None or not _signature_holds(signer, manifest_name, manifest, signed):
        return Verdict(FAILED, f"The signature in {certificate_name} is not one of {manifest_name}.", chain)
    expected = digests(manifest.decode(errors="replace"))
    for name in names:
        if name in (manifest_name, certificate_name):
            continue
        if name not in expected:
            return Verdict(FAILED, f"{name} is not listed in {manifest_name}.", chain)
        if name in content and not digest_matches(content[name], expected[name]):
            return Verdict(FAILED, f"The digest of {name} differs from the one in {manifest_name}.", chain)
    if not _issued_by_trusted(signer, trusted):
        return Verdict(UNTRUSTED, "The signer's certificate was not issued by a trusted authority.", chain)
    return Verdict(VERIFIED, "", chain)


def _ending(names: list[str], ending: str) -> str | None:
    return next((name for name in names if name.endswith(ending)), None)


def _load(pem: str) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        return None


def _signature_holds(signer: x509.Certificate, name: str, manifest: bytes, signed: str) -> bool:
    line = digests(signed).get(name)
    if line is None:
        return False
    algorithm, key = ALGORITHMS[line[0]](), signer.public_key()
    try:
        signature = binascii.unhexlify(line[1])
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, manifest, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, manifest, ec.ECDSA(algorithm))
        else:
            return False
    except (InvalidSignature, binascii.Error):
        return False
    return True


def _issued_by_trusted(signer: x509.Certificate, trusted: list[str]) -> bool:
    """Trusted itself, or issued directly by one of the trusted."""
    for pem in trusted:
        authority = _load(pem)
        if authority is None:
            continue
        if authority == signer:
            return True
        try:
            signer.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False
