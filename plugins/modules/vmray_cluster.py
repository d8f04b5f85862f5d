#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vmray_cluster
short_description: A Ray cluster on virtual machines of a Supervisor
description:
  - Makes, changes and removes a C(VMRayCluster) of the Ray service on VCF.
  - Everything that would make the cluster fail later is looked for before the first write, and all of it is reported at once; then the
    API server checks the object in a dry run, also in check mode.
  - A cluster is ready when Ray's dashboard answers and lists at least as many live workers as the node types ask for, twice in a row;
    once is enough where nothing was changed. O(ready) says what is taken where Ray cannot be reached from here.
  - The object is never replaced, only merged into, because a replacement leaves machines behind. A change that its machines would not heed is
    refused, unless O(renew) or O(recreate) brings it to them.
options:
  name:
    description: Name of the cluster, at most 52 characters.
    type: str
    required: true
  namespace:
    description: The vSphere namespace.
    type: str
    required: true
  state:
    description:
      - V(absent) removes the cluster and waits until its virtual machines, services and secrets are gone, also those of a removal that was cut short.
        What nobody removes is named.
    type: str
    choices: [present, absent]
    default: present
  definition:
    description:
      - A whole C(VMRayCluster) as a dictionary, as an alternative to the single options. Options that are set too are laid over it.
    type: dict
  image:
    description: Image of the virtual machines, by the name of the item in the content library or by its id (V(vmi-...)).
    type: str
  storage_class:
    description: Storage class of the virtual machines.
    type: str
  api_server:
    description:
      - Address of the Supervisor as the head reaches it, host or host:port. The address of this connection is used for a new cluster when left out.
    type: str
  ray_image:
    description: Container image with Ray for all nodes, with a fixed tag.
    type: str
  vm_user:
    description: Linux user on the nodes; V(ray) for a new cluster when left out.
    type: str
  vm_password:
    description:
      - Password of O(vm_user). Stored as a salted hash. It is compared with the hash of a cluster that exists, and it cannot be changed there.
    type: str
  network:
    description:
      - Network of the virtual machines; the namespace's own when left out. The names of the options are also taken as the custom resource spells
        them (V(hostName), V(apiVersion) and so on).
    type: dict
    suboptions:
      disabled:
        description: Whether the machines are without a network.
        type: bool
      host_name:
        description: Host name of the guests.
        type: str
        aliases: [hostName]
      nameservers:
        description: Addresses of DNS servers.
        type: list
        elements: str
      search_domains:
        description: Domains in which names without a dot are looked up.
        type: list
        elements: str
        aliases: [searchDomains]
      interfaces:
        description: The interfaces, at most ten.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the interface, such as V(eth0).
            type: str
            required: true
          guest_device_name:
            description: Its name inside the guest.
            type: str
            aliases: [guestDeviceName]
          network:
            description: The network that it is connected to.
            type: dict
            suboptions:
              api_version:
                description: Group and version of the kind of network, such as V(vmware.com/v1alpha1).
                type: str
                aliases: [apiVersion]
              kind:
                description: Kind of network, such as V(VirtualNetwork).
                type: str
              name:
                description: Name of the network; empty for the namespace's own.
                type: str
          addresses:
            description: Fixed addresses, each with the length of its prefix.
            type: list
            elements: str
          dhcp4:
            description: Whether DHCP gives IPv4 addresses.
            type: bool
          dhcp6:
            description: Whether DHCP gives IPv6 addresses.
            type: bool
          gateway4:
            description: IPv4 gateway.
            type: str
          gateway6:
            description: IPv6 gateway.
            type: str
          mtu:
            description: Largest size of a packet.
            type: int
          nameservers:
            description: Addresses of DNS servers for this interface.
            type: list
            elements: str
          search_domains:
            description: Domains in which names without a dot are looked up for this interface.
            type: list
            elements: str
            aliases: [searchDomains]
          routes:
            description: Routes over this interface.
            type: list
            elements: dict
            suboptions:
              to:
                description: Destination with the length of its prefix, or V(default).
                type: str
                required: true
              via:
                description: Address of the gateway.
                type: str
                required: true
              metric:
                description: Preference of the route; the lowest wins.
                type: int
                required: true
  head:
    description: The head of the cluster.
    type: dict
    suboptions:
      node_type:
        description: Name of its node type; V(ray.head.default) for a new cluster when left out.
        type: str
      vm_class:
        description: VM class of its node type.
        type: str
      port:
        description: Port of Ray's control service; V(6379) for a new cluster when left out.
        type: int
      setup_commands:
        description: Stored in the custom resource and never run there by the operator; a warning says so.
        type: list
        elements: str
      resources:
        description: Resources of the node type of the head. Ray on the head finds its own and does not heed them.
        type: dict
        suboptions:
          cpu:
            description: Custom resource C(cpu). Ray finds the real number of CPUs by itself.
            type: int
          gpu:
            description: Custom resource C(gpu).
            type: int
          memory:
            description: Memory in bytes, or an amount such as V(4Gi).
            type: str
  workers:
    description: Node types of the workers.
    type: list
    elements: dict
    suboptions:
      node_type:
        description: Name of the node type.
        type: str
        default: ray.worker.default
      vm_class:
        description: VM class of the workers.
        type: str
      min_workers:
        description: Workers that are kept alive; 1 for a new cluster when left out.
        type: int
      max_workers:
        description: The most workers of this type; O(workers[].min_workers) for a new cluster when left out.
        type: int
      resources:
        description: Resources that the workers offer to Ray.
        type: dict
        suboptions:
          cpu:
            description: Custom resource C(cpu). Ray finds the real number of CPUs by itself.
            type: int
          gpu:
            description: Custom resource C(gpu).
            type: int
          memory:
            description: Memory in bytes, or an amount such as V(4Gi). Without it the workers offer no memory resource.
            type: str
  max_workers:
    description: The most workers of the cluster, without the head; what the node types need for a new cluster when left out.
    type: int
  idle_timeout_minutes:
    description: Minutes after which a worker without work goes; 5 for a new cluster when left out.
    type: int
  enable_tls:
    description: Whether Ray's own traffic is encrypted; V(true) for a new cluster when left out. The dashboard is not covered by it.
    type: bool
  initialization_commands:
    description:
      - Commands for the shell of every node before its container starts. A single quote, a colon or a number sign beside a space, and a line break
        would break the first boot of the nodes, and are refused.
    type: list
    elements: str
  worker_setup_commands:
    description: Commands that run in the container of each worker before Ray starts in it.
    type: list
    elements: str
  setup_commands:
    description: Stored in the custom resource and never run by Ray as this operator starts it; a warning says so.
    type: list
    elements: str
  docker_secret:
    description:
      - Secret in the namespace with C(username) and C(password) for the registry of O(ray_image).
      - With O(docker_auth) its name; the name of the cluster with V(-docker-auth) behind it when left out.
    type: str
  docker_auth:
    description:
      - Login at the registry of O(ray_image). It is stored as O(docker_secret) before the cluster is made. A secret that was made here is
        removed with the cluster, unless another cluster uses it.
      - The operator puts it into a command line without quotes, so characters that a shell takes for itself are refused.
    type: dict
    suboptions:
      registry:
        description: Address of the registry, V(host) or V(host:port); Docker's own when left out.
        type: str
      username:
        description: User at the registry.
        type: str
        required: true
      password:
        description: Password or token of the user.
        type: str
        required: true
  ready:
    description:
      - What proves that the cluster is ready.
      - V(ray) is the word of Ray itself, at the address of the load balancer or at O(ray.url).
      - V(resource) is what the custom resource and the secrets beside it tell, for where that address cannot be reached from here. It is weaker;
        RV(vmray_cluster.evidence) says what it stands on.
    type: str
    choices: [ray, resource]
    default: ray
  open_dashboard:
    description:
      - What to do about a dashboard that answers without a token at the address of the load balancer. Whoever reaches it can run code on the cluster.
      - V(refuse) is an error, and before any write where neither O(ray.token) nor O(ray.headers) are given. V(warn) is a warning, V(accept) says
        nothing.
      - What cannot be reached from here cannot be judged.
    type: str
    choices: [refuse, warn, accept]
    default: warn
  recreate:
    description:
      - Whether a change that a living cluster would not heed is made by removing the cluster, waiting until it is gone, and making it anew from what
        is stored with the changes laid over it. All work on it is lost, and it gets another address.
      - It does nothing where there is no such change, and nothing that O(renew) does in the same run. A cluster that is being removed is made anew
        too, when it is gone.
      - The removal is always waited for, O(wait_timeout) seconds at most. A run that is cut short after it has lost what only the removed
        cluster knew, so give all options.
    type: bool
    default: false
  renew:
    description:
      - Whether the head is replaced in place, with all that its first boot was given. Name and address of the cluster stay; the workers are replaced
        after it, and all work on the cluster is lost.
      - The head's token lives 7.5 days, its certificates a year, and then nothing scales any more. V(due) renews the head when one of them ends within
        O(renew_within), V(always) in each run.
      - Changes that a living cluster would not heed take effect with it, all but that of O(head.port).
    type: str
    choices: [never, due, always]
    default: never
  renew_within:
    description: Seconds before the end of the token or of a certificate from which on a renewal is due.
    type: int
    default: 172800
  drain_timeout:
    description:
      - Seconds for jobs on the cluster to end before its head is replaced. When some still run then, the task fails and nothing was changed.
      - V(0) does not ask for jobs. It is needed where Ray does not answer any more, or cannot be reached from here.
    type: int
    default: 600
  remove_orphans:
    description:
      - Whether to remove RV(orphans), machines and services that an earlier replacement of the object has left behind, and wait until they are gone.
      - With O(state=absent) also what a removal that was cut short has left. Nothing is removed that bears only the name of a cluster.
    type: bool
    default: false
notes:
  - On a living cluster only O(image), O(storage_class), O(network) and the VM class of a node type can be changed, and they hold for machines
    made later. Other changes, also of the least and the most workers, are refused without O(renew) and O(recreate), because the operator would
    accept them and do nothing. Only what is given is compared with what is stored.
  - A wait watches the object over one connection, for users who may only read it by a read every two seconds, and asks Ray every half second
    once the cluster has an address. A token of a Supervisor lives for hours, and O(supervisor) renews one that ends in the middle of a wait.
  - When there is nothing to change, this costs three small requests to the API server, two of them for RV(orphans), which hold machines of the
    namespace that nobody else tells of. It is one more each when O(image) is given by name and with O(docker_auth), and five more with O(renew=due).
    With O(wait) Ray is asked once, and once more without O(ray.token), O(ray.headers) and O(ray.url) where they are given and O(open_dashboard) is
    not V(accept). The ages of token and certificate are two more, for a cluster that is older than 5.5 days; before, none can be near its end.
  - An absent cluster that is absent costs five.
  - Ray's dashboard has no TLS of its own.
requirements:
  - requests
  - passlib
author:
  - Contributors to the vcf.ray project (@vcf-ray)
version_added: 1.0.0
extends_documentation_fragment:
  - vcf.ray.kubernetes
  - vcf.ray.ray.way
  - vcf.ray.wait
  - vcf.ray.attributes
"""

EXAMPLES = r"""
- name: A cluster with two workers
  vcf.ray.vmray_cluster:
    kubeconfig: ~/.kube/ray
    name: test-ray
    namespace: deploy-ray
    image: ubuntu-ray
    storage_class: vsan-default-storage-policy
    ray_image: rayproject/ray:2.60.0-py311
    vm_password: "{{ vault_vm_password }}"
    head:
      vm_class: best-effort-xlarge
    workers:
      - vm_class: best-effort-xlarge
        min_workers: 2
        max_workers: 5
        resources:
          memory: 16Gi
    open_dashboard: accept
  register: ray

- name: A cluster of an image in a registry of your own, whose Ray asks for a token
  vcf.ray.vmray_cluster:
    kubeconfig: ~/.kube/ray
    name: test-ray
    namespace: deploy-ray
    image: ubuntu-ray
    storage_class: vsan-default-storage-policy
    ray_image: registry.example.com/ray:2.60.0-token
    docker_auth:
      registry: registry.example.com
      username: robot
      password: "{{ vault_registry_password }}"
    vm_password: "{{ vault_vm_password }}"
    head:
      vm_class: best-effort-xlarge
    workers:
      - vm_class: best-effort-xlarge
    ray:
      token: "{{ vault_ray_token }}"
    open_dashboard: refuse

- name: More workers, by making the cluster anew
  vcf.ray.vmray_cluster:
    kubeconfig: ~/.kube/ray
    name: test-ray
    namespace: deploy-ray
    workers:
      - max_workers: 10
    max_workers: 10
    recreate: true

- name: Remove it
  vcf.ray.vmray_cluster:
    kubeconfig: ~/.kube/ray
    name: test-ray
    namespace: deploy-ray
    state: absent
"""

RETURN = r"""
vmray_cluster:
  description: The cluster; null when it is absent.
  returned: success
  type: dict
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
      description: V(ray) when Ray answered with enough workers, V(resource) with O(ready=resource), V(not_checked) when there was no wait.
      type: str
    evidence:
      description: What V(resource) stands on, in sentences; empty otherwise.
      type: list
      elements: str
      sample: [Ray on the head has stored its certificate in Secret test-ray-tls]
    docker_secret:
      description: The name of the secret with the login at the registry, and whether it holds O(docker_auth); never the login.
      returned: when O(docker_auth) is given
      type: dict
      sample: {name: test-ray-docker-auth, state: as asked}
    replaced:
      description: Whether this run has made the cluster anew in the place of another one.
      type: bool
    renewed:
      description: Why this run has replaced the head; null when it has not.
      type: str
      sample: the token of its head ends at 2025-11-30T10:00:00Z
    orphans:
      description: As RV(orphans).
      type: list
      elements: str
orphans:
  description:
    - Machines and services of earlier heads, which a replacement of the object has left behind, as C(KIND NAME). With O(state=absent) also what else is
      left of the cluster and is not being removed.
  returned: success
  type: list
  elements: str
  sample: [VirtualMachine test-ray-h-x7k2p, VirtualMachineService test-ray-h-x7k2p]
unknown:
  description: In check mode, what cannot be known before an earlier step has really run.
  returned: in check mode, when the kind is not known to the API server yet
  type: list
  elements: str
"""

from ..module_utils import _wait
from ..module_utils._clients import kube as kube_client
from ..module_utils._clients import ray as ray_client
from ..module_utils._diagnose.vmray_cluster import explain
from ..module_utils._module import run
from ..module_utils._reconcile import reconcile
from ..module_utils._resources import vmray_spec
from ..module_utils._resources.vmray_cluster import VMRayCluster

RESOURCES = {"type": "dict", "options": {"cpu": {"type": "int"}, "gpu": {"type": "int"}, "memory": {"type": "str"}}}
TEXTS = {"type": "list", "elements": "str"}
DOMAINS = {**TEXTS, "aliases": ["searchDomains"]}
WORKER = {
    "node_type": {"type": "str", "default": "ray.worker.default"},
    "vm_class": {"type": "str"},
    "min_workers": {"type": "int"},
    "max_workers": {"type": "int"},
    "resources": RESOURCES,
}
HEAD = {
    "node_type": {"type": "str"},
    "vm_class": {"type": "str"},
    "port": {"type": "int"},
    "setup_commands": TEXTS,
    "resources": RESOURCES,
}
INTERFACE = {
    "name": {"type": "str", "required": True},
    "guest_device_name": {"type": "str", "aliases": ["guestDeviceName"]},
    "network": {"type": "dict", "options": {"api_version": {"type": "str", "aliases": ["apiVersion"]}, "kind": {"type": "str"}, "name": {"type": "str"}}},
    "addresses": TEXTS,
    "dhcp4": {"type": "bool"},
    "dhcp6": {"type": "bool"},
    "gateway4": {"type": "str"},
    "gateway6": {"type": "str"},
    "mtu": {"type": "int"},
    "nameservers": TEXTS,
    "search_domains": DOMAINS,
    "routes": {"type": "list", "elements": "dict", "options": {
        "to": {"type": "str", "required": True}, "via": {"type": "str", "required": True}, "metric": {"type": "int", "required": True}}},
}
NETWORK = {
    "disabled": {"type": "bool"},
    "host_name": {"type": "str", "aliases": ["hostName"]},
    "nameservers": TEXTS,
    "search_domains": DOMAINS,
    "interfaces": {"type": "list", "elements": "dict", "options": INTERFACE},
}
LOGIN = {
    "registry": {"type": "str"},
    "username": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
}
SPEC = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "definition": {"type": "dict"},
    "image": {"type": "str"},
    "storage_class": {"type": "str"},
    "api_server": {"type": "str"},
    "ray_image": {"type": "str"},
    "vm_user": {"type": "str"},
    "vm_password": {"type": "str", "no_log": True},
    "network": {"type": "dict", "options": NETWORK},
    "head": {"type": "dict", "options": HEAD},
    "workers": {"type": "list", "elements": "dict", "options": WORKER},
    "max_workers": {"type": "int"},
    "idle_timeout_minutes": {"type": "int"},
    "enable_tls": {"type": "bool"},
    "initialization_commands": TEXTS,
    "worker_setup_commands": TEXTS,
    "setup_commands": TEXTS,
    "docker_secret": {"type": "str", "no_log": False},
    "docker_auth": {"type": "dict", "options": LOGIN},
    "ready": {"type": "str", "choices": ["ray", "resource"], "default": "ray"},
    **ray_client.WAY,
    "open_dashboard": {"type": "str", "choices": ["refuse", "warn", "accept"], "default": "warn"},
    "recreate": {"type": "bool", "default": False},
    "renew": {"type": "str", "choices": ["never", "due", "always"], "default": "never"},
    "renew_within": {"type": "int", "default": 172800},
    "drain_timeout": {"type": "int", "default": 600},
    "remove_orphans": {"type": "bool", "default": False},
}
# Seconds to connect and to answer. A dashboard behind a load balancer that is still pending must not hold up the wait.
DASHBOARD_TIMEOUT = (1, 5)


def connect(task):
    """The API server. A pasted hash is kept out of everything before anything can fail."""
    pasted = vmray_spec.pasted_hash(task.params)
    task.hide([pasted] if pasted else [])
    return kube_client.connect(task)


def ensure(task, kube):
    """The cluster as asked for, or gone."""
    p = task.params
    dashboard, stranger = ray_client.ways(p, timeout=DASHBOARD_TIMEOUT, tries=1)
    cluster = VMRayCluster(kube, p, ray_at=dashboard, stranger_at=stranger, diagnose=lambda *seen: explain(*seen, dashboard))
    result = reconcile(task, cluster, cluster.ask())
    for text in cluster.notices(result["vmray_cluster"]):
        task.warn(text)
    return {**result, "orphans": cluster.orphans(result["vmray_cluster"])}


def main():
    run({**kube_client.ARGSPEC, **_wait.ARGSPEC, **SPEC}, connect, ensure)


if __name__ == "__main__":
    main()
