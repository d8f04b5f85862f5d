# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Specifications of vSphere Namespaces: structure, meaning, and the fields that mirror each other."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from vcf_lab import settings
from vcf_lab.vcenter import namespace_network, namespace_quota, namespace_zones
from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.wcp_request import invalid

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
ROLES = ("OWNER", "EDIT", "VIEW")
SUBJECT_TYPES = ("USER", "GROUP")

_COMMON = {
    "description": str,
    "access_list": [
        {
            "subject_type*": SUBJECT_TYPES,
            "subject*": str,
            "domain*": str,
            "role*": ROLES,
            "identity_provider@8.0.1": str,
        }
    ],
    "storage_specs": [{"policy*": str, "limit": int}],
    "vm_service_spec": {"vm_classes": [str], "content_libraries": [str]},
    # Came with 8.0.2: of the lab's releases 8.0.3 is the first that has it.
    "content_libraries@8.0.3": [
        {
            "content_library*": str,
            "writable": bool,
            "allow_import@9.0": bool,
            "resource_naming_strategy@9.0": ("FROM_ITEM_ID", "PREFER_ITEM_SOURCE_ID"),
        }
    ],
    "edges@9.1": [{"id*": str, "edge_provider*": str, "avi": {"se_group_name": str}}],
    "infrastructure_policies@9.1": [str],
}
UPDATE = {
    **_COMMON,
    "resource_spec": namespace_quota.UPDATE,
    "network_spec@9.0": namespace_network.UPDATE,
    "zones@9.0": namespace_zones.SHAPE,
}
SET = {**_COMMON, "resource_spec": namespace_quota.SET, "network_spec@9.0": namespace_network.UPDATE}
_CREATE = {
    "namespace*": str,
    **_COMMON,
    "resource_spec": namespace_quota.SET,
    "networks": [str],
    "creator": {"subject*": str, "domain*": str},
    "namespace_network": namespace_network.NAMESPACE_NETWORK,
}
CREATE = {"cluster*": str, **_CREATE}
CREATE_V2 = {
    "supervisor*": str,
    **_CREATE,
    "zones@9.0": namespace_zones.SHAPE,
    "network_spec@9.0": namespace_network.CREATE,
}


def name_of(spec: dict[str, Any]) -> str:
    """The namespace's name: a DNS label, and none of the platform's own."""
    name: str = spec["namespace"]
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


async def validate(app: web.Application, spec: dict[str, Any], record: dict[str, Any]) -> None:
    """Everything the specification names has to exist; `record` is what there was before."""
    await _check_storage(app, spec)
    namespace_quota.check(spec.get("resource_spec", {}))
    for name in spec.get("vm_service_spec", {}).get("vm_classes", []):
        if name not in app["store"]["vm_classes"]:
            raise invalid(f"The VM class '{name}' does not exist.", "vm_service_spec.vm_classes", name)
    libraries = app["store"]["libraries"]
    named = [{"content_library": name} for name in spec.get("vm_service_spec", {}).get("content_libraries", [])]
    for entry in [*named, *spec.get("content_libraries", [])]:
        _check_library(libraries, entry, record)
    seen = set()
    for entry in spec.get("access_list", []):
        key = (entry["subject_type"], entry["subject"].lower(), entry["domain"].lower())
        if key in seen:
            raise invalid(f"The access list names {entry['subject']}@{entry['domain']} twice.", "access_list")
        seen.add(key)
        check_principal(app, entry, "INVALID_ARGUMENT")


async def _check_storage(app: web.Application, spec: dict[str, Any]) -> None:
    policies = {entry["policy"] for entry in await app["inventory"].policies()}
    seen = set()
    for entry in spec.get("storage_specs", []):
        if entry["policy"] not in policies:
            raise invalid(f"The storage policy '{entry['policy']}' does not exist.", "storage_specs", entry["policy"])
        if entry.get("limit", 0) < 0:
            raise invalid("A storage limit cannot be negative.", "storage_specs", entry["policy"])
        if entry["policy"] in seen:
            raise invalid(f"The storage policy '{entry['policy']}' is named twice.", "storage_specs", entry["policy"])
        seen.add(entry["policy"])


def _check_library(libraries: dict[str, Any], entry: dict[str, Any], record: dict[str, Any]) -> None:
    name = entry["content_library"]
    if name not in libraries:
        raise invalid(f"The content library '{name}' does not exist.", "content_libraries", name)
    subscribed = libraries[name].get("type") == "SUBSCRIBED"
    for flag in ("writable", "allow_import"):
        if entry.get(flag) and subscribed:
            raise invalid(f"The subscribed content library '{name}' cannot be {flag}.", "content_libraries", name)
    if entry.get("allow_import") and not entry.get("writable"):
        raise invalid(f"allow_import needs a writable content library: '{name}'.", "content_libraries", name)
    before = next((other for other in record["libraries"] if other["content_library"] == name), None)
    strategy = entry.get("resource_naming_strategy")
    if before and strategy and strategy != before.get("resource_naming_strategy", "FROM_ITEM_ID"):
        raise invalid(f"The naming strategy of '{name}' cannot be changed.", "content_libraries", name)


def check_principal(app: web.Application, entry: dict[str, Any], error: str) -> None:
    """Single sign-on or another identity provider has the principal; OWNER is for those of SSO's own domain."""
    name, kind = f"{entry['subject']}@{entry['domain']}", entry["subject_type"].lower()
    external = "identity_provider" in entry
    if entry["role"] == "OWNER" and (external or entry["domain"].lower() != settings.SSO_DOMAIN):
        text = f"The role OWNER cannot be given to {name}, who does not come from vSphere SSO."
        raise ApiError("UNSUPPORTED", text, id="vcenter.wcp.access.owner_external", args=[name])
    if not external and not principal_known(app, entry):
        raise ApiError(error, f"The {kind} {name} does not exist.", id="vcenter.wcp.access.unknown_principal", args=[name])


def libraries_after(record: dict[str, Any], spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The associated libraries after an update.

    `content_libraries` says all; a library named by `vm_service_spec` alone is read-only there.
    Where only `vm_service_spec` is given, it replaces the read-only ones and cannot drop a writable one.
    """
    before: list[dict[str, Any]] = record["libraries"]
    asked: list[dict[str, Any]] = spec.get("content_libraries", before)
    if "vm_service_spec" not in spec:
        return asked
    listed = spec["vm_service_spec"].get("content_libraries", [])
    if "content_libraries" in spec:
        known = {entry["content_library"]: entry for entry in asked}
        extra = [{"content_library": name} for name in dict.fromkeys(listed) if name not in known]
        return asked + extra
    for entry in before:
        if entry.get("writable") and entry["content_library"] not in listed:
            raise invalid(
                f"The writable content library '{entry['content_library']}' cannot be removed by vm_service_spec.",
                "vm_service_spec.content_libraries",
            )
    known = {entry["content_library"]: entry for entry in before}
    return [known.get(name, {"content_library": name}) for name in dict.fromkeys(listed)]
