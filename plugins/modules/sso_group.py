#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make, change or remove a group of the SSO domain, with its members."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sso_group
short_description: Make, change or remove a group of the SSO domain
version_added: "1.0.0"
description:
  - Manages a group in the SSO domain of vCenter and who is in it, through its SSO administration service.
  - Members are users and groups of that domain, or of any other identity source that vCenter knows.
  - The account of the module must be an administrator of that domain. What the group may do in a namespace is the business of M(vcf.ray.namespace_access).
notes:
  - Needs three calls of SSO beside the login (three) and the logout when nothing changes; one or two more for each member that is new.
  - Names of users and groups know no case.
  - Solution users in a group are neither shown nor removed, since services of vCenter log in with them.
  - Of the groups that vCenter brings along only the members can be changed.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter.sso
  - vcf.ray.vcenter.server
  - vcf.ray.wait
  - vcf.ray.attributes
seealso:
  - module: vcf.ray.sso_user
  - module: vcf.ray.namespace_access
options:
  name:
    description: Name of the group, without the domain.
    type: str
    required: true
  domain:
    description: SSO domain of the vCenter, as it was named when vCenter was installed. Groups of other domains cannot be written.
    type: str
    default: vsphere.local
  description:
    description: What the group is for.
    type: str
  members:
    description:
      - Users and groups that are in the group, as C(name@domain); those of O(domain) may be written without it.
      - Who is in it is left as it is when this is not given.
    type: list
    elements: str
  purge:
    description: Whether O(members) is the whole list, so that others leave the group. With V(false) members are only added.
    type: bool
    default: true
  state:
    description: Whether the object is to be there.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
---
- name: Those who make Ray clusters
  vcf.ray.sso_group:
    name: ray-team
    description: Makes Ray clusters
    members:
      - ray-dev
      - alice@corp.example

- name: One more
  vcf.ray.sso_group:
    name: ray-team
    members: [bob@corp.example]
    purge: false
"""

RETURN = r"""
---
sso_group:
  description: The group, or nothing when it is removed.
  returned: success
  type: dict
  contains:
    name:
      description: Name.
      returned: always
      type: str
    domain:
      description: SSO domain.
      returned: always
      type: str
    description:
      description: What the group is for.
      returned: always
      type: str
    members:
      description: Users and groups in it, as C(name@domain).
      returned: always
      type: list
      elements: str
unknown:
  description: What could not be known, as an earlier task of the same run would make what is missing. Only in check mode.
  returned: in check mode, when something is missing
  type: list
  elements: str
"""

from ..module_utils import _wait
from ..module_utils._clients import sso
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.sso_group import SsoGroup

SPEC = {
    "name": {"type": "str", "required": True},
    "domain": {"type": "str", "default": "vsphere.local"},
    "description": {"type": "str"},
    "members": {"type": "list", "elements": "str"},
    "purge": {"type": "bool", "default": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def ensure(task: Task, client: sso.Sso) -> dict:
    """Bring the group to what the options say."""
    p = task.params
    desired = {key: p[key] for key in ("name", "domain", "description", "members")}
    present = p["state"] == "present"
    group = SsoGroup(client, p["name"], p["domain"], purge=p["purge"], login=p.get("username"), removing=not present)
    return reconcile(task, group, desired if present else None)


def main() -> None:
    run({**sso.ARGSPEC, **_wait.ARGSPEC, **SPEC}, sso.connect, ensure)


if __name__ == "__main__":
    main()
