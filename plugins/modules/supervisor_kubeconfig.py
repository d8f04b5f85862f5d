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
    the user may enter, named as that program names them; or with one for a cluster that runs in such a namespace (O(cluster)).
  - With O(path) the contexts are merged into a file; all others in it are kept. Without it nothing is written and the kubeconfig is returned.
  - In the file, a token that is still valid for O(min_validity) seconds is kept.
  - A user of a federated identity provider (AD FS, OIDC) has no password that a Supervisor takes, so the login is refused. Such a user gives
    O(vcf.ray.vmray_cluster#module:kubeconfig) a ready kubeconfig, in which an exec plugin may get the token.
options:
  hostname:
    description:
      - Address of the Supervisor (not of vCenter), C(host) or C(host:port) of its login. Falls back to the environment variable
        E(VCF_RAY_SUPERVISOR_HOST).
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
      - PEM file with the certificate authority of the Supervisor, which need not be that of vCenter. It is carried into the kubeconfig. As the
        Supervisor is verified against it, and the address of a guest cluster and its authority come from there, nothing else has to be trusted.
      - Falls back to E(VCF_RAY_SUPERVISOR_CA_PATH).
    type: path
  vcenter:
    description:
      - The vCenter of the Supervisor, to take the certificate authority from when there is no O(ca_path).
      - vCenter gives those that it trusts to everybody (C(/certs/download.zip)), so no login goes there. It is only asked when its own certificate
        is verified, which cannot be switched off; and of what it gives, the one is taken that the certificate of the Supervisor can be verified
        against. When there is none, nothing is trusted and the task fails.
    type: dict
    suboptions:
      hostname:
        description: Name or address of vCenter. Falls back to E(VMWARE_HOST).
        type: str
        required: true
      port:
        description: Port of vCenter. Falls back to E(VMWARE_PORT).
        type: int
        default: 443
      ca_path:
        description: PEM file to verify vCenter against; the authorities of the system when left out. Falls back to E(VCF_RAY_CA_PATH).
        type: path
      proxy_host:
        description: Name or address of an HTTP proxy to reach vCenter through. Falls back to E(VMWARE_PROXY_HOST).
        type: str
      proxy_port:
        description: Port of that proxy; 3128 when left out. Falls back to E(VMWARE_PROXY_PORT).
        type: int
  validate_certs:
    description: Whether to verify the certificate of the Supervisor. When V(false), the kubeconfig switches verification off too.
    type: bool
    default: true
  proxy_host:
    description:
      - Name or address of an HTTP proxy to reach the Supervisor through. It is carried into the kubeconfig as C(proxy-url), which C(kubectl)
        and the modules of this collection heed. TLS is verified to its end.
      - Proxies of the environment (E(HTTPS_PROXY), E(K8S_AUTH_PROXY)) are not used.
    type: str
  proxy_port:
    description: Port of the proxy; 3128 when left out.
    type: int
  namespace:
    description: Namespace whose context becomes the current one. Without it that is the context of the Supervisor itself.
    type: str
  cluster:
    description:
      - Name of a cluster that runs in a namespace of the Supervisor (a guest cluster of VKS), to log in at that one. Its context has the cluster's
        name, and becomes the current one.
      - Only a login tells the address of the cluster, so there is one in check mode too, unless O(path) has a token that is kept.
    type: str
  cluster_namespace:
    description: The vSphere namespace that O(cluster) runs in.
    type: str
  prefix:
    description:
      - Stands before the name of each context, so that one file can hold those of several Supervisors with namespaces of the same names. Without
        it, a context in O(path) of the same name that leads to another server is an error, and nothing is changed.
    type: str
    default: ''
  make_current:
    description:
      - Whether the context of O(namespace), of O(cluster) or of the Supervisor becomes the current one of O(path). When V(false), that stays as it is,
        unless there is none; so tasks for several servers can share a file, and change nothing when they are run again.
    type: bool
    default: true
  path:
    description:
      - File to merge the contexts into. It is replaced in one step and readable by its owner only; where it was not, it becomes so.
        A link to a file stays one. Tasks that change it at the same time wait for each other.
    type: path
  min_validity:
    description: Seconds that a token in O(path) must still be valid to be kept.
    type: int
    default: 3600
  state:
    description: V(absent) removes the contexts and the token of this user at this Supervisor, or at O(cluster), from O(path). Nothing is asked there.
    type: str
    choices: [present, absent]
    default: present
notes:
  - A refused login is not tried again, because SSO locks an account after a few.
  - RV(kubeconfig) holds a token. Set C(no_log) on a task that registers it, or use O(path).
requirements:
  - requests
  - pyyaml
author:
  - Contributors to the vcf.ray project (@vcf-ray)
version_added: 1.0.0
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

- name: Trust the Supervisor by its vCenter, and reach both through a proxy
  vcf.ray.supervisor_kubeconfig:
    hostname: 192.0.2.10
    username: ray-dev@vsphere.local
    password: "{{ vault_ray_dev_password }}"
    vcenter:
      hostname: vcenter.example.com
      ca_path: /etc/ssl/vcenter.pem
      proxy_host: proxy.example.com
    proxy_host: proxy.example.com
    path: ~/.kube/ray

- name: Log in at a cluster in one of its namespaces
  vcf.ray.supervisor_kubeconfig:
    hostname: 192.0.2.10
    username: ray-dev@vsphere.local
    password: "{{ vault_ray_dev_password }}"
    ca_path: /etc/ssl/supervisor.pem
    cluster: apps
    cluster_namespace: deploy-ray
    path: ~/.kube/ray
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
  description: The contexts of this user at this Supervisor, or at the cluster.
  returned: when O(state=present)
  type: list
  elements: str
  sample: ["192.0.2.10", "deploy-ray"]
context:
  description: The current context of the kubeconfig.
  returned: when O(state=present)
  type: str
  sample: deploy-ray
server:
  description: Address of the API server.
  returned: when O(state=present)
  type: str
  sample: https://192.0.2.10:6443
path:
  description: The file.
  returned: when O(path) is set
  type: str
"""

import contextlib

from ..module_utils._clients import supervisor as supervisor_client
from ..module_utils._clients import vcenter_roots
from ..module_utils._clients.kubeconfig_file import KubeconfigFile
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.supervisor_kubeconfig import GuestKubeconfig, SupervisorKubeconfig, expires_at

SPEC = {
    "namespace": {"type": "str"},
    "cluster": {"type": "str"},
    "cluster_namespace": {"type": "str"},
    "prefix": {"type": "str", "default": ""},
    "make_current": {"type": "bool", "default": True},
    "path": {"type": "path"},
    "min_validity": {"type": "int", "default": 3600},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


@contextlib.contextmanager
def connect(task):
    """The login service; for a removal nothing is asked, vCenter neither."""
    params = task.params if task.params["state"] == "present" else {**task.params, "vcenter": None}
    with vcenter_roots.trusted(params) as verified, supervisor_client.connect(Task(verified)) as supervisor:
        yield supervisor


def ensure(task, supervisor):
    """The merged file, or the kubeconfig itself when no file is named."""
    p = task.params
    store = KubeconfigFile(p["path"]) if p["path"] else None
    options = {"min_validity": p["min_validity"], "prefix": p["prefix"], "make_current": p["make_current"]}
    if p["cluster"]:
        resource = GuestKubeconfig(supervisor, store, cluster=p["cluster"], namespace=p["cluster_namespace"], **options)
    else:
        resource = SupervisorKubeconfig(supervisor, store, namespace=p["namespace"], **options)
    if store is None:
        found = resource.resolve(None, {})
        kubeconfig = resource.kubeconfig(found)
        return {"changed": False, "kubeconfig": kubeconfig, "expires_at": expires_at(kubeconfig), **_shown(found)}
    result = reconcile(task, resource, {} if p["state"] == "present" else None)
    found = result.pop(resource.noun) or {}
    if "expires_at" in found and not (task.check_mode and result["changed"]):
        result["expires_at"] = found["expires_at"]
    return {**result, **_shown(found), "path": store.path}


def _shown(found):
    names = {"contexts": "contexts", "current_context": "context", "server": "server"}
    return {shown: found[name] for name, shown in names.items() if name in found}


def main():
    run({**supervisor_client.ARGSPEC, **vcenter_roots.ARGSPEC, **SPEC}, connect, ensure, required_if=[("state", "absent", ["path"])],
        required_together=[("cluster", "cluster_namespace")], mutually_exclusive=[("cluster", "namespace")])


if __name__ == "__main__":
    main()
