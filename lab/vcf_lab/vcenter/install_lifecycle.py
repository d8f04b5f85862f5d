# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing a Supervisor Service, upgrading and removing it, behind the answers of the API."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import yaml
from aiohttp import web

from vcf_lab.kube import KubeError
from vcf_lab.vcenter import carvel, kapp, service_content, supervisors
from vcf_lab.vcenter.carvel_step import ReconcileFailed
from vcf_lab.vcenter.wcp_jobs import pause
from vcf_lab.vcenter.wcp_request import decoded, message

LOG = logging.getLogger(__name__)
AVAILABLE_TIMEOUT = 120.0  # seconds for the Deployments, then ERROR (and it goes on trying)
PULL_FAILED = ("ImagePullBackOff", "ErrImagePull")


def told(record: dict[str, Any], severity: str, text: str) -> None:
    """Replace the install's messages by one."""
    entry = {"severity": severity, "type": "COMPATIBILITY", "details": message(text, "vcenter.wcp.services.reconcile")}
    record["messages"] = [entry]


def _failed(app: web.Application, record: dict[str, Any], why: str) -> None:
    """ERROR with its reason; vCenter shows what the tools say in many lines as one."""
    text = f"Reason: ReconcileFailed. Message: {' '.join(why.split())}."
    if record["config_status"] != "ERROR" or text != record["messages"][0]["details"]["default_message"]:
        told(record, "ERROR", text)
        record["config_status"] = "ERROR"
        app["store"].changed()


async def install(app: web.Application, key: str) -> None:
    """CONFIGURING to CONFIGURED; a failure is ERROR and tried again, as kapp-controller does."""
    record = app["store"]["installs"].get(key)
    if record is None:
        return  # removed meanwhile
    while True:
        await pause(app, "service")
        try:
            await _reconcile(app, record)
            break
        except (ReconcileFailed, KubeError, OSError) as error:  # OSError: of the files of a package
            LOG.warning("install %s: %s", key, error)
            _failed(app, record, str(error))
            await pause(app, "retry")
    record.update(config_status="CONFIGURED", current_version=record["desired_version"])
    told(record, "INFO", "Reason: ReconcileSucceeded. Message: .")
    app["store"].changed()


async def _reconcile(app: web.Application, record: dict[str, Any]) -> None:
    version = app["store"]["services"][record["supervisor_service"]]["versions"][record["desired_version"]]
    content = service_content.read(decoded(version["content"], "content"))
    if version["content_type"] == "CUSTOM_YAML":
        content.content_type = "CUSTOM_YAML"  # registered as plain objects, whatever they are
    why = service_content.misfit(content, supervisors.KUBERNETES_VERSION)
    if why:
        raise ReconcileFailed(why)
    config = record.get("yaml_service_config")
    values = yaml.safe_load(decoded(config, "yaml_service_config")) if config else {}
    objects = await carvel.render(app, content, record, values or {})
    rolling = await kapp.deploy(app, record, objects)
    deadline = asyncio.get_running_loop().time() + AVAILABLE_TIMEOUT
    while why := await carvel.not_available(app, objects, rolling):
        if any(word in why for word in PULL_FAILED) or asyncio.get_running_loop().time() > deadline:
            raise ReconcileFailed(f"Deploying: {why}")
        if record["config_status"] == "ERROR":  # what it was before may have healed meanwhile
            _failed(app, record, f"Deploying: {why}")
        await pause(app, "poll")


async def uninstall(app: web.Application, key: str) -> None:
    """REMOVING until nothing is left, then unknown. Objects that nobody finalizes hold it up for ever."""
    record = app["store"]["installs"][key]
    while True:
        await pause(app, "service")
        try:
            await kapp.delete(app, record, record["objects"])
            break
        except KubeError as error:
            LOG.warning("removal of %s: %s", key, error)
            await pause(app, "retry")
    del app["store"]["installs"][key]
    app["store"].changed()
