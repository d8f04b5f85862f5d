# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for cert-manager: Issuers, Certificates, and their CA in webhooks and CRDs."""

from __future__ import annotations

import asyncio
import base64
import copy
import datetime
import logging
from typing import Any

from ..kube import Kube, KubeError
from . import certificates
from .certificates import Pair

LOG = logging.getLogger(__name__)
INJECT = "cert-manager.io/inject-ca-from"
CERTIFICATE_NAME = "cert-manager.io/certificate-name"
TARGETS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "CustomResourceDefinition")
RETRY = 1.0
Key = tuple[str, str]


class CertManager:
    """Each kind has its own watch; what one makes possible for another is looked at again."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._certificates: dict[Key, dict[str, Any]] = {}
        self._targets: dict[Key, dict[str, Any]] = {}
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """For ever follow all kinds and set right what changed."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_issuers())
            tasks.create_task(self._follow("Certificate", self._certificates))
            for kind in TARGETS:
                tasks.create_task(self._follow(kind, self._targets))
            tasks.create_task(self._work())

    async def _follow_issuers(self) -> None:
        async for event, issuer in self._kube.watch("Issuer"):
            if event != "DELETED" and not _is_ready(issuer):
                await self._safely(issuer, self._issuer_ready(issuer))
            self._changed.set()

    async def _follow(self, kind: str, into: dict[Key, dict[str, Any]]) -> None:
        async for event, obj in self._kube.watch(kind):
            key = (kind, _full_name(obj))
            if event == "DELETED":
                into.pop(key, None)
            else:
                into[key] = {**obj, "kind": kind}
            self._changed.set()

    async def _work(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            done = [await self._safely(obj, self.issue(obj)) for obj in list(self._certificates.values())]
            done += [await self._safely(obj, self.inject(obj)) for obj in list(self._targets.values())]
            if not all(done):
                await asyncio.sleep(RETRY)
                self._changed.set()

    async def _safely(self, obj: dict[str, Any], work: object) -> bool:
        """Run one piece of work; a refusal of the API server is told, and tried again later."""
        try:
            await work  # type: ignore[misc]
        except KubeError as error:
            if error.status not in (404, 409):  # gone or changed meanwhile: the next event brings it again
                LOG.warning("%s: %s", _full_name(obj), error)
            return False
        return True

    async def _issuer_ready(self, issuer: dict[str, Any]) -> None:
        status = {"conditions": [_ready("IsReady", "signs")]}
        await self._status("Issuer", issuer, status)

    async def issue(self, certificate: dict[str, Any]) -> None:
        """See that the Certificate's Secret holds a key pair as its spec says."""
        namespace, spec = certificate["metadata"]["namespace"], certificate["spec"]
        issuer = await self._kube.get("Issuer", spec["issuerRef"]["name"], namespace)
        if issuer is None:
            return  # its coming wakes us
        secret = await self._kube.get("Secret", spec["secretName"], namespace)
        cert = _decode(secret, "tls.crt")
        if not certificates.covers(cert, spec):
            signer = await self._signer(issuer)
            pair = await asyncio.to_thread(certificates.make, spec, signer)
            await self._kube.apply(_secret(certificate, pair))
            cert = pair.cert
            LOG.info("certificate %s issued", _full_name(certificate))
            self._changed.set()
        if not _is_ready(certificate):
            first, last = certificates.validity(cert)
            conditions = [_ready("Ready", "Certificate is up to date and has not expired")]
            status = {"conditions": conditions, "notBefore": first, "notAfter": last, "revision": 1}
            await self._status("Certificate", certificate, status)

    async def _signer(self, issuer: dict[str, Any]) -> Pair | None:
        if "ca" not in issuer["spec"]:
            return None
        name, namespace = issuer["spec"]["ca"]["secretName"], issuer["metadata"]["namespace"]
        secret = await self._kube.get("Secret", name, namespace)
        if secret is None:
            raise KubeError(404, "NotFound", f"the CA of issuer {issuer['metadata']['name']} is missing: secret {name}")
        return Pair(_decode(secret, "tls.crt"), _decode(secret, "tls.key"), _decode(secret, "ca.crt"))

    async def inject(self, target: dict[str, Any]) -> None:
        """Write the CA into every place of a webhook configuration or CRD that takes one."""
        source = target["metadata"].get("annotations", {}).get(INJECT)
        if not source:
            return
        namespace, _, name = source.partition("/")
        certificate = await self._kube.get("Certificate", name, namespace)
        if certificate is None:
            return
        secret = await self._kube.get("Secret", certificate["spec"]["secretName"], namespace)
        bundle = (secret or {}).get("data", {}).get("ca.crt")
        body = _with_bundle(target, bundle) if bundle else None
        if body is not None:
            # Lists are replaced whole, so nobody may have written in between.
            body["metadata"] = {"resourceVersion": target["metadata"]["resourceVersion"]}
            await self._kube.patch(target["kind"], target["metadata"]["name"], body)
            LOG.info("CA of %s given to %s", source, target["metadata"]["name"])

    async def _status(self, kind: str, obj: dict[str, Any], status: dict[str, Any]) -> None:
        metadata = obj["metadata"]
        await self._kube.patch(kind, metadata["name"], {"status": status}, metadata["namespace"], "status")


def _with_bundle(target: dict[str, Any], bundle: str) -> dict[str, Any] | None:
    """The part of the target that has to change, or None."""
    if target["kind"] == "CustomResourceDefinition":
        webhook = target["spec"].get("conversion", {}).get("webhook")
        if webhook is None or webhook["clientConfig"].get("caBundle") == bundle:
            return None
        return {"spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": bundle}}}}}
    webhooks = copy.deepcopy(target.get("webhooks", []))
    for webhook in webhooks:
        webhook["clientConfig"]["caBundle"] = bundle
    return None if webhooks == target.get("webhooks", []) else {"webhooks": webhooks}


def _secret(certificate: dict[str, Any], pair: Pair) -> dict[str, Any]:
    values = {"tls.crt": pair.cert, "tls.key": pair.key, "ca.crt": pair.ca}
    metadata = certificate["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {
            "name": certificate["spec"]["secretName"],
            "namespace": metadata["namespace"],
            "annotations": {CERTIFICATE_NAME: metadata["name"]},
        },
        "data": {name: base64.b64encode(value).decode() for name, value in values.items()},
    }


def _decode(secret: dict[str, Any] | None, key: str) -> bytes:
    return base64.b64decode((secret or {}).get("data", {}).get(key, ""))


def _ready(reason: str, message: str) -> dict[str, str]:
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": "Ready", "status": "True", "reason": reason, "message": message, "lastTransitionTime": now}


def _is_ready(obj: dict[str, Any]) -> bool:
    conditions = obj.get("status", {}).get("conditions", [])
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def _full_name(obj: dict[str, Any]) -> str:
    metadata = obj["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else metadata["name"]
