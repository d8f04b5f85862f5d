#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install a service on a Supervisor, or remove it there."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: supervisor_service_install
short_description: Install a service on a Supervisor, or remove it there
version_added: "0.1.0"
description:
  - Installs a registered service on a Supervisor, changes its version or configuration, or removes it.
  - Waits until the service is configured with the version asked for and has its namespace. Whether its pod runs is behind another API and is not checked.
  - Refusals by which vCenter says that it is not ready yet are ridden out for as long as O(wait_timeout).
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.wait
  - vcf.ray.attributes
seealso:
  - module: vcf.ray.supervisor_service
options:
  supervisor:
    description: The Supervisor, by name or id.
    type: str
    required: true
  service:
    description: Id of the service.
    type: str
    required: true
  version:
    description: Version to install. If it is not set, the version that is installed is kept, and else the newest is taken.
    type: str
  yaml_service_config:
    description: Values for the package. They are sent as JSON, which is YAML, and shown only as a digest. Those set are kept if it is not set.
    type: dict
  state:
    description: Whether the object is to be there.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
---
- name: Install the service
  vcf.ray.supervisor_service_install:
    supervisor: supervisor-1
    service: ray-on-vcf.broadcom.com
"""

RETURN = r"""
---
supervisor_service_install:
  description: The install, or nothing when it is removed.
  returned: success
  type: dict
  contains:
    supervisor:
      description: Id of the Supervisor.
      returned: always
      type: str
    supervisor_service:
      description: Id of the service.
      returned: always
      type: str
    current_version:
      description: Version that runs.
      returned: when it exists
      type: str
    desired_version:
      description: Version that is to run.
      returned: always
      type: str
    config_status:
      description: State, as vCenter tells it; C(CONFIGURED) is the good one.
      returned: when it exists
      type: str
    service_namespace:
      description: Namespace of the service on the Supervisor.
      returned: when it exists
      type: str
    yaml_service_config:
      description: Digest of the values for the package.
      returned: when there are any
      type: str
    messages:
      description: What vCenter says about the install.
      returned: when it exists
      type: list
      elements: str
    pod:
      description: Always C(not_checked), as the pod is behind the API of the Supervisor.
      returned: when it exists
      type: str
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
from ..module_utils._resources.supervisor_service_install import SupervisorServiceInstall

SPEC = {
    "supervisor": {"type": "str", "required": True},
    "service": {"type": "str", "required": True},
    "version": {"type": "str"},
    "yaml_service_config": {"type": "dict"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Bring the install to what the options say."""
    p = task.params
    install = SupervisorServiceInstall(client, p["supervisor"], p["service"], p["yaml_service_config"], p["wait_timeout"])
    desired = {"supervisor_service": p["service"], "desired_version": p["version"]}
    return reconcile(task, install, desired if p["state"] == "present" else None)


def main() -> None:
    run({**vcenter.ARGSPEC, **_wait.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
