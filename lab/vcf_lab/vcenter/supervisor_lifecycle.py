# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a Supervisor up and taking it down, step by step, as its conditions tell."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web

from vcf_lab import pulling
from vcf_lab.kube import KubeError
from vcf_lab.vcenter import supervisor_objects
from vcf_lab.vcenter.store import now
from vcf_lab.vcenter.wcp_jobs import pause
from vcf_lab.vcenter.wcp_request import message

LOG = logging.getLogger(__name__)
ANSWER_TIMEOUT = 60.0  # seconds for the Supervisor's address to answer, then ERROR


class NotReady(Exception):
    """A step did not come to its end in time; it is tried again."""


async def login_banner(app: web.Application, vip: str) -> bool:
    """Whether https://VIP/wcp/loginbanner answers: the sign of a Supervisor that takes logins."""
    # Not verified: this asks whether the address is up, and sends nothing.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session:
            async with session.get(f"https://{vip}/wcp/loginbanner", ssl=context) as reply:
                return reply.status == 200
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
        return False


Step = Callable[[web.Application, dict[str, Any]], Awaitable[None]]


async def _control_plane(app: web.Application, record: dict[str, Any]) -> None:
    if await app["kube"].get("Namespace", "kube-system") is None:
        raise NotReady("The API server does not have the namespace kube-system yet.")


async def _core_components(app: web.Application, record: dict[str, Any]) -> None:
    kinds = supervisor_objects.custom_resource_definitions()
    for obj in kinds + supervisor_objects.access():
        await app["kube"].apply(obj)
    deadline = asyncio.get_running_loop().time() + ANSWER_TIMEOUT
    for obj in kinds:
        while not await _served(app, obj["spec"]["names"]["kind"]):
            if asyncio.get_running_loop().time() > deadline:
                raise NotReady(f"The API server does not serve {obj['metadata']['name']}.")
            await pause(app, "poll")


async def _served(app: web.Application, kind: str) -> bool:
    """Whether objects of a new kind can be listed: at first there is no such path, then a storage that begins."""
    try:
        await app["kube"].list(kind)
    except KubeError as error:
        if error.status in (404, 429):
            return False
        raise
    return True


async def _load_balancer(app: web.Application, record: dict[str, Any]) -> None:
    await app["kube"].apply(supervisor_objects.config_map(record))
    deadline = asyncio.get_running_loop().time() + ANSWER_TIMEOUT
    while not await login_banner(app, record["vip"]):
        if asyncio.get_running_loop().time() > deadline:
            raise NotReady(f"https://{record['vip']}/wcp/loginbanner does not answer after {ANSWER_TIMEOUT:.0f} s.")
        await pause(app, "poll")


STEPS: tuple[tuple[str, str, Step], ...] = (
    ("ControlPlaneVMsConfigured", "Control plane virtual machines are configured", _control_plane),
    ("CoreComponentsInstalled", "Custom resources and roles of the Supervisor are installed", _core_components),
    ("LoadBalancerConfigured", "The address of the Supervisor answers", _load_balancer),
)


def _condition(record: dict[str, Any], kind: str, status: str, reason: str, text: str) -> None:
    """Set one condition; its time moves only when its status does."""
    description = next(entry[1] for entry in STEPS if entry[0] == kind)
    before = next((entry for entry in record["conditions"] if entry["type"] == kind), None)
    same = before is not None and before["status"] == status
    after = {
        "type": kind,
        "description": message(description, f"vcenter.wcp.condition.{kind}"),
        "status": status,
        "last_transition_time": before["last_transition_time"] if before and same else now(),
        "reason": reason,
        "severity": "INFO" if reason != "Failed" else "ERROR",
        "messages": [{"severity": "ERROR", "details": message(text)}] if text else [],
    }
    if before is None:
        record["conditions"].append(after)
    else:
        before.clear()
        before.update(after)


async def bring_up(app: web.Application, identifier: str) -> None:
    """CONFIGURING to RUNNING; a step that fails makes it ERROR and is tried again, as vCenter does."""
    record = app["store"]["supervisors"][identifier]
    if not record["conditions"]:  # else: a restarted front goes on
        for kind, _, _ in STEPS:
            _condition(record, kind, "FALSE", "Pending", "")
    for kind, _, step in STEPS:
        await _until_done(app, record, kind, step)
    record.update(config_status="RUNNING", kubernetes_status="READY", messages=[])
    app["store"].changed()
    LOG.info("supervisor %s runs at %s", record["name"], record["vip"])


async def _until_done(app: web.Application, record: dict[str, Any], kind: str, step: Step) -> None:
    while True:
        await pause(app, "supervisor step")
        try:
            await step(app, record)
        except (KubeError, NotReady) as error:
            LOG.warning("supervisor %s: %s: %s", record["name"], kind, error)
            _condition(record, kind, "FALSE", "Failed", str(error))
            details = message(str(error), f"vcenter.wcp.{kind}")
            failure = {"id": f"vcenter.wcp.{kind}", "severity": "ERROR", "details": details}
            record.update(config_status="ERROR", kubernetes_status="ERROR", messages=[failure])
            app["store"].changed()
            await pause(app, "retry")
            continue
        _condition(record, kind, "TRUE", "Done", "")
        record.update(config_status="CONFIGURING", kubernetes_status="WARNING", messages=[])
        app["store"].changed()
        return


async def take_down(app: web.Application, identifier: str) -> None:
    """Remove all that enabling made, wait until it is gone, then forget the Supervisor."""
    record = app["store"]["supervisors"][identifier]
    while True:
        await pause(app, "supervisor step")
        try:
            await _remove_objects(app)
            break
        except KubeError as error:
            LOG.warning("removal of supervisor %s: %s", record["name"], error)
            await pause(app, "retry")
    deadline = asyncio.get_running_loop().time() + ANSWER_TIMEOUT
    while await login_banner(app, record["vip"]) and asyncio.get_running_loop().time() < deadline:
        await pause(app, "poll")
    del app["store"]["supervisors"][identifier]
    app["store"].changed()


async def _remove_objects(app: web.Application) -> None:
    kube = app["kube"]
    named: list[tuple[str, str, str | None]] = [("ConfigMap", "supervisor", "kube-system")]
    named += [(obj["kind"], obj["metadata"]["name"], None) for obj in reversed(supervisor_objects.access())]
    named += [(obj["kind"], obj["metadata"]["name"], None) for obj in supervisor_objects.custom_resource_definitions()]
    logins = await kube.list("Secret", pulling.NAMESPACE, pulling.SELECTOR)
    named += [("Secret", secret["metadata"]["name"], pulling.NAMESPACE) for secret in logins]
    for kind, name, namespace in named:
        await kube.delete(kind, name, namespace)
    for kind, name, namespace in named:
        while await kube.get(kind, name, namespace) is not None:
            await pause(app, "poll")
