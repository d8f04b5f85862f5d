# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The specification of a VM class, release by release, and what of it cannot be."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from vcf_lab.vcenter.wcp_request import invalid

UPDATE = {
    "cpu_count": int,
    "memory_MB": int,
    "cpu_reservation": int,
    "memory_reservation": int,
    "description": str,
    "devices": {
        "vgpu_devices": [{"profile_name*": str}],
        "dynamic_direct_path_IO_devices": [{"vendor_id*": int, "device_id*": int, "custom_label": str}],
    },
    "instance_storage@8.0.1": {"policy*": str, "volumes*": [{"size*": int}]},
    # Came with 8.0.2: of the lab's releases 8.0.3 is the first that has it.
    "config_spec@8.0.3": dict,
}
CREATE = {"id*": str, **UPDATE, "cpu_count*": int, "memory_MB*": int}
del CREATE["cpu_count"], CREATE["memory_MB"]
# A device that forces the whole memory to be reserved, by the class of its backing in VIM JSON.
_PASSTHROUGH = "VirtualPCIPassthrough"
CONFIG_SPEC = "VirtualMachineConfigSpec"
Spec = dict[str, Any]


def has_devices(spec: Spec) -> bool:
    """Whether machines of the class get a device of a host."""
    if any(spec.get("devices", {}).values()):
        return True
    changes = spec.get("config_spec", {}).get("deviceChange") or []
    return any(change.get("device", {}).get("_typeName") == _PASSTHROUGH for change in changes if isinstance(change, dict))


def _reserved(spec: Spec) -> bool:
    """Whether all memory is reserved, in the percentage or in the config spec."""
    return spec.get("memory_reservation") == 100 or spec.get("config_spec", {}).get("memoryReservationLockedToMax") is True


async def validate(app: web.Application, spec: Spec) -> None:
    """The class as it would be after the write."""
    for field in ("cpu_count", "memory_MB"):
        if spec[field] < 1:
            raise invalid(f"{field} has to be at least 1.", field)
    for field in ("cpu_reservation", "memory_reservation"):
        if not 0 <= spec.get(field, 0) <= 100:
            raise invalid(f"{field} is a percentage, 0 to 100.", field)
    _check_config_spec(spec)
    if has_devices(spec) and not _reserved(spec):
        text = "A class with vGPU or Dynamic DirectPath I/O devices needs a memory_reservation of 100."
        raise invalid(text, "memory_reservation", id="vcenter.wcp.vmclass.memory_reservation")
    await _check_instance_storage(app, spec)


def _check_config_spec(spec: Spec) -> None:
    if "config_spec" not in spec:
        return
    name = spec["config_spec"].get("_typeName")
    if name != CONFIG_SPEC:
        raise invalid(f"config_spec: _typeName is {CONFIG_SPEC}, not '{name}'.", "config_spec")
    if any(spec.get("devices", {}).values()):
        raise invalid("Only one of devices and config_spec can have the devices of a class.", "devices")


async def _check_instance_storage(app: web.Application, spec: Spec) -> None:
    storage = spec.get("instance_storage")
    if storage is None:
        return
    if storage["policy"] not in {entry["policy"] for entry in await app["inventory"].policies()}:
        text = f"instance_storage.policy: the storage policy '{storage['policy']}' does not exist."
        raise invalid(text, "instance_storage.policy", storage["policy"])
    if not storage["volumes"] or any(volume["size"] < 1 for volume in storage["volumes"]):
        raise invalid("instance_storage.volumes: volumes of at least 1 MB have to be given.", "instance_storage.volumes")
