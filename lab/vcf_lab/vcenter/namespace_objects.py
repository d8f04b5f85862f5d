# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vSphere Namespace as Kubernetes objects: what DevOps users find in it."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from vcf_lab.vcenter import namespace_quota
from vcf_lab.vcenter.store import Store
from vcf_lab.vcenter.supervisor_objects import MANAGED, RBAC

VMOPERATOR = "vmoperator.vmware.com/v1alpha2"
# Kinds inside a namespace that follow the vCenter; those no longer wanted are deleted.
FOLLOWED = ("ResourceQuota", "VirtualMachineClass", "VirtualMachineImage", "RoleBinding")
_ROLES = {"OWNER": "edit", "EDIT": "edit", "VIEW": "view"}
UNLIMITED = "9223372036854775807"


def storage_class_name(policy: dict[str, Any]) -> str:
    """A policy's name as Kubernetes can carry it."""
    return re.sub(r"[^a-z0-9.-]", "-", policy["name"].lower()).strip("-.")


def image_name(item: str) -> str:
    """The name of the image made of a library item; derived, so that it survives a new sync."""
    return "vmi-" + hashlib.sha256(item.encode()).hexdigest()[:17]


def _object(version: str, kind: str, name: str, namespace: str | None, **fields: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": dict(MANAGED)}
    if namespace is not None:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def namespace(record: dict[str, Any]) -> dict[str, Any]:
    """The Kubernetes Namespace."""
    obj = _object("v1", "Namespace", record["namespace"], None)
    obj["metadata"]["labels"]["vSphereClusterID"] = record["cluster"]
    return obj


def storage_class(policy: dict[str, Any]) -> dict[str, Any]:
    """The StorageClass of a storage policy."""
    return _object(
        "storage.k8s.io/v1",
        "StorageClass",
        storage_class_name(policy),
        None,
        provisioner="csi.vsphere.vmware.com",
        parameters={"storagePolicyID": policy["policy"]},
        reclaimPolicy="Delete",
        allowVolumeExpansion=True,
        volumeBindingMode="Immediate",
    )


def quotas(record: dict[str, Any], policies: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What the namespace may use, by storage class and in counts."""
    name, resources = record["namespace"], record.get("resource_spec", {})
    storage = {}
    for spec in record["storage_specs"]:
        limit = f"{spec['limit']}Mi" if "limit" in spec else UNLIMITED
        storage[f"{storage_class_name(policies[spec['policy']])}.storageclass.storage.k8s.io/requests.storage"] = limit
    counts = namespace_quota.hard(resources)
    found = []
    if storage:
        found.append(_object("v1", "ResourceQuota", f"{name}-storagequota", name, spec={"hard": storage}))
    if counts:
        found.append(_object("v1", "ResourceQuota", name, name, spec={"hard": counts}))
    return found


def vm_class(record: dict[str, Any], into: str, policies: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A VM class as the VM Operator reads it: hardware, what is reserved of it, and the config spec."""
    hardware: dict[str, Any] = {"cpus": record["cpu_count"], "memory": f"{record['memory_MB']}Mi"}
    devices = _devices(record.get("devices", {}))
    if devices:
        hardware["devices"] = devices
    if "instance_storage" in record:
        storage = record["instance_storage"]
        volumes = [{"size": f"{volume['size']}Mi"} for volume in storage["volumes"]]
        hardware["instanceStorage"] = {"volumes": volumes}
        if storage["policy"] in policies:
            hardware["instanceStorage"]["storageClass"] = storage_class_name(policies[storage["policy"]])
    spec: dict[str, Any] = {"hardware": hardware, "description": record.get("description", "")}
    requests = {}
    if record.get("cpu_reservation"):
        requests["cpu"] = f"{record['cpu_count'] * record['cpu_reservation'] * 10}m"  # thousandths of a core
    if record.get("memory_reservation"):
        requests["memory"] = f"{record['memory_MB'] * record['memory_reservation'] // 100}Mi"
    if requests:
        spec["policies"] = {"resources": {"requests": requests}}
    if "config_spec" in record:
        spec["configSpec"] = record["config_spec"]
    return _object(VMOPERATOR, "VirtualMachineClass", record["id"], into, spec=spec)


def _devices(devices: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if devices.get("vgpu_devices"):
        found["vgpuDevices"] = [{"profileName": gpu["profile_name"]} for gpu in devices["vgpu_devices"]]
    if devices.get("dynamic_direct_path_IO_devices"):
        names = {"vendor_id": "vendorID", "device_id": "deviceID", "custom_label": "customLabel"}
        found["dynamicDirectPathIODevices"] = [
            {names[key]: value for key, value in device.items()} for device in devices["dynamic_direct_path_IO_devices"]
        ]
    return found


def image(item: dict[str, Any], library: dict[str, Any], into: str) -> dict[str, Any]:
    """A library item as an image; one that breaks the security policy that its library has is not Ready."""
    compliant = not library.get("security_policy_id") or item.get("security_compliance", True) is not False
    word, reason = ("True", "Available") if compliant else ("False", "SecurityNotCompliant")
    text = "" if compliant else "The item does not comply with the security policy of its content library."
    obj = _object(VMOPERATOR, "VirtualMachineImage", image_name(item["id"]), into)
    obj["spec"] = {
        "providerRef": {
            "apiVersion": "imageregistry.vmware.com/v1alpha1",
            "kind": "ContentLibraryItem",
            "name": image_name(item["id"]).replace("vmi-", "clitem-"),
        }
    }
    kinds = ("VirtualMachineImageProviderSecurityCompliance", "Ready")
    obj["status"] = {
        "name": item["name"],
        "osInfo": {"type": item.get("os_type", "ubuntu64Guest")},
        "conditions": [
            {
                "type": kind,
                "status": word,
                "reason": reason,
                "message": text,
                "lastTransitionTime": item.get("creation_time", "2024-01-01T00:00:00Z"),
            }
            for kind in kinds
        ],
    }
    return obj


def _principal(store: Store, entry: dict[str, Any]) -> str:
    """The name as single sign-on spells it: RBAC tells capitals apart, vCenter does not."""
    name = f"{entry['subject']}@{entry['domain']}"
    section = store["users" if entry["subject_type"] == "USER" else "groups"]
    return next((known for known in section if known.lower() == name.lower()), name)


def role_binding(store: Store, entry: dict[str, Any], into: str) -> dict[str, Any]:
    """One entry of the access list as RBAC of the single sign-on identity."""
    kind = "User" if entry["subject_type"] == "USER" else "Group"
    return _object(
        f"{RBAC}/v1",
        "RoleBinding",
        f"wcp:{into}:{kind.lower()}:{entry['domain']}:{entry['subject']}",
        into,
        roleRef={"apiGroup": RBAC, "kind": "ClusterRole", "name": _ROLES[entry["role"]]},
        subjects=[{"apiGroup": RBAC, "kind": kind, "name": f"sso:{_principal(store, entry)}"}],
    )


def wanted(store: Store, record: dict[str, Any], policies: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Everything that has to be inside the namespace now."""
    name = record["namespace"]
    found = quotas(record, policies)
    classes = [store["vm_classes"][entry] for entry in record["vm_classes"] if entry in store["vm_classes"]]
    found += [vm_class(entry, name, policies) for entry in classes]
    libraries = {entry["content_library"] for entry in record["libraries"]}
    found += [
        image(item, store["libraries"].get(item["library_id"], {}), name)
        for item in store["items"].values()
        if item["library_id"] in libraries and item.get("type") == "ovf"
    ]
    found += [role_binding(store, entry, name) for entry in record["access_list"]]
    return found
