# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that mean the same and look different: what no client may rely on is changed.

Lists that are sets come in another order, structures carry keys that nobody knows and defaults that nobody gave,
identifiers and names of principals are written in capitals where vCenter does not tell case apart.
"""

from __future__ import annotations

import json
import re
from typing import Any

from aiohttp import web

from vcf_lab.vcenter.fault import Answer, Call, Fault, Proceed
from vcf_lab.vcenter.fault_objects import body_of

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Lists whose order has a meaning: arguments of a text, a chain of certificates, servers by preference, disks, what happened first.
ORDERED = frozenset({"args", "cert_chain", "servers", "search_domains", "volumes", "messages", "warning_messages", "error_messages"})
# Structures whose keys are data.
MAPS = frozenset({"item_type_rules", "service_config", "resource_spec", "config_spec", "params", "checksum_info"})
UNKNOWN = "field_of_a_newer_release"
# Found in a structure with these keys, unless it says something else.
DEFAULTS: tuple[tuple[frozenset[str], dict[str, Any]], ...] = (
    (
        frozenset({"cpu_count", "memory_MB"}),
        {
            "description": "",
            "cpu_reservation": 0,
            "memory_reservation": 0,
            "devices": {"vgpu_devices": [], "dynamic_direct_path_IO_devices": []},
        },
    ),
    (frozenset({"access_list", "config_status"}), {"description": "", "storage_specs": [], "networks": []}),
    (frozenset({"library_id", "content_version"}), {"description": "", "metadata_version": "1"}),
    (frozenset({"storage_backings"}), {"description": ""}),
)


async def reordered(fault: Fault, call: Call, proceed: Proceed) -> Answer:
    """Identifiers come back as they were told, so those in the request are understood in any case."""
    await _understood(call)
    answer = await proceed()
    value = body_of(answer)
    if value is None or call.login or not fault.claim(call):
        return answer
    return web.json_response(other(value), status=answer.status)


def other(value: Any, key: str = "") -> Any:
    """The same, seen from the other side."""
    if isinstance(value, dict):
        if key in MAPS:
            return value
        defaults: dict[str, Any] = {}
        for marks, given in DEFAULTS:
            defaults |= given if marks <= value.keys() else {}
        entries = {**defaults, **value}
        shown = {name: other(entry, name) for name, entry in reversed(entries.items())}
        for name in ("subject", "domain"):  # of a principal
            if {"subject", "domain"} <= value.keys():
                shown[name] = str(value[name]).upper()
        return {UNKNOWN: {"any": ["thing"]}, **shown}
    if isinstance(value, list):
        listed = [other(entry, key) for entry in value]
        return listed if key in ORDERED else listed[::-1]
    if isinstance(value, str) and UUID.fullmatch(value):
        return value.upper()
    return value


def _lower(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lower(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_lower(entry) for entry in value]
    return value.lower() if isinstance(value, str) and UUID.fullmatch(value) else value


async def _understood(call: Call) -> None:
    """Identifiers of path, query and body in the case in which the store has them."""
    request = call.request
    for name, text in request.match_info.items():
        request.match_info[name] = _lower(text)
    query = [(name, _lower(text)) for name, text in request.query.items()]
    path = "/".join(_lower(part) for part in request.path.split("/"))
    call.request = request.clone(rel_url=request.rel_url.with_path(path).with_query(query))
    content = await call.request.read()
    if not content or request.content_type != "application/json":
        return
    try:
        lowered = _lower(json.loads(content))
    except ValueError:
        return
    call.request._read_bytes = json.dumps(lowered).encode()  # aiohttp has no public way to replace a body
