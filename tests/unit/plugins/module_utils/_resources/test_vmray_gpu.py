# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images and VM classes that agree about GPUs, and those that do not."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._resources import vmray_gpu, vmray_image
from ansible_collections.vcf.ray.tests.unit.plugins.preflight_script import vm_class

VGPU = vm_class("vgpu", {"vgpuDevices": [{"profileName": "grid_v100-4q"}]})
DIRECT = vm_class("direct", {"dynamicDirectPathIODevices": [{"vendorID": 4318, "deviceID": 7864}]})
# As vSphere 8.0 U2 and later tell it.
NEW = {"metadata": {"name": "new"}, "spec": {"hardware": {}, "configSpec": {"_typeName": "VirtualMachineConfigSpec", "deviceChange": [
    {"device": {"_typeName": "VirtualPCIPassthrough", "backing": {"_typeName": "VirtualPCIPassthroughVmiopBackingInfo", "vgpu": "grid_v100-4q"}}}]}}}
PLAIN = vm_class("plain")
CLASSES = {c["metadata"]["name"]: c for c in (VGPU, DIRECT, NEW, PLAIN)}


def spec(image: str, *workers: str, head: str = "plain", **resources: int) -> dict:
    types = {"h": {"vm_class": head}, **{f"w{number}": {"vm_class": name, "resources": resources} for number, name in enumerate(workers)}}
    return {"ray_docker_image": f"rayproject/ray:{image}", "head_node": {"node_type": "h"}, "common_node_config": {"available_node_types": types}}


@pytest.mark.parametrize(("tag", "gpu"), [("2.60.0-gpu", True), ("latest-gpu", True), ("2.60.0-py311-cu121", True), ("2.60.0", False),
                                          ("2.60.0-py311", False)])
def test_which_tags_bring_cuda(tag: str, gpu: bool) -> None:
    assert vmray_image.is_gpu(f"rayproject/ray:{tag}") is gpu


@pytest.mark.parametrize("name", ["vgpu", "direct", "new"])
def test_each_way_to_a_gpu_is_known(name: str) -> None:
    assert vmray_gpu.has_gpu(CLASSES[name]) and not vmray_gpu.has_gpu(PLAIN)
    assert vmray_gpu.gpu_faults(spec("2.60.0-gpu", name), CLASSES) == vmray_gpu.gpu_warnings(spec("2.60.0-gpu", name), CLASSES) == []


def test_an_image_for_gpus_wants_a_class_with_one() -> None:
    assert "no VM class of the workers has one (plain)" in vmray_gpu.gpu_faults(spec("2.60.0-gpu", "plain"), CLASSES)[0]
    assert "no VM class of the workers has one (plain)" in vmray_gpu.gpu_faults(spec("2.60.0-gpu", "plain", head="vgpu"), CLASSES)[0]
    assert vmray_gpu.gpu_faults(spec("2.60.0-gpu", "plain", "vgpu"), CLASSES) == [], "others may do without"
    assert vmray_gpu.gpu_faults(spec("2.60.0-gpu", "plain"), {}) == [], "classes that cannot be read say nothing"
    assert vmray_gpu.gpu_faults(spec("2.60.0-gpu"), CLASSES), "a head alone"
    assert vmray_gpu.gpu_faults(spec("2.60.0", "plain"), CLASSES) == []


def test_a_gpu_that_nobody_uses_is_warned_of() -> None:
    assert "VM class vgpu has a GPU, and the tag" in vmray_gpu.gpu_warnings(spec("2.60.0", "plain", "vgpu"), CLASSES)[0]
    assert "container of the head is started without it" in vmray_gpu.gpu_warnings(spec("2.60.0-gpu", "vgpu", head="direct"), CLASSES)[0]
    assert "promises GPUs" in vmray_gpu.gpu_warnings(spec("2.60.0", "plain", gpu=1), CLASSES)[0]
    assert vmray_gpu.gpu_warnings(spec("2.60.0", "plain"), CLASSES) == []
