#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enable or remove a Supervisor."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: supervisor
short_description: Enable or remove a Supervisor
version_added: "0.1.0"
description:
  - Enables a Supervisor on a vSphere cluster with VDS networking, and waits until its Kubernetes is ready.
  - An existing Supervisor is never changed. With O(name) alone, the module waits until that Supervisor is ready.
  - A state of C(ERROR) is borne for ten minutes, as vCenter tries again by itself.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.wait
  - vcf.ray.attributes
seealso:
  - module: vcf.ray.supervisor_info
options:
  name:
    description: Name of the Supervisor; the id of an existing one will do.
    type: str
    required: true
  cluster:
    description: The vSphere cluster, by name or id. Needed to enable one; it cannot be changed.
    type: str
  control_plane:
    description: The virtual machines of the control plane. Needed to enable a Supervisor.
    type: dict
    suboptions:
      size:
        description: Size of the virtual machines.
        type: str
        choices: [TINY, SMALL, MEDIUM, LARGE]
        default: SMALL
      count:
        description: Number of virtual machines. Before vCenter 9.0 there are always three, and this must not be set.
        type: int
        choices: [1, 3]
      storage_policy:
        description: Storage policy of the virtual machines, by name or id. That of O(storage_policy) if it is not set.
        type: str
      network:
        description: The management network.
        type: dict
        required: true
        suboptions:
          portgroup:
            description: The distributed port group, by name or id.
            type: str
            required: true
          gateway:
            description: Gateway of the network with the length of its prefix, such as C(10.0.0.1/24).
            type: str
          address:
            description: First address for the control plane. DHCP is used if it is not set.
            type: str
          count:
            description: How many addresses there are for the control plane.
            type: int
            default: 5
          dns:
            description: Name servers.
            type: list
            elements: str
          search_domains:
            description: Domains in which names are looked for.
            type: list
            elements: str
          ntp:
            description: Time servers.
            type: list
            elements: str
  workloads:
    description: The network of the workloads. Needed to enable a Supervisor.
    type: dict
    suboptions:
      portgroup:
        description: The distributed port group, by name or id.
        type: str
        required: true
      gateway:
        description: Gateway of the network with the length of its prefix, such as C(10.0.0.1/24).
        type: str
      address:
        description: First address for workloads. DHCP is used if it is not set.
        type: str
      count:
        description: How many addresses there are for workloads.
        type: int
        default: 64
      service_cidr:
        description: Range for the addresses of Kubernetes services, such as C(10.96.0.0/16).
        type: str
      dns:
        description: Name servers.
        type: list
        elements: str
      ntp:
        description: Time servers.
        type: list
        elements: str
  load_balancer:
    description: The load balancer. Needed to enable a Supervisor.
    type: dict
    suboptions:
      provider:
        description: Which load balancer it is. V(foundation) needs vCenter 9.0.
        type: str
        choices: [foundation, haproxy]
        default: foundation
      ranges:
        description: Addresses that the load balancer may give away.
        type: list
        elements: dict
        required: true
        suboptions:
          address:
            description: First address.
            type: str
            required: true
          count:
            description: How many addresses.
            type: int
            required: true
      servers:
        description: Servers of HAProxy's data plane API.
        type: list
        elements: dict
        suboptions:
          host:
            description: Address.
            type: str
            required: true
          port:
            description: Port.
            type: int
            default: 5556
      username:
        description: User of HAProxy's data plane API.
        type: str
      password:
        description: Password of that user.
        type: str
      certificate_authority:
        description: Certificate authorities of HAProxy's data plane API, as PEM.
        type: str
  storage_policy:
    description: Storage policy, by name or id, of ephemeral disks, of images, and of the control plane if it names none.
    type: str
  state:
    description: Whether the object is to be there.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
---
- name: Enable a Supervisor
  vcf.ray.supervisor:
    name: supervisor-1
    cluster: cluster-1
    storage_policy: vSAN Default Storage Policy
    control_plane:
      network:
        portgroup: management
        gateway: 10.0.0.1/24
        address: 10.0.0.40
        dns: [10.0.0.2]
        ntp: [10.0.0.2]
    workloads:
      portgroup: workload
      gateway: 10.0.1.1/24
      address: 10.0.1.10
      count: 100
      service_cidr: 10.96.0.0/16
      dns: [10.0.0.2]
      ntp: [10.0.0.2]
    load_balancer:
      ranges:
        - address: 10.0.2.10
          count: 50
    wait_timeout: 7200

- name: Wait for a Supervisor that is there
  vcf.ray.supervisor:
    name: supervisor-1
"""

RETURN = r"""
---
supervisor:
  description: The Supervisor, or nothing when it is removed.
  returned: success
  type: dict
  contains:
    supervisor:
      description: Id.
      returned: when it exists
      type: str
    name:
      description: Name.
      returned: always
      type: str
    cluster:
      description: Id of its vSphere cluster; several, with commas between, when it spans zones.
      returned: always
      type: str
    config_status:
      description: State of the configuration; C(RUNNING) is the good one.
      returned: when it exists
      type: str
    kubernetes_status:
      description: State of Kubernetes; C(READY) is the good one, and C(WARNING) still takes workloads.
      returned: when it exists
      type: str
    api_endpoint:
      description: Address of the Kubernetes API and of the login.
      returned: when it exists
      type: str
    ready:
      description: Whether it can be used.
      returned: when it exists
      type: bool
    messages:
      description: What vCenter says about it.
      returned: when it exists
      type: list
      elements: str
"""

from ..module_utils import _wait
from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.supervisor import Supervisor

NETWORK = {
    "portgroup": {"type": "str", "required": True},
    "gateway": {"type": "str"},
    "address": {"type": "str"},
    "dns": {"type": "list", "elements": "str"},
    "ntp": {"type": "list", "elements": "str"},
}
CONTROL_PLANE = {
    "size": {"type": "str", "choices": ["TINY", "SMALL", "MEDIUM", "LARGE"], "default": "SMALL"},
    "count": {"type": "int", "choices": [1, 3]},
    "storage_policy": {"type": "str"},
    "network": {
        "type": "dict",
        "required": True,
        "options": {**NETWORK, "count": {"type": "int", "default": 5}, "search_domains": {"type": "list", "elements": "str"}},
    },
}
RANGE = {"address": {"type": "str", "required": True}, "count": {"type": "int", "required": True}}
SERVER = {"host": {"type": "str", "required": True}, "port": {"type": "int", "default": 5556}}
LOAD_BALANCER = {
    "provider": {"type": "str", "choices": ["foundation", "haproxy"], "default": "foundation"},
    "ranges": {"type": "list", "elements": "dict", "required": True, "options": RANGE},
    "servers": {"type": "list", "elements": "dict", "options": SERVER},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "certificate_authority": {"type": "str"},
}
HAPROXY = ("provider", "haproxy", ["servers", "username", "password", "certificate_authority"])
WORKLOADS = {**NETWORK, "count": {"type": "int", "default": 64}, "service_cidr": {"type": "str"}}
SPEC = {
    "name": {"type": "str", "required": True},
    "cluster": {"type": "str"},
    "control_plane": {"type": "dict", "options": CONTROL_PLANE},
    "workloads": {"type": "dict", "options": WORKLOADS},
    "load_balancer": {"type": "dict", "options": LOAD_BALANCER, "required_if": [HAPROXY]},
    "storage_policy": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Bring the Supervisor to what the options say."""
    p = task.params
    spec = {key: p[key] for key in ("control_plane", "workloads", "load_balancer", "storage_policy")}
    desired = {"name": p["name"], "cluster": p["cluster"]}
    return reconcile(task, Supervisor(client, p["name"], spec), desired if p["state"] == "present" else None)


def main() -> None:
    run({**vcenter.ARGSPEC, **_wait.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
