#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read storage policies and the datastores that fit them."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: storage_policy_info
short_description: Read storage policies and the datastores that fit them
version_added: "1.0.0"
description:
  - Reads one storage policy, or all of a vCenter, and on request the datastores that fit it with their free space.
notes:
  - This costs one request beside login and logout; with O(datastores) one more, and one for each policy that is read and each 1024 datastores.
  - vCenter has no API to make policies other than SOAP; this module only reads.
  - Works with vCenter 7.0 U3 and later. The facts about the API come from the vendor's SDK bindings 9.1; that the check is called with
    C(action=check-compatibility) comes from its published documentation.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.attributes.info
options:
  name:
    description: Name or id of one policy.
    type: str
  datastores:
    description: Whether to read which datastores fit.
    type: bool
    default: false
seealso:
  - module: vcf.ray.namespace
  - module: vcf.ray.content_library
"""

EXAMPLES = r"""
---
- name: Which datastores fit the policy of the Ray namespace?
  vcf.ray.storage_policy_info:
    name: vSAN Default Storage Policy
    datastores: true
  register: found

- name: Take the one with most room for the content library
  vcf.ray.content_library:
    name: ray-images
    subscription_url: https://packages.vmware.com/dl-vm/lib.json
    datastore: "{{ found.storage_policies[0].datastores[0].id }}"
"""

RETURN = r"""
---
storage_policies:
  description: The policies, sorted by name; an empty list when there is none of that name.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id.
      returned: always
      type: str
    name:
      description: Name.
      returned: always
      type: str
    description:
      description: What it is for.
      returned: always
      type: str
    datastores:
      description: Datastores that fit, the one with most free space first.
      returned: with O(datastores)
      type: list
      elements: dict
      contains:
        id:
          description: Id.
          type: str
        name:
          description: Name.
          type: str
        type:
          description: Type, such as V(VSAN) or V(VMFS).
          type: str
        free_mib:
          description: Free space in MiB; nothing when vCenter does not tell.
          type: int
        capacity_mib:
          description: Capacity in MiB; nothing when vCenter does not tell.
          type: int
"""

from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task
from ..module_utils._resources.storage_policy import list_policies, with_datastores

SPEC = {"name": {"type": "str"}, "datastores": {"type": "bool", "default": False}}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """One list, and a check for each policy only if somebody wants to know."""
    found = list_policies(client, task.params["name"])
    return {"changed": False, "storage_policies": with_datastores(client, found) if task.params["datastores"] else found}


def main() -> None:
    run({**vcenter.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
