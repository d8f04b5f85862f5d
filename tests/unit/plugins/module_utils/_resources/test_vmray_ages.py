# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the token and the certificate of a cluster end, and what is said of it."""

from __future__ import annotations

import base64
import json

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources import vmray_ages
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

# openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=ray.io -days 365
PEM = """-----BEGIN CERTIFICATE-----
MIIBeDCCAR2gAwIBAgIUVx94ns5pYJABCJoGDJYmQeMP/XwwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGcmF5LmlvMB4XDTI2MTEyMzIzMjM0MVoXDTI3MTEyMzIzMjM0
MVowETEPMA0GA1UEAwwGcmF5LmlvMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
5FsihH5rT6Uz/ml8x3huH6HBkxYed48MgviSAHdwu9iJwe0wpdgJ+Zg/yEnMVXb0
FlAE/nwAIPtyiZCQR1Q+BqNTMFEwHQYDVR0OBBYEFMgZm9V/gB0E4JBb89iL22mX
BlwrMB8GA1UdIwQYMBaAFMgZm9V/gB0E4JBb89iL22mXBlwrMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAPZNZJH5QfNez9L2rRS4QGxWNuP1em/k
s+6Orkp531DAAiEA9vS43Wpbh456OAgiRtpOD+cYE56zJNDOJ9bx9UfAqtk=
-----END CERTIFICATE-----
"""
END = "2027-11-23T23:23:41Z"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def token(**claims: int) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "RS256"}, claims)]
    return ".".join([*parts, "c2lnbmF0dXJl"])


def boot(text: str) -> dict:
    return {"data": {"user-data": b64(b64(text))}}


def raw(**more: object) -> dict:
    return {"metadata": {"name": "c", "namespace": "ns", "creationTimestamp": "2026-11-01T00:00:00Z"}, "spec": {"enable_tls": True, **more}}


def test_both_ends_are_read_from_the_secrets() -> None:
    text = f"#cloud-config\nwrite_files:\n- content: |\n    SVC_ACCOUNT_TOKEN={token(exp=1795000000)}\n    RAY_VMSERVICE_IP=10.0.0.9\n"
    kube = Scripted([("get", ("Secret", "c-hsecret", "ns"), boot(text)), ("get", ("Secret", "c-tls", "ns"), {"data": {"tls.crt": b64(PEM)}})])
    assert vmray_ages.ages(kube, "ns", "c", raw()) == {"token_expires_at": "2026-11-18T11:06:40Z", "certificate_expires_at": END}
    kube.done()


def test_a_certificate_that_is_encoded_twice_is_read_too() -> None:
    assert vmray_ages.stamp(vmray_ages.certificate_end(b64(b64(PEM)))) == END


@pytest.mark.parametrize("answer", [None, {"data": {}}, {}, RayError("no", code="FORBIDDEN"), {"data": {"user-data": "%%", "tls.crt": b64("-")}},
                                    {"data": {"user-data": b64("no cloud-config"), "tls.crt": b64(PEM[:200] + "-----END CERTIFICATE-----")}}])
def test_what_cannot_be_read_has_no_end(answer: object) -> None:
    kube = Scripted([("get", ..., answer), ("get", ..., answer)])
    assert vmray_ages.ages(kube, "ns", "c", raw()) == {"token_expires_at": None, "certificate_expires_at": None}


def test_without_tls_there_is_no_certificate() -> None:
    kube = Scripted([("get", ("Secret", "c-hsecret", "ns"), None)])
    assert vmray_ages.ages(kube, "ns", "c", raw(enable_tls=False))["certificate_expires_at"] is None
    kube.done()


NOW = vmray_ages.seconds("2026-11-20T00:00:00Z")


@pytest.mark.parametrize(("token_end", "certificate_end", "words"), [
    ("2026-11-25T00:00:00Z", "2027-11-01T00:00:00Z", []),
    ("2026-11-21T00:00:00Z", None, ["expires at 2026-11-21T00:00:00Z"]),
    ("2026-11-19T00:00:00Z", None, ["has expired at 2026-11-19T00:00:00Z: workers are neither"]),
    (None, "2026-12-01T00:00:00Z", ["is 19 days old", "certificate of Ray on cluster c expires"]),
    ("2026-11-25T00:00:00Z", "2026-11-01T00:00:00Z", ["certificate of Ray on cluster c has expired"]),
])
def test_what_ends_soon_is_warned_of(token_end: str | None, certificate_end: str | None, words: list[str]) -> None:
    found = vmray_ages.age_warnings(raw(), {"token_expires_at": token_end, "certificate_expires_at": certificate_end}, lambda: NOW)
    assert len(found) == len(words)
    for text, sentence in zip(words, found):
        assert text in sentence and "renew: due" in sentence


def test_a_young_cluster_without_a_readable_token_is_not_warned_of() -> None:
    nothing = {"token_expires_at": None, "certificate_expires_at": None}
    assert vmray_ages.age_warnings(raw(), nothing, lambda: vmray_ages.seconds("2026-11-05T00:00:00Z")) == []
