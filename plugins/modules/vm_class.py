#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make, change or remove a VM class."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vm_class
short_description: Make, change or remove a VM class
version_added: "1.0.0"
description:
  - A VM class is the size of virtual machines that the users of a namespace may make, with its GPUs and other PCI devices.
  - Changes reach virtual machines that are made afterwards. A class cannot be renamed, and its O(instance_storage) and O(config_spec) can be
    changed but not taken away, as vCenter leaves alone what it is not sent.
notes:
  - When there is nothing to change, this costs one request beside login and logout, and one more to find the policy of O(instance_storage) by name.
  - Works with vCenter 7.0 U3 and later. O(instance_storage) needs 8.0, O(config_spec) 8.0 U2.
  - O(vgpus) and O(pci_devices) are sent as the structure C(devices) to every release. Since 8.0 U2 the vendor calls that deprecated in favour of
    C(config_spec), and still takes it in 9.1; how a class with devices comes back as C(config_spec) is documented nowhere.
  - The facts about the API come from the vendor's SDK bindings 9.1.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.wait
  - vcf.ray.attributes
options:
  name:
    description: Name of the class, which is its id; a lower-case DNS label.
    type: str
    required: true
  cpus:
    description: Number of virtual CPUs. Needed to make a class.
    type: int
  memory_mib:
    description: Memory in MiB. Needed to make a class.
    type: int
  cpu_reservation:
    description: Share of the CPUs that is reserved, in percent.
    type: int
  memory_reservation:
    description:
      - Share of the memory that is reserved, in percent.
      - A class with O(vgpus) or O(pci_devices) always has 100, which is set by itself; another value is refused.
    type: int
  description:
    description: What the class is for.
    type: str
  vgpus:
    description: Virtual GPUs of each machine. The list is the whole list; an empty one takes all away.
    type: list
    elements: dict
    suboptions:
      profile:
        description: Name of the vGPU profile, as the driver on the hosts calls it, such as V(grid_h100xm-80c).
        type: str
        required: true
      count:
        description: How many of it.
        type: int
        default: 1
  pci_devices:
    description: Devices of each machine by Dynamic DirectPath I/O. The list is the whole list; an empty one takes all away.
    type: list
    elements: dict
    suboptions:
      vendor_id:
        description: PCI id of the vendor, as a number or like V(0x10de).
        type: str
        required: true
      device_id:
        description: PCI id of the device, as a number or like V(0x2330).
        type: str
        required: true
      label:
        description: The hardware label that an administrator has given the device on the hosts.
        type: str
  instance_storage:
    description: Disks on storage of the host for each machine, which are lost with it. Needs vCenter 8.0.
    type: dict
    suboptions:
      policy:
        description: Storage policy of the disks, by name or id. The namespace must have it too.
        type: str
        required: true
      volumes_mib:
        description: Size of each disk in MiB.
        type: list
        elements: int
        required: true
  config_spec:
    description:
      - A C(VirtualMachineConfigSpec) as VIM JSON, for what has no option here. Needs vCenter 8.0 U2.
      - Each structure in it has its C(_typeName); that of the whole is filled in.
      - What is given is compared with what vCenter tells, at every depth; what the class has beside it stays.
      - It replaces O(vgpus) and O(pci_devices), which stand in its C(deviceChange) then; a class that has some is refused until they are taken away.
    type: dict
  state:
    description: Whether the object is to be there.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: vcf.ray.vm_class_info
"""

EXAMPLES = r"""
---
- name: A class for the head of Ray clusters
  vcf.ray.vm_class:
    name: ray-head
    cpus: 4
    memory_mib: 16384

- name: A class for workers with two GPUs, all memory reserved
  vcf.ray.vm_class:
    name: ray-gpu
    cpus: 16
    memory_mib: 131072
    vgpus:
      - profile: grid_h100xm-80c
        count: 2

- name: A class with a whole card and a scratch disk
  vcf.ray.vm_class:
    name: ray-card
    cpus: 16
    memory_mib: 131072
    pci_devices:
      - {vendor_id: '0x10de', device_id: '0x2330', label: training}
    instance_storage:
      policy: vSAN Direct
      volumes_mib: [204800]
"""

RETURN = r"""
---
vm_class:
  description: The class, or nothing when it is removed.
  returned: success
  type: dict
  contains:
    name:
      description: Name.
      returned: always
      type: str
    cpus:
      description: Number of virtual CPUs.
      returned: always
      type: int
    memory_mib:
      description: Memory in MiB.
      returned: always
      type: int
    cpu_reservation:
      description: Reserved share of the CPUs, in percent.
      returned: when it is set
      type: int
    memory_reservation:
      description: Reserved share of the memory, in percent.
      returned: when it is set
      type: int
    description:
      description: What the class is for.
      returned: always
      type: str
    vgpus:
      description: Virtual GPUs, each with C(profile) and C(count), sorted.
      returned: always
      type: list
      elements: dict
    pci_devices:
      description: Devices by Dynamic DirectPath I/O, each with C(vendor_id) and C(device_id) as numbers and C(label), sorted.
      returned: always
      type: list
      elements: dict
    instance_storage:
      description: C(policy) by its id, and C(volumes_mib).
      returned: when it is set
      type: dict
    config_spec:
      description: Further configuration as VIM JSON.
      returned: when it is set
      type: dict
    messages:
      description: What vCenter says of the class.
      returned: when it exists
      type: list
      elements: str
    config_status:
      description: State, as vCenter tells it.
      returned: when it exists
      type: str
    namespaces:
      description: Namespaces that the class is attached to.
      returned: when it exists
      type: list
      elements: str
    vms:
      description: Virtual machines of the class.
      returned: when it exists
      type: list
      elements: str
"""

from ..module_utils import _wait
from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.vm_class import VmClass

VGPU = {"profile": {"type": "str", "required": True}, "count": {"type": "int", "default": 1}}
PCI = {"vendor_id": {"type": "str", "required": True}, "device_id": {"type": "str", "required": True}, "label": {"type": "str"}}
STORAGE = {"policy": {"type": "str", "required": True}, "volumes_mib": {"type": "list", "elements": "int", "required": True}}
SPEC = {
    "name": {"type": "str", "required": True},
    "cpus": {"type": "int"},
    "memory_mib": {"type": "int"},
    "cpu_reservation": {"type": "int"},
    "memory_reservation": {"type": "int"},
    "description": {"type": "str"},
    "vgpus": {"type": "list", "elements": "dict", "options": VGPU},
    "pci_devices": {"type": "list", "elements": "dict", "options": PCI},
    "instance_storage": {"type": "dict", "options": STORAGE},
    "config_spec": {"type": "dict"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
DESIRED = ("name", "cpus", "memory_mib", "cpu_reservation", "memory_reservation", "description", "vgpus", "pci_devices", "instance_storage",
           "config_spec")


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Bring the class to what the options say."""
    p = task.params
    desired = {key: p[key] for key in DESIRED}
    return reconcile(task, VmClass(client, p["name"]), desired if p["state"] == "present" else None)


def main() -> None:
    run({**vcenter.ARGSPEC, **_wait.ARGSPEC, **SPEC}, vcenter.connect, ensure,
        mutually_exclusive=[("config_spec", "vgpus"), ("config_spec", "pci_devices")])


if __name__ == "__main__":
    main()
