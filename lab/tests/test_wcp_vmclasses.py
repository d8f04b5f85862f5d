# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VM classes with devices, instance storage and config specs, and what the Supervisor gets of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from wcp_specs import NM, POLICY
from wcp_support import front, quick

pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")
NS = "/api/vcenter/namespaces/instances"
CLASSES = f"{NM}/virtual-machine-classes"
INVALID = (400, "INVALID_ARGUMENT")
CLASS = {"id": "ray", "cpu_count": 2, "memory_MB": 2048}
VGPU = {"vgpu_devices": [{"profile_name": "grid_h100xm-80c"}]}
DIRECT = {"dynamic_direct_path_IO_devices": [{"vendor_id": 4318, "device_id": 9008, "custom_label": "h100"}]}
PASSTHROUGH = {
    "_typeName": "VirtualMachineConfigSpec",
    "deviceChange": [{"operation": "add", "device": {"_typeName": "VirtualPCIPassthrough", "key": 20}}],
}


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"devices": VGPU}, "memory_reservation of 100"),
        ({"devices": DIRECT, "memory_reservation": 99}, "memory_reservation of 100"),
        ({"config_spec": PASSTHROUGH}, "memory_reservation of 100"),
        ({"config_spec": {"memoryMB": 1}}, "_typeName"),
        ({"config_spec": PASSTHROUGH, "devices": VGPU, "memory_reservation": 100}, "Only one of devices"),
        ({"devices": {"vgpu_devices": [{}]}}, "missing a field: profile_name"),
        ({"instance_storage": {"policy": "gone", "volumes": [{"size": 1}]}}, "gone"),
        ({"instance_storage": {"policy": POLICY, "volumes": []}}, "volumes"),
        ({"cpu_reservation": 101}, "cpu_reservation"),
        ({"memory_mb": 5}, "unexpected field: memory_mb"),
        ({"cpu_count": "2"}, "type int"),
    ],
)
def test_a_class_that_cannot_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], names: str
) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            status, kind, text = await vc.refused("POST", CLASSES, {**CLASS, **fields})
            assert (status, kind) == INVALID and names in text
            assert "ray" not in vc.store["vm_classes"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("field", "value", "first"),
    [
        ("devices", VGPU, "7.0.3"),
        ("instance_storage", {"policy": POLICY, "volumes": [{"size": 10240}]}, "8.0.1"),
        ("config_spec", PASSTHROUGH, "8.0.3"),
    ],
)
@pytest.mark.parametrize("version", ["7.0.3", "8.0.1", "8.0.3", "9.0", "9.1"])
def test_a_field_is_unexpected_before_its_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, field: str, value: Any, first: str
) -> None:
    quick(monkeypatch)
    spec = {**CLASS, "memory_reservation": 100, field: value}

    async def run() -> None:
        async with front(tmp_path, version=version) as vc:
            if version < first:
                status, kind, text = await vc.refused("POST", CLASSES, spec)
                assert (status, kind) == INVALID and f"unexpected field: {field}" in text
            else:
                assert await vc.call("POST", CLASSES, spec) == (204, None)
                assert (await vc.call("GET", f"{CLASSES}/ray"))[1][field] == value
                assert (await vc.call("DELETE", f"{CLASSES}/ray"))[0] == 204

    asyncio.run(run())


def test_a_change_keeps_the_rest_and_its_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            await vc.call("POST", CLASSES, {**CLASS, "devices": VGPU, "memory_reservation": 100, "description": "one"})
            assert (await vc.refused("PATCH", f"{CLASSES}/ray", {"memory_reservation": 50}))[:2] == INVALID
            assert (await vc.refused("PATCH", f"{CLASSES}/ray", {"id": "other"}))[:2] == INVALID
            assert (await vc.call("PATCH", f"{CLASSES}/ray", {"cpu_count": 4}))[0] == 204
            _, info = await vc.call("GET", f"{CLASSES}/ray")
            assert (info["cpu_count"], info["devices"], info["description"]) == (4, VGPU, "one")
            assert "cpu_reservation" not in info
            # The newer field takes the place of the older.
            assert (await vc.call("PATCH", f"{CLASSES}/ray", {"config_spec": PASSTHROUGH}))[0] == 204
            _, info = await vc.call("GET", f"{CLASSES}/ray")
            assert "devices" not in info and info["config_spec"] == PASSTHROUGH
            # Names of classes are told apart by case: another spelling is another class, and no DNS label.
            assert (await vc.refused("GET", f"{CLASSES}/RAY"))[:2] == (404, "NOT_FOUND")

    asyncio.run(run())


def test_the_supervisor_gets_the_whole_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    storage = {"policy": POLICY, "volumes": [{"size": 10240}]}
    full = {**CLASS, "cpu_reservation": 50, "memory_reservation": 100, "instance_storage": storage}

    async def run() -> None:
        async with front(tmp_path) as vc:
            await vc.supervisor()
            await vc.call("POST", CLASSES, {**full, "devices": {**VGPU, **DIRECT}})
            spec = {"cluster": "domain-c9", "namespace": "ns", "vm_service_spec": {"vm_classes": ["ray"]}}
            assert (await vc.call("POST", NS, spec))[0] == 204
            await vc.settled()
            given = vc.kube.objects[("VirtualMachineClass", "ns", "ray")]["spec"]
            assert given["policies"] == {"resources": {"requests": {"cpu": "1000m", "memory": "2048Mi"}}}
            assert given["hardware"]["devices"] == {
                "vgpuDevices": [{"profileName": "grid_h100xm-80c"}],
                "dynamicDirectPathIODevices": [{"vendorID": 4318, "deviceID": 9008, "customLabel": "h100"}],
            }
            assert given["hardware"]["instanceStorage"] == {
                "volumes": [{"size": "10240Mi"}],
                "storageClass": "vsan-default-storage-policy",
            }
            await vc.kube.apply(
                {"kind": "VirtualMachine", "metadata": {"name": "vm", "namespace": "ns"}, "spec": {"className": "ray"}}
            )
            _, info = await vc.call("GET", f"{CLASSES}/ray")
            assert (info["namespaces"], info["vms"]) == (["ns"], ["vm"])
            await vc.call("PATCH", f"{CLASSES}/ray", {"config_spec": PASSTHROUGH})
            await vc.settled()
            assert vc.kube.objects[("VirtualMachineClass", "ns", "ray")]["spec"]["configSpec"] == PASSTHROUGH
            assert (await vc.refused("DELETE", f"{CLASSES}/ray"))[:2] == (400, "RESOURCE_IN_USE")
            await vc.call("PATCH", f"{NS}/ns", {"vm_service_spec": {}})
            assert (await vc.call("DELETE", f"{CLASSES}/ray"))[0] == 204

    asyncio.run(run())
