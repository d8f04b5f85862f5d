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
version_added: "1.0.0"
description:
  - Installs a registered service on a Supervisor, changes its version or configuration, or removes it.
  - Waits until the service is configured with the version asked for and has its namespace; with O(supervisor_login) also until its pods run.
  - From vCenter 8.0.3 on, a version is checked against the Supervisor before it is installed, and one that does not fit is not.
  - vCenter tries a service again that it could not set up, so an ERROR is borne for 300 seconds. When it stays, or O(wait_timeout) is over, the
    message says in plain words what stands in the way, such as an image that its registry does not have, with the next step.
  - Refusals by which vCenter says that it is not ready yet are ridden out for as long as O(wait_timeout). What came of a request that failed
    is looked at.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.supervisor_login
  - vcf.ray.wait
  - vcf.ray.attributes
requirements:
  - kubernetes (for O(supervisor_login))
notes:
  - Carvel services need vCenter 8.0.1; an older one is refused before anything is written.
  - The privileges C(System.Read), C(Namespaces.Manage) and C(SupervisorServices.Install) are needed.
  - When nothing is to be changed, a task sends 3 requests to vCenter, beside login and logout, from vCenter 9.0 on, and 5 to an older one.
    With O(supervisor_login) the Supervisor gets a login and one request more, two with O(required_apis).
  - In check mode the version is not checked against the Supervisor, as vCenter would keep the result. What stands in the way of a removal is told
    under RV(unknown) then, as an earlier task of the same run may be to take it away.
seealso:
  - module: vcf.ray.supervisor_service
  - module: vcf.ray.container_image_registry
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
    description:
      - Values for the package, as a map or as the text of one in YAML. Those set are kept if it is not set; V({}) takes them away.
      - They may hold secrets, so they are shown only as a digest of what they say, however it is written.
      - Of a map, Ansible takes each single value for a secret and strikes it out in all that the task returns, also where it stands by chance.
        A text, such as C(values | to_nice_yaml) gives, counts as a whole.
    type: raw
  pod_labels:
    description:
      - Labels of the pods that have to run, in the namespace of the service. For Ray on VCF those of its operator if it is not set,
        for other services none, and their pods are not checked.
      - Needs O(supervisor_login); without it RV(supervisor_service_install.pod) is C(not_checked).
    type: dict
  required_apis:
    description:
      - APIs that the service needs on the Supervisor, such as V(vmoperator.vmware.com/v1alpha2) and V(cert-manager.io/v1). They are looked for before
        anything is installed, in check mode too, and all that are missing are told at once.
      - Needs O(supervisor_login); without it RV(required_apis) is C(not_checked).
    type: list
    elements: str
    default: []
  guard_kinds:
    description:
      - Kinds of custom resources, as C(GROUP/VERSION/PLURAL), of which none may live in any namespace when the service is removed. Only the service
        can take them away, and without it they would stay for ever.
      - For Ray on VCF its clusters, V(vmray.broadcom.com/v1alpha1/vmrayclusters), if it is not set, for other services none.
      - Needs O(supervisor_login); without it a warning says so, and RV(clusters) is C(not_checked).
    type: list
    elements: str
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

- name: Install it where what it needs is there, and wait for its operator
  vcf.ray.supervisor_service_install:
    supervisor: supervisor-1
    service: ray-on-vcf.broadcom.com
    version: 0.2.0
    required_apis:
      - vmoperator.vmware.com/v1alpha2
      - cert-manager.io/v1
    supervisor_login:
      username: administrator@vsphere.local
      password: "{{ vault_password }}"
      ca_path: /etc/pki/supervisor.pem

- name: Remove it, unless somebody still has a cluster
  vcf.ray.supervisor_service_install:
    supervisor: supervisor-1
    service: ray-on-vcf.broadcom.com
    state: absent
    supervisor_login:
      username: administrator@vsphere.local
      password: "{{ vault_password }}"
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
      description: What vCenter says about the install, without the lines of O(yaml_service_config) that it may quote.
      returned: when it exists
      type: list
      elements: str
    pod:
      description:
        - C(running) when all pods that have to run do so; what they do else, when it was not waited for.
        - C(not_checked) without O(supervisor_login), or where no pods are known for the service, and as long as vCenter is not done with its part.
      returned: when it exists
      type: str
    pods:
      description: Names of these pods.
      returned: when it exists
      type: list
      elements: str
precheck:
  description: C(COMPATIBLE), or C(not_checked) in check mode, where the version stays as it is, and before vCenter 8.0.3.
  returned: when something was changed and O(state=present)
  type: str
required_apis:
  description: C(served), or C(not_checked) without O(supervisor_login).
  returned: with O(required_apis) and O(state=present)
  type: str
clusters:
  description:
    - C(none) when none of O(guard_kinds) lived any more, or C(not_checked) without O(supervisor_login).
    - C(living) in check mode, when there still are some, which RV(unknown) names.
  returned: with O(state=absent), when something was removed and there are O(guard_kinds)
  type: str
unknown:
  description: What could not be known, as an earlier task of the same run would make what is missing, or take away what is in the way.
  returned: in check mode, when something is missing or in the way
  type: list
  elements: str
"""

import contextlib
import typing as t

from ..module_utils import _wait
from ..module_utils._clients import kube_login, vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.service_inside import Inside
from ..module_utils._resources.supervisor_service_install import SupervisorServiceInstall

SPEC = {
    **kube_login.ARGSPEC,
    "supervisor": {"type": "str", "required": True},
    "service": {"type": "str", "required": True},
    "version": {"type": "str"},
    "yaml_service_config": {"type": "raw", "no_log": True},
    "pod_labels": {"type": "dict"},
    "required_apis": {"type": "list", "elements": "str", "default": []},
    "guard_kinds": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Bring the install to what the options say."""
    p = task.params
    opened = kube_login.opener(task)
    with contextlib.ExitStack() as stack:
        enter: t.Callable[[str | None], t.Any] | None = (lambda address: stack.enter_context(opened(address))) if opened else None
        inside = Inside(p["service"], enter, labels=p["pod_labels"], kinds=p["guard_kinds"], apis=p["required_apis"],
                        going=p["state"] == "absent")
        install = SupervisorServiceInstall(client, p["supervisor"], p["service"], p["yaml_service_config"], p["wait_timeout"], inside)
        if p["state"] == "absent":
            return removed(task, install)
        result = reconcile(task, install, {"supervisor_service": p["service"], "desired_version": p["version"]})
    if result["changed"]:
        result["precheck"] = install.prechecked
    return {**result, "required_apis": inside.apis} if p["required_apis"] else result


def removed(task: Task, install: SupervisorServiceInstall) -> dict:
    """The install is gone; what was not looked at is told."""
    result, inside = reconcile(task, install, None), install.inside
    if not result["changed"] or not inside.kinds:
        return result
    if not inside.open:
        task.warn(f"It was not checked whether there still are {', '.join(inside.kinds)}: without {install.subject} nobody can remove them. "
                  "With supervisor_login it would be.")
    return {**result, "clusters": inside.clusters}


def main() -> None:
    run({**vcenter.ARGSPEC, **_wait.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
