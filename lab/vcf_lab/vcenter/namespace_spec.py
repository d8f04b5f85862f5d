# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Specifications of vSphere Namespaces: structure, meaning, and the fields that mirror each other."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.wcp_request import invalid

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
ROLES = ("OWNER", "EDIT", "VIEW")
SUBJECT_TYPES = ("USER", "GROUP")

UPDATE = {
    "description": str,
    "resource_spec": dict,
    "access_list": [
        {
            "subject_type*": SUBJECT_TYPES,
            "subject*": str,
            "domain*": str,
            "role*": ROLES,
            "identity_provider": str,
            "inherited": bool,
        }
    ],
    "storage_specs": [{"policy*": str, "limit": int}],
    "vm_service_spec": {"vm_classes": [str], "content_libraries": [str]},
    "content_libraries": [
        {
            "content_library*": str,
            "writable": bool,
            "allow_import": bool,
            "resource_naming_strategy": ("FROM_ITEM_ID", "PREFER_ITEM_SOURCE_ID"),
        }
    ],
    "edges": list,
    "infrastructure_policies": list,
}
_CREATE = {
    "namespace*": str,
    **UPDATE,
    "networks": [str],
    "creator": {"subject*": str, "domain*": str},
    "namespace_network": dict,
}
CREATE = {"cluster*": str, **_CREATE}
CREATE_V2 = {"supervisor*": str, **_CREATE, "zones": [dict], "network_spec": dict}


def name_of(spec: dict[str, Any]) -> str:
    """The namespace's name: a DNS label, and none of the platform's own."""
    name = spec["namespace"]
    if name.startswith("vmware-system"):
        raise ApiError("UNAUTHORIZED", f"The name '{name}' is reserved for the system.", id="vcenter.wcp.namespace.reserved")
    if not NAME.fullmatch(name):
        raise invalid(f"The namespace name '{name}' is not a DNS label (RFC 1123).", "namespace", name)
    return name


def principal_known(app: web.Application, entry: dict[str, Any]) -> bool:
    """Whether single sign-on has the user or group."""
    section = app["store"]["users" if entry["subject_type"] == "USER" else "groups"]
    wanted = f"{entry['subject']}@{entry['domain']}".lower()
    return any(name.lower() == wanted for name in section)


async def validate(app: web.Application, spec: dict[str, Any]) -> None:
    """Everything the specification names has to exist."""
    policies = {entry["policy"] for entry in await app["inventory"].policies()}
    for entry in spec.get("storage_specs", []):
        if entry["policy"] not in policies:
            raise invalid(f"The storage policy '{entry['policy']}' does not exist.", "storage_specs", entry["policy"])
        if entry.get("limit", 0) < 0:
            raise invalid("A storage limit cannot be negative.", "storage_specs", entry["policy"])
    for name in spec.get("vm_service_spec", {}).get("vm_classes", []):
        if name not in app["store"]["vm_classes"]:
            raise invalid(f"The VM class '{name}' does not exist.", "vm_service_spec.vm_classes", name)
    libraries = app["store"]["libraries"]
    named = [(name, False) for name in spec.get("vm_service_spec", {}).get("content_libraries", [])]
    named += [(e["content_library"], e.get("writable", False)) for e in spec.get("content_libraries", [])]
    for name, writable in named:
        if name not in libraries:
            raise invalid(f"The content library '{name}' does not exist.", "content_libraries", name)
        if writable and libraries[name].get("type") == "SUBSCRIBED":
            raise invalid(f"The subscribed content library '{name}' cannot be writable.", "content_libraries", name)
    seen = set()
    for entry in spec.get("access_list", []):
        key = (entry["subject_type"], entry["subject"].lower(), entry["domain"].lower())
        if key in seen:
            raise invalid(f"The access list names {entry['subject']}@{entry['domain']} twice.", "access_list")
        seen.add(key)
        if not principal_known(app, entry):
            raise invalid(
                f"The {entry['subject_type'].lower()} {entry['subject']}@{entry['domain']} does not exist.", "access_list"
            )


def libraries_after(record: dict[str, Any], spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The associated libraries after an update.

    `content_libraries` says all; a library named by `vm_service_spec` alone is read-only there.
    Where only `vm_service_spec` is given, it replaces the read-only ones and cannot drop a writable one.
    """
    before = record["libraries"]
    if "vm_service_spec" not in spec:
        return spec.get("content_libraries", before)
    listed = spec["vm_service_spec"].get("content_libraries", [])
    if "content_libraries" in spec:
        known = {entry["content_library"]: entry for entry in spec["content_libraries"]}
        extra = [{"content_library": name} for name in dict.fromkeys(listed) if name not in known]
        return spec["content_libraries"] + extra
    for entry in before:
        if entry.get("writable") and entry["content_library"] not in listed:
            raise invalid(
                f"The writable content library '{entry['content_library']}' cannot be removed by vm_service_spec.",
                "vm_service_spec.content_libraries",
            )
    known = {entry["content_library"]: entry for entry in before}
    return [known.get(name, {"content_library": name}) for name in dict.fromkeys(listed)]
