#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Register a Supervisor service, or remove it."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: supervisor_service
short_description: Register a Supervisor service, or remove it
version_added: "0.1.0"
description:
  - Registers a Carvel package with vCenter, so that it can be installed on Supervisors; a version more, when the service is there.
  - vCenter itself says which service and version a package is. A version that is registered with other content is an error, as it cannot be replaced.
  - For O(state=absent) the service is deactivated, its versions are deleted, then itself. It must be installed nowhere.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.wait
  - vcf.ray.attributes
seealso:
  - module: vcf.ray.supervisor_service_install
  - module: vcf.ray.supervisor_service_info
options:
  package:
    description: Path of the YAML file with PackageMetadata and Package, where the module runs.
    type: path
  content:
    description: The text of such a file.
    type: str
  service:
    description: Id of the service, for O(state=absent) without a package.
    type: str
  version:
    description: With O(state=absent), the one version to remove. All of them, and the service, if it is not set.
    type: str
  state:
    description: Whether the object is to be there.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
---
- name: Register the service
  vcf.ray.supervisor_service:
    package: ray-on-vcf.yaml

- name: Remove it from the catalogue
  vcf.ray.supervisor_service:
    service: ray-on-vcf.broadcom.com
    state: absent
"""

RETURN = r"""
---
version:
  description: Version of the package.
  returned: with O(state=present)
  type: str
supervisor_service:
  description: The service, or nothing when it is removed.
  returned: success
  type: dict
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
    version:
      description: Version of the package, when it is registered.
      returned: always
      type: str
    version_state:
      description: State of that version.
      returned: always
      type: str
"""

from ..module_utils import _wait
from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.supervisor_service import SupervisorService, read_package

SPEC = {
    "package": {"type": "path"},
    "content": {"type": "str"},
    "service": {"type": "str"},
    "version": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Bring the catalogue to what the options say."""
    p = task.params
    content = read_package(p["package"]) if p["package"] else p["content"]
    if p["state"] == "absent":
        return reconcile(task, SupervisorService(client, p["service"], content, p["version"], p["wait_timeout"]), None)
    service = SupervisorService(client, p["service"], content, None, p["wait_timeout"])
    desired = {"state": "ACTIVATED", "version_state": "ACTIVATED"}
    return {**reconcile(task, service, desired), "version": service.version}


def main() -> None:
    run({**vcenter.ARGSPEC, **_wait.ARGSPEC, **SPEC}, vcenter.connect, ensure, required_one_of=[("package", "content", "service")],
        mutually_exclusive=[("package", "content")], required_if=[("state", "present", ["package", "content"], True)])


if __name__ == "__main__":
    main()
