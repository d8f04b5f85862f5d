# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates, and the CA in what asks for it."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from cryptography import x509

from vcf_lab.supervisor import certificates
from vcf_lab.supervisor.certmanager import INJECT, CertManager

CERTIFICATE = {
    "kind": "Certificate",
    "metadata": {"name": "c", "namespace": "ns"},
    "spec": {"dnsNames": ["a.ns.svc", "b"], "secretName": "s", "issuerRef": {"name": "i"}},
}


class FakeKube:
    """Keeps objects by kind and name; remembers what was written."""

    def __init__(self, **objects: dict) -> None:
        self.objects: dict[str, dict] = dict(objects)
        self.patches: list[tuple[Any, ...]] = []

    async def get(self, kind: str, name: str, namespace: str | None = None) -> dict | None:
        return self.objects.get(f"{kind}_{name}")

    async def apply(self, obj: dict) -> dict:
        self.objects[f"{obj['kind']}_{obj['metadata']['name']}"] = obj
        return obj

    async def patch(self, kind: str, name: str, body: dict, *place: Any) -> dict:
        self.patches.append((kind, name, body, *place))
        return body


def issuer(**spec: dict) -> dict:
    return {"metadata": {"name": "i", "namespace": "ns"}, "spec": spec}


def issue(kube: FakeKube) -> None:
    asyncio.run(CertManager(kube).issue(CERTIFICATE))  # type: ignore[arg-type]


def test_a_certificate_waits_for_its_issuer() -> None:
    kube = FakeKube()
    issue(kube)
    assert (kube.objects, kube.patches) == ({}, [])


def test_a_self_signed_certificate_is_its_own_ca() -> None:
    kube = FakeKube(Issuer_i=issuer(selfSigned={}))
    issue(kube)
    data = {key: base64.b64decode(value) for key, value in kube.objects["Secret_s"]["data"].items()}
    assert sorted(data) == ["ca.crt", "tls.crt", "tls.key"]
    assert data["ca.crt"] == data["tls.crt"]
    cert = x509.load_pem_x509_certificate(data["tls.crt"])
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.ns.svc", "b"]
    kind, name, body, namespace, subresource = kube.patches[0]
    assert (kind, name, namespace, subresource) == ("Certificate", "c", "ns", "status")
    assert body["status"]["conditions"][0]["status"] == "True"


def test_a_good_secret_is_kept_and_one_with_other_names_is_not() -> None:
    kube = FakeKube(Issuer_i=issuer(selfSigned={}))
    issue(kube)
    first = kube.objects["Secret_s"]
    issue(kube)
    assert kube.objects["Secret_s"] is first
    pair = certificates.make({"dnsNames": ["other"]})
    kube.objects["Secret_s"] = {"data": {"tls.crt": base64.b64encode(pair.cert).decode()}}
    issue(kube)
    assert certificates.covers(base64.b64decode(kube.objects["Secret_s"]["data"]["tls.crt"]), CERTIFICATE["spec"])


def test_a_ca_issuer_signs_with_its_secret() -> None:
    ca = certificates.make({"commonName": "root", "isCA": True})
    encoded = {key: base64.b64encode(value).decode() for key, value in {"tls.crt": ca.cert, "tls.key": ca.key}.items()}
    kube = FakeKube(Issuer_i=issuer(ca={"secretName": "root"}), Secret_root={"data": encoded})
    issue(kube)
    cert = x509.load_pem_x509_certificate(base64.b64decode(kube.objects["Secret_s"]["data"]["tls.crt"]))
    cert.verify_directly_issued_by(x509.load_pem_x509_certificate(ca.cert))


def test_the_ca_goes_into_every_webhook_once() -> None:
    secret = {"data": {"ca.crt": "Q0E="}}
    kube = FakeKube(Certificate_c=CERTIFICATE, Secret_s=secret)
    target = {
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "w", "resourceVersion": "7", "annotations": {INJECT: "ns/c"}},
        "webhooks": [{"name": "one", "clientConfig": {"service": {}}}, {"name": "two", "clientConfig": {}}],
    }
    manager = CertManager(kube)  # type: ignore[arg-type]
    asyncio.run(manager.inject(target))
    kind, name, body = kube.patches[0]
    assert (kind, name, body["metadata"]) == ("ValidatingWebhookConfiguration", "w", {"resourceVersion": "7"})
    assert [webhook["clientConfig"]["caBundle"] for webhook in body["webhooks"]] == ["Q0E=", "Q0E="]
    asyncio.run(manager.inject({**target, "webhooks": body["webhooks"]}))
    assert len(kube.patches) == 1
