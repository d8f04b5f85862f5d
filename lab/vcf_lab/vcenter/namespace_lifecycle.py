# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making the Kubernetes side of a vSphere Namespace equal to its record, and removing it."""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import web

from vcf_lab.kube import KubeError
from vcf_lab.vcenter import namespace_objects, namespace_zones
from vcf_lab.vcenter.supervisor_objects import SELECTOR
from vcf_lab.vcenter.wcp_jobs import pause
from vcf_lab.vcenter.wcp_request import message

LOG = logging.getLogger(__name__)


async def _policies(app: web.Application) -> dict[str, dict[str, Any]]:
    return {entry["policy"]: entry for entry in await app["inventory"].policies()}


async def follow(app: web.Application, name: str) -> None:
    """CONFIGURING to RUNNING; a failure is ERROR and tried again."""
    record = app["store"]["namespaces"].get(name)
    if record is None:
        return  # removed meanwhile
    if record["config_status"] != "RUNNING":
        await pause(app, "namespace")
    while True:
        try:
            await _make_equal(app, record)
            break
        except KubeError as error:
            LOG.warning("namespace %s: %s", name, error)
            record["config_status"] = "ERROR"
            record["messages"] = [{"severity": "ERROR", "details": message(str(error))}]
            app["store"].changed()
            await pause(app, "retry")
    if record["config_status"] != "RUNNING":
        record.update(config_status="RUNNING", messages=[])
        app["store"].changed()


async def _make_equal(app: web.Application, record: dict[str, Any]) -> None:
    kube, name = app["kube"], record["namespace"]
    policies = await _policies(app)
    await kube.apply(namespace_objects.namespace(record))
    for spec in record["storage_specs"]:
        await kube.apply(namespace_objects.storage_class(policies[spec["policy"]]))
    objects = namespace_objects.wanted(app["store"], record, policies)
    for obj in objects:
        await _apply(app, obj)
    keep = {(obj["kind"], obj["metadata"]["name"]) for obj in objects}
    for kind in namespace_objects.FOLLOWED:
        for obj in await kube.list(kind, name, labels=SELECTOR):
            if (kind, obj["metadata"]["name"]) not in keep:
                await kube.delete(kind, obj["metadata"]["name"], name)
    await prune_storage_classes(app, policies)
    await namespace_zones.drain(app, record)


async def _apply(app: web.Application, obj: dict[str, Any]) -> None:
    """A kind with a status subresource drops the status of an apply: it goes in by a patch of its own."""
    kube, metadata = app["kube"], obj["metadata"]
    if obj["kind"] == "RoleBinding":
        await _replace_other_role(app, obj)
    stored = await kube.apply({key: value for key, value in obj.items() if key != "status"})
    if "status" in obj and stored.get("status") != obj["status"]:
        await kube.patch(
            obj["kind"], metadata["name"], {"status": obj["status"]}, metadata["namespace"], subresource="status"
        )


async def _replace_other_role(app: web.Application, obj: dict[str, Any]) -> None:
    """The role of a binding cannot be changed: a binding with another one goes first."""
    name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
    stored = await app["kube"].get("RoleBinding", name, namespace)
    if stored is not None and stored["roleRef"]["name"] != obj["roleRef"]["name"]:
        await app["kube"].delete("RoleBinding", name, namespace)


async def prune_storage_classes(app: web.Application, policies: dict[str, dict[str, Any]]) -> None:
    """Delete the storage classes that no namespace has any more."""
    used = {
        namespace_objects.storage_class_name(policies[spec["policy"]])
        for record in app["store"]["namespaces"].values()
        if record["config_status"] != "REMOVING"
        for spec in record["storage_specs"]
    }
    for obj in await app["kube"].list("StorageClass", labels=SELECTOR):
        if obj["metadata"]["name"] not in used:
            await app["kube"].delete("StorageClass", obj["metadata"]["name"])


async def remove(app: web.Application, name: str) -> None:
    """Delete the Kubernetes Namespace, wait until its contents are gone, then forget the record."""
    await pause(app, "namespace")
    while True:
        try:
            await app["kube"].delete("Namespace", name)
            while await app["kube"].get("Namespace", name) is not None:
                await pause(app, "poll")
            await prune_storage_classes(app, await _policies(app))
            break
        except KubeError as error:
            LOG.warning("removal of namespace %s: %s", name, error)
            await pause(app, "retry")
    del app["store"]["namespaces"][name]
    app["store"].changed()
