# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VM class: the size of virtual machines that a namespace may make."""

from __future__ import annotations

from urllib.parse import quote

from .._diff import overlay, same
from .._errors import RayError
from .._ports import Json, VCenter
from .vm_class_spec import RESERVATIONS, TYPE, asked, body, contained, described, refuse_devices, refuse_wrong, with_reservation

BASE = "/api/vcenter/namespace-management/virtual-machine-classes"
DEVICES = ("vgpus", "pci_devices")
# What a new class is, where the options say nothing; it need not be sent.
NEW = {"description": "", "vgpus": [], "pci_devices": []}
IN_USE = ("RESOURCE_IN_USE", "NOT_ALLOWED_IN_CURRENT_STATE")


def list_vm_classes(client: VCenter) -> list[Json]:
    """Every class of the vCenter, as it tells them, sorted by name."""
    return sorted(client.get(BASE) or [], key=lambda row: row["id"])


class VmClass:
    """One VM class by its name, which is its id."""

    noun = "vm_class"

    def __init__(self, client: VCenter, name: str) -> None:
        self._client = client
        self.name = name
        self._path = f"{BASE}/{quote(name, safe='')}"

    def read(self) -> Json | None:
        found = self._client.find(self._path)
        return None if found is None else described({"id": self.name, **found})

    def resolve(self, before: Json | None, desired: Json) -> Json:
        """The options as they are compared; everything that vCenter would refuse is refused here."""
        unset = [k for k in ("cpus", "memory_mib") if desired.get(k) is None]
        if before is None and unset:
            raise RayError(f"No VM class is called {self.name!r}, and making one needs {' and '.join(unset)}.", code="INPUT", hint="Set them.")
        refuse_wrong(self.name, desired)
        found = with_reservation(self.name, before, asked(desired))
        if before is None:
            found = {**NEW, **{k: v for k, v in found.items() if v is not None}}
        storage, spec = found.get("instance_storage"), found.get("config_spec")
        if storage:
            found["instance_storage"] = {**storage, "policy": self._client.inventory.policy(storage["policy"])}
            if not same(found["instance_storage"], (before or {}).get("instance_storage")):
                self._client.needs("8.0", "Instance storage of a VM class")
        if spec:
            there = (before or {}).get("config_spec") or {}
            # What a class has beside it is not ours; vCenter replaces the whole, so that goes along.
            found["config_spec"] = there if contained(spec, there) else {**TYPE, **overlay(there, spec)}
            if found["config_spec"] is not there:
                refuse_devices(self.name, before)
                self._client.needs("8.0.2", "The option config_spec of a VM class")
        return found

    def create(self, desired: Json) -> None:
        self._client.post(BASE, {"id": self.name, **body({k: v for k, v in desired.items() if k not in NEW or v})})

    def update(self, before: Json, desired: Json) -> None:
        """Only what differs, but the two lists of devices are one structure, and a reservation that is not sent is given up."""
        changed = {k: v for k, v in desired.items() if v is not None and not same(v, before.get(k))}
        if set(DEVICES) & changed.keys():
            changed.update({k: before[k] if desired.get(k) is None else desired[k] for k in DEVICES})
        kept = {k: before[k] for k in RESERVATIONS if k in before}
        try:
            self._client.patch(self._path, body({**kept, **changed}))
        except RayError as error:
            if error.code in IN_USE:
                error.hint = f"The class is being removed, or holds capacity of its cluster. It is used by {users(before)}."
            raise

    def delete(self, before: Json) -> None:
        if before["config_status"] == "REMOVING":
            return
        try:
            self._client.delete(self._path)
        except RayError as error:
            if error.code in IN_USE:
                error.hint = f"It is used by {users(before)}. Take it out of vm_classes of those namespaces (vcf.ray.namespace), or remove the VMs, first."
            raise

    def ready(self, current: Json | None) -> bool:
        if current is not None and current["config_status"] == "REMOVING":
            raise RayError(f"VM class {self.name} is being removed. It is used by {users(current)}.", code="FAILED",
                           hint="Wait until it is gone, then run again.")
        return current is not None

    def say(self, current: Json | None) -> str:
        return "absent" if current is None else str(current["config_status"])

    def diagnose(self) -> str:
        current = self.read()
        return "vCenter does not list it." if current is None else f"It is used by {users(current)}."


def users(current: Json) -> str:
    """Who uses a class, in words."""
    parts = [f"{noun} {', '.join(current[key])}" for noun, key in (("namespaces", "namespaces"), ("VMs", "vms")) if current[key]]
    return " and ".join(parts) or "nothing that vCenter lists"
