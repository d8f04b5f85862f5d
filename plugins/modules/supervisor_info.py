#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read Supervisors."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: supervisor_info
short_description: Read Supervisors
version_added: "1.0.0"
description:
  - Reads one Supervisor, or all that the account may see.
notes:
  - For all Supervisors the module makes one request and one for each of them, beside login and logout. A closer look takes two more for each on
    vCenter 9.1, and three before.
  - vCenter wants C(Namespaces.Manage) for the list of Supervisors too, and C(System.Read) for the rest.
  - RV(supervisors[].ready) is derived from both states. Before vCenter 9.1 only the clusters tell messages; a closer look at a Supervisor that is not
    ready reads them there, with one request more.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.attributes.info
options:
  name:
    description: Name or id of one Supervisor.
    type: str
  details:
    description: Whether to read conditions, capabilities and version too. If it is not set, they are read when O(name) is given.
    type: bool
"""

EXAMPLES = r"""
---
- name: Which Supervisors are there?
  vcf.ray.supervisor_info:
  register: found

- name: Why is it not ready?
  vcf.ray.supervisor_info:
    name: supervisor-1
  register: found

- name: Show the conditions that do not hold
  ansible.builtin.debug:
    msg: "{{ found.supervisors[0].conditions | rejectattr('status', 'equalto', 'TRUE') }}"
"""

RETURN = r"""
---
supervisors:
  description: The Supervisors, sorted by name; an empty list when there is none of that name.
  returned: success
  type: list
  elements: dict
  contains:
    supervisor:
      description: Id.
      returned: when it exists
      type: str
    name:
      description: Name.
      returned: always
      type: str
    cluster:
      description: Id of its vSphere cluster; several, with commas between, when it spans zones.
      returned: always
      type: str
    clusters:
      description: Ids of its vSphere clusters.
      returned: always
      type: list
      elements: str
    zones:
      description: Its zones; vCenter 7.0 has none.
      returned: always
      type: list
      elements: str
    config_status:
      description: State of the configuration; C(RUNNING) is the good one.
      returned: when it exists
      type: str
    kubernetes_status:
      description: State of Kubernetes; C(READY) is the good one, and C(WARNING) still takes workloads.
      returned: when it exists
      type: str
    api_endpoint:
      description: Address of the Kubernetes API and of the login.
      returned: when it exists
      type: str
    ready:
      description: Whether it can be used.
      returned: when it exists
      type: bool
    messages:
      description: What vCenter says about it.
      returned: when it exists
      type: list
      elements: str
    version:
      description: Version of its Kubernetes.
      returned: with details
      type: str
    conditions:
      description: The steps of its configuration, in the order of vCenter; vCenter 7.0 tells none.
      returned: with details
      type: list
      elements: dict
      contains:
        type:
          description: Identifier of the step.
          returned: always
          type: str
        status:
          description: C(TRUE) when it is done, else C(FALSE) or C(UNKNOWN).
          returned: always
          type: str
        reason:
          description: Why it has this status, in one word.
          returned: always
          type: str
        severity:
          description: How bad it is that it is not done.
          returned: always
          type: str
        last_transition_time:
          description: Since when it has this status.
          returned: always
          type: str
        description:
          description: The step in words.
          returned: always
          type: str
        messages:
          description: What vCenter says about it.
          returned: always
          type: list
          elements: str
    capabilities:
      description: What it can do, sorted by name; told since vCenter 9.1.
      returned: with details
      type: list
      elements: dict
      contains:
        name:
          description: Identifier.
          returned: always
          type: str
        status:
          description: C(SUPPORTED), C(SUPPORTED_NOT_ACTIVATED) or C(UNSUPPORTED).
          returned: always
          type: str
        description:
          description: The capability in words.
          returned: always
          type: str
        messages:
          description: Why it is not active.
          returned: always
          type: list
          elements: str
"""

from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task
from ..module_utils._resources.supervisor_details import list_supervisors

SPEC = {"name": {"type": "str"}, "details": {"type": "bool"}}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Read what there is."""
    name, details = task.params["name"], task.params["details"]
    return {"changed": False, "supervisors": list_supervisors(client, name, name is not None if details is None else details)}


def main() -> None:
    run({**vcenter.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
