#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: supervisor_kubeconfig
short_description: Log in at a Supervisor and get a kubeconfig
description:
  - Logs in as C(kubectl vsphere login) does, without any program, and makes a kubeconfig with one context for each vSphere namespace that
    the user may enter.
  - With O(path) the contexts are merged into a file; all others in it are kept. Without it nothing is written and the kubeconfig is returned.
  - In the file, a token that is still valid for O(min_validity) seconds is kept.
options:
  hostname:
    description: Address of the Supervisor (not of vCenter). Falls back to the environment variable E(VCF_RAY_SUPERVISOR_HOST).
    type: str
    required: true
  username:
    description: User with its domain, such as V(ray-dev@vsphere.local). Falls back to E(VCF_RAY_SUPERVISOR_USER).
    type: str
    required: true
  password:
    description: Password of the user. Falls back to E(VCF_RAY_SUPERVISOR_PASSWORD).
    type: str
    required: true
  ca_path:
    description:
      - PEM file with the certificate authority of the Supervisor, which need not be that of vCenter. It is carried into the kubeconfig.
      - Falls back to E(VCF_RAY_SUPERVISOR_CA_PATH).
    type: path
  validate_certs:
    description: Whether to verify the certificate of the Supervisor. When V(false), the kubeconfig switches verification off too.
    type: bool
    default: true
  namespace:
    description: Namespace whose context becomes the current one. Without it that is the context of the Supervisor itself.
    type: str
  path:
    description: File to merge the contexts into. It is replaced in one step and readable by its owner only.
    type: path
  min_validity:
    description: Seconds that a token in O(path) must still be valid to be kept.
    type: int
    default: 3600
  state:
    description: V(absent) removes the contexts and the token of this user at this Supervisor from O(path).
    type: str
    choices: [present, absent]
    default: present
notes:
  - A login is tried once only, because SSO locks an account after a few refused ones.
  - RV(kubeconfig) holds a token. Set C(no_log) on a task that registers it, or use O(path).
requirements:
  - requests
  - pyyaml
author:
  - Contributors to the vcf.ray project (@vcf-ray)
version_added: 0.1.0
extends_documentation_fragment:
  - vcf.ray.attributes
"""

EXAMPLES = r"""
- name: Log in and keep the token in a file of our own
  vcf.ray.supervisor_kubeconfig:
    hostname: 192.0.2.10
    username: ray-dev@vsphere.local
    password: "{{ vault_ray_dev_password }}"
    ca_path: /etc/ssl/supervisor.pem
    namespace: deploy-ray
    path: ~/.kube/ray

- name: Log in and keep the token in memory
  vcf.ray.supervisor_kubeconfig:
    hostname: 192.0.2.10
    username: ray-dev@vsphere.local
    password: "{{ vault_ray_dev_password }}"
    ca_path: /etc/ssl/supervisor.pem
    namespace: deploy-ray
  register: login
  no_log: true
"""

RETURN = r"""
kubeconfig:
  description: The kubeconfig, for O(vcf.ray.vmray_cluster#module:kubeconfig) and others. It holds a token.
  returned: when O(path) is not set
  type: dict
expires_at:
  description: When the token ends, in UTC; null when it does not say so.
  returned: when O(state=present), not in check mode when it would change
  type: str
  sample: "2026-01-31T20:00:00Z"
contexts:
  description: The contexts of this user at this Supervisor.
  returned: when O(state=present)
  type: list
  elements: str
  sample: ["192.0.2.10", "deploy-ray"]
server:
  description: Address of the API server.
  returned: when O(state=present)
  type: str
path:
  description: The file.
  returned: when O(path) is set
  type: str
"""

from ..module_utils._clients import supervisor as supervisor_client
from ..module_utils._clients.kubeconfig_file import KubeconfigFile
from ..module_utils._module import run
from ..module_utils._reconcile import reconcile
from ..module_utils._resources.supervisor_kubeconfig import SupervisorKubeconfig, expires_at

SPEC = {
    "namespace": {"type": "str"},
    "path": {"type": "path"},
    "min_validity": {"type": "int", "default": 3600},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def ensure(task, supervisor):
    """The merged file, or the kubeconfig itself when no file is named."""
    p = task.params
    store = KubeconfigFile(p["path"]) if p["path"] else None
    resource = SupervisorKubeconfig(supervisor, store, namespace=p["namespace"], min_validity=p["min_validity"])
    if store is None:
        entries = resource.resolve(None, {})
        kubeconfig = resource.kubeconfig(entries)
        return {"changed": False, "kubeconfig": kubeconfig, "expires_at": expires_at(kubeconfig), "contexts": entries["contexts"], "server": entries["server"]}
    result = reconcile(task, resource, {} if p["state"] == "present" else None)
    entries = result.pop(resource.noun) or {}
    result.update({key: entries[key] for key in ("expires_at", "contexts", "server") if key in entries}, path=store.path)
    return result


def main():
    run({**supervisor_client.ARGSPEC, **SPEC}, supervisor_client.connect, ensure, required_if=[("state", "absent", ["path"])])


if __name__ == "__main__":
    main()
