# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vSphere Namespace, with what is attached to it."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote

from .._diff import same
from .._errors import RayError, UnknownYet
from .._names import ambiguous, missing
from .messages import Patience, joined, texts
from .supervisor import is_cluster, supervisor_id
from .vm_class import BASE as VM_CLASSES

BASE = "/api/vcenter/namespaces/instances"
ERROR_PATIENCE = 300
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")


def find_namespace(client: t.Any, name: str) -> dict | None:
    """What vCenter tells of a namespace; the first path knows the Supervisor, the second is the one of 7.0."""
    found = client.find(f"{BASE}/v2/{quote(name, safe='')}")
    return client.find(f"{BASE}/{quote(name, safe='')}") if found is None else found


def list_namespaces(client: t.Any) -> list[str]:
    rows = client.find(f"{BASE}/v2")
    rows = client.get(BASE) if rows is None else rows
    return sorted(row["namespace"] for row in rows or [])


def described(name: str, info: dict) -> dict:
    """One shape for both generations; lists that are sets are sorted."""
    service = info.get("vm_service_spec") or {}
    libraries = {*(service.get("content_libraries") or []), *(c["content_library"] for c in info.get("content_libraries") or [])}
    return {
        "name": name,
        "supervisor": info.get("supervisor") or info.get("cluster"),
        "description": info.get("description") or "",
        "config_status": info.get("config_status"),
        "storage_policies": sorted((storage_of(s) for s in info.get("storage_specs") or []), key=lambda s: s["policy"]),
        "vm_classes": sorted(service.get("vm_classes") or []),
        "content_libraries": sorted(libraries),
        "access": sorted((access_of(a) for a in info.get("access_list") or []), key=lambda a: (a["domain"], a["subject"])),
        "messages": texts(info.get("messages")),
    }


def storage_of(spec: dict) -> dict:
    return {"policy": spec["policy"], "limit_mib": spec.get("limit")}


def access_of(entry: dict) -> dict:
    return {key: entry.get(key) for key in ("subject", "domain", "subject_type", "role")}


class Namespace:
    """One namespace by name, which is unique in a vCenter."""

    noun = "namespace"
    create_only = ("supervisor",)

    def __init__(self, client: t.Any, name: str) -> None:
        self._client = client
        self.name = name
        self._path = f"{BASE}/{quote(name, safe='')}"
        self._patience = Patience(ERROR_PATIENCE)

    def read(self) -> dict | None:
        info = find_namespace(self._client, self.name)
        return None if info is None else described(self.name, info)

    def resolve(self, before: dict | None, desired: dict) -> dict:
        """Names to ids; what is of an earlier step and not there yet is unknown, what is of the inventory is wrong."""
        policies = self._storage(before, desired.get("storage_policies"))
        wanted = desired.get("supervisor")
        if before is None and wanted is None:
            raise RayError(f"No namespace is called {self.name!r}, and making one needs supervisor.", code="INPUT", hint="Set it.")
        found = {
            **desired,
            "storage_policies": policies,
            "supervisor": None if wanted is None else supervisor_id(self._client, wanted),
            "content_libraries": self._libraries(desired.get("content_libraries")),
        }
        self._check_classes(desired.get("vm_classes"))
        if desired.get("vm_classes") is not None:
            found["vm_classes"] = sorted(set(desired["vm_classes"]))
        return found

    def create(self, desired: dict) -> None:
        supervisor = desired["supervisor"]
        old = is_cluster(supervisor)
        body = {"namespace": self.name, "cluster" if old else "supervisor": supervisor, **self._body({}, desired)}
        self._client.post(BASE if old else f"{BASE}/v2", body)

    def update(self, before: dict, desired: dict) -> None:
        """PATCH leaves alone what is absent, and replaces a list or structure that is given, so only what differs goes."""
        self._client.patch(self._path, self._body(before, desired))

    def delete(self, before: dict) -> None:
        if before["config_status"] != "REMOVING":
            self._client.delete(self._path)

    def ready(self, current: dict | None) -> bool:
        if current is None:
            return False
        status = current["config_status"]
        if status == "REMOVING":
            raise RayError(f"Namespace {self.name} is being removed.", code="FAILED", hint="Wait until it is gone, then run again.")
        if self._patience.lost(status == "ERROR"):
            raise RayError(f"Namespace {self.name} has stood in ERROR for {ERROR_PATIENCE} s. {joined(current['messages'])}", code="FAILED",
                           hint="Look at the namespace in the vSphere Client.")
        return status == "RUNNING"

    def say(self, current: dict | None) -> str:
        return "absent" if current is None else str(current["config_status"])

    def diagnose(self) -> str:
        current = self.read()
        return "vCenter does not list it." if current is None else joined(current["messages"])

    def _body(self, before: dict, desired: dict) -> dict:
        changed = {k: v for k, v in desired.items() if v is not None and not same(v, before.get(k))}
        body: dict[str, t.Any] = {}
        if "description" in changed:
            body["description"] = changed["description"]
        if "storage_policies" in changed:
            body["storage_specs"] = [storage_spec(s) for s in changed["storage_policies"]]
        if changed.keys() & {"vm_classes", "content_libraries"}:
            merged = {**before, **changed}
            body["vm_service_spec"] = {key: merged.get(key) or [] for key in ("vm_classes", "content_libraries")}
        return body

    def _storage(self, before: dict | None, wanted: list[dict] | None) -> list[dict] | None:
        """Without a limit of his own the user leaves the one that is set."""
        if wanted is None:
            return None
        limits = {s["policy"]: s["limit_mib"] for s in (before or {}).get("storage_policies") or []}
        found = []
        for entry in wanted:
            policy = self._client.inventory.policy(entry["policy"])
            limit = entry.get("limit_mib")
            found.append({"policy": policy, "limit_mib": limits.get(policy) if limit is None else limit})
        return sorted(found, key=lambda s: s["policy"])

    def _libraries(self, wanted: list[str] | None) -> list[str] | None:
        return None if wanted is None else sorted({library_id(self._client, name) for name in wanted})

    def _check_classes(self, wanted: list[str] | None) -> None:
        if not wanted:
            return
        there = [row["id"] for row in self._client.get(VM_CLASSES) or []]
        for name in wanted:
            if name not in there:
                raise missing("VM class", name, there, UnknownYet)


def storage_spec(entry: dict) -> dict:
    limit = {} if entry["limit_mib"] is None else {"limit": entry["limit_mib"]}
    return {"policy": entry["policy"], **limit}


def library_id(client: t.Any, wanted: str) -> str:
    """The id of a content library of either type, or UnknownYet."""
    if UUID.match(wanted) and client.find(f"/api/content/library/{wanted}"):
        return wanted
    ids = client.ask("/api/content/library", {"name": wanted}, query={"action": "find"}) or []
    if len(ids) > 1:
        raise ambiguous("content library", wanted, [{"library": i} for i in ids], "library")
    if not ids:
        raise missing("content library", wanted, library_names(client), UnknownYet)
    return ids[0]


def library_names(client: t.Any) -> list[str]:
    rows = (client.find(f"/api/content/library/{i}") for i in client.get("/api/content/library") or [])
    return [row["name"] for row in rows if row]
