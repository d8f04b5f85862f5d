# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploying as kapp does: a label tells whose an object is, and nobody touches what is another's.

What exists without the label is taken over. Unlike kapp's, selectors do not get the label, which nothing would see.
"""

from __future__ import annotations

import hashlib
from typing import Any

from aiohttp import web

from vcf_lab.vcenter.carvel_step import ReconcileFailed
from vcf_lab.vcenter.wcp_jobs import pause

LABEL = "kapp.k14s.io/app"
STATE_NAMESPACE = "vmware-system-supervisor-services"  # where a Supervisor keeps the installs themselves
Record = dict[str, Any]


def identity(service: str) -> str:
    """The label's value, kept over upgrades: 19 digits. kapp takes the time; a lab is to be the same whenever it is made."""
    return f"1{int(hashlib.sha256(service.encode()).hexdigest(), 16) % 10**18:018d}"


def mark(objects: list[dict[str, Any]], service: str) -> None:
    """Label what the package brings as the service's."""
    for obj in objects:
        labels = obj["metadata"].get("labels") or {}
        obj["metadata"]["labels"] = {**labels, LABEL: identity(service)}


def reference(obj: dict[str, Any]) -> list[str]:
    """[kind, namespace, name]: what removal has to know, in a form the store can keep."""
    return [f"{obj['apiVersion']}/{obj['kind']}", obj["metadata"].get("namespace", ""), obj["metadata"]["name"]]


async def deploy(app: web.Application, record: Record, objects: list[dict[str, Any]]) -> dict[str, int]:
    """Apply in order; what an earlier version had and this one has not goes afterwards.

    Returns the Deployments whose pods are replaced, `namespace/name`, with the generation that they have now.
    """
    before = await _existing(app, record, objects)
    wanted = [reference(obj) for obj in objects]
    gone = [entry for entry in record["objects"] if entry not in wanted]
    # Kept before the first write: a front that dies in between still knows what to remove.
    record["objects"] = gone + wanted
    app["store"].changed()
    rolling = {}
    for obj, old in zip(objects, before, strict=True):
        new = await app["kube"].apply(obj)
        if obj["kind"] == "Deployment" and old is not None and old["spec"]["template"] != new["spec"]["template"]:
            name = f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"
            rolling[name] = new["metadata"].get("generation", 0)
    await delete(app, record, gone)
    record["objects"] = wanted
    app["store"].changed()
    return rolling


async def _existing(app: web.Application, record: Record, objects: list[dict[str, Any]]) -> list[dict[str, Any] | None]:
    """What is there already of these objects; nothing is written when any of it is another install's."""
    found, errors, own = [], [], identity(record["supervisor_service"])
    for obj in objects:
        kind, namespace, name = reference(obj)
        there = await app["kube"].get(kind, name, namespace or None)
        owner = _label(there)
        if owner not in (None, own):
            errors.append(f"- Resource '{_description(obj)}' is already associated with a {_whose(app, str(owner))}")
        found.append(there)
    if errors:
        raise ReconcileFailed("\n".join(["kapp: Error: Ownership errors:", *errors]))
    return found


def _label(there: dict[str, Any] | None) -> str | None:
    return (((there or {}).get("metadata") or {}).get("labels") or {}).get(LABEL)


def _whose(app: web.Application, owner: str) -> str:
    """The other app in kapp's words."""
    for other in app["store"]["installs"].values():
        service = other["supervisor_service"]
        if identity(service) == owner:
            return f"different app 'svc-{service}.app' namespace: {STATE_NAMESPACE} (label '{LABEL}={owner}')"
    return f"different label '{LABEL}={owner}'"


def _description(obj: dict[str, Any]) -> str:
    namespace = obj["metadata"].get("namespace")
    where = f"namespace: {namespace}" if namespace else "cluster"
    return f"{obj['kind'].lower()}/{obj['metadata']['name']} ({obj['apiVersion']}) {where}"


async def delete(app: web.Application, record: Record, references: list[list[str]]) -> None:
    """Delete in reverse order and wait until everything is gone; what became another's meanwhile stays."""
    kube, going = app["kube"], []
    own = (None, identity(record["supervisor_service"]))
    for kind, namespace, name in reversed(references):
        there = await kube.get(kind, name, namespace or None)
        if there is not None and _label(there) in own:
            going.append((kind, name, namespace or None, there["metadata"].get("uid")))
            await kube.delete(kind, name, namespace or None)
    for kind, name, place, uid in going:
        # Another install that waited for the name may have it by now: that is a new object.
        while (there := await kube.get(kind, name, place)) is not None and there["metadata"].get("uid") == uid:
            await pause(app, "poll")
