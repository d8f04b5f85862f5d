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
version_added: "0.1.0"
description:
  - Reads one VM class, or all of a vCenter.
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

- name: Show their names
  ansible.builtin.debug:
    msg: "{{ found.vm_classes | map(attribute='name') }}"
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
from ..module_utils._resources.vm_class import VmClass, described, list_vm_classes

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
