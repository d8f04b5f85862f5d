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
version_added: "0.1.0"
description:
  - A VM class is the size of virtual machines that the users of a namespace may make.
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
    description: Share of the memory that is reserved, in percent.
    type: int
  description:
    description: What the class is for.
    type: str
  state:
    description: Whether the object is to be there.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
---
- name: A class for the head of Ray clusters
  vcf.ray.vm_class:
    name: ray-head
    cpus: 4
    memory_mib: 16384
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
      returned: always
      type: int
    memory_reservation:
      description: Reserved share of the memory, in percent.
      returned: always
      type: int
    description:
      description: What the class is for.
      returned: always
      type: str
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

SPEC = {
    "name": {"type": "str", "required": True},
    "cpus": {"type": "int"},
    "memory_mib": {"type": "int"},
    "cpu_reservation": {"type": "int"},
    "memory_reservation": {"type": "int"},
    "description": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Bring the class to what the options say."""
    p = task.params
    desired = {key: p[key] for key in ("name", "cpus", "memory_mib", "cpu_reservation", "memory_reservation", "description")}
    return reconcile(task, VmClass(client, p["name"]), desired if p["state"] == "present" else None)


def main() -> None:
    run({**vcenter.ARGSPEC, **_wait.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
