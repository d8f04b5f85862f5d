# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a VMRayCluster grows old: the token with which its head scales, and the certificate of its Ray.

Both lie in secrets. Nothing of them leaves this file but their ends.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
import typing as t
from datetime import datetime, timezone

from .._errors import RayError
from .._jwt import expiry
from .._ports import Json, Kube

# 60 * 60 * 30 * 6 seconds: the operator (RayOnVCF, vmop_provider.go) asks for these and never again.
TOKEN_LIFE = 648000
NEAR_TOKEN = 172800
NEAR_CERTIFICATE = 30 * 86400
TOKEN = re.compile(r"SVC_ACCOUNT_TOKEN=[\"']?([\w-]+\.[\w-]+\.[\w-]+)")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
# Tags of DER: a version with its number, and the two ways to write a time.
EXPLICIT_0, UTC_TIME, GENERALIZED_TIME = 0xA0, 0x17, 0x18
STOPS = "workers are neither added nor removed nor replaced"
REMEDY = "Renew it: vmray_cluster with renew: due"


def ages(kube: Kube, namespace: str, name: str, raw: Json) -> dict[str, str | None]:
    """``token_expires_at`` and ``certificate_expires_at``, each None where it cannot be read or does not exist."""
    tls = (raw.get("spec") or {}).get("enable_tls", True)
    token = token_end(_secret(kube, namespace, f"{name}-hsecret").get("user-data"))
    certificate = certificate_end(_secret(kube, namespace, f"{name}-tls").get("tls.crt")) if tls else None
    return {"token_expires_at": stamp(token), "certificate_expires_at": stamp(certificate)}


def may_end(raw: Json, clock: t.Callable[[], float] = time.time) -> bool:
    """Whether a token of the cluster can be near its end, by its age alone: before that nobody need look into its secrets."""
    made = seconds(raw["metadata"].get("creationTimestamp"))
    return made is None or clock() - made > TOKEN_LIFE - NEAR_TOKEN


def age_warnings(raw: Json, found: dict[str, str | None], clock: t.Callable[[], float] = time.time) -> list[str]:
    """What has ended or soon will; a token that cannot be read is judged by the age of the cluster."""
    name, now, words = raw["metadata"]["name"], clock(), []
    end, made = seconds(found.get("token_expires_at")), seconds(raw["metadata"].get("creationTimestamp"))
    if end is None and made is not None and now - made > TOKEN_LIFE:
        words.append(f"Cluster {name} is {(now - made) / 86400:.0f} days old. Its token, which cannot be read here, lives 7.5 days from the last start of "
                     f"its head: when it has expired, {STOPS}. {REMEDY}.")
    elif end is not None and end - now < NEAR_TOKEN:
        words.append(f"The token of cluster {name} {'has expired' if end <= now else 'expires'} at {stamp(end)}: {STOPS} from then on. {REMEDY}.")
    end = seconds(found.get("certificate_expires_at"))
    if end is not None and end - now < NEAR_CERTIFICATE:
        words.append(f"The certificate of Ray on cluster {name} {'has expired' if end <= now else 'expires'} at {stamp(end)}: from then on its nodes "
                     f"and clients refuse each other. {REMEDY}.")
    return words


def token_end(data: str | None) -> float | None:
    """The end of the token in the data of the head's first boot, which is base64 twice."""
    text = _decoded(_decoded(data))
    token = TOKEN.search(text.decode("utf-8", "replace"))
    return expiry(token[1]) if token else None


def certificate_end(data: str | None) -> float | None:
    """The end of the first certificate of a PEM text, which may be base64 once or twice."""
    once = _decoded(data)
    for text in (once, _decoded(once)):
        pem = CERTIFICATE.search(text.decode("ascii", "replace"))
        if pem:
            return _not_after(_decoded(pem[1]))
    return None


def stamp(end: float | None) -> str | None:
    return None if end is None else datetime.fromtimestamp(end, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str | None) -> float | None:
    """Seconds since 1970 of a time as Kubernetes writes it; None of what is none."""
    try:
        return datetime.strptime(text or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return None


def _secret(kube: Kube, namespace: str, name: str) -> dict[str, str]:
    """Its data; {} where it is not there, or not for this user to read."""
    try:
        return (kube.get("Secret", name, namespace) or {}).get("data") or {}
    except RayError as error:
        if error.code == "FORBIDDEN":
            return {}
        raise


def _decoded(data: str | bytes | None) -> bytes:
    """Of base64, line breaks allowed; b"" of what is none."""
    try:
        return base64.b64decode(b"".join((data.encode() if isinstance(data, str) else data or b"").split()), validate=True)
    except binascii.Error:
        return b""


def _not_after(der: bytes) -> float | None:
    """The second time of a certificate's validity. No library of certificates is needed for one field at a fixed place."""
    try:
        fields = list(_inside(next(_inside(next(_inside(der))[1]))[1]))
        if fields[0][0] == EXPLICIT_0:
            del fields[0]
        # serial number, signature, issuer, validity
        tag, text = list(_inside(fields[3][1]))[1]
        layout = {UTC_TIME: "%y%m%d%H%M%SZ", GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}[tag]
        return datetime.strptime(text.decode("ascii"), layout).replace(tzinfo=timezone.utc).timestamp()
    except (IndexError, KeyError, ValueError, StopIteration):
        return None


def _inside(der: bytes) -> t.Iterator[tuple[int, bytes]]:
    """Tag and contents of each element."""
    place = 0
    while place < len(der):
        tag, length, start = der[place], der[place + 1], place + 2
        if length & 0x80:
            count = length & 0x7F
            length, start = int.from_bytes(der[start:start + count], "big"), start + count
        yield tag, der[start:start + length]
        place = start + length
