# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulator's model cannot make at its start: folders, and names that stand twice.

Everything is looked up by its name first, so a front that starts again finds what an earlier one made,
and a simulator that starts again gets it back.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pyVmomi import pbm, vim

FIRST, SWITCH = "DC0", "DVS0"  # as the model names them
# A second datacenter below a folder. What is named here stands in both datacenters:
# names are unique in a folder only, and clients have to tell the two apart by their paths.
REGIONS, SECOND, SECOND_SWITCH = "regions", "DC1", "DVS1"
EDGE, TWIN, SHARED, TWIN_NETWORK = "edge", "twin", "shared", "twin-net"

GOLD = "Gold Storage Policy"
# Datastores that fit a policy, by name; the simulator finds every datastore fit for any policy.
# Nothing here is a virtual volume or persistent memory, and only what hosts share is gold.
PLACEMENT: dict[str, frozenset[str]] = {
    GOLD: frozenset({SHARED}),
    "VVol No Requirements Policy": frozenset(),
    "Host-local PMem Default Storage Policy": frozenset(),
}


def build(content: Any, place: Path) -> None:
    """Add what is missing; `place` holds the folders behind the new datastores."""
    root = content.rootFolder
    first = _child(root, FIRST)
    if first is None:
        return  # another inventory than the lab's
    edge = _folder(first.hostFolder, EDGE)
    _twin(first, edge, SWITCH, place)
    regions = _folder(root, REGIONS)
    second = _child(regions, SECOND) or regions.CreateDatacenter(SECOND)
    _twin(second, second.hostFolder, SECOND_SWITCH, place)


def add_policies(manager: Any) -> None:
    """A policy that not every datastore fits."""
    kind = pbm.profile.ResourceType(resourceType=pbm.profile.ResourceTypeEnum.STORAGE)  # type: ignore[attr-defined]  # the stubs lack it
    known = manager.PbmQueryProfile(kind, "REQUIREMENT")
    if GOLD in {entry.name for entry in manager.PbmRetrieveContent(known)}:
        return
    spec = pbm.profile.CapabilityBasedProfileCreateSpec(
        name=GOLD,
        description="Datastores that several hosts share",
        category="REQUIREMENT",
        resourceType=kind,
        constraints=_tagged("tier", "gold"),
    )
    manager.PbmCreate(spec)


def _tagged(category: str, tag: str) -> Any:
    """The rule of most policies that people make: datastores that bear a tag."""
    capability = pbm.capability
    value = capability.PropertyInstance(id=f"com.vmware.storage.tag.{category}.property", value=tag)
    rule = capability.CapabilityInstance(
        id=capability.CapabilityMetadata.UniqueId(namespace="http://www.vmware.com/storage/tag", id=category),
        constraint=[capability.ConstraintInstance(propertyInstance=[value])],
    )
    profile: Any = pbm.profile.SubProfileCapabilityConstraints
    return profile(subProfiles=[profile.SubProfile(name=tag, capability=[rule])])


def _twin(datacenter: Any, folder: Any, switch: str, place: Path) -> None:
    """A cluster, a datastore and a port group, each named as in the other datacenter."""
    cluster = _cluster(folder, TWIN)
    if _child(datacenter.datastoreFolder, SHARED) is None:
        path = place / datacenter.name / SHARED
        path.mkdir(parents=True, exist_ok=True)
        spec = vim.host.NasVolume.Specification(
            remoteHost="nas.lab", remotePath=f"/{datacenter.name}", localPath=str(path), accessMode="readWrite", type="NFS"
        )
        cluster.host[0].configManager.datastoreSystem.CreateNasDatastore(spec)
    dvs = _child(datacenter.networkFolder, switch)
    if dvs is None:
        config = vim.dvs.VmwareDistributedVirtualSwitch.ConfigSpec(name=switch)
        dvs = _done(datacenter.networkFolder.CreateDVS_Task(vim.DistributedVirtualSwitch.CreateSpec(configSpec=config)))
    if _child(datacenter.networkFolder, TWIN_NETWORK) is None:
        group = vim.dvs.DistributedVirtualPortgroup.ConfigSpec(name=TWIN_NETWORK, type="earlyBinding", numPorts=8)
        _done(dvs.AddDVPortgroup_Task([group]))


def _cluster(folder: Any, name: str) -> Any:
    cluster = _child(folder, name) or folder.CreateClusterEx(name, vim.cluster.ConfigSpecEx())
    if not cluster.host:
        host = vim.host.ConnectSpec(hostName=f"{name}_H0", userName="", password="", force=True)
        _done(cluster.AddHost_Task(host, True))
    return cluster


def _folder(parent: Any, name: str) -> Any:
    return _child(parent, name) or parent.CreateFolder(name)


def _child(folder: Any, name: str) -> Any:
    return next((entry for entry in folder.childEntity if entry.name == name), None)


def _done(task: Any) -> Any:
    """The simulator's tasks end at once, but not before they are asked for."""
    while task.info.state not in ("success", "error"):
        time.sleep(0.01)
    if task.info.state == "error":
        raise task.info.error
    return task.info.result
