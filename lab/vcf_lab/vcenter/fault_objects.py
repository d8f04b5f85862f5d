# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of an object: what its reads say for a while, and what another client does to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.fault import Answer, Call, Fault, Proceed
from vcf_lab.vcenter.fault_answers import refusal, sent
from vcf_lab.vcenter.wcp_request import message, wrong_state

_MANAGEMENT = r"^/api/vcenter/namespace-management/"
_NAMESPACES = r"^/api/vcenter/namespaces/instances"
# Reads that tell the state of such an object, one or a list.
READS = {
    "supervisor": re.compile(_MANAGEMENT + r"(supervisors/summaries|supervisors/[^/]+/summary|clusters(/[^/]+)?)$"),
    "namespace": re.compile(_NAMESPACES + r"(/v2)?(/[^/]+)?$"),
    "install": re.compile(_MANAGEMENT + r"(supervisors|clusters)/[^/]+/supervisor-services(/[^/]+)?$"),
}
_ONE_NAMESPACE = re.compile(_NAMESPACES + r"(?:/v2)?/(?!v2$)([^/?]+)")
TEXTS = {
    "supervisor": "Failed to configure the control plane. The operation is tried again.",
    "namespace": "Failed to realize the namespace. The operation is tried again.",
    "install": "Reason: ReconcileFailed. Message: kapp: Error: waiting on reconcile: timed out.",
}


def body_of(answer: Answer) -> Any:
    """The JSON of a success, None for any other answer."""
    if not isinstance(answer, web.Response) or answer.status >= 300 or answer.content_type != "application/json" or not answer.body:
        return None
    return json.loads(answer.text or "null")


def structures(value: Any) -> Iterator[dict[str, Any]]:
    """Every structure in a value, outer ones first."""
    if isinstance(value, dict):
        yield value
    for entry in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from structures(entry)


async def error_state(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    """ERROR in every state of the answer; the object itself stays as it is."""
    answer = await proceed()
    kind = fault.options["object"]
    value = body_of(answer) if READS[kind].search(call.path) else None
    told = [entry for entry in structures(value) if "config_status" in entry]
    if not told or not fault.claim(call):
        return answer
    for entry in told:
        _say(entry, "ERROR", TEXTS[kind])
        if "kubernetes_status" in entry:
            entry["kubernetes_status"] = "ERROR"
    return web.json_response(value, status=answer.status)


def _say(entry: dict[str, Any], state: str, text: str) -> None:
    entry["config_status"] = state
    if "messages" in entry:
        entry["messages"] = [{"id": "vcenter.wcp.fault", "severity": "ERROR", "details": message(text, "vcenter.wcp.fault")}]


def about_namespaces(call: Call) -> bool:
    return bool(re.match(_NAMESPACES, call.path))


async def terminating(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    """A namespace that goes, or has gone: reads still show it, it takes no change, and its name is not free."""
    name = await _namespace(call)
    wanted = fault.options.get("namespace") or name
    if name and name != wanted:
        return await proceed()
    if call.method != "GET":
        return await proceed() if not name or fault.skip else refusal(_being_removed(call, name))
    answer = await proceed()
    value = body_of(answer)
    if value is None and answer.status == 404 and name:
        value = _gone(call)
    told = [entry for entry in structures(value) if "config_status" in entry and (not wanted or entry.get("namespace", wanted) == wanted)]
    if not told or not fault.claim(call):
        return answer
    for entry in told:
        _say(entry, "REMOVING", f"The namespace {name or wanted} is in terminating status.")
    return web.json_response(value)


def _being_removed(call: Call, name: str) -> ApiError:
    if call.method == "POST" and "/access/" not in call.path:
        return ApiError("ALREADY_EXISTS", f"Namespace {name} already exists.", id="vcenter.wcp.namespace.exists", args=[name])
    return wrong_state(f"Namespace {name} is being removed.", name)


def _gone(call: Call) -> dict[str, Any]:
    supervisor: dict[str, Any] = next(iter(call.request.app["store"]["supervisors"].values()), {})
    owner = "supervisor" if "/v2/" in call.path else "cluster"
    empty: dict[str, Any] = {"messages": [], "description": "", "access_list": [], "storage_specs": [], "stats": {}}
    return {owner: supervisor.get(owner, "-"), "config_status": "REMOVING", **empty}


async def _namespace(call: Call) -> str:
    """The namespace that a request is about; empty for a list."""
    found = _ONE_NAMESPACE.match(call.path)
    if found:
        return found.group(1)
    if call.method == "GET":
        return ""
    return str((await sent(call)).get("namespace", ""))


# Path of an object -> where the store has it.
_RECORDS = (
    (re.compile(_NAMESPACES + r"/(?!v2$)([^/]+)"), "namespaces"),
    (re.compile(_MANAGEMENT + r"virtual-machine-classes/([^/]+)$"), "vm_classes"),
    (re.compile(_MANAGEMENT + r"supervisor-services/([^/]+)$"), "services"),
    (re.compile(r"^/api/content/(?:local-|subscribed-)?library/([^/]+)$"), "libraries"),
)


async def changed_meanwhile(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    """Before a change another client sets the description; before a create or a delete it sends the very same request."""
    if not fault.claim(call):
        return await proceed()
    record = None if call.method == "DELETE" else _record(call)
    if record is None:
        await proceed()
    else:
        record["description"] = "Changed by another client."
        if "version" in record:  # of a library: a stale one in the request is a conflict
            record["version"] = str(int(record["version"]) + 1)
        call.request.app["store"].changed()
    return await proceed()


def _record(call: Call) -> dict[str, Any] | None:
    for pattern, section in _RECORDS:
        found = pattern.match(call.path)
        record: dict[str, Any] | None = call.request.app["store"][section].get(found.group(1)) if found else None
        if record:
            return record
    return None
