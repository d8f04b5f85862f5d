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
version_added: "0.1.0"
description:
  - Reads one Supervisor, or all that the account may see.
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
"""

EXAMPLES = r"""
---
- name: Which Supervisors are there?
  vcf.ray.supervisor_info:
  register: found
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
"""

from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task
from ..module_utils._resources.supervisor import clusters_of, summaries

SPEC = {"name": {"type": "str"}}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Read what there is."""
    wanted = task.params["name"]
    found = [s for s in summaries(client) if wanted in (None, s["name"], s["supervisor"])]
    rows = [{**s, "cluster": ", ".join(clusters_of(client, s["supervisor"])) or None} for s in found]
    return {"changed": False, "supervisors": sorted(rows, key=lambda s: s["name"])}


def main() -> None:
    run({**vcenter.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
