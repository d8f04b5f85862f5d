#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell a Supervisor of a registry for container images."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: container_image_registry
short_description: Tell a Supervisor of a registry for container images
version_added: "1.0.0"
description:
  - Makes, changes or removes a registry out of which a Supervisor takes the images of its services and pods, with its user and the certificate
    authorities to trust. This is what a site without access to public registries needs.
  - What is not set is left as it is.
notes:
  - Needs vCenter 8.0.3, and the privilege C(Namespaces.Manage) on the Supervisor.
  - When nothing is to be done, the module makes two requests beside login and logout.
  - The options follow the structures C(NamespaceManagement.Supervisors.ContainerImageRegistries) of the vSphere Automation API.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.attributes
seealso:
  - module: vcf.ray.supervisor
  - module: vcf.ray.supervisor_service_install
options:
  supervisor:
    description: The Supervisor, by name or id.
    type: str
    required: true
  name:
    description: Name of the registry on this Supervisor.
    type: str
    required: true
  registry_hostname:
    description: Name or address of the registry. Needed to make one.
    type: str
  registry_port:
    description: Port of the registry; 443 for a new one if it is not set.
    type: int
  registry_username:
    description: User at the registry. Once there is one, vCenter cannot be told to do without.
    type: str
  registry_password:
    description: Password of that user. vCenter never tells it.
    type: str
  update_password:
    description:
      - When O(registry_password) is sent. V(on_create) is with a new registry, another O(registry_hostname), O(registry_port) or
        O(registry_username). It cannot be compared, so V(always) sends it at each run and reports a change each time.
    type: str
    choices: [always, on_create]
    default: on_create
  certificate_authority:
    description: Certificate authorities of the registry, as PEM. Without them the certificate of the registry is not verified.
    type: str
  default:
    description: Whether images that name no registry come from this one. A new default takes the place of the old one.
    type: bool
  state:
    description: Whether the object is to be there.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
---
- name: The registry of the site, for services and pods
  vcf.ray.container_image_registry:
    supervisor: supervisor-1
    name: site
    registry_hostname: registry.example.com
    registry_username: robot
    registry_password: "{{ vault_registry_password }}"
    certificate_authority: "{{ lookup('ansible.builtin.file', 'registry-ca.pem') }}"
    default: true

- name: Another password
  vcf.ray.container_image_registry:
    supervisor: supervisor-1
    name: site
    registry_username: robot
    registry_password: "{{ vault_registry_new_password }}"
    update_password: always
"""

RETURN = r"""
---
container_image_registry:
  description: The registry, or nothing when it is removed. Never its password.
  returned: success
  type: dict
  contains:
    supervisor:
      description: Id of the Supervisor.
      returned: always
      type: str
    name:
      description: Name.
      returned: always
      type: str
    id:
      description: Id.
      returned: when it exists
      type: str
    registry_hostname:
      description: Name or address of the registry.
      returned: always
      type: str
    registry_port:
      description: Port of the registry.
      returned: always
      type: int
    registry_username:
      description: User at the registry.
      returned: when it has one
      type: str
    certificate_authority:
      description: Certificate authorities that are trusted, as PEM.
      returned: when it has them
      type: str
    default:
      description: Whether images that name no registry come from this one.
      returned: always
      type: bool
    password_updated:
      description: Whether this task has set the password, or would set it.
      returned: always
      type: bool
"""

from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.registry import Registry

SPEC = {
    "supervisor": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "registry_hostname": {"type": "str"},
    "registry_port": {"type": "int"},
    "registry_username": {"type": "str"},
    "registry_password": {"type": "str", "no_log": True},
    "update_password": {"type": "str", "choices": ["always", "on_create"], "default": "on_create", "no_log": False},
    "certificate_authority": {"type": "str"},
    "default": {"type": "bool"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
DESIRED = ("name", "registry_hostname", "registry_port", "registry_username", "certificate_authority", "default")


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Bring the registry to what the options say."""
    p = task.params
    registry = Registry(client, p["supervisor"], p["name"], p["registry_password"], p["update_password"] == "always")
    return reconcile(task, registry, {key: p[key] for key in DESIRED} if p["state"] == "present" else None)


def main() -> None:
    run({**vcenter.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
