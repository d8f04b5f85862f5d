#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vmray_cluster_info
short_description: Ray clusters of a vSphere namespace
description:
  - Lists C(VMRayCluster) objects and, when asked for, the nodes that Ray itself lists.
options:
  namespace:
    description: The vSphere namespace.
    type: str
    required: true
  name:
    description: Name of one cluster; all when left out.
    type: str
  ask_ray:
    description: Whether to ask the dashboard of each cluster for its live nodes.
    type: bool
    default: false
requirements:
  - requests
author:
  - Contributors to the vcf.ray project (@vcf-ray)
version_added: 0.1.0
extends_documentation_fragment:
  - vcf.ray.kubernetes
  - vcf.ray.attributes.info
"""

EXAMPLES = r"""
- name: See what is there
  vcf.ray.vmray_cluster_info:
    kubeconfig: ~/.kube/ray
    namespace: deploy-ray
    ask_ray: true
  register: ray
"""

RETURN = r"""
vmray_clusters:
  description: The clusters; empty when nothing matches.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the cluster.
      type: str
    namespace:
      description: Its namespace.
      type: str
    spec:
      description: The specification as it is stored, without the hash of the password.
      type: dict
    status:
      description: What the operator says. Its C(healthy) and C(running) do not mean that Ray runs.
      type: dict
    head_address:
      description: Address of the head's virtual machine.
      type: str
    service_address:
      description: Address of the cluster's load balancer.
      type: str
    dashboard_url:
      description: Address of Ray's dashboard and of its REST API.
      type: str
      sample: http://192.0.2.20:8265
    nodes:
      description: The nodes that are alive, as Ray itself says, the head first; empty when Ray was not asked.
      type: list
      elements: dict
    ready_by:
      description: V(ray) when Ray answered with enough workers, V(not_checked) when it was not asked.
      type: str
"""

import contextlib
from functools import partial

from ..module_utils._clients import kube as kube_client
from ..module_utils._clients import ray as ray_client
from ..module_utils._module import run
from ..module_utils._resources import vmray_cluster, vmray_ready

SPEC = {
    "namespace": {"type": "str", "required": True},
    "name": {"type": "str"},
    "ask_ray": {"type": "bool", "default": False},
}


def gather(task, kube):
    """All clusters, or the one of that name."""
    p = task.params
    found = [kube.get(vmray_cluster.KIND, p["name"], p["namespace"])] if p["name"] else kube.list(vmray_cluster.KIND, p["namespace"])
    return {"changed": False, "vmray_clusters": [described(raw, p["ask_ray"]) for raw in found if raw]}


def described(raw, ask):
    """The view of one cluster, with its nodes when Ray is to be asked and answers."""
    shown = vmray_cluster.view(raw)
    if ask:
        with contextlib.closing(vmray_ready.Dashboard(partial(ray_client.at, timeout=5))) as dashboard:
            good, shown["nodes"] = dashboard.look(raw)
        shown["ready_by"] = "ray" if good else "not_checked"
    return shown


def main():
    run({**kube_client.ARGSPEC, **SPEC}, kube_client.connect, gather)


if __name__ == "__main__":
    main()
