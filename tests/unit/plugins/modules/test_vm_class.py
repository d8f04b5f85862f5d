# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vm_class: every request it makes, state by state."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import vm_class, vm_class_info
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, refusal, run

BASE = "/api/vcenter/namespace-management/virtual-machine-classes"
READ = ("GET", f"{BASE}/small", None)
INFO = {"id": "small", "cpu_count": 2, "memory_MB": 4096, "description": "", "config_status": "READY", "namespaces": ["b", "a"]}


def test_make() -> None:
    body = {"id": "small", "cpu_count": 2, "memory_MB": 4096}
    result = run(vm_class, (*READ, MISSING), ("POST", BASE, body, (204, None)), (*READ, INFO), name="small", cpus=2, memory_mib=4096)
    assert result["changed"] and result["vm_class"]["namespaces"] == ["a", "b"]
    assert result["diff"]["before"] == {}


def test_unchanged_also_when_memory_is_spelt_otherwise() -> None:
    info = {k.lower(): v for k, v in INFO.items()}
    assert not run(vm_class, (*READ, info), name="small", cpus=2, memory_mib=4096)["changed"]


def test_only_what_differs_is_sent() -> None:
    result = run(vm_class, (*READ, INFO), ("PATCH", f"{BASE}/small", {"cpu_count": 4}, (204, None)), (*READ, {**INFO, "cpu_count": 4}),
                 name="small", cpus=4, memory_mib=4096)
    assert result["changed"] and result["vm_class"]["cpus"] == 4


def test_check_mode_reads_only() -> None:
    result = run(vm_class, (*READ, INFO), name="small", cpus=4, check_mode=True)
    assert result["changed"] and result["diff"]["after"]["cpus"] == 4


def test_size_is_needed_to_make_one() -> None:
    with pytest.raises(RayError, match="cpus and memory_mib"):
        run(vm_class, (*READ, MISSING), name="small")


def test_a_reservation_that_was_not_named_is_sent_along_since_vcenter_would_drop_it() -> None:
    reserved = {**INFO, "cpu_reservation": 50, "memory_reservation": 100}
    sent = {"cpu_count": 4, "cpu_reservation": 50, "memory_reservation": 100}
    run(vm_class, (*READ, reserved), ("PATCH", f"{BASE}/small", sent, (204, None)), (*READ, {**reserved, "cpu_count": 4}), name="small", cpus=4)


GPU = {"vgpu_devices": [{"profile_name": "b"}, {"profile_name": "a"}, {"profile_name": "b"}], "dynamic_direct_path_IO_devices": []}
WITH_GPU = {**INFO, "memory_reservation": 100, "devices": GPU}


def test_gpus_are_counted_and_reserve_all_memory() -> None:
    body = {"id": "small", "cpu_count": 2, "memory_MB": 4096, "memory_reservation": 100, "devices": {
        "vgpu_devices": [{"profile_name": "a"}, {"profile_name": "b"}, {"profile_name": "b"}], "dynamic_direct_path_IO_devices": []}}
    options = {"name": "small", "cpus": 2, "memory_mib": 4096, "vgpus": [{"profile": "b", "count": 2}, {"profile": "a"}]}
    result = run(vm_class, (*READ, MISSING), ("POST", BASE, body, (204, None)), (*READ, WITH_GPU), **options)
    assert result["vm_class"]["vgpus"] == [{"profile": "a", "count": 1}, {"profile": "b", "count": 2}]
    assert not run(vm_class, (*READ, WITH_GPU), **options)["changed"]


def test_devices_that_were_not_named_go_along() -> None:
    body = {"memory_reservation": 100, "devices": {
        "vgpu_devices": [{"profile_name": "a"}, {"profile_name": "b"}, {"profile_name": "b"}],
        "dynamic_direct_path_IO_devices": [{"vendor_id": 4318, "device_id": 9008, "custom_label": "x"}]}}
    result = run(vm_class, (*READ, WITH_GPU), ("PATCH", f"{BASE}/small", body, (204, None)), (*READ, {**WITH_GPU, "devices": {**GPU, **body["devices"]}}),
                 name="small", pci_devices=[{"vendor_id": "0x10de", "device_id": "9008", "label": "x"}])
    assert result["vm_class"]["pci_devices"] == [{"vendor_id": 4318, "device_id": 9008, "label": "x"}]


def test_all_devices_are_taken_away() -> None:
    body = {"memory_reservation": 100, "devices": {"vgpu_devices": [], "dynamic_direct_path_IO_devices": []}}
    result = run(vm_class, (*READ, WITH_GPU), ("PATCH", f"{BASE}/small", body, (204, None)), (*READ, {**WITH_GPU, "devices": {}}), name="small", vgpus=[])
    assert result["changed"] and result["vm_class"]["vgpus"] == []


@pytest.mark.parametrize(("options", "text"), [
    ({"vgpus": [{"profile": "a"}], "memory_reservation": 50}, "all of its memory must be reserved: memory_reservation cannot be 50"),
    ({"vgpus": [{"profile": "a", "count": 0}]}, "count of vGPU a"),
    ({"pci_devices": [{"vendor_id": "nvidia", "device_id": "1"}]}, "'nvidia' is no id"),
    ({"cpus": 0}, "cpus of VM class small is 0"),
    ({"cpu_reservation": 101}, "cpu_reservation of VM class small is 101"),
    ({"instance_storage": {"policy": "p", "volumes_mib": []}}, "has no volumes"),
])
def test_what_vcenter_would_refuse_is_refused_before(options: dict, text: str) -> None:
    for check_mode in (True, False):
        with pytest.raises(RayError, match=text):
            run(vm_class, (*READ, MISSING), check_mode=check_mode, **{"name": "small", "cpus": 2, "memory_mib": 4096, **options})


def test_memory_of_a_class_that_has_devices_stays_reserved() -> None:
    with pytest.raises(RayError, match="memory_reservation cannot be 0"):
        run(vm_class, (*READ, WITH_GPU), name="small", memory_reservation=0)


def test_a_name_must_be_a_label() -> None:
    with pytest.raises(RayError, match="'Big_One' cannot be the name"):
        run(vm_class, ("GET", f"{BASE}/Big_One", None, MISSING), name="Big_One", cpus=1, memory_mib=1)


POLICY = "aa6d5a82-1c88-45da-85d3-3d74b91a5bad"
FOUND = ("GET", "/api/vcenter/storage/policies", None, [{"policy": POLICY, "name": "Direct"}])
STORED = {**INFO, "instance_storage": {"policy": POLICY.upper(), "volumes": [{"size": 10}]}}


def release(version: str) -> tuple:
    return "GET", "/sdk/vimServiceVersions.xml", None, f"<n><name>urn:vim25</name><version>{version}</version></n>"


def test_instance_storage_by_the_name_of_its_policy() -> None:
    options = {"name": "small", "instance_storage": {"policy": "Direct", "volumes_mib": [10]}}
    body = {"instance_storage": {"policy": POLICY, "volumes": [{"size": 10}]}}
    assert run(vm_class, (*READ, INFO), FOUND, release("8.0.1.0"), ("PATCH", f"{BASE}/small", body, (204, None)), (*READ, STORED), **options)["changed"]
    assert not run(vm_class, (*READ, STORED), FOUND, **options)["changed"]
    with pytest.raises(RayError, match="needs vCenter 8.0; vc is 7.0.3"):
        run(vm_class, (*READ, INFO), FOUND, release("7.0.3.0"), **options)


def test_a_config_spec_is_compared_by_what_was_given() -> None:
    there = {"_typeName": "VirtualMachineConfigSpec", "firmware": "efi", "deviceChange": [{"_typeName": "VirtualDeviceConfigSpec", "operation": "add"}]}
    given = {"deviceChange": [{"operation": "add"}]}
    assert not run(vm_class, (*READ, {**INFO, "config_spec": there}), name="small", config_spec=given)["changed"]
    other = {**there, "firmware": "bios"}
    result = run(vm_class, (*READ, {**INFO, "config_spec": there}), release("9.0.0.0"), ("PATCH", f"{BASE}/small", {"config_spec": other}, (204, None)),
                 (*READ, {**INFO, "config_spec": other}), name="small", config_spec={"firmware": "bios"})
    assert result["changed"] and result["vm_class"]["config_spec"]["firmware"] == "bios"
    body = {"config_spec": {"_typeName": "VirtualMachineConfigSpec", "firmware": "efi"}}
    assert run(vm_class, (*READ, INFO), release("8.0.2.0"), ("PATCH", f"{BASE}/small", body, (204, None)), (*READ, {**INFO, **body}),
               name="small", config_spec={"firmware": "efi"})["changed"]
    with pytest.raises(RayError, match="a config_spec would replace them"):
        run(vm_class, (*READ, WITH_GPU), name="small", config_spec=given)
    with pytest.raises(RayError, match="needs vCenter 8.0.2; vc is 8.0.1"):
        run(vm_class, (*READ, INFO), release("8.0.1.0"), name="small", config_spec=given)


def test_a_class_that_is_being_removed_is_not_waited_for() -> None:
    with pytest.raises(RayError, match="being removed. It is used by namespaces a, b"):
        run(vm_class, (*READ, {**INFO, "config_status": "REMOVING"}), name="small")


def test_info_reads_all_with_one_request_and_one_with_one() -> None:
    rows = run(vm_class_info, ("GET", BASE, None, [STORED, {**WITH_GPU, "id": "gpu"}]))["vm_classes"]
    assert [row["name"] for row in rows] == ["gpu", "small"]
    assert rows[0]["vgpus"][1] == {"profile": "b", "count": 2} and rows[1]["instance_storage"] == {"policy": POLICY, "volumes_mib": [10]}
    assert run(vm_class_info, (*READ, INFO), name="small")["vm_classes"][0]["name"] == "small"
    assert run(vm_class_info, (*READ, MISSING), name="small")["vm_classes"] == []


def test_remove() -> None:
    result = run(vm_class, (*READ, INFO), ("DELETE", f"{BASE}/small", None, (204, None)), (*READ, MISSING), name="small", state="absent")
    assert result["changed"] and result["vm_class"] is None


def test_a_class_in_use_says_who_uses_it() -> None:
    with pytest.raises(RayError) as caught:
        run(vm_class, (*READ, INFO), ("DELETE", f"{BASE}/small", None, refusal(400, "RESOURCE_IN_USE", "In use.")), name="small", state="absent")
    assert "namespaces a, b" in caught.value.hint


def test_absent_stays_absent() -> None:
    assert not run(vm_class, (*READ, MISSING), name="small", state="absent")["changed"]
