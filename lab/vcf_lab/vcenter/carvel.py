# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kapp-controller does with a Package: fetch, template with ytt, deploy in order, delete."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from vcf_lab.vcenter import service_content
from vcf_lab.vcenter.supervisor_objects import MANAGED
from vcf_lab.vcenter.wcp_jobs import pause

YTT_TIMEOUT = 60.0
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


class ReconcileFailed(Exception):
    """The reason that kapp-controller would report."""


async def render(
    ytt: Path, content: service_content.Content, namespace: str, values: dict[str, Any]
) -> list[dict[str, Any]]:
    """The objects of a service in the order in which they are applied."""
    if content.content_type == "CARVEL_APPS_YAML":
        template = service_content.package(content)["spec"]["template"]["spec"]
        with tempfile.TemporaryDirectory(prefix="package-") as folder:
            fetch(template["fetch"], Path(folder) / "fetched")
            text = await _template(ytt, template["template"], Path(folder), namespace, values)
        try:
            documents = list(yaml.safe_load_all(text))
        except yaml.YAMLError as error:
            raise ReconcileFailed(f"Deploying: the templates do not give YAML: {error}") from error
    else:
        documents = content.documents
    objects = [document for document in documents if document]
    for obj in objects:
        _place(obj, namespace)
    own = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": dict(MANAGED)}}
    if not any(obj["kind"] == "Namespace" and obj["metadata"]["name"] == namespace for obj in objects):
        objects.append(own)
    return sorted(objects, key=rank)


def rank(obj: dict[str, Any]) -> int:
    """Where a kind stands in the order; unknown kinds after those they may need."""
    kind = obj["kind"]
    if kind in ORDER:
        return ORDER.index(kind)
    return len(ORDER) + 1 + LAST.index(kind) if kind in LAST else len(ORDER)


def _place(obj: dict[str, Any], namespace: str) -> None:
    if not isinstance(obj, dict) or "kind" not in obj or "name" not in (obj.get("metadata") or {}):
        raise ReconcileFailed("Deploying: a rendered document is not a Kubernetes object with a name")
    if obj["kind"] not in CLUSTER_SCOPED:
        obj["metadata"].setdefault("namespace", namespace)


def fetch(sources: list[dict[str, Any]], folder: Path) -> None:
    """Write what the package brings along; paths cannot leave the folder."""
    folder.mkdir(parents=True)
    for number, source in enumerate(sources):
        if "inline" not in source:
            kind = next(iter(source), "nothing")
            raise ReconcileFailed(
                f"Fetching resources: fetch[{number}] is {kind}: this lab has no registry yet and takes `inline` only"
            )
        into = (folder / source.get("path", "")).resolve()
        for name, text in (source["inline"].get("paths") or {}).items():
            path = (into / name).resolve()
            if not path.is_relative_to(folder.resolve()):
                raise ReconcileFailed(f"Fetching resources: the path {name} leaves the package")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


async def _template(
    ytt: Path, steps: list[dict[str, Any]], folder: Path, namespace: str, values: dict[str, Any]
) -> str:
    text: str | None = None
    for step in steps:
        if "kbld" in step:
            continue  # resolves images to digests by a registry; the lab's pods know their image by name
        if "ytt" not in step:
            raise ReconcileFailed(f"Templating: {next(iter(step), 'nothing')} is not a template step of this lab")
        if text is not None:
            raise ReconcileFailed("Templating: more than one ytt step is not done by this lab")
        text = await _ytt(ytt, step["ytt"] or {}, folder, namespace, values)
    if text is None:
        raise ReconcileFailed("Templating: there is no ytt step")
    return text


async def _ytt(ytt: Path, options: dict[str, Any], folder: Path, namespace: str, values: dict[str, Any]) -> str:
    fetched = folder / "fetched"
    for name, inline in ((options.get("inline") or {}).get("paths") or {}).items():
        (fetched / name).parent.mkdir(parents=True, exist_ok=True)
        (fetched / name).write_text(inline)
    command = [str(ytt), "--data-value", f"namespace={namespace}"]
    for path in options.get("paths") or ["."]:
        command += ["-f", path]
    if options.get("ignoreUnknownComments"):
        command.append("--ignore-unknown-comments")
    if values:
        file = folder / "values.yaml"  # a file: values may be secret, arguments are not
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(values))
        command += ["--data-values-file", str(file)]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=fetched, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), YTT_TIMEOUT)
    except asyncio.TimeoutError as error:
        raise ReconcileFailed(f"Templating: ytt did not end within {YTT_TIMEOUT:.0f} s") from error
    finally:
        if process.returncode is None:  # too slow, or the install was stopped
            process.kill()
            await process.wait()
    if process.returncode:
        raise ReconcileFailed(f"Templating: ytt: {err.decode(errors='replace').strip()}")
    return out.decode()


def reference(obj: dict[str, Any]) -> list[str]:
    """[kind, namespace, name]: what removal has to know, in a form the store can keep."""
    return [f"{obj['apiVersion']}/{obj['kind']}", obj["metadata"].get("namespace", ""), obj["metadata"]["name"]]


async def delete(app: web.Application, references: list[list[str]]) -> None:
    """Delete in reverse order and wait until everything is gone."""
    kube = app["kube"]
    for kind, namespace, name in reversed(references):
        await kube.delete(kind, name, namespace or None)
    for kind, namespace, name in reversed(references):
        while await kube.get(kind, name, namespace or None) is not None:
            await pause(app, "poll")


async def not_available(app: web.Application, objects: list[dict[str, Any]]) -> str:
    """Why the Deployments are not Available yet; empty when all are."""
    for obj in objects:
        if obj["kind"] != "Deployment":
            continue
        name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
        stored = await app["kube"].get("Deployment", name, namespace)
        available = ((stored or {}).get("status") or {}).get("availableReplicas", 0)
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
                return f"pod {pod['metadata']['name']}: {waiting.get('reason', '')} {waiting.get('message', '')}".strip()
    return ""
