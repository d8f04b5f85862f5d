# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vSphere Namespaces, access to them and VM classes: codes, update rules and the Kubernetes side."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from wcp_specs import NM, POLICY
from wcp_support import Front, MemoryKube, front, quick

from vcf_lab.vcenter import wcp

pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")
NS = "/api/vcenter/namespaces/instances"
CLASSES = f"{NM}/virtual-machine-classes"
BINDING = "wcp:ray:user:vsphere.local:ray-dev"
DEV = {"subject_type": "USER", "subject": "ray-dev", "domain": "vsphere.local", "role": "EDIT"}


def spec(**fields: Any) -> dict[str, Any]:
    return {
        "cluster": "domain-c9",
        "namespace": "ray",
        "description": "first",
        "access_list": [DEV],
        "storage_specs": [{"policy": POLICY, "limit": 1024}],
        "vm_service_spec": {"vm_classes": ["best-effort-small"], "content_libraries": ["lib-1"]},
        **fields,
    }


async def made(vc: Front, **fields: Any) -> None:
    """A running namespace."""
    await vc.supervisor()
    assert await vc.call("POST", NS, spec(**fields)) == (204, None)
    await vc.settled()


def test_create_makes_what_users_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            await vc.supervisor()
            assert await vc.call("POST", NS, spec()) == (204, None)
            assert (await vc.call("GET", f"{NS}/ray"))[1]["config_status"] == "CONFIGURING"
            await vc.settled()
            _, info = await vc.call("GET", f"{NS}/ray")
            assert (info["config_status"], info["cluster"], info["access_list"]) == ("RUNNING", "domain-c9", [DEV])
            assert [entry["content_library"] for entry in info["content_libraries"]] == ["lib-1"]
            _, second = await vc.call("GET", f"{NS}/v2/ray")
            assert second["supervisor"] in vc.store["supervisors"] and "cluster" not in second
            kube = vc.kube
            assert kube.names("StorageClass") == ["vsan-default-storage-policy"]
            quota = kube.objects[("ResourceQuota", "ray", "ray-storagequota")]["spec"]["hard"]
            assert quota == {"vsan-default-storage-policy.storageclass.storage.k8s.io/requests.storage": "1024Mi"}
            hardware = kube.objects[("VirtualMachineClass", "ray", "best-effort-small")]["spec"]["hardware"]
            assert hardware == {"cpus": 2, "memory": "4096Mi"}
            (image,) = kube.names("VirtualMachineImage", "ray")
            assert image.startswith("vmi-") and len(image) == 21
            assert kube.objects[("VirtualMachineImage", "ray", image)]["status"]["name"] == "ray-node"
            binding = kube.objects[("RoleBinding", "ray", BINDING)]
            assert binding["subjects"][0]["name"] == "sso:ray-dev@vsphere.local"
            assert binding["roleRef"]["name"] == "edit"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("fields", "code", "error", "names"),
    [
        ({"namespace": "Ray"}, 400, "INVALID_ARGUMENT", "'Ray'"),
        ({"namespace": "vmware-system-x"}, 403, "UNAUTHORIZED", "reserved"),
        ({"namespace": "kube-system"}, 400, "ALREADY_EXISTS", "kube-system"),
        ({"cluster": "domain-c99"}, 404, "NOT_FOUND", "domain-c99"),
        ({"cluster": "domain-c10"}, 400, "UNSUPPORTED", "domain-c10"),
        ({"storage_specs": [{"policy": "gone"}]}, 400, "INVALID_ARGUMENT", "gone"),
        ({"vm_service_spec": {"vm_classes": ["gone"]}}, 400, "INVALID_ARGUMENT", "gone"),
        ({"vm_service_spec": {"content_libraries": ["gone"]}}, 400, "INVALID_ARGUMENT", "gone"),
        ({"content_libraries": [{"content_library": "lib-1", "writable": True}]}, 400, "INVALID_ARGUMENT", "lib-1"),
        ({"access_list": [{**DEV, "subject": "nobody"}]}, 400, "INVALID_ARGUMENT", "nobody@vsphere.local"),
        ({"access_list": [{**DEV, "role": "ADMIN"}]}, 400, "INVALID_ARGUMENT", "OWNER, EDIT, VIEW"),
        ({"memory": 1}, 400, "INVALID_ARGUMENT", "memory"),
    ],
)
def test_a_wrong_specification_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], code: int, error: str, names: str
) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            await vc.supervisor()
            status, kind, text = await vc.refused("POST", NS, spec(**fields))
            assert (status, kind) == (code, error) and names in text
            assert vc.store["namespaces"] == {}

    asyncio.run(run())


def test_a_namespace_needs_a_running_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            identifier = await vc.supervisor()
            vc.store["supervisors"][identifier]["config_status"] = "CONFIGURING"
            assert (await vc.refused("POST", NS, spec()))[:2] == (400, "NOT_ALLOWED_IN_CURRENT_STATE")
            body = {"supervisor": "domain-c9", "namespace": "ray"}
            assert (await vc.refused("POST", f"{NS}/v2", body))[:2] == (404, "NOT_FOUND")

    asyncio.run(run())


def test_patch_replaces_what_is_given_and_keeps_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            await made(vc)
            assert (await vc.call("PATCH", f"{NS}/ray", {"description": "second"}))[0] == 204
            assert (await vc.call("PATCH", f"{NS}/ray", {"vm_service_spec": {}}))[0] == 204
            await vc.settled()
            _, info = await vc.call("GET", f"{NS}/ray")
            assert info["description"] == "second" and info["access_list"] == [DEV]
            assert info["vm_service_spec"] == {"vm_classes": [], "content_libraries": []}
            assert info["content_libraries"] == []
            for kind in ("VirtualMachineClass", "VirtualMachineImage"):
                assert vc.kube.names(kind, "ray") == []
            immutable = await vc.refused("PATCH", f"{NS}/ray", {"networks": ["a"]})
            assert immutable[:2] == (400, "INVALID_ARGUMENT")

    asyncio.run(run())


def test_a_writable_library_is_not_dropped_by_the_older_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            vc.store["libraries"]["lib-2"] = {"id": "lib-2", "type": "LOCAL"}
            libraries = [{"content_library": "lib-2", "writable": True}]
            await made(vc, vm_service_spec={"content_libraries": ["lib-1"]}, content_libraries=libraries)
            _, info = await vc.call("GET", f"{NS}/ray")
            assert info["vm_service_spec"]["content_libraries"] == ["lib-2", "lib-1"]
            drop = {"vm_service_spec": {"content_libraries": ["lib-1"]}}
            assert (await vc.refused("PATCH", f"{NS}/ray", drop))[:2] == (400, "INVALID_ARGUMENT")
            assert (await vc.call("PATCH", f"{NS}/ray", {"content_libraries": []}))[0] == 204

    asyncio.run(run())


def test_put_clears_what_is_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            await made(vc, resource_spec={"pod_count": 3})
            assert vc.kube.objects[("ResourceQuota", "ray", "ray")]["spec"]["hard"] == {"pods": "3"}
            assert (await vc.call("PUT", f"{NS}/ray", {"description": "bare"}))[0] == 204
            await vc.settled()
            _, info = await vc.call("GET", f"{NS}/ray")
            assert (info["access_list"], info["storage_specs"], info["description"]) == ([], [], "bare")
            assert "resource_spec" not in info
            assert vc.kube.names("RoleBinding", "ray") == vc.kube.names("ResourceQuota", "ray") == []
            assert vc.kube.names("StorageClass") == []

    asyncio.run(run())


def test_delete_is_asynchronous_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            await vc.supervisor()
            before = set(vc.kube.objects)
            await vc.call("POST", NS, spec())
            await vc.settled()
            assert (await vc.call("DELETE", f"{NS}/ray"))[0] == 204
            assert (await vc.call("GET", f"{NS}/ray"))[1]["config_status"] == "REMOVING"
            refused = await vc.refused("PATCH", f"{NS}/ray", {"description": "late"})
            assert refused[:2] == (400, "NOT_ALLOWED_IN_CURRENT_STATE")
            await vc.settled()
            assert (await vc.refused("GET", f"{NS}/ray"))[:2] == (404, "NOT_FOUND")
            assert set(vc.kube.objects) == before

    asyncio.run(run())


def test_a_failure_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        kube = MemoryKube()
        async with front(tmp_path, kube=kube) as vc:
            await vc.supervisor()
            kube.refuse["ResourceQuota"] = "told: no"
            await vc.call("POST", NS, spec())
            async with asyncio.timeout(5):
                while (await vc.call("GET", f"{NS}/ray"))[1]["config_status"] != "ERROR":
                    await asyncio.sleep(0.01)
            _, info = await vc.call("GET", f"{NS}/ray")
            assert "told: no" in info["messages"][0]["details"]["default_message"]
            kube.refuse.clear()
            await vc.settled()
            _, info = await vc.call("GET", f"{NS}/ray")
            assert (info["config_status"], info["messages"]) == ("RUNNING", [])

    asyncio.run(run())


def test_a_restarted_front_ends_a_removal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        kube = MemoryKube()
        async with front(tmp_path, kube=kube) as vc:
            await made(vc)
            vc.store["namespaces"]["ray"]["config_status"] = "REMOVING"
            vc.store.changed()
        async with front(tmp_path, kube=kube) as vc:
            await vc.settled()
            assert vc.store["namespaces"] == {} and "ray" not in kube.names("Namespace")

    asyncio.run(run())


def test_images_follow_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        async with front(tmp_path) as vc:
            await made(vc)
            vc.store["libraries"]["lib-1"]["security_policy_id"] = "policy"
            item = {"id": "item-2", "name": "bad", "library_id": "lib-1", "type": "ovf", "security_compliance": False}
            vc.store.data["items"] = {"item-2": item, "item-3": {**item, "id": "item-3", "type": "iso"}}
            wcp.items_changed(vc.app, "lib-1")
            await vc.settled()
            (image,) = vc.kube.names("VirtualMachineImage", "ray")
            conditions = vc.kube.objects[("VirtualMachineImage", "ray", image)]["status"]["conditions"]
            ready = next(entry for entry in conditions if entry["type"] == "Ready")
            assert (ready["status"], ready["reason"]) == ("False", "SecurityNotCompliant")

    asyncio.run(run())


def access(subject: str = "ray-dev", kind: str = "USER") -> str:
    return f"{NS}/ray/access/vsphere.local/{subject}?type={kind}"


def test_access_of_one_principal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    unsupported = (400, "UNSUPPORTED")

    async def run() -> None:
        async with front(tmp_path) as vc:
            assert (await vc.refused("GET", access()))[:2] == (404, "NOT_FOUND")
            await made(vc, access_list=[])
            for method, body in (("GET", None), ("PUT", {"role": "EDIT"}), ("DELETE", None)):
                assert (await vc.refused(method, access(), body))[:2] == unsupported
            assert (await vc.refused("POST", access("nobody"), {"role": "EDIT"}))[:2] == unsupported
            assert (await vc.refused("POST", access(), {"role": "KING"}))[:2] == (400, "INVALID_ARGUMENT")
            assert (await vc.refused("GET", access(kind="ROBOT")))[:2] == (400, "INVALID_ARGUMENT")
            assert await vc.call("POST", access(), {"role": "VIEW"}) == (204, None)
            assert (await vc.refused("POST", access(), {"role": "VIEW"}))[:2] == (400, "ALREADY_EXISTS")
            await vc.settled()
            assert vc.kube.objects[("RoleBinding", "ray", BINDING)]["roleRef"]["name"] == "view"
            assert await vc.call("PUT", access("RAY-DEV"), {"role": "OWNER"}) == (204, None)
            await vc.settled()
            assert (await vc.call("GET", access()))[1] == {"role": "OWNER", "inherited": False}
            assert vc.kube.objects[("RoleBinding", "ray", BINDING)]["roleRef"]["name"] == "edit"
            assert (await vc.call("DELETE", access()))[0] == 204
            await vc.settled()
            assert vc.kube.names("RoleBinding", "ray") == []

    asyncio.run(run())


def test_users_see_their_own_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    path = "/api/vcenter/namespaces-user/namespaces"

    async def seen(vc: Front, user: str) -> Any:
        async with vc.client.get(path, headers={"as": user}) as reply:
            return await reply.json()

    async def run() -> None:
        async with front(tmp_path) as vc:
            await made(vc)
            mine = [{"namespace": "ray", "master_host": "10.244.1.2"}]
            assert await seen(vc, "ray-dev@vsphere.local") == mine
            assert await seen(vc, "administrator@vsphere.local") == mine
            assert await seen(vc, "other@vsphere.local") == []

    asyncio.run(run())


def test_vm_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)

    async def run() -> None:
        kube = MemoryKube()
        async with front(tmp_path, kube=kube) as vc:
            _, classes = await vc.call("GET", CLASSES)
            assert len(classes) == 16
            new = {"id": "ray-small", "cpu_count": 1, "memory_MB": 2048}
            assert await vc.call("POST", CLASSES, new) == (204, None)
            assert (await vc.refused("POST", CLASSES, new))[:2] == (400, "ALREADY_EXISTS")
            for wrong in ({**new, "id": "Ray"}, {**new, "id": "x", "cpu_count": 0}, {"id": "y", "cpu_count": 1}):
                assert (await vc.refused("POST", CLASSES, wrong))[:2] == (400, "INVALID_ARGUMENT")
            gpu = {**new, "id": "gpu", "devices": {"vgpu_devices": [{"profile_name": "grid"}]}}
            assert (await vc.refused("POST", CLASSES, gpu))[:2] == (400, "INVALID_ARGUMENT")
            assert (await vc.call("POST", CLASSES, {**gpu, "memory_reservation": 100}))[0] == 204
            await made(vc, vm_service_spec={"vm_classes": ["ray-small"]})
            _, info = await vc.call("GET", f"{CLASSES}/ray-small")
            assert info["namespaces"] == ["ray"] and info["description"] == ""
            assert (await vc.refused("DELETE", f"{CLASSES}/ray-small"))[:2] == (400, "RESOURCE_IN_USE")
            assert (await vc.call("PATCH", f"{CLASSES}/ray-small", {"memory_MB": 4096}))[0] == 204
            await vc.settled()
            hardware = kube.objects[("VirtualMachineClass", "ray", "ray-small")]["spec"]["hardware"]
            assert hardware["memory"] == "4096Mi"
            assert (await vc.call("DELETE", f"{CLASSES}/best-effort-8xlarge"))[0] == 204
            assert (await vc.refused("GET", f"{CLASSES}/best-effort-8xlarge"))[:2] == (404, "NOT_FOUND")
        async with front(tmp_path, kube=kube) as vc:  # a deleted default stays deleted
            assert (await vc.call("GET", f"{CLASSES}/best-effort-8xlarge"))[0] == 404

    asyncio.run(run())
