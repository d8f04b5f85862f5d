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
version_added: "0.1.0"
description:
  - Reads one service of the catalogue of vCenter, or all.
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
"""

EXAMPLES = r"""
---
- name: Which versions are registered?
  vcf.ray.supervisor_service_info:
    service: ray-on-vcf.broadcom.com
  register: found
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
      returned: when it exists
      type: str
    description:
      description: What the service is for.
      returned: when it exists
      type: str
    state:
      description: C(ACTIVATED) or C(DEACTIVATED).
      returned: always
      type: str
    versions:
      description: Its versions, each with C(version) and C(state).
      returned: when it exists
      type: list
      elements: dict
"""

from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task
from ..module_utils._resources.supervisor_service import described, list_services

SPEC = {"service": {"type": "str"}}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Read what there is; one that vanishes meanwhile is left out."""
    services = [task.params["service"]] if task.params["service"] else list_services(client)
    found = [described(client, service) for service in services]
    return {"changed": False, "supervisor_services": [service for service in found if service is not None]}


def main() -> None:
    run({**vcenter.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
