# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container image registries of a Supervisor: where services and pods find their images.

What is registered becomes a Secret of the Supervisor's Kubernetes, once that is there: whoever pulls reads it in `pulling`.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

from aiohttp import web

from vcf_lab import pulling
from vcf_lab.kube import KubeError
from vcf_lab.vcenter import supervisor_shapes, supervisors
from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.store import new_id
from vcf_lab.vcenter.wcp_jobs import jobs, pause
from vcf_lab.vcenter.wcp_request import body, found, invalid, no_content, since

LOG = logging.getLogger(__name__)

routes = web.RouteTableDef()
BASE = supervisors.BASE + "/{supervisor}/container-image-registries"
FIRST_RELEASE = "8.0.3"
JOB = "container image registries"
PORT = 443
HOST = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?")
PEM = "-----BEGIN CERTIFICATE-----"
_CREATE = {"name*": str, "image_registry*": supervisor_shapes.REGISTRY, "default_registry": bool}
_UPDATE = {
    "name": str,
    "hostname": str,
    "port": int,
    "username": str,
    "password": str,
    "certificate_chain": str,
    "default_registry": bool,
}
Record = dict[str, Any]


def _registries(request: web.Request) -> dict[str, Record]:
    record = supervisors.supervisor(request.app["store"], request.match_info["supervisor"])
    there: dict[str, Record] = record["registries"]
    return there


def _shown(record: Record) -> Record:
    """What a read gives back: everything but the password."""
    registry = {key: value for key, value in record["image_registry"].items() if key != "password"}
    return {**record, "image_registry": registry}


def _check(registries: dict[str, Record], record: Record) -> None:
    registry = record["image_registry"]
    if not record["name"]:
        raise invalid("The name of a container image registry cannot be empty.", "name")
    if not HOST.fullmatch(registry["hostname"]):
        raise invalid(f"'{registry['hostname']}' is neither a host name nor an address.", "hostname", registry["hostname"])
    if not 0 < registry["port"] < 65536:
        raise invalid(f"The port {registry['port']} is not one of 1 to 65535.", "port")
    chain = registry.get("certificate_chain")
    if chain is not None and PEM not in chain:
        raise invalid("The certificate chain is not PEM-encoded.", "certificate_chain")
    if ("username" in registry) != ("password" in registry):
        raise invalid("A user name and a password go together.", "username")
    for other in registries.values():
        if other["name"] == record["name"] and other["id"] != record["id"]:
            text = f"The container image registry '{record['name']}' already exists."
            raise ApiError("ALREADY_EXISTS", text, args=[record["name"]])


async def _keep(request: web.Request, registries: dict[str, Record], record: Record) -> None:
    """Keep the record; a new default takes the place of the old one."""
    if record["default_registry"]:
        for other in registries.values():
            other["default_registry"] = False
    registries[record["id"]] = record
    await _changed(request.app)


async def _changed(app: web.Application) -> None:
    """Keep the store and bring the Secrets after it; a Supervisor that is not up yet gets them when it is."""
    app["store"].changed()
    tried = asyncio.Event()
    jobs(app).instead(JOB, lambda: _follow(app, tried))
    await tried.wait()  # whoever reads the answer finds the registry in use, as far as that can be


async def _follow(app: web.Application, tried: asyncio.Event) -> None:
    try:
        while True:
            try:
                await _write(app)
                return
            except KubeError as error:
                LOG.warning("container image registries: %s", error)
            tried.set()
            await pause(app, "retry")
    finally:
        tried.set()  # stopped by the next change, which does it all


async def _write(app: web.Application) -> None:
    """One Secret per registry of every Supervisor that stays, and no others."""
    kube = app["kube"]
    wanted = [
        pulling.secret(record["id"], record["image_registry"])
        for supervisor in app["store"]["supervisors"].values()
        if supervisor["config_status"] != "REMOVING"
        for record in supervisor["registries"].values()
    ]
    names = {secret["metadata"]["name"] for secret in wanted}
    for there in await kube.list("Secret", pulling.NAMESPACE, pulling.SELECTOR):
        if there["metadata"]["name"] not in names:
            await kube.delete("Secret", there["metadata"]["name"], pulling.NAMESPACE)
    for secret in wanted:
        await kube.apply(secret)


def resume(app: web.Application) -> None:
    """After a restart of the front: what it had not written yet."""
    if any(supervisor["registries"] for supervisor in app["store"]["supervisors"].values()):
        jobs(app).add(JOB, lambda: _follow(app, asyncio.Event()))


@routes.get(BASE)
@since(FIRST_RELEASE)
async def list_registries(request: web.Request) -> web.Response:
    return web.json_response([_shown(record) for record in _registries(request).values()])


@routes.post(BASE)
@since(FIRST_RELEASE)
async def create(request: web.Request) -> web.Response:
    registries = _registries(request)
    spec = await body(request, _CREATE, "CreateSpec")
    record = {
        "id": new_id(),
        "name": spec["name"],
        "image_registry": {"port": PORT, **spec["image_registry"]},
        "default_registry": spec.get("default_registry", False),
    }
    _check(registries, record)
    await _keep(request, registries, record)
    return web.json_response(_shown(record), status=201)


def _of_path(request: web.Request) -> tuple[dict[str, Record], Record]:
    registries = _registries(request)
    return registries, found(registries, "ContainerImageRegistry", request.match_info["registry"])


@routes.get(BASE + "/{registry}")
@since(FIRST_RELEASE)
async def get(request: web.Request) -> web.Response:
    return web.json_response(_shown(_of_path(request)[1]))


@routes.patch(BASE + "/{registry}")
@since(FIRST_RELEASE)
async def update(request: web.Request) -> web.Response:
    """What is not given stays as it is."""
    registries, record = _of_path(request)
    spec = await body(request, _UPDATE, "UpdateSpec")
    own = {key: spec.pop(key) for key in ("name", "default_registry") if key in spec}
    after = {**record, **own, "image_registry": {**record["image_registry"], **spec}}
    _check(registries, after)
    await _keep(request, registries, after)
    return no_content()


@routes.delete(BASE + "/{registry}")
@since(FIRST_RELEASE)
async def delete(request: web.Request) -> web.Response:
    registries, record = _of_path(request)
    del registries[record["id"]]
    await _changed(request.app)
    return no_content()
