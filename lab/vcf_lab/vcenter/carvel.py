# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kapp-controller does with a Package: fetch, template, and put into an order that can be deployed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from vcf_lab import pulling
from vcf_lab.vcenter import kapp, service_content
from vcf_lab.vcenter.carvel_fetch import fetch
from vcf_lab.vcenter.carvel_step import ReconcileFailed
from vcf_lab.vcenter.carvel_template import Templates
from vcf_lab.vcenter.supervisor_objects import MANAGED

# What others lean on comes first; webhooks last, else they would refuse what follows them.
ORDER = (
    "CustomResourceDefinition",
    "Namespace",
    "ServiceAccount",
    "ClusterRole",
    "Role",
    "ClusterRoleBinding",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Issuer",
    "Certificate",
    "Service",
)
LAST = ("Deployment", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
CLUSTER_SCOPED = {
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterIssuer",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "StorageClass",
    "PriorityClass",
    "APIService",
    "PersistentVolume",
}


async def render(
    app: web.Application, content: service_content.Content, record: dict[str, Any], values: dict[str, Any]
) -> list[dict[str, Any]]:
    """The objects of a service in the order in which they are applied, labelled as the install's."""
    namespace = record["service_namespace"]
    if content.content_type == "CARVEL_APPS_YAML":
        documents = await _documents(
            app, service_content.package(content)["spec"]["template"]["spec"], namespace, values
        )
    else:
        documents = content.documents
    objects = [document for document in documents if document]
    for obj in objects:
        _place(obj, namespace)
    kapp.mark(objects, record["supervisor_service"])
    # The namespace itself is the platform's, unless the package has it too.
    own = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": dict(MANAGED)}}
    if not any(obj["kind"] == "Namespace" and obj["metadata"]["name"] == namespace for obj in objects):
        objects.append(own)
    return sorted(objects, key=rank)


async def _documents(
    app: web.Application, template: dict[str, Any], namespace: str, values: dict[str, Any]
) -> list[Any]:
    """Fetched and templated in a folder that nobody else reads, and that does not stay."""
    tools = app["lab"].bin
    with tempfile.TemporaryDirectory(prefix="package-") as name:
        folder = Path(name)

        async def environment() -> dict[str, str]:
            return await pulling.environment(app["kube"], folder / "login")

        fetched = await fetch(template["fetch"], folder / "fetched", tools / "imgpkg", environment)
        text = await Templates(tools, fetched, folder, environment).render(template["template"], namespace, values)
    try:
        return list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        raise ReconcileFailed(f"Deploying: the templates do not give YAML: {error}") from error


def rank(obj: dict[str, Any]) -> int:
    """Where a kind stands in the order; unknown kinds after those they may need."""
    kind = obj["kind"]
    if kind in ORDER:
        return ORDER.index(kind)
    return len(ORDER) + 1 + LAST.index(kind) if kind in LAST else len(ORDER)


def _place(obj: dict[str, Any], namespace: str) -> None:
    metadata = obj.get("metadata") if isinstance(obj, dict) and {"apiVersion", "kind"} <= obj.keys() else None
    if "name" not in (metadata or {}):
        raise ReconcileFailed("Deploying: a rendered document has no apiVersion, kind or name: no Kubernetes object")
    if obj["kind"] not in CLUSTER_SCOPED:
        obj["metadata"].setdefault("namespace", namespace)


async def not_available(app: web.Application, objects: list[dict[str, Any]], rolling: dict[str, int]) -> str:
    """Why the Deployments are not Available yet; empty when all are.

    Of those that roll, the pods of the earlier version do not count.
    """
    for obj in objects:
        if obj["kind"] != "Deployment":
            continue
        name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
        stored = await app["kube"].get("Deployment", name, namespace)
        status = (stored or {}).get("status") or {}
        seen = status.get("observedGeneration", 0) >= rolling.get(f"{namespace}/{name}", 0)
        available = status.get("availableReplicas", 0) if seen else 0
        if stored is None or available < stored["spec"].get("replicas", 1):
            why = await _waiting(app, namespace)
            return f"Deployment {namespace}/{name} is not available{': ' + why if why else ''}"
    return ""


async def _waiting(app: web.Application, namespace: str) -> str:
    """What the containers of the namespace's pods wait for, for example ImagePullBackOff."""
    for pod in await app["kube"].list("Pod", namespace):
        for container in (pod.get("status") or {}).get("containerStatuses") or []:
            waiting = (container.get("state") or {}).get("waiting")
            if waiting:
                return (
                    f"pod {pod['metadata']['name']}: {waiting.get('reason', '')} {waiting.get('message', '')}".strip()
                )
    return ""
