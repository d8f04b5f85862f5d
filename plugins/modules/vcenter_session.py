#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log in at vCenter once for many tasks."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vcenter_session
short_description: Log in at vCenter once for many tasks
version_added: "1.0.0"
description:
  - Opens a session at vCenter, which other modules take as O(session_id) instead of logging in and out each, or ends one.
  - As C(module_defaults) of the action group C(vcf.ray.session) it reaches all modules that take one, and leaves those of the group
    C(vcf.ray.vcenter) as they are.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
attributes:
  check_mode:
    support: full
    description: Logs in and out in C(check_mode) too, as the tasks that read need a session. Nothing of the configuration is touched.
  diff_mode:
    support: N/A
    description: Returns details on what has changed, or would change in C(check_mode), in diff mode.
options:
  state:
    description:
      - V(present) opens a session, with two requests. With a O(session_id) that is still alive it only reads who that belongs to, with
        one request; with one that has ended and O(username) and O(password), it opens a new one, with three.
      - V(absent) ends the session O(session_id), with one request. One that has ended already is fine, and one that cannot be closed is a
        warning. It never logs in.
    type: str
    choices: [present, absent]
    default: present
notes:
  - The result is never C(changed), as a session is no part of the configuration of vCenter.
  - The result is never shown, as if C(no_log) were set. Register it.
  - A session ends with its playbook at the latest, even if that is killed before the task that ends it. A small process waits for
    the end of the playbook beside it, on a controller with Linux that has the library requests, and for a local connection.
  - M(vcf.ray.sso_user) takes no session, as the SSO service wants a login of its own.
seealso:
  - module: vcf.ray.supervisor_kubeconfig
    description: The login at a Supervisor.
"""

EXAMPLES = r"""
---
- name: One login for many tasks
  hosts: localhost
  connection: local
  gather_facts: false
  module_defaults:
    group/vcf.ray.vcenter:
      hostname: vcenter.example.com
      username: administrator@vsphere.local
      password: "{{ vault_vcenter_password }}"
  tasks:
    - name: Log in
      vcf.ray.vcenter_session:
      register: login

    - name: Work in one session
      module_defaults:
        group/vcf.ray.session:
          session_id: "{{ login.session_id }}"
      block:
        - name: Make a VM class
          vcf.ray.vm_class:
            name: ray-worker
            cpus: 8
            memory_mib: 32768

        - name: Read the namespaces
          vcf.ray.namespace_info:
      always:
        - name: Log out
          vcf.ray.vcenter_session:
            session_id: "{{ login.session_id }}"
            state: absent
"""

RETURN = r"""
---
session_id:
  description: The session that this task has opened. It is as good as the password, until it is ended.
  returned: when O(state=present) and RV(opened) is V(true)
  type: str
  sample: b00db39f948d13ea1e59b4d6fce56389
opened:
  description: Whether this task has logged in. It is V(false) for a session that was handed in as O(session_id) and lives.
  returned: when O(state=present)
  type: bool
  sample: true
ended:
  description: Whether the session has ended; if it could not be closed, a warning says why.
  returned: when O(state=absent)
  type: bool
  sample: true
username:
  description: Whose session it is, as vCenter spells it.
  returned: when O(state=present)
  type: str
  sample: Administrator@VSPHERE.LOCAL
created_time:
  description: Since when, by the clock of vCenter.
  returned: when O(state=present)
  type: str
  sample: "2026-01-31T20:00:00.000Z"
"""

from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task

SPEC = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """The client has logged in by now if there was no session; what is not kept is ended with it."""
    if task.params["state"] == "absent":
        return {"changed": False, "ended": vcenter.closed(task, client.end)}
    session = client.get(vcenter.SESSION) or {}
    result = {"changed": False, "username": session.get("user"), "created_time": session.get("created_time")}
    token = client.keep()
    # One that was handed in is a secret option, which no result may hold.
    return {**result, "opened": True, "session_id": token} if token else {**result, "opened": False}


def main() -> None:
    run({**vcenter.ARGSPEC, **SPEC}, vcenter.connect, ensure, required_if=[("state", "absent", ["session_id"])])


if __name__ == "__main__":
    main()
