# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory behind the front: govmomi's simulator, asked in SOAP by pyVmomi."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from pyVmomi import VmomiSupport, pbm, vim, vmodl
from pyVmomi.SoapAdapter import SoapStubAdapter

from vcf_lab import settings
from vcf_lab.settings import Lab

from . import landscape

PLAIN = -1  # pyVmomi's sign for "no TLS" is a negative port
PROPERTIES: dict[type, list[str]] = {
    vim.Folder: ["name", "parent", "childType"],
    vim.Datacenter: ["name", "parent"],
    vim.ClusterComputeResource: ["name", "parent", "resourcePool", "configuration"],
    vim.HostSystem: ["name", "parent", "runtime.connectionState", "runtime.powerState"],
    vim.Datastore: ["name", "parent", "summary"],
    vim.Network: ["name", "parent"],
}
ROOT = "Datacenters"  # the root folder's name; a view does not list what it starts from
# The simulator keeps datastores in folders of this machine, a type that REST does not know.
DATASTORE_TYPES = {"VMFS", "NFS", "NFS41", "CIFS", "VSAN", "VFFS", "VVOL"}
FOLDER_TYPES = {
    "Datacenter": "DATACENTER",
    "VirtualMachine": "VIRTUAL_MACHINE",
    "ComputeResource": "HOST",
    "Datastore": "DATASTORE",
    "Network": "NETWORK",
}


class Vcsim:
    """Reads the whole inventory in one call; the lab's is small."""

    def __init__(self, lab: Lab, host: str = settings.VCSIM_IP, port: int = settings.VCSIM_PORT) -> None:
        self.url = f"http://{host}:{port}"
        self._lab, self._host, self._port = lab, host, port
        self._content: Any = None
        self._lock = threading.Lock()  # one SOAP connection, several requests

    async def objects(self) -> list[dict[str, Any]]:
        """Everything: {kind, id, name, parent, datacenter, ...}."""
        return await asyncio.to_thread(self._locked, self._objects)

    async def policies(self) -> list[dict[str, Any]]:
        """Storage policies for virtual machines."""
        return await asyncio.to_thread(self._locked, self._policies)

    async def compatible(self, policy: str, datastores: list[str]) -> list[str]:
        """Those of `datastores` that the placement solver finds fit for the policy."""
        return await asyncio.to_thread(self._locked, lambda: self._compatible(policy, datastores))

    def _locked(self, read: Any) -> Any:
        with self._lock:
            try:
                return read()
            except (vim.fault.NotAuthenticated, OSError):
                self._content = None  # the simulator was restarted, or our session has ended
                return read()

    def _adapter(self, path: str, version: str) -> Any:
        return SoapStubAdapter(host=self._host, port=PLAIN * self._port, path=path, version=version)

    def _connect(self) -> Any:
        if self._content is None:
            adapter = self._adapter("/sdk", "vim.version.version9")
            content: Any = vim.ServiceInstance("ServiceInstance", adapter).RetrieveContent()
            content.sessionManager.Login(settings.ADMINISTRATOR, self._lab.password, None)
            landscape.build(content, self._lab.state / "tmp" / "datastores")
            self._content = content
            landscape.add_policies(self._pbm().profileManager)
        return self._content

    def _objects(self) -> list[dict[str, Any]]:
        content = self._connect()
        view = content.viewManager.CreateContainerView(content.rootFolder, list(PROPERTIES), True)
        try:
            collector = vmodl.query.PropertyCollector
            walk = collector.TraversalSpec(name="view", path="view", skip=False, type=vim.view.ContainerView)
            wanted = collector.FilterSpec(
                objectSet=[collector.ObjectSpec(obj=view, skip=True, selectSet=[walk])],
                propSet=[
                    collector.PropertySpec(type=kind, pathSet=names, all=False) for kind, names in PROPERTIES.items()
                ],
            )
            found = content.propertyCollector.RetrieveContents([wanted])
        finally:
            view.Destroy()
        root = {"kind": "Folder", "id": content.rootFolder._moId, "name": ROOT, "parent": None, "type": "DATACENTER"}
        objects = {root["id"]: root} | {entry.obj._moId: _record(entry) for entry in found}
        for record in objects.values():
            record["datacenter"] = _datacenter(objects, record)
        return list(objects.values())

    def _pbm(self) -> Any:
        """The policy service takes the session of the inventory service, in a SOAP header."""
        cookie = self._connect().sessionManager._stub.cookie
        VmomiSupport.GetRequestContext()["vcSessionCookie"] = cookie.partition("=")[2].partition(";")[0]
        adapter = self._adapter("/pbm", "pbm.version.version11")
        return pbm.ServiceInstance("ServiceInstance", adapter).RetrieveContent()

    def _policies(self) -> list[dict[str, Any]]:
        manager = self._pbm().profileManager
        kind = pbm.profile.ResourceType(resourceType=pbm.profile.ResourceTypeEnum.STORAGE)  # type: ignore[attr-defined]  # the stubs lack it
        identifiers = manager.PbmQueryProfile(kind, "REQUIREMENT")
        profiles = manager.PbmRetrieveContent(identifiers) if identifiers else []
        return [
            {"policy": entry.profileId.uniqueId, "name": entry.name, "description": entry.description or ""}
            for entry in profiles
        ]

    def _compatible(self, policy: str, datastores: list[str]) -> list[str]:
        name = next((entry["name"] for entry in self._policies() if entry["policy"] == policy), "")
        if (fitting := landscape.PLACEMENT.get(name)) is not None:
            names = {entry["id"]: entry["name"] for entry in self._objects() if entry["kind"] == "Datastore"}
            return [entry for entry in datastores if names.get(entry) in fitting]
        hubs = [pbm.placement.PlacementHub(hubType="Datastore", hubId=entry) for entry in datastores]
        profile = pbm.profile.ProfileId(uniqueId=policy)
        results = self._pbm().placementSolver.PbmCheckCompatibility(hubs, profile)
        fit = {entry.hub.hubId for entry in results if not entry.error}
        return [entry for entry in datastores if entry in fit]


def _record(entry: Any) -> dict[str, Any]:
    values = {item.name: item.val for item in entry.propSet}
    record = {"kind": type(entry.obj).__name__.removeprefix("vim."), "id": entry.obj._moId, "name": values["name"]}
    parent = values.get("parent")
    record["parent"] = parent._moId if parent is not None else None
    if "resourcePool" in values:
        record["resource_pool"] = values["resourcePool"]._moId
    if "configuration" in values:
        configuration = values["configuration"]
        record["ha_enabled"] = bool(configuration.dasConfig.enabled)
        record["drs_enabled"] = bool(configuration.drsConfig.enabled)
    if "summary" in values:
        summary = values["summary"]
        kind = str(summary.type)
        record["type"] = kind if kind in DATASTORE_TYPES else "VMFS"
        record["free_space"], record["capacity"] = summary.freeSpace, summary.capacity
        record["accessible"] = bool(summary.accessible)
    if "runtime.connectionState" in values:
        record["connection_state"] = str(values["runtime.connectionState"]).upper()
        record["power_state"] = "POWERED_ON" if str(values["runtime.powerState"]) == "poweredOn" else "POWERED_OFF"
    if "childType" in values:
        kinds = [FOLDER_TYPES[kind] for kind in values["childType"] if kind in FOLDER_TYPES]
        record["type"] = kinds[0] if kinds else "DATACENTER"
    return record


def _datacenter(objects: dict[str, dict[str, Any]], record: dict[str, Any]) -> str | None:
    """Names are unique only within a datacenter, so filters need to know it."""
    here: dict[str, Any] | None = record
    while here is not None and here["kind"] != "Datacenter":
        here = objects.get(here["parent"] or "")
    return here["id"] if here else None
