# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a version of a Supervisor Service fits a Supervisor, asked before it is installed."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab.vcenter import service_content, supervisors
from vcf_lab.vcenter.errors import missing
from vcf_lab.vcenter.installs import BASE, key_of, supervisor_of
from vcf_lab.vcenter.store import now
from vcf_lab.vcenter.wcp_jobs import jobs, pause
from vcf_lab.vcenter.wcp_request import body, decoded, has, message, since, unknown_operation

routes = web.RouteTableDef()
Record = dict[str, Any]


@routes.post(BASE + "/{service}")
@since("8.0.3")
async def precheck(request: web.Request) -> web.Response:
    """Answer with a task; the result is kept until the next install, upgrade or removal."""
    if request.query.get("action") != "precheck":
        raise unknown_operation(request)
    app, supervisor, service = request.app, await supervisor_of(request), request.match_info["service"]
    target = (await body(request, {"target_version*": str}, "PrecheckSpec"))["target_version"]
    entry = app["store"]["services"].get(service)
    if entry is None:
        raise missing("SupervisorService", service)
    if target not in entry["versions"]:
        raise missing("SupervisorServiceVersion", target)
    supervisors.running(supervisor)
    supervisor.get("prechecks", {}).get(service, {}).pop(target, None)
    app["store"].changed()
    key = key_of(supervisor, service)
    jobs(app).add(f"precheck {key}", lambda: _work(app, supervisor, service, target))
    return web.json_response(f"precheck-{service}-{target}", status=202)


async def _work(app: web.Application, supervisor: Record, service: str, target: str) -> None:
    await pause(app, "service")
    version = app["store"]["services"].get(service, {}).get("versions", {}).get(target)
    if version is None:
        return  # deleted meanwhile
    why = service_content.misfit(service_content.read(decoded(version["content"], "content")), supervisors.KUBERNETES_VERSION)
    details = message(why, "vcenter.wcp.services.precheck.incompatible")
    result: Record = {"target_version": target, "status": "INCOMPATIBLE" if why else "COMPATIBLE"}
    result["status_messages"] = [{"severity": "ERROR", "type": "COMPATIBILITY", "details": details}] if why else []
    result["precheck_finish_time"] = now()
    installed = app["store"]["installs"].get(key_of(supervisor, service), {})
    if "current_version" in installed:
        result["original_version"] = installed["current_version"]
    supervisor.setdefault("prechecks", {}).setdefault(service, {})[target] = result
    app["store"].changed()


@routes.get(BASE + "/{service}/versions/{version}/precheck")
@since("8.0.3")
async def precheck_result(request: web.Request) -> web.Response:
    """NOT_FOUND while there is no result, or no more."""
    supervisor, service = await supervisor_of(request), request.match_info["service"]
    result = supervisor.get("prechecks", {}).get(service, {}).get(request.match_info["version"])
    if result is None:
        raise missing("precheck result", f"{service} {request.match_info['version']}")
    messages = result["status_messages"]
    if not has(request, "9.1"):
        messages = [{key: value for key, value in entry.items() if key != "type"} for entry in messages]
    return web.json_response({**result, "status_messages": messages})
