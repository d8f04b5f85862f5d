# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VM class: the size of virtual machines that a namespace may make."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from .._errors import RayError

BASE = "/api/vcenter/namespace-management/virtual-machine-classes"
# The option of ours, and what vCenter calls it.
FIELDS = {
    "cpus": "cpu_count",
    "memory_mib": "memory_MB",
    "cpu_reservation": "cpu_reservation",
    "memory_reservation": "memory_reservation",
    "description": "description",
}


def list_vm_classes(client: t.Any) -> list[dict]:
    """Every class of the vCenter, as it tells them, sorted by name."""
    return sorted(client.get(BASE) or [], key=lambda row: row["id"])


def described(info: dict) -> dict:
    """A class in our words."""
    # The spelling of memory_MB differs between releases.
    lower = {key.lower(): value for key, value in info.items()}
    return {
        "name": info["id"],
        **{option: lower.get(theirs.lower()) for option, theirs in FIELDS.items()},
        "config_status": info.get("config_status"),
        "namespaces": sorted(info.get("namespaces") or []),
        "vms": sorted(info.get("vms") or []),
    }


class VmClass:
    """One VM class by its name, which is its id."""

    noun = "vm_class"

    def __init__(self, client: t.Any, name: str) -> None:
        self._client = client
        self.name = name
        self._path = f"{BASE}/{quote(name, safe='')}"

    def read(self) -> dict | None:
        found = self._client.find(self._path)
        return None if found is None else described({"id": self.name, **found})

    def resolve(self, before: dict | None, desired: dict) -> dict:
        unset = [k for k in ("cpus", "memory_mib") if desired.get(k) is None]
        if before is None and unset:
            raise RayError(f"No VM class is called {self.name!r}, and making one needs {' and '.join(unset)}.", code="INPUT", hint="Set them.")
        return desired

    def create(self, desired: dict) -> None:
        self._client.post(BASE, {"id": self.name, **self._body(desired)})

    def update(self, before: dict, desired: dict) -> None:
        changed = {k: v for k, v in desired.items() if v is not None and v != before.get(k)}
        self._client.patch(self._path, self._body(changed))

    def delete(self, before: dict) -> None:
        if before["config_status"] == "REMOVING":
            return
        try:
            self._client.delete(self._path)
        except RayError as error:
            if error.code in ("RESOURCE_IN_USE", "NOT_ALLOWED_IN_CURRENT_STATE"):
                error.hint = f"It is used by {users(before)}; detach or remove those first."
            raise

    def ready(self, current: dict | None) -> bool:
        return current is not None and current["config_status"] != "REMOVING"

    def say(self, current: dict | None) -> str:
        return "absent" if current is None else str(current["config_status"])

    def diagnose(self) -> str:
        current = self.read()
        return "vCenter does not list it." if current is None else f"It is used by {users(current)}."

    @staticmethod
    def _body(values: dict) -> dict:
        return {theirs: values[option] for option, theirs in FIELDS.items() if values.get(option) is not None}


def users(current: dict) -> str:
    """Who uses a class, in words."""
    parts = [f"{noun} {', '.join(current[key])}" for noun, key in (("namespaces", "namespaces"), ("VMs", "vms")) if current[key]]
    return " and ".join(parts) or "nothing that vCenter lists"
