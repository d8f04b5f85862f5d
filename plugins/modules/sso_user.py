#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make, change or remove a user of the SSO domain."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sso_user
short_description: Make, change or remove a user of the SSO domain
version_added: "1.0.0"
description:
  - Manages a person in the SSO domain of vCenter, through its SSO administration service.
  - The account of the module must be an administrator of that domain. What the user may do in a namespace is the business of M(vcf.ray.namespace_access).
  - Users of other identity sources (Active Directory, LDAP, an OIDC provider) cannot be written here; they are made there.
notes:
  - Needs one call of SSO beside the login (three) and the logout when nothing changes.
  - Names of users know no case.
  - The account that the task is logged in with is neither removed nor disabled.
  - There is no REST for SSO users in any release of vCenter; the SSO administration service is spoken to by SOAP, as the vSphere Client does.
    All releases have it.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter.sso
  - vcf.ray.vcenter.server
  - vcf.ray.wait
  - vcf.ray.attributes
seealso:
  - module: vcf.ray.sso_group
  - module: vcf.ray.namespace_access
options:
  name:
    description: Name of the user, without the domain.
    type: str
    required: true
  domain:
    description: SSO domain of the vCenter, as it was named when vCenter was installed. No other domain can be written.
    type: str
    default: vsphere.local
  user_password:
    description: Password of the user. Needed to make a user; it must follow the password policy of vCenter, whose refusal is told in its own words.
    type: str
  update_password:
    description:
      - When the password is set. A password cannot be read, so V(always) sets it at each run and reports a change each time.
    type: str
    choices: [always, on_create]
    default: on_create
  description:
    description: Who the user is.
    type: str
  first_name:
    description: First name.
    type: str
  last_name:
    description: Last name.
    type: str
  email:
    description: Address for mail.
    type: str
  disabled:
    description: Whether the account is switched off, so that nobody can log in with it.
    type: bool
  unlock:
    description: Whether an account that is locked after refused logins is unlocked.
    type: bool
    default: false
  state:
    description: Whether the object is to be there.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
---
- name: The DevOps user
  vcf.ray.sso_user:
    name: ray-dev
    user_password: "{{ ray_dev_password }}"
    description: Makes Ray clusters

- name: A new password, each time
  vcf.ray.sso_user:
    name: ray-dev
    user_password: "{{ ray_dev_password }}"
    update_password: always
    unlock: true
"""

RETURN = r"""
---
sso_user:
  description: The user, or nothing when it is removed. Never the password.
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
      description: Who the user is.
      returned: always
      type: str
    first_name:
      description: First name.
      returned: always
      type: str
    last_name:
      description: Last name.
      returned: always
      type: str
    email:
      description: Address for mail.
      returned: always
      type: str
    disabled:
      description: Whether the account is switched off.
      returned: when it exists
      type: bool
    locked:
      description: Whether the account is locked after refused logins.
      returned: when it exists
      type: bool
    password_updated:
      description: Whether this task has set the password.
      returned: when it exists
      type: bool
"""

from ..module_utils import _wait
from ..module_utils._clients import sso
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.sso_user import SsoUser

SPEC = {
    "name": {"type": "str", "required": True},
    "domain": {"type": "str", "default": "vsphere.local"},
    "user_password": {"type": "str", "no_log": True},
    "update_password": {"type": "str", "choices": ["always", "on_create"], "default": "on_create", "no_log": False},
    "description": {"type": "str"},
    "first_name": {"type": "str"},
    "last_name": {"type": "str"},
    "email": {"type": "str"},
    "disabled": {"type": "bool"},
    "unlock": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def ensure(task: Task, client: sso.Sso) -> dict:
    """Bring the user to what the options say."""
    p = task.params
    desired = {key: p[key] for key in ("name", "domain", "user_password", "description", "first_name", "last_name", "email", "disabled")}
    desired["password_updated"] = True if p["update_password"] == "always" else None
    desired["locked"] = False if p["unlock"] else None
    present = p["state"] == "present"
    user = SsoUser(client, p["name"], p["domain"], p.get("username"), removing=not present)
    return reconcile(task, user, desired if present else None)


def main() -> None:
    run({**sso.ARGSPEC, **_wait.ARGSPEC, **SPEC}, sso.connect, ensure)


if __name__ == "__main__":
    main()
