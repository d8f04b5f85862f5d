#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make, change or remove a vSphere Namespace."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: namespace
short_description: Make, change or remove a vSphere Namespace
version_added: "0.1.0"
description:
  - Makes a namespace on a Supervisor and attaches storage policies, VM classes and content libraries to it.
  - A list that is given is the whole list; one that is not given is left as it is.
  - Who may use the namespace is the business of M(vcf.ray.namespace_access).
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.wait
  - vcf.ray.attributes
seealso:
  - module: vcf.ray.namespace_access
  - module: vcf.ray.namespace_info
options:
  name:
    description: Name of the namespace, a lower-case DNS label that is unique in the vCenter.
    type: str
    required: true
  supervisor:
    description: The Supervisor, by name or id. Needed to make a namespace; it cannot be changed.
    type: str
  description:
    description: What the namespace is for.
    type: str
  storage_policies:
    description: Storage policies that its volumes may use.
    type: list
    elements: dict
    suboptions:
      policy:
        description: The policy, by name or id.
        type: str
        required: true
      limit_mib:
        description: How much storage may be used, in MiB. A limit that is set is kept when this is not given.
        type: int
  vm_classes:
    description: Names of the VM classes that may be used.
    type: list
    elements: str
  content_libraries:
    description: Content libraries whose images may be used, by name or id.
    type: list
    elements: str
  state:
    description: Whether the object is to be there.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
---
- name: A namespace for Ray clusters
  vcf.ray.namespace:
    name: deploy-ray
    supervisor: supervisor-1
    storage_policies:
      - policy: vSAN Default Storage Policy
        limit_mib: 204800
    vm_classes: [ray-head, ray-worker]
    content_libraries: [ray-images]

- name: Remove it, with all that is in it
  vcf.ray.namespace:
    name: deploy-ray
    state: absent
"""

RETURN = r"""
---
namespace:
  description: The namespace, or nothing when it is removed.
  returned: success
  type: dict
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
      description: Storage policies, each with its id as C(policy), and C(limit_mib).
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
    access:
      description: Who may do what, each with C(subject), C(domain), C(subject_type) and C(role).
      returned: when it exists
      type: list
      elements: dict
    messages:
      description: What vCenter says about the namespace.
      returned: when it exists
      type: list
      elements: str
unknown:
  description: What could not be known, as an earlier task of the same run would make what is missing. Only in check mode.
  returned: in check mode, when something is missing
  type: list
  elements: str
"""

from ..module_utils import _wait
from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.namespace import Namespace

SPEC = {
    "name": {"type": "str", "required": True},
    "supervisor": {"type": "str"},
    "description": {"type": "str"},
    "storage_policies": {
        "type": "list",
        "elements": "dict",
        "options": {"policy": {"type": "str", "required": True}, "limit_mib": {"type": "int"}},
    },
    "vm_classes": {"type": "list", "elements": "str"},
    "content_libraries": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Bring the namespace to what the options say."""
    p = task.params
    desired = {key: p[key] for key in ("name", "supervisor", "description", "storage_policies", "vm_classes", "content_libraries")}
    return reconcile(task, Namespace(client, p["name"]), desired if p["state"] == "present" else None)


def main() -> None:
    run({**vcenter.ARGSPEC, **_wait.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
