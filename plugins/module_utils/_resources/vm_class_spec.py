# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VM class in vCenter's words and in ours, and what of it vCenter would refuse."""

from __future__ import annotations

import collections
import re
import typing as t

from .._diff import overlay
from .._errors import RayError
from .._names import canonical
from .._ports import Json
from .messages import texts

# The option of ours, and what vCenter calls it.
FIELDS = {
    "cpus": "cpu_count",
    "memory_mib": "memory_MB",
    "cpu_reservation": "cpu_reservation",
    "memory_reservation": "memory_reservation",
    "description": "description",
}
RESERVATIONS = ("cpu_reservation", "memory_reservation")
# What VIM JSON calls the structure of a config_spec.
TYPE = {"_typeName": "VirtualMachineConfigSpec"}
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
LARGEST_PCI_ID = 0xFFFF


def described(info: Json) -> Json:
    """A class in our words, without what it does not have."""
    # The spelling of memory_MB differs between releases.
    lower = {key.lower(): value for key, value in info.items()}
    devices = {key.lower(): value or [] for key, value in (lower.get("devices") or {}).items()}
    pci = devices.get("dynamic_direct_path_io_devices", [])
    storage = lower.get("instance_storage")
    own = {
        **{option: lower.get(theirs.lower()) for option, theirs in FIELDS.items()},
        "instance_storage": {"policy": canonical(storage["policy"]), "volumes_mib": [v["size"] for v in storage["volumes"]]} if storage else None,
        "config_spec": lower.get("config_spec") or None,
    }
    return {
        "name": info["id"],
        **{option: value for option, value in own.items() if value is not None},
        "description": own["description"] or "",
        "vgpus": counted(device["profile_name"] for device in devices.get("vgpu_devices", [])),
        "pci_devices": in_order({"vendor_id": d["vendor_id"], "device_id": d["device_id"], "label": d.get("custom_label")} for d in pci),
        "config_status": info.get("config_status"),
        "namespaces": sorted(info.get("namespaces") or []),
        "vms": sorted(info.get("vms") or []),
        "messages": texts(info.get("messages")),
    }


def counted(profiles: t.Iterable[str]) -> list[Json]:
    return [{"profile": profile, "count": count} for profile, count in sorted(collections.Counter(profiles).items())]


def in_order(devices: t.Iterable[Json]) -> list[Json]:
    return sorted(devices, key=lambda d: (d["vendor_id"], d["device_id"], d["label"] or ""))


def asked(desired: Json) -> Json:
    """The options as a class is read: GPUs counted by profile, ids as numbers, both in order."""
    vgpus, pci = desired.get("vgpus"), desired.get("pci_devices")
    return {
        **desired,
        "vgpus": None if vgpus is None else counted(gpu["profile"] for gpu in vgpus for _each in range(gpu["count"])),
        "pci_devices": None if pci is None else in_order(
            {**{key: pci_id(key, d[key]) for key in ("vendor_id", "device_id")}, "label": d.get("label")} for d in pci),
    }


def pci_id(option: str, given: str) -> int:
    try:
        number = int(given, 0)
    except ValueError:
        number = -1
    if not 0 <= number <= LARGEST_PCI_ID:
        raise RayError(f"pci_devices.{option} {given!r} is no id of a PCI device.", code="INPUT", hint="Write it as a number, such as 4318, or '0x10de'.")
    return number


def refuse_wrong(name: str, after: Json) -> None:
    """What vCenter would refuse, said before anything is written, and in check mode too."""
    if not LABEL.fullmatch(name):
        raise _input(f"{name!r} cannot be the name of a VM class.", "It must be a DNS label: up to 63 of a-z, 0-9 and -, the last not at an end.")
    for option in ("cpus", "memory_mib"):
        if after.get(option) is not None and after[option] < 1:
            raise _input(f"{option} of VM class {name} is {after[option]}.", "It must be at least 1.")
    for option in RESERVATIONS:
        if after.get(option) is not None and not 0 <= after[option] <= 100:
            raise _input(f"{option} of VM class {name} is {after[option]}.", "It is a share in percent, 0 to 100.")
    for gpu in after.get("vgpus") or []:
        if gpu["count"] < 1:
            raise _input(f"The count of vGPU {gpu['profile']} of VM class {name} is {gpu['count']}.", "It must be at least 1.")
    volumes = (after.get("instance_storage") or {}).get("volumes_mib", [1])
    if not volumes or min(volumes) < 1:
        raise _input(f"instance_storage of VM class {name} has no volumes, or one without a size.", "Name at least one size in MiB.")


def refuse_devices(name: str, before: Json | None) -> None:
    """A config_spec takes the place of the devices: to lose GPUs by the way would be no good surprise."""
    if before and (before["vgpus"] or before["pci_devices"]):
        raise _input(f"VM class {name} has vgpus or pci_devices, and a config_spec would replace them.",
                     "Take them away first with vgpus: [] and pci_devices: [], and name them in deviceChange of config_spec.")


def with_reservation(name: str, before: Json | None, desired: Json) -> Json:
    """vCenter reserves the whole memory of a machine with a device: 100 goes along, and anything else is refused here."""
    after = overlay(before, desired)
    if not after.get("vgpus") and not after.get("pci_devices"):
        return desired
    if desired.get("memory_reservation") not in (None, 100):
        raise _input(f"VM class {name} has GPU or PCI devices, and then all of its memory must be reserved: memory_reservation cannot be "
                     f"{desired['memory_reservation']}.", "Set it to 100 or leave it out.")
    return {**desired, "memory_reservation": 100}


def contained(given: t.Any, there: t.Any) -> bool:
    """Whether all that was given is there; a server adds defaults at every depth of a configuration."""
    if isinstance(given, dict):
        return isinstance(there, dict) and all(contained(value, there.get(key)) for key, value in given.items())
    if isinstance(given, list):
        return isinstance(there, list) and len(given) == len(there) and all(map(contained, given, there))
    return bool(given == there)


def body(values: Json) -> Json:
    """Options as fields; what is None stays out."""
    found = {theirs: values[option] for option, theirs in FIELDS.items() if values.get(option) is not None}
    if values.get("vgpus") is not None or values.get("pci_devices") is not None:
        found["devices"] = {
            "vgpu_devices": [{"profile_name": gpu["profile"]} for gpu in values.get("vgpus") or [] for _each in range(gpu["count"])],
            "dynamic_direct_path_IO_devices": [_pci(device) for device in values.get("pci_devices") or []],
        }
    storage = values.get("instance_storage")
    if storage:
        found["instance_storage"] = {"policy": storage["policy"], "volumes": [{"size": size} for size in storage["volumes_mib"]]}
    if values.get("config_spec") is not None:
        found["config_spec"] = values["config_spec"]
    return found


def _pci(device: Json) -> Json:
    label = {"custom_label": device["label"]} if device.get("label") else {}
    return {"vendor_id": device["vendor_id"], "device_id": device["device_id"], **label}


def _input(text: str, hint: str) -> RayError:
    return RayError(text, code="INPUT", hint=hint)
