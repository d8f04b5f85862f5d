#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the Supervisor services that are registered."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: supervisor_service_info
short_description: Read the Supervisor services that are registered
version_added: "1.0.0"
description:
  - Reads one service of the catalogue of vCenter, or all.
notes:
  - The privilege C(System.Read) is needed, with O(details) also C(Namespaces.Manage) and C(SupervisorServices.Install).
  - One request lists the services, and each costs two; with O(details) one for each version more, and at least one for each Supervisor.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.attributes.info
options:
  service:
    description: Id of one service.
    type: str
  details:
    description: Whether to ask for what each version contains, and on which Supervisors the service is installed.
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Which versions are registered?
  vcf.ray.supervisor_service_info:
    service: ray-on-vcf.broadcom.com
  register: found

- name: What is registered, and where is it installed?
  vcf.ray.supervisor_service_info:
    details: true
"""

RETURN = r"""
---
supervisor_services:
  description: The services, sorted by id; an empty list when there is none of that id.
  returned: success
  type: list
  elements: dict
  contains:
    supervisor_service:
      description: Id of the service.
      returned: always
      type: str
    display_name:
      description: Name that the vSphere Client shows.
      returned: always
      type: str
    description:
      description: What the service is for.
      returned: always
      type: str
    state:
      description: C(ACTIVATED) or C(DEACTIVATED).
      returned: always
      type: str
    versions:
      description: Its versions, oldest first.
      returned: always
      type: list
      elements: dict
      contains:
        version:
          description: The version.
          returned: always
          type: str
        state:
          description: C(ACTIVATED), so that it can be installed, or C(DEACTIVATED).
          returned: always
          type: str
        display_name:
          description: Name of the version.
          returned: with O(details)
          type: str
        description:
          description: What the version is for.
          returned: with O(details)
          type: str
        content_type:
          description: C(CARVEL_APPS_YAML) for a Carvel package, C(VSPHERE_APPS_YAML) or C(CUSTOM_YAML).
          returned: with O(details)
          type: str
        trust_verified:
          description: Whether vCenter has verified who signed the content.
          returned: with O(details)
          type: bool
    installed_on:
      description: The Supervisors that have the service.
      returned: with O(details)
      type: list
      elements: dict
      contains:
        supervisor:
          description: Id of the Supervisor.
          returned: always
          type: str
        name:
          description: Name of the Supervisor.
          returned: always
          type: str
        version:
          description: Version that runs there, or the one that is to run when there is none yet.
          returned: always
          type: str
        config_status:
          description: State of the install; C(CONFIGURED) is the good one.
          returned: always
          type: str
"""

from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task
from ..module_utils._resources.service_catalogue import described, detailed, list_services

SPEC = {"service": {"type": "str"}, "details": {"type": "bool", "default": False}}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Read what there is; one that vanishes meanwhile is left out."""
    services = [task.params["service"]] if task.params["service"] else list_services(client)
    found = [service for service in (described(client, name) for name in services) if service is not None]
    return {"changed": False, "supervisor_services": detailed(client, found) if task.params["details"] else found}


def main() -> None:
    run({**vcenter.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
