# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machine classes, with the defaults that every vCenter has."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from vcf_lab.vcenter import namespaces
from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.store import Store
from vcf_lab.vcenter.wcp_request import body, found, invalid, no_content

routes = web.RouteTableDef()
BASE = "/api/vcenter/namespace-management/virtual-machine-classes"
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
SIZES = {
    "xsmall": (2, 2),
    "small": (2, 4),
    "medium": (2, 8),
    "large": (4, 16),
    "xlarge": (4, 32),
    "2xlarge": (8, 64),
    "4xlarge": (16, 128),
    "8xlarge": (32, 128),
}
_UPDATE = {
    "cpu_count": int,
    "memory_MB": int,
    "cpu_reservation": int,
    "memory_reservation": int,
    "description": str,
    "devices": {
        "vgpu_devices": [{"profile_name*": str}],
        "dynamic_direct_path_IO_devices": [{"vendor_id*": int, "device_id*": int, "custom_label": str}],
    },
    "instance_storage": {"policy*": str, "volumes*": [{"size*": int}]},
    "config_spec": dict,
}
_CREATE = {"id*": str, **_UPDATE, "cpu_count*": int, "memory_MB*": int}
del _CREATE["cpu_count"], _CREATE["memory_MB"]


def seed(store: Store) -> None:
    """The default classes, once in a vCenter's life: one that was deleted stays deleted."""
    if store.data.get("vm_classes_seeded"):
        return
    for size, (cpus, gigabytes) in SIZES.items():
        common = {"cpu_count": cpus, "memory_MB": gigabytes * 1024, "config_status": "READY"}
        best, guaranteed = f"best-effort-{size}", f"guaranteed-{size}"
        store["vm_classes"].setdefault(best, {"id": best, **common})
        reserved = {"cpu_reservation": 100, "memory_reservation": 100}
        store["vm_classes"].setdefault(guaranteed, {"id": guaranteed, **common, **reserved})
    store.data["vm_classes_seeded"] = True
    store.changed()


def _validate(spec: dict[str, Any]) -> None:
    for field in ("cpu_count", "memory_MB"):
        if spec.get(field, 1) < 1:
            raise invalid(f"{field} has to be at least 1.", field)
    for field in ("cpu_reservation", "memory_reservation"):
        if not 0 <= spec.get(field, 0) <= 100:
            raise invalid(f"{field} is a percentage, 0 to 100.", field)
    if any(spec.get("devices", {}).values()) and spec.get("memory_reservation") != 100:
        raise invalid("A class with devices needs a memory_reservation of 100.", "memory_reservation")


def _info(store: Store, record: dict[str, Any]) -> dict[str, Any]:
    users = [name for name, entry in store["namespaces"].items() if record["id"] in entry["vm_classes"]]
    return {**record, "namespaces": sorted(users), "vms": [], "messages": []}


@routes.get(BASE)
async def list_classes(request: web.Request) -> web.Response:
    store = request.app["store"]
    return web.json_response([_info(store, record) for record in store["vm_classes"].values()])


@routes.get(BASE + "/{id}")
async def get_class(request: web.Request) -> web.Response:
    store = request.app["store"]
    return web.json_response(_info(store, found(store["vm_classes"], "VirtualMachineClass", request.match_info["id"])))


@routes.post(BASE)
async def create_class(request: web.Request) -> web.Response:
    spec = await body(request, _CREATE, "CreateSpec")
    if not NAME.fullmatch(spec["id"]):
        raise invalid(f"'{spec['id']}' is not a DNS label (RFC 1123).", "id", spec["id"])
    _validate(spec)
    store = request.app["store"]
    if spec["id"] in store["vm_classes"]:
        raise ApiError("ALREADY_EXISTS", f"The VM class '{spec['id']}' already exists.", args=[spec["id"]])
    store["vm_classes"][spec["id"]] = {**spec, "config_status": "READY"}
    store.changed()
    return no_content()


@routes.patch(BASE + "/{id}")
async def update_class(request: web.Request) -> web.Response:
    store = request.app["store"]
    record = found(store["vm_classes"], "VirtualMachineClass", request.match_info["id"])
    spec = await body(request, _UPDATE, "UpdateSpec")
    _validate({**record, **spec})
    record.update(spec)
    store.changed()
    namespaces.refresh(request.app, lambda entry: record["id"] in entry["vm_classes"])
    return no_content()


@routes.delete(BASE + "/{id}")
async def delete_class(request: web.Request) -> web.Response:
    store = request.app["store"]
    record = found(store["vm_classes"], "VirtualMachineClass", request.match_info["id"])
    users = _info(store, record)["namespaces"]
    if users:
        text = f"The VM class '{record['id']}' is in use by: {', '.join(users)}."
        raise ApiError("RESOURCE_IN_USE", text, id="vcenter.wcp.vmclass.in_use", args=[record["id"], *users])
    del store["vm_classes"][record["id"]]
    store.changed()
    return no_content()
