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
  - Lists C(VMRayCluster) objects with their machines, what of them grows old, and what earlier replacements have left behind. When asked for, also
    the nodes that Ray itself lists.
  - Warns of tokens and certificates that have ended or soon will. The token of a head lives 7.5 days, and after it nothing scales any more.
options:
  namespace:
    description: The vSphere namespace.
    type: str
    required: true
  name:
    description: Name of one cluster; all when left out.
    type: str
  ask_ray:
    description:
      - Whether to ask the dashboard of each cluster for its live nodes. O(ray) counts only then, and O(ray.url) needs O(name).
      - One that does not answer has none.
      - One that refuses, or cannot be trusted, is an error with O(name), and a warning where all clusters are listed.
    type: bool
    default: false
notes:
  - This costs one request, two more for all orphans and two for the ages of each cluster. What the user may not read, such as secrets for a VIEW user,
    is left out.
requirements:
  - requests
author:
  - Contributors to the vcf.ray project (@vcf-ray)
version_added: 1.0.0
extends_documentation_fragment:
  - vcf.ray.kubernetes
  - vcf.ray.ray.way
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
    machines:
      description:
        - The virtual machines of head and workers, as the operator tells of them. Its C(running) is said of the machine, not of Ray.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the machine.
          type: str
        role:
          description: V(head) or V(worker).
          type: str
        node_type:
          description: Its node type.
          type: str
        state:
          description: What the operator says of it, V(pending) as long as it says nothing.
          type: str
        address:
          description: Its address; null as long as it has none.
          type: str
      sample:
        - {name: test-ray-h-x7k2p, role: head, node_type: ray.head.default, state: running, address: 192.0.2.11}
        - {name: test-ray-w-4f1c09ab, role: worker, node_type: ray.worker.default, state: running, address: 192.0.2.12}
    nodes:
      description: The nodes that are alive, as Ray itself says, the head first; empty when Ray was not asked.
      type: list
      elements: dict
      sample: [{is_head: true, node_id: 5cbd34b2f2d6e7a1, node_ip: 192.0.2.11}]
    ready_by:
      description: V(ray) when Ray answered with enough workers, V(not_checked) when it was not asked, or not enough of them live.
      type: str
      sample: ray
    evidence:
      description: Empty; M(vcf.ray.vmray_cluster) tells here what it has seen instead of Ray.
      type: list
      elements: str
    token_expires_at:
      description: When the token ends with which the head asks for workers; null when it cannot be read.
      type: str
      sample: "2025-12-08T10:15:00Z"
    certificate_expires_at:
      description: When the certificate of Ray on the head ends; null when it cannot be read, or without TLS.
      type: str
      sample: "2026-12-01T10:20:00Z"
    orphans:
      description: Machines and services of earlier heads, which a replacement of the object has left behind, as C(KIND NAME).
      type: list
      elements: str
      sample: [VirtualMachine test-ray-h-a1b2c]
"""

import contextlib
from functools import lru_cache
from types import SimpleNamespace

from ..module_utils._clients import kube as kube_client
from ..module_utils._clients import ray as ray_client
from ..module_utils._errors import RayError
from ..module_utils._module import run
from ..module_utils._resources import vmray_ages, vmray_cluster, vmray_nodes, vmray_orphans, vmray_ready

SPEC = {
    "namespace": {"type": "str", "required": True},
    "name": {"type": "str"},
    "ask_ray": {"type": "bool", "default": False},
    **ray_client.WAY,
}
DASHBOARD_TIMEOUT = 5
MACHINE = ("name", "role", "node_type", "state", "address")


def gather(task, kube):
    """All clusters, or the one of that name."""
    p = task.params
    url = (p["ray"] or {}).get("url")
    if url and not p["name"]:
        raise RayError("ray.url is the dashboard of one cluster, and no name says of which.", code="INPUT", hint="Give the option name.")
    ray_at = ray_client.ways(p, timeout=DASHBOARD_TIMEOUT)[0] if p["ask_ray"] else None
    found = [kube.get(vmray_cluster.KIND, p["name"], p["namespace"])] if p["name"] else kube.list(vmray_cluster.KIND, p["namespace"])
    # One list serves all clusters.
    listed = SimpleNamespace(names=lru_cache(kube.names))
    shown = []
    for raw in filter(None, found):
        shown.append(described(task, kube, listed, raw))
        if ray_at:
            shown[-1].update(_lives(task, raw, vmray_ready.Dashboard(ray_at, url_of=lambda raw: url or vmray_ready.dashboard_url(raw))))
    return {"changed": False, "vmray_clusters": shown}


def described(task, kube, listed, raw):
    """The view of one cluster with all that belongs to it."""
    name, namespace = raw["metadata"]["name"], raw["metadata"]["namespace"]
    ages = vmray_ages.ages(kube, namespace, name, raw)
    for text in vmray_ages.age_warnings(raw, ages):
        task.warn(text)
    machines = [{key: node[key] for key in MACHINE} for node in vmray_nodes.nodes(raw)]
    return {**vmray_cluster.view(raw), "machines": machines, **ages, "orphans": vmray_orphans.orphans(listed, namespace, name, raw)}


def _lives(task, raw, dashboard):
    """What Ray itself says. One dashboard that refuses is no reason to lose the other clusters."""
    with contextlib.closing(dashboard):
        try:
            good, nodes = dashboard.look(raw)
        except RayError as error:
            if task.params["name"]:
                raise
            task.warn(f"The nodes of cluster {raw['metadata']['name']} are not known: {error}")
            return {}
    return {"nodes": nodes, "ready_by": "ray" if good else "not_checked"}


def main():
    run({**kube_client.ARGSPEC, **SPEC}, kube_client.connect, gather)


if __name__ == "__main__":
    main()
