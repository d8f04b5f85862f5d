#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make, change or remove a vSphere Namespace."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: namespace
short_description: Make, change or remove a vSphere Namespace
version_added: "1.0.0"
description:
  - Makes a namespace on a Supervisor and attaches storage policies, VM classes, content libraries and limits to it.
  - A list that is given is the whole list, unless O(purge) is V(false); one that is not given is left as it is, and so is all else that is not given.
  - Who may use the namespace is the business of M(vcf.ray.namespace_access).
notes:
  - Needs two requests to vCenter when nothing changes, one more for storage policies (whatever their number), and one for each content library.
    VM classes that are attached need none. vCenter 7.0 needs one more for the namespace and one for the Supervisor.
  - What differs is changed by one request, which holds nothing else.
  - A namespace that is being removed counts as gone. To make it anew, the task waits until it has gone.
  - A removal waits until everything in the namespace is gone. Finalizers are never taken off; what holds up the removal is told.
  - Everything here is in vCenter 7.0 U3 and later, except where an option says otherwise (vSphere Automation API, C(vcenter/namespaces/instances)).
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.supervisor_login
  - vcf.ray.wait
  - vcf.ray.attributes
seealso:
  - module: vcf.ray.namespace_access
  - module: vcf.ray.namespace_info
options:
  name:
    description: Name of the namespace, a DNS label in lower case of at most 63 characters that is unique in the vCenter.
    type: str
    required: true
  supervisor:
    description: The Supervisor, by name or id. Needed to make a namespace; it cannot be changed.
    type: str
  description:
    description: What the namespace is for.
    type: str
  storage_policies:
    description: Storage policies that its volumes may use.
    type: list
    elements: dict
    suboptions:
      policy:
        description: The policy, by name or id.
        type: str
        required: true
      limit_mib:
        description: How much storage may be used, in MiB; V(-1) takes the limit away. A limit that is set is kept when this is not given.
        type: int
  vm_classes:
    description: Names of the VM classes that may be used. VMs that run keep theirs when one is taken away.
    type: list
    elements: str
  content_libraries:
    description:
      - Content libraries whose images may be used, by name or id.
      - A library that the namespace may write to stays attached as it is, whether it is named or not.
    type: list
    elements: str
  limits:
    description:
      - What all workloads of the namespace together may use. A limit that is not given stays as it is.
      - V(-1) takes a limit away; V(0) is a limit too.
    type: dict
    suboptions:
      cpu_mhz:
        description: CPU, in MHz, at least 10.
        type: int
      memory_mib:
        description: Memory, in MiB.
        type: int
      storage_mib:
        description: Storage of all volumes, in MiB, whatever their policy.
        type: int
      pods:
        description: Number of pods.
        type: int
      services:
        description: Number of services.
        type: int
      deployments:
        description: Number of deployments.
        type: int
      replica_sets:
        description: Number of replica sets.
        type: int
      stateful_sets:
        description: Number of stateful sets.
        type: int
      daemon_sets:
        description: Number of daemon sets.
        type: int
      replication_controllers:
        description: Number of replication controllers.
        type: int
      jobs:
        description: Number of Kubernetes jobs.
        type: int
      config_maps:
        description: Number of config maps.
        type: int
      secrets:
        description: Number of secrets.
        type: int
      persistent_volume_claims:
        description: Number of persistent volume claims.
        type: int
      container_cpu_limit_mhz:
        description: CPU limit, in MHz, of a container that names none; at least 10.
        type: int
      container_cpu_request_mhz:
        description: CPU, in MHz, that is reserved for a container that names none; at least 10.
        type: int
      container_memory_limit_mib:
        description: Memory limit, in MiB, of a container that names none.
        type: int
      container_memory_request_mib:
        description: Memory, in MiB, that is reserved for a container that names none.
        type: int
  networks:
    description:
      - Names of workload networks of the Supervisor. Only where the Supervisor has vSphere networking; its primary network is taken when none is given.
      - They cannot be changed.
    type: list
    elements: str
  zones:
    description:
      - Zones of the Supervisor that the namespace is in; all of them when none is given. Needs vCenter 9.0.
      - vCenter does not tell the numbers of a zone, so they are set when the namespace gets the zone, and never compared.
      - A zone that is taken away takes no new workload, and leaves when its last one has.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the zone.
        type: str
        required: true
      cpu_limit_mhz:
        description: Limit of CPU in this zone, in MHz.
        type: int
      cpu_reservation_mhz:
        description: CPU that is reserved in this zone, in MHz.
        type: int
      memory_limit_mib:
        description: Limit of memory in this zone, in MiB.
        type: int
      memory_reservation_mib:
        description: Memory that is reserved in this zone, in MiB.
        type: int
      vm_reservations:
        description: VMs of a class for which room is kept in this zone.
        type: list
        elements: dict
        suboptions:
          vm_class:
            description: Name of the VM class.
            type: str
            required: true
          count:
            description: Number of VMs.
            type: int
            required: true
  purge:
    description:
      - Whether O(storage_policies), O(vm_classes), O(content_libraries) and O(zones) are whole lists, so that what they do not name is detached.
      - With V(false) they only add, and change limits of storage policies.
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
- name: A namespace for Ray clusters
  vcf.ray.namespace:
    name: deploy-ray
    supervisor: supervisor-1
    storage_policies:
      - policy: vSAN Default Storage Policy
        limit_mib: 204800
    vm_classes: [ray-head, ray-worker]
    content_libraries: [ray-images]

- name: One more VM class, and less to use
  vcf.ray.namespace:
    name: deploy-ray
    vm_classes: [ray-gpu]
    purge: false
    limits:
      memory_mib: 65536
      pods: -1

- name: Remove it, with all that is in it
  vcf.ray.namespace:
    name: deploy-ray
    state: absent
"""

RETURN = r"""
---
namespace:
  description: The namespace, or nothing when it is removed.
  returned: success
  type: dict
  contains:
    name:
      description: Name.
      returned: always
      type: str
    supervisor:
      description: Id of its Supervisor.
      returned: always
      type: str
    description:
      description: What the namespace is for.
      returned: always
      type: str
    config_status:
      description: State, as vCenter tells it; C(RUNNING) is the good one.
      returned: when it exists
      type: str
    storage_policies:
      description: Storage policies, each with its id as C(policy), and C(limit_mib), which is V(-1) without a limit.
      returned: always
      type: list
      elements: dict
    vm_classes:
      description: Names of the attached VM classes.
      returned: always
      type: list
      elements: str
    content_libraries:
      description: Ids of the attached content libraries.
      returned: always
      type: list
      elements: str
    writable_libraries:
      description: Ids of those that the namespace may write to.
      returned: always
      type: list
      elements: str
    limits:
      description: All limits by the names of the option; V(-1) where there is none.
      returned: always
      type: dict
    networks:
      description: Names of its workload networks; empty with NSX.
      returned: always
      type: list
      elements: str
    zones:
      description: Names of its zones, without those that it is leaving; empty before vCenter 9.0.
      returned: always
      type: list
      elements: str
    access:
      description: Who may do what, each with C(subject), C(domain), C(subject_type), C(role), and C(inherited) when it comes through a group.
      returned: when it exists
      type: list
      elements: dict
    messages:
      description: What vCenter says about the namespace.
      returned: when it exists
      type: list
      elements: str
unknown:
  description: What could not be known, as an earlier task of the same run would make what is missing. Only in check mode.
  returned: in check mode, when something is missing
  type: list
  elements: str
"""

from ..module_utils import _wait
from ..module_utils._clients import kube_login, vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.namespace import Namespace
from ..module_utils._resources.namespaces import LIMITS

STORAGE = {"policy": {"type": "str", "required": True}, "limit_mib": {"type": "int"}}
RESERVATION = {"vm_class": {"type": "str", "required": True}, "count": {"type": "int", "required": True}}
ZONE = {
    "name": {"type": "str", "required": True},
    "cpu_limit_mhz": {"type": "int"},
    "cpu_reservation_mhz": {"type": "int"},
    "memory_limit_mib": {"type": "int"},
    "memory_reservation_mib": {"type": "int"},
    "vm_reservations": {"type": "list", "elements": "dict", "options": RESERVATION},
}
SPEC = {
    **kube_login.ARGSPEC,
    "name": {"type": "str", "required": True},
    "supervisor": {"type": "str"},
    "description": {"type": "str"},
    "storage_policies": {"type": "list", "elements": "dict", "options": STORAGE},
    "vm_classes": {"type": "list", "elements": "str"},
    "content_libraries": {"type": "list", "elements": "str"},
    "limits": {"type": "dict", "options": {name: {"type": "int", "no_log": False} for name in LIMITS}},
    "networks": {"type": "list", "elements": "str"},
    "zones": {"type": "list", "elements": "dict", "options": ZONE},
    "purge": {"type": "bool", "default": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
OURS = ("name", "supervisor", "description", "storage_policies", "vm_classes", "content_libraries", "limits", "networks")


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Bring the namespace to what the options say."""
    p = task.params
    present = p["state"] == "present"
    namespace = Namespace(client, p["name"], present=present, purge=p["purge"], zones=p["zones"],
                          wait=p["wait_timeout"] if p["wait"] else None, look=kube_login.opener(task))
    return reconcile(task, namespace, {key: p[key] for key in OURS} if present else None)


def main() -> None:
    run({**vcenter.ARGSPEC, **_wait.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
