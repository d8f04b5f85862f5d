#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read VM classes."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vm_class_info
short_description: Read VM classes
version_added: "1.0.0"
description:
  - Reads one VM class, or all of a vCenter.
notes:
  - This costs one request beside login and logout.
  - Works with vCenter 7.0 U3 and later. The facts about the API come from the vendor's SDK bindings 9.1.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.attributes.info
options:
  name:
    description: Name of one class.
    type: str
seealso:
  - module: vcf.ray.vm_class
"""

EXAMPLES = r"""
---
- name: Which sizes are there?
  vcf.ray.vm_class_info:
  register: found

- name: Show the names of those with a GPU
  ansible.builtin.debug:
    msg: "{{ found.vm_classes | selectattr('vgpus') | map(attribute='name') }}"
"""

RETURN = r"""
---
vm_classes:
  description: The classes, sorted by name; an empty list when there is none of that name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name, which is the id.
      returned: always
      type: str
    cpus:
      description: Virtual CPUs.
      returned: always
      type: int
    memory_mib:
      description: Memory in MiB.
      returned: always
      type: int
    cpu_reservation:
      description: Reserved share of the CPUs in percent.
      returned: when it is set
      type: int
    memory_reservation:
      description: Reserved share of the memory in percent.
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
      description: Disks on storage of the host, C(policy) by its id and C(volumes_mib).
      returned: when it is set
      type: dict
    config_spec:
      description: Further configuration as VIM JSON (from vCenter 8.0 U2).
      returned: when it is set
      type: dict
    messages:
      description: What vCenter says of the class.
      returned: always
      type: list
      elements: str
    config_status:
      description: State, as vCenter tells it.
      returned: always
      type: str
    namespaces:
      description: Names of the namespaces that may use it.
      returned: always
      type: list
      elements: str
    vms:
      description: Ids of the virtual machines made with it.
      returned: always
      type: list
      elements: str
"""

from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task
from ..module_utils._resources.vm_class import VmClass, list_vm_classes
from ..module_utils._resources.vm_class_spec import described

SPEC = {"name": {"type": "str"}}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """One request: the list has all that a single read has."""
    name = task.params["name"]
    if name:
        found = VmClass(client, name).read()
        return {"changed": False, "vm_classes": [found] if found else []}
    return {"changed": False, "vm_classes": [described(row) for row in list_vm_classes(client)]}


def main() -> None:
    run({**vcenter.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
