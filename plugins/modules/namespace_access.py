#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give or take a role in a vSphere Namespace."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: namespace_access
short_description: Give or take a role in a vSphere Namespace
version_added: "1.0.0"
description:
  - Gives one user or group a role in one namespace, changes it, or takes it away.
  - The user sees the namespace with a token of a login after that.
notes:
  - Needs one request to vCenter when nothing changes; vCenter 7.0 needs two.
  - Names of users, groups and domains know no case.
  - A role that a user has through a group counts as given, and is shown with RV(namespace_access.inherited). It cannot be taken from the user,
    only from the group.
  - Whether there is such a user or group is known to vCenter alone, and only when the role is given; check mode cannot tell.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.wait
  - vcf.ray.attributes
seealso:
  - module: vcf.ray.namespace
  - module: vcf.ray.sso_user
options:
  namespace:
    description: Name of the namespace.
    type: str
    required: true
  subject:
    description: Name of the user or group, without its domain.
    type: str
    required: true
  domain:
    description: Domain of the user or group. It may be any identity source of vCenter.
    type: str
    default: vsphere.local
  subject_type:
    description: Whether it is a user or a group.
    type: str
    choices: [USER, GROUP]
    default: USER
  role:
    description:
      - What the user or group may do. Needed for O(state=present).
      - V(OWNER), who may also remove the namespace, can only be of vCenter's own SSO domain. It is in vCenter 7.0 U2 and later.
    type: str
    choices: [OWNER, EDIT, VIEW]
  state:
    description: Whether the object is to be there.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
---
- name: The DevOps user may make Ray clusters
  vcf.ray.namespace_access:
    namespace: deploy-ray
    subject: ray-dev
    role: EDIT

- name: A group of another identity source may look
  vcf.ray.namespace_access:
    namespace: deploy-ray
    subject: data-science
    domain: corp.example
    subject_type: GROUP
    role: VIEW
"""

RETURN = r"""
---
namespace_access:
  description: The entry, or nothing when it is removed.
  returned: success
  type: dict
  contains:
    namespace:
      description: Name of the namespace.
      returned: always
      type: str
    subject:
      description: Name of the user or group.
      returned: always
      type: str
    domain:
      description: Its domain.
      returned: always
      type: str
    subject_type:
      description: C(USER) or C(GROUP).
      returned: always
      type: str
    role:
      description: What it may do.
      returned: always
      type: str
    inherited:
      description: Whether it has the role through a group.
      returned: always
      type: bool
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
from ..module_utils._resources.namespace_access import NamespaceAccess

SPEC = {
    "namespace": {"type": "str", "required": True},
    "subject": {"type": "str", "required": True},
    "domain": {"type": "str", "default": "vsphere.local"},
    "subject_type": {"type": "str", "choices": ["USER", "GROUP"], "default": "USER"},
    "role": {"type": "str", "choices": ["OWNER", "EDIT", "VIEW"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Bring the entry to what the options say."""
    p = task.params
    desired = {key: p[key] for key in ("namespace", "subject", "domain", "subject_type", "role")}
    present = p["state"] == "present"
    entry = NamespaceAccess(client, p["namespace"], p["subject"], p["domain"], p["subject_type"], present)
    return reconcile(task, entry, desired if present else None)


def main() -> None:
    run({**vcenter.ARGSPEC, **_wait.ARGSPEC, **SPEC}, vcenter.connect, ensure, required_if=[("state", "present", ["role"])])


if __name__ == "__main__":
    main()
