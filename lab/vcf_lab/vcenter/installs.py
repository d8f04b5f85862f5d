# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Supervisor Services on a Supervisor: the two views of the API, and the precheck."""

from __future__ import annotations

import base64
import random
import re
import string
from functools import partial
from typing import Any

import yaml
from aiohttp import web

from vcf_lab.vcenter import install_lifecycle, supervisors
from vcf_lab.vcenter.errors import ApiError, missing
from vcf_lab.vcenter.supervisors import supervisor_of_cluster
from vcf_lab.vcenter.wcp_jobs import jobs
from vcf_lab.vcenter.wcp_request import body, decoded, has, invalid, no_content, since, wrong_state

routes = web.RouteTableDef()
BASE = "/api/vcenter/namespace-management/supervisors/{supervisor}/supervisor-services"
BASE_V1 = "/api/vcenter/namespace-management/clusters/{cluster}/supervisor-services"
_UPDATE = {"version*": str, "yaml_service_config": str}
_INSTALL = {"supervisor_service*": str, **_UPDATE}
_UPDATE_V1 = {"version*": str, "service_config": dict, "yaml_service_config@8.0.1": str}
_INSTALL_V1 = {"supervisor_service*": str, **_UPDATE_V1}
Record = dict[str, Any]


async def supervisor_of(request: web.Request) -> Record:
    if "cluster" in request.match_info:
        return await supervisor_of_cluster(request)
    return supervisors.supervisor(request.app["store"], request.match_info["supervisor"])


def key_of(supervisor: Record, service: str) -> str:
    return f"{supervisor['supervisor']}/{service}"


async def _record(request: web.Request) -> Record:
    """The install of the path."""
    service = request.match_info["service"]
    key = key_of(await supervisor_of(request), service)
    if key not in request.app["store"]["installs"]:
        raise missing("SupervisorService", service)
    install: Record = request.app["store"]["installs"][key]
    return install


def _installable(app: web.Application, service: str, version: str) -> Record:
    """The catalogue entry, which has to be there and ACTIVATED with the version."""
    entry: Record | None = app["store"]["services"].get(service)
    if entry is None:
        raise missing("SupervisorService", service)
    if version not in entry["versions"]:
        raise missing("SupervisorServiceVersion", version)
    if entry["state"] != "ACTIVATED" or entry["versions"][version]["state"] != "ACTIVATED":
        raise wrong_state(f"Version {version} of the Supervisor Service '{service}' is not activated.", service, version)
    return entry


def _config(spec: Record) -> str | None:
    """The configuration as base64 of YAML, checked; a v1 map is the same thing in other words."""
    if "service_config" in spec:
        if "yaml_service_config" in spec:
            raise invalid("Only one of service_config and yaml_service_config can be given.")
        if not all(isinstance(value, str) for value in spec["service_config"].values()):
            raise invalid("The values of service_config have to be text.", "service_config")
        return base64.b64encode(yaml.safe_dump(spec["service_config"]).encode()).decode()
    config = spec.get("yaml_service_config")
    if config is not None:
        try:
            values = yaml.safe_load(decoded(config, "yaml_service_config"))
        except yaml.YAMLError as error:
            raise invalid(f"yaml_service_config is not YAML: {error}", "yaml_service_config") from error
        if values is not None and not isinstance(values, dict):
            raise invalid("yaml_service_config has to be a YAML map.", "yaml_service_config")
    return config


def _service_namespace(request: web.Request, service: str, supervisor: Record) -> str:
    """A name that clients have to read: it has the cluster in it before 9.0, random letters after."""
    short = re.sub(r"[^a-z0-9-]", "-", service.split(".", maxsplit=1)[0].lower())
    if not has(request, "9.0"):
        return f"svc-{short}-{supervisor['cluster']}"
    return f"svc-{short}-" + "".join(random.choices(string.ascii_lowercase + string.digits, k=5))


async def _install(request: web.Request, shape: Record) -> None:
    app, supervisor = request.app, await supervisor_of(request)
    spec = await body(request, shape, "CreateSpec")
    service, version = spec["supervisor_service"], spec["version"]
    entry = _installable(app, service, version)
    config, key = _config(spec), key_of(supervisor, service)
    if key in app["store"]["installs"]:
        text = f"The Supervisor Service '{service}' already exists on the Supervisor {supervisor['supervisor']}."
        raise ApiError("ALREADY_EXISTS", text, args=[service])
    supervisors.running(supervisor)
    if not supervisor.get("supervisor_services_enabled", True):
        raise wrong_state("Supervisor Services are switched off on this Supervisor.", supervisor["supervisor"])
    record = {
        "supervisor": supervisor["supervisor"],
        "supervisor_service": service,
        "display_name": entry["display_name"],
        "description": entry["description"],
        "desired_version": version,
        "config_status": "CONFIGURING",
        "service_namespace": _service_namespace(request, service, supervisor),
        "messages": [],
        "objects": [],
    }
    app["store"]["installs"][key] = record
    _start(app, key, record, config)


def _start(app: web.Application, key: str, record: Record, config: str | None) -> None:
    if config is not None:
        record["yaml_service_config"] = config
    forget(app, record)
    app["store"].changed()
    jobs(app).instead(f"install {key}", lambda: install_lifecycle.install(app, key))


def forget(app: web.Application, record: Record) -> None:
    """Results of prechecks end with the next install, upgrade or removal."""
    app["store"]["supervisors"][record["supervisor"]].get("prechecks", {}).pop(record["supervisor_service"], None)


def resume(app: web.Application) -> None:
    """After a restart: go on where the old front stopped."""
    works = {"CONFIGURING": install_lifecycle.install, "ERROR": install_lifecycle.install}
    works["REMOVING"] = install_lifecycle.uninstall
    for key, record in app["store"]["installs"].items():
        work = works.get(record["config_status"])
        if work is not None:
            jobs(app).add(f"install {key}", partial(work, app, key))


def _summary(record: Record) -> Record:
    fields = ("supervisor_service", "desired_version", "config_status", "current_version")
    return {field: record[field] for field in fields if field in record}


def _info(request: web.Request, record: Record) -> Record:
    """The Info of an install; a message's type came with 9.1."""
    fields = (
        "desired_version",
        "current_version",
        "config_status",
        "service_namespace",
        "messages",
        "display_name",
        "description",
        "yaml_service_config",
    )
    answer = {field: record[field] for field in fields if field in record}
    if not has(request, "9.1"):
        answer["messages"] = [{k: v for k, v in entry.items() if k != "type"} for entry in record["messages"]]
    return answer


async def _summaries(request: web.Request) -> list[Record]:
    supervisor = await supervisor_of(request)
    installs = request.app["store"]["installs"].values()
    return [_summary(entry) for entry in installs if entry["supervisor"] == supervisor["supervisor"]]


@routes.post(BASE)
@since("9.0")
async def create(request: web.Request) -> web.Response:
    await _install(request, _INSTALL)
    return web.Response(status=201)


@routes.post(BASE_V1)
async def create_v1(request: web.Request) -> web.Response:
    await _install(request, _INSTALL_V1)
    return no_content()


@routes.get(BASE)
@since("9.0")
async def list_installs(request: web.Request) -> web.Response:
    return web.json_response({"supervisor_services": await _summaries(request)})


@routes.get(BASE_V1)
async def list_installs_v1(request: web.Request) -> web.Response:
    return web.json_response(await _summaries(request))


@routes.get(BASE + "/{service}")
@since("9.0")
async def get(request: web.Request) -> web.Response:
    return web.json_response(_info(request, await _record(request)))


@routes.get(BASE_V1 + "/{service}")
async def get_v1(request: web.Request) -> web.Response:
    return web.json_response(_info(request, await _record(request)))


async def _upgrade(request: web.Request, shape: Record) -> web.Response:
    record = await _record(request)
    spec = await body(request, shape, "SetSpec")
    service = record["supervisor_service"]
    if record["config_status"] == "REMOVING":
        raise wrong_state(f"The Supervisor Service '{service}' is being removed.", service)
    _installable(request.app, service, spec["version"])
    config = _config(spec)
    record.pop("yaml_service_config", None)  # not given: the old values are lost
    record.update(desired_version=spec["version"], config_status="CONFIGURING", messages=[])
    key = f"{record['supervisor']}/{service}"
    _start(request.app, key, record, config)
    return no_content()


@routes.put(BASE + "/{service}")
@since("9.0")
async def upgrade(request: web.Request) -> web.Response:
    return await _upgrade(request, _UPDATE)


@routes.put(BASE_V1 + "/{service}")
async def upgrade_v1(request: web.Request) -> web.Response:
    return await _upgrade(request, _UPDATE_V1)


async def _delete(request: web.Request) -> web.Response:
    app, record = request.app, await _record(request)
    service = record["supervisor_service"]
    if record["config_status"] == "REMOVING":
        raise wrong_state(f"The Supervisor Service '{service}' is being removed.", service)
    record.update(config_status="REMOVING", messages=[])
    forget(app, record)
    app["store"].changed()
    key = f"{record['supervisor']}/{service}"
    jobs(app).instead(f"install {key}", lambda: install_lifecycle.uninstall(app, key))
    return no_content()


@routes.delete(BASE + "/{service}")
@since("9.0")
async def delete(request: web.Request) -> web.Response:
    return await _delete(request)


@routes.delete(BASE_V1 + "/{service}")
async def delete_v1(request: web.Request) -> web.Response:
    return await _delete(request)
