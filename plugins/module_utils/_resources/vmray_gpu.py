# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the image of Ray and the VM classes of a VMRayCluster agree about GPUs."""

from __future__ import annotations

import json
import typing as t

from .._ports import Json
from .vmray_image import is_gpu
from .vmray_spec import node_types

# The two lists of a class of old, and since vSphere 8.0 U2 any device of this family in its ConfigSpec.
DEVICES = ("vgpuDevices", "dynamicDirectPathIODevices")
PASSED_THROUGH = "VirtualPCIPassthrough"


def has_gpu(vm_class: Json) -> bool:
    """Whether machines of a VirtualMachineClass get a device passed through; which device it is, a class need not say."""
    spec = vm_class.get("spec") or {}
    devices = (spec.get("hardware") or {}).get("devices") or {}
    return any(devices.get(key) for key in DEVICES) or PASSED_THROUGH in json.dumps(spec.get("configSpec") or {})


def gpu_faults(spec: Json, classes: dict[str, Json]) -> list[str]:
    """An image with CUDA where no worker has a GPU.

    Args:
        classes: the VirtualMachineClass objects of the namespace by name.
    """
    image, workers = spec.get("ray_docker_image") or "", _workers(spec, classes)
    if not is_gpu(image) or not workers or any(has_gpu(found) for name, found in workers):
        return []
    return [(f"ray_image {image} is for GPUs, and no VM class of the workers has one ({', '.join(sorted({name for name, found in workers}))}): "
             "name a class with a GPU, or the image without -gpu")]


def gpu_warnings(spec: Json, classes: dict[str, Json]) -> list[str]:
    """GPUs that nobody will use."""
    image, found = spec.get("ray_docker_image") or "", []
    idle = sorted({name for name, vm_class in _workers(spec, classes) if has_gpu(vm_class)})
    if idle and not is_gpu(image):
        found.append(f"VM class {', '.join(idle)} has a GPU, and the tag of ray_image {image} does not say that it brings CUDA (-gpu).")
    head = (spec.get("head_node") or {}).get("node_type") or ""
    head_class = (node_types(spec).get(head) or {}).get("vm_class") or ""
    if has_gpu(classes.get(head_class) or {}):
        found.append(f"VM class {head_class} of the head has a GPU, but the container of the head is started without it: only workers use GPUs.")
    without = sorted(n for n, v in node_types(spec).items()
                     if (v.get("resources") or {}).get("gpu") and not has_gpu(classes.get(v.get("vm_class") or "") or {}))
    if without and classes:
        found.append(f"resources.gpu of node type {', '.join(without)} promises GPUs that its VM class does not have.")
    return found


def _workers(spec: Json, classes: dict[str, Json]) -> list[tuple[str, Json]]:
    """Name and class of each node type of workers whose class is there; without any, that of the head."""
    head = (spec.get("head_node") or {}).get("node_type")
    types: dict[str, t.Any] = {name: node_type for name, node_type in node_types(spec).items() if name != head} or node_types(spec)
    names = [node_type.get("vm_class") for node_type in types.values()]
    return [(name, classes[name]) for name in names if name in classes]
