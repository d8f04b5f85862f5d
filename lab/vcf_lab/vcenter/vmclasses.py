# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machine classes, with the defaults that every vCenter has."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from vcf_lab.vcenter import namespaces, vmclass_shape
from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.store import Store
from vcf_lab.vcenter.wcp_request import body, found, has, invalid, no_content

routes = web.RouteTableDef()
BASE = "/api/vcenter/namespace-management/virtual-machine-classes"
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
# Fields of a class that releases before these do not tell.
_LATER = {"instance_storage": "8.0.1", "config_spec": "8.0.3"}
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


async def _info(request: web.Request, record: dict[str, Any]) -> dict[str, Any]:
    """The class with who uses it; the description is always told."""
    store, name = request.app["store"], record["id"]
    spaces = sorted(space for space, entry in store["namespaces"].items() if name in entry["vm_classes"])
    machines = [
        vm["metadata"]["name"]
        for space in spaces
        for vm in await request.app["kube"].list("VirtualMachine", space)
        if vm.get("spec", {}).get("className") == name
    ]
    answer = {"description": "", **record, "namespaces": spaces, "vms": sorted(machines), "messages": []}
    return {field: value for field, value in answer.items() if field not in _LATER or has(request, _LATER[field])}


@routes.get(BASE)
async def list_classes(request: web.Request) -> web.Response:
    records = request.app["store"]["vm_classes"].values()
    return web.json_response([await _info(request, record) for record in records])


def _record(request: web.Request) -> dict[str, Any]:
    return found(request.app["store"]["vm_classes"], "VirtualMachineClass", request.match_info["id"])


@routes.get(BASE + "/{id}")
async def get_class(request: web.Request) -> web.Response:
    return web.json_response(await _info(request, _record(request)))


@routes.post(BASE)
async def create_class(request: web.Request) -> web.Response:
    spec = await body(request, vmclass_shape.CREATE, "CreateSpec")
    if not NAME.fullmatch(spec["id"]):
        raise invalid(f"'{spec['id']}' is not a DNS label (RFC 1123).", "id", spec["id"])
    store = request.app["store"]
    if spec["id"] in store["vm_classes"]:
        raise ApiError("ALREADY_EXISTS", f"The VM class '{spec['id']}' already exists.", args=[spec["id"]])
    await vmclass_shape.validate(request.app, spec)
    store["vm_classes"][spec["id"]] = {**spec, "config_status": "READY"}
    store.changed()
    return no_content()


@routes.patch(BASE + "/{id}")
async def update_class(request: web.Request) -> web.Response:
    """What is given replaces what was, whole; what is not given stays."""
    record = _record(request)
    spec = await body(request, vmclass_shape.UPDATE, "UpdateSpec")
    after = {**record, **spec}
    if "config_spec" in spec and "devices" not in spec:
        after.pop("devices", None)  # the newer field has the devices now
    await vmclass_shape.validate(request.app, after)
    request.app["store"]["vm_classes"][record["id"]] = after
    request.app["store"].changed()
    namespaces.refresh(request.app, lambda entry: record["id"] in entry["vm_classes"])
    return no_content()


@routes.delete(BASE + "/{id}")
async def delete_class(request: web.Request) -> web.Response:
    store, record = request.app["store"], _record(request)
    users = (await _info(request, record))["namespaces"]
    if users:
        text = f"The VM class '{record['id']}' is in use by: {', '.join(users)}."
        raise ApiError("RESOURCE_IN_USE", text, id="vcenter.wcp.vmclass.in_use", args=[record["id"], *users])
    del store["vm_classes"][record["id"]]
    store.changed()
    return no_content()
