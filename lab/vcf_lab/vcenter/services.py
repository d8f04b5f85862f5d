# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of Supervisor Services and their versions, one for the whole vCenter."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab.vcenter import service_content
from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.service_content import Content
from vcf_lab.vcenter.wcp_request import body, decoded, found, has, invalid, message, no_content, unknown_operation, wrong_state

routes = web.RouteTableDef()
BASE = "/api/vcenter/namespace-management/supervisor-services"
EMPTY = "The Supervisor Service create specification cannot be empty"
_CARVEL = {"version_spec*": {"content*": str}}
_VSPHERE = {"version_spec*": {"content*": str, "trusted_provider": bool, "accept_EULA": bool}}
_CUSTOM_VERSION = {
    "version*": str,
    "display_name*": str,
    "description": str,
    "content*": str,
    "trusted_provider": bool,
}
_CUSTOM = {
    "supervisor_service*": str,
    "display_name*": str,
    "description": str,
    "version_spec*": _CUSTOM_VERSION,
}
CARVEL_RELEASE = "8.0.1"
_VERSION = {
    f"carvel_spec@{CARVEL_RELEASE}": {"content*": str},
    "custom_spec": _CUSTOM_VERSION,
    "vsphere_spec": {"content*": str, "trusted_provider": bool, "accept_EULA": bool},
}
Record = dict[str, Any]


def service(request: web.Request) -> Record:
    """The service of the path."""
    return found(request.app["store"]["services"], "SupervisorService", request.match_info["service"])


def version(request: web.Request, record: Record) -> Record:
    """The version of the path."""
    return found(record["versions"], "SupervisorServiceVersion", request.match_info["version"])


def refuse_invalid(content: Content) -> None:
    """INVALID_ARGUMENT with everything that is wrong with the content."""
    if content.errors:
        raise invalid(f"The content of the service is not valid: {' '.join(content.errors)}", *content.errors)


def _carvel_version(text: str, content: Content) -> Record:
    return {
        "version": content.version,
        "display_name": content.display_name,
        "description": content.description,
        "EULA": content.eula,
        "content_type": content.content_type,
        "content": text,
        "state": "ACTIVATED",
    }


@routes.post(BASE)
async def create_or_check(request: web.Request) -> web.Response:
    action = request.query.get("action")
    if action == "checkContent":
        return await _check_content(request)
    if action is not None:
        raise unknown_operation(request)
    return await _create(request)


async def _check_content(request: web.Request) -> web.Response:
    """Says what a create would do, and does nothing."""
    spec = (await body(request, {"spec*": {"content": str}}, "checkContent"))["spec"]
    content = _read(request, spec.get("content", ""))
    answer: Record = {
        "status": content.status,
        "content_type": content.content_type,
        "warning_messages": [message(text, "vcenter.wcp.services.content") for text in content.warnings],
        "error_messages": [message(text, "vcenter.wcp.services.content") for text in content.errors],
    }
    if content.content_type == "CARVEL_APPS_YAML" and content.supervisor_service:
        answer["carvel_apps_check_result"] = {
            "supervisor_service": content.supervisor_service,
            "version": content.version,
            "display_name": content.display_name,
            "description": content.description,
        }
    return web.json_response(answer)


def _read(request: web.Request, text: str) -> Content:
    """The content as this release understands it: before 8.0 a Carvel package is plain YAML like any other."""
    content = service_content.read(decoded(text, "content"))
    if content.content_type == "CARVEL_APPS_YAML" and not has(request, CARVEL_RELEASE):
        return Content(documents=content.documents)
    return content


async def _create(request: web.Request) -> web.Response:
    wrappers = {"vsphere_spec": _VSPHERE, "custom_spec": _CUSTOM, "carvel_spec": _CARVEL}
    given = await body(request, dict, "CreateSpec")
    kinds = [kind for kind in wrappers if kind in given]
    if "carvel_spec" in kinds and not has(request, CARVEL_RELEASE):
        await body(request, {"vsphere_spec": dict, "custom_spec": dict}, "CreateSpec")  # an unexpected field
    if not kinds:
        # vCenter looks for its own wrappers only and takes everything else for nothing.
        raise ApiError("NOT_FOUND", EMPTY, id="vcenter.wcp.appplatform.supervisorservice.create.empty")
    if len(kinds) > 1:
        raise invalid(f"Exactly one of {', '.join(wrappers)} can be given, not {', '.join(kinds)}.", *kinds)
    await body(request, {kind: wrappers[kind] for kind in kinds}, "CreateSpec")
    record = _record(request, kinds[0], given[kinds[0]])
    services, name = request.app["store"]["services"], record["supervisor_service"]
    if name in services:
        raise ApiError("ALREADY_EXISTS", f"The Supervisor Service '{name}' already exists.", args=[name])
    services[name] = record
    request.app["store"].changed()
    return web.Response(status=201)


def _record(request: web.Request, kind: str, spec: Record) -> Record:
    """The catalogue entry with its first version."""
    if kind == "vsphere_spec":
        raise invalid("The content is not a vSphere application; this vCenter takes Carvel packages and plain YAML.")
    given = spec["version_spec"]
    content = _read(request, given["content"])
    refuse_invalid(content)
    if kind == "carvel_spec":
        if content.content_type != "CARVEL_APPS_YAML":
            raise invalid("The content is not a Carvel package: it has no PackageMetadata and no Package.")
        first, name = _carvel_version(given["content"], content), content.supervisor_service
        display_name, description = content.display_name, content.description
    else:
        first = {
            "version": given["version"],
            "display_name": given["display_name"],
            "description": given.get("description", ""),
            "content_type": "CUSTOM_YAML",
            "content": given["content"],
            "state": "ACTIVATED",
        }
        name, display_name, description = spec["supervisor_service"], spec["display_name"], spec.get("description", "")
    return {
        "supervisor_service": name,
        "display_name": display_name,
        "description": description,
        "state": "ACTIVATED",
        "content_type": first["content_type"],
        "versions": {first["version"]: first},
    }


@routes.get(BASE)
async def list_services(request: web.Request) -> web.Response:
    fields = ("supervisor_service", "display_name", "state")
    records = request.app["store"]["services"].values()
    return web.json_response([{field: record[field] for field in fields} for record in records])


@routes.get(BASE + "/{service}")
async def get_service(request: web.Request) -> web.Response:
    record = service(request)
    answer = {field: record[field] for field in ("display_name", "state", "description")}
    if has(request, "8.0.3"):
        answer |= {"has_default_versions_registered": False, "must_be_installed": False}
    return web.json_response(answer)


@routes.patch(BASE + "/{service}")
async def change_service(request: web.Request) -> web.Response:
    record, action = service(request), request.query.get("action")
    if action is None:
        record.update(await body(request, {"display_name": str, "description": str}, "UpdateSpec"))
    elif action in ("activate", "deactivate"):
        state = "ACTIVATED" if action == "activate" else "DEACTIVATED"
        if record["state"] == state:
            name = record["supervisor_service"]
            raise wrong_state(f"The Supervisor Service '{name}' is already {state}.", name)
        record["state"] = state
        for entry in record["versions"].values():  # all of them, also those set on purpose
            entry["state"] = state
    else:
        raise unknown_operation(request)
    request.app["store"].changed()
    return no_content()


@routes.delete(BASE + "/{service}")
async def delete_service(request: web.Request) -> web.Response:
    record = service(request)
    name = record["supervisor_service"]
    if record["state"] != "DEACTIVATED":
        raise wrong_state(f"The Supervisor Service '{name}' has to be deactivated before it is deleted.", name)
    if record["versions"]:
        raise wrong_state(f"The Supervisor Service '{name}' still has versions: {', '.join(record['versions'])}.", name)
    del request.app["store"]["services"][name]
    request.app["store"].changed()
    return no_content()


@routes.get(BASE + "/{service}/versions")
async def list_versions(request: web.Request) -> web.Response:
    fields = ("version", "display_name", "state", "description")
    versions = service(request)["versions"].values()
    return web.json_response([{field: entry[field] for field in fields} for entry in versions])


@routes.post(BASE + "/{service}/versions")
async def create_version(request: web.Request) -> web.Response:
    record = service(request)
    name = record["supervisor_service"]
    given = await body(request, _VERSION, "CreateSpec")
    if len(given) != 1:
        raise invalid("Exactly one of carvel_spec, custom_spec, vsphere_spec has to be given.")
    if record["state"] != "ACTIVATED":
        raise wrong_state(f"The Supervisor Service '{name}' is deactivated.", name)
    kind, spec = next(iter(given.items()))
    if kind == "custom_spec":
        entry = {"description": "", **spec, "content_type": "CUSTOM_YAML", "state": "ACTIVATED"}
    elif kind == "carvel_spec":
        content = service_content.read(decoded(spec["content"], "content"))
        refuse_invalid(content)
        if content.supervisor_service != name:
            raise invalid(f"The content is of the service '{content.supervisor_service}', not of '{name}'.", name)
        entry = _carvel_version(spec["content"], content)
    else:
        raise invalid("The content is not a vSphere application.")
    if entry["content_type"] != record["content_type"]:
        raise invalid(f"The service '{name}' has content of type {record['content_type']}.", name)
    if entry["version"] in record["versions"]:
        text = f"Version {entry['version']} of the Supervisor Service '{name}' already exists."
        raise ApiError("ALREADY_EXISTS", text, args=[name, entry["version"]])
    record["versions"][entry["version"]] = entry
    request.app["store"].changed()
    return web.Response(status=201)


@routes.get(BASE + "/{service}/versions/{version}")
async def get_version(request: web.Request) -> web.Response:
    entry = version(request, service(request))
    answer = {field: entry[field] for field in ("display_name", "description", "content_type", "content", "state")}
    if entry.get("EULA"):
        answer["EULA"] = entry["EULA"]
    answer["trust_verified"] = False
    if has(request, "8.0.3"):
        answer["registered_by_default"] = False
    return web.json_response(answer)


@routes.patch(BASE + "/{service}/versions/{version}")
async def change_version(request: web.Request) -> web.Response:
    record = service(request)
    entry, action = version(request, record), request.query.get("action")
    if action not in ("activate", "deactivate"):
        raise unknown_operation(request)
    state = "ACTIVATED" if action == "activate" else "DEACTIVATED"
    what = f"version {entry['version']} of the Supervisor Service '{record['supervisor_service']}'"
    if entry["state"] == state:
        raise wrong_state(f"The {what} is already {state}.")
    if record["state"] != "ACTIVATED":
        raise wrong_state(f"The service of {what} is deactivated.")
    active = [other for other in record["versions"].values() if other["state"] == "ACTIVATED"]
    if state == "DEACTIVATED" and active == [entry]:
        raise wrong_state(f"The {what} is the last active one of an active service.")
    entry["state"] = state
    request.app["store"].changed()
    return no_content()


@routes.delete(BASE + "/{service}/versions/{version}")
async def delete_version(request: web.Request) -> web.Response:
    record = service(request)
    entry = version(request, record)
    what = f"version {entry['version']} of the Supervisor Service '{record['supervisor_service']}'"
    if entry["state"] != "DEACTIVATED":
        raise wrong_state(f"The {what} has to be deactivated before it is deleted.")
    for install in request.app["store"]["installs"].values():
        versions = (install.get("current_version"), install["desired_version"])
        if install["supervisor_service"] == record["supervisor_service"] and entry["version"] in versions:
            raise wrong_state(f"The {what} is installed on the Supervisor {install['supervisor']}.")
    del record["versions"][entry["version"]]
    request.app["store"].changed()
    return no_content()
