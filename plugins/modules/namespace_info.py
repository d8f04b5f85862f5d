#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read vSphere Namespaces."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: namespace_info
short_description: Read vSphere Namespaces
version_added: "1.0.0"
description:
  - Reads one namespace, or all that the account may see.
notes:
  - Needs one request to vCenter for one namespace, and one for each and one more for all. vCenter 7.0 needs one more for each.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.attributes.info
options:
  name:
    description: Name of one namespace. All are read when it is not given.
    type: str
"""

EXAMPLES = r"""
---
- name: Who may use the namespace?
  vcf.ray.namespace_info:
    name: deploy-ray
  register: found

- name: Show it
  ansible.builtin.debug:
    var: found.namespaces[0].access

- name: Read them all
  vcf.ray.namespace_info:
"""

RETURN = r"""
---
namespaces:
  description: The namespaces, sorted by name; an empty list when there is none of that name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      returned: always
      type: str
    supervisor:
      description: Id of its Supervisor.
      returned: always
      type: str
    description:
      description: What the namespace is for.
      returned: always
      type: str
    config_status:
      description: State, as vCenter tells it; C(RUNNING) is the good one.
      returned: when it exists
      type: str
    storage_policies:
      description: Storage policies, each with its id as C(policy), and C(limit_mib), which is V(-1) without a limit.
      returned: always
      type: list
      elements: dict
    vm_classes:
      description: Names of the attached VM classes.
      returned: always
      type: list
      elements: str
    content_libraries:
      description: Ids of the attached content libraries.
      returned: always
      type: list
      elements: str
    writable_libraries:
      description: Ids of those that the namespace may write to.
      returned: always
      type: list
      elements: str
    limits:
      description: All limits by the names of the option; V(-1) where there is none.
      returned: always
      type: dict
    networks:
      description: Names of its workload networks; empty with NSX.
      returned: always
      type: list
      elements: str
    zones:
      description: Names of its zones, without those that it is leaving; empty before vCenter 9.0.
      returned: always
      type: list
      elements: str
    usage:
      description: What is used at this moment, as C(cpu_mhz), C(memory_mib) and C(storage_mib).
      returned: always
      type: dict
    access:
      description: Who may do what, each with C(subject), C(domain), C(subject_type), C(role), and C(inherited) when it comes through a group.
      returned: when it exists
      type: list
      elements: dict
    messages:
      description: What vCenter says about the namespace.
      returned: when it exists
      type: list
      elements: str
"""

from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task
from ..module_utils._resources.namespaces import described, find_namespace, list_namespaces, usage

SPEC = {"name": {"type": "str"}}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Read what there is; one that vanishes meanwhile is left out."""
    names = [task.params["name"]] if task.params["name"] else list_namespaces(client)
    found = [(name, find_namespace(client, name)) for name in names]
    return {"changed": False, "namespaces": [{**described(name, info), "usage": usage(info)} for name, info in found if info is not None]}


def main() -> None:
    run({**vcenter.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
