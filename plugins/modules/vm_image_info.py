#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vm_image_info
short_description: Images that a vSphere namespace offers for virtual machines
description:
  - Lists the C(VirtualMachineImage) objects of a namespace with the names that the items have in the content library, and why one is not ready.
  - Images of the whole Supervisor (C(ClusterVirtualMachineImage)) are not among them, since a C(VMRayCluster) cannot use those.
options:
  namespace:
    description: The vSphere namespace.
    type: str
    required: true
  name:
    description: Name of the item in the content library, or id (V(vmi-...)) of the image; all images when left out.
    type: str
author:
  - Contributors to the vcf.ray project (@vcf-ray)
version_added: 1.0.0
extends_documentation_fragment:
  - vcf.ray.kubernetes
  - vcf.ray.attributes.info
"""

EXAMPLES = r"""
- name: Wait until the image has arrived in the namespace
  vcf.ray.vm_image_info:
    kubeconfig: ~/.kube/ray
    namespace: deploy-ray
    name: ubuntu-ray
  register: found
  until: found.vm_images | selectattr('ready') | length == 1
  retries: 60
  delay: 5

- name: Say what is wrong with the others
  vcf.ray.vm_image_info:
    kubeconfig: ~/.kube/ray
    namespace: deploy-ray
  register: found

- name: Show them
  ansible.builtin.debug:
    msg: "{{ found.vm_images | rejectattr('ready') | items2dict(key_name='display_name', value_name='why_not') }}"
"""

RETURN = r"""
vm_images:
  description: The images; empty when nothing matches.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Id of the image.
      type: str
      sample: vmi-0123456789abcdef0
    display_name:
      description: Name of the item in the content library.
      type: str
      sample: ubuntu-24.04-ray
    ready:
      description: Whether machines can be made from it.
      type: bool
      sample: true
    why_not:
      description: What keeps it from being ready, in the words of the image's controller; empty when it is ready.
      type: str
      sample: "VirtualMachineImageProviderSecurityCompliance: SecurityNotCompliant The item does not comply with the security policy of its library."
    conditions:
      description: All that the image's controller says.
      type: list
      elements: dict
      sample: [{type: Ready, status: "True", reason: Available, message: ""}]
"""

from ..module_utils._clients import kube as kube_client
from ..module_utils._module import run
from ..module_utils._resources import vm_image

SPEC = {
    "namespace": {"type": "str", "required": True},
    "name": {"type": "str"},
}


def gather(task, kube):
    """All images, or those of one name."""
    images = kube.list(vm_image.KIND, task.params["namespace"])
    if task.params["name"]:
        images = vm_image.matching(images, task.params["name"])
    return {"changed": False, "vm_images": [vm_image.view(image) for image in images]}


def main():
    run({**kube_client.ARGSPEC, **SPEC}, kube_client.connect, gather)


if __name__ == "__main__":
    main()
