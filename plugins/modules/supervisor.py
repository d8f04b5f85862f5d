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
version_added: "1.0.0"
description:
  - Enables a Supervisor on a vSphere cluster or on zones, and waits until its Kubernetes is ready. Its workloads have networks of vSphere, of NSX,
    or virtual private clouds of NSX, each with a load balancer that goes with it.
  - Port groups, distributed switches, storage policies, clusters and content libraries are given by name; their ids will do too. All are looked up, and
    vCenter is asked whether it would take the cluster or the zones, before anything is written, and in check mode too.
  - An existing Supervisor is taken as it is and never changed. With O(name) alone, the module waits until that Supervisor is ready. vCenter tells where
    a Supervisor is, so another O(cluster) or other O(zones) are an error; nothing else of it is compared.
  - A state of C(ERROR) is borne for ten minutes, as vCenter tries again by itself. While the module waits it tells how many conditions of the
    Supervisor hold, and the next one.
  - Enabling needs vCenter 8.0.1; what came later is said at the option. On vCenter 7.0 a Supervisor is known by the name of its cluster.
notes:
  - When nothing is to be done, the module makes two requests beside login and logout, one more with O(cluster) given by name, and
    one more on vCenter 7.0.
  - The account needs the privileges C(Namespaces.Manage) on the clusters and the Supervisor, C(StorageProfile.View), and C(System.Read) on what the
    options name.
  - The options follow the structures C(NamespaceManagement.Supervisors) of the vSphere Automation API, and their checks.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.wait
  - vcf.ray.attributes
seealso:
  - module: vcf.ray.supervisor_info
  - module: vcf.ray.container_image_registry
options:
  name:
    description: Name of the Supervisor; the id of an existing one will do.
    type: str
    required: true
  cluster:
    description: The vSphere cluster, by name, path or id. To enable a Supervisor, this or O(zones) is needed; it cannot be changed.
    type: str
  zones:
    description: Names of one or of three vSphere zones, instead of O(cluster). They cannot be changed.
    type: list
    elements: str
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
        description: Number of virtual machines, since vCenter 9.0. Before there are always three, and this must not be set.
        type: int
        choices: [1, 3]
      storage_policy:
        description: Storage policy of the virtual machines, by name or id. That of O(storage_policy) if it is not set.
        type: str
      login_banner:
        description: Text that is shown before a login.
        type: str
      network:
        description: The management network.
        type: dict
        required: true
        suboptions:
          portgroup:
            description: The distributed port group, by name, path or id. This or O(control_plane.network.portgroups) is needed.
            type: str
          portgroups:
            description: Several port groups of one layer 2 network, so that there is one in each zone. More than one needs vCenter 8.0.3.
            type: list
            elements: str
          gateway:
            description: Gateway of the network with the length of its prefix, such as C(10.0.0.1/24). Needed with O(control_plane.network.address).
            type: str
          address:
            description: First address for the control plane. DHCP is used if it is not set.
            type: str
          count:
            description: How many addresses there are for the control plane.
            type: int
            default: 5
          floating_address:
            description: Address of the control plane in this network, where DHCP gives the others.
            type: str
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
          proxy:
            description: The proxy for images and for traffic of containers to the outside. That of vCenter, if it has one and this is not set.
            type: dict
            suboptions:
              source:
                description: V(vcenter) takes the settings of vCenter, V(own) those given here, V(none) uses no proxy.
                type: str
                choices: [vcenter, own, none]
                default: vcenter
              https:
                description: Address of the proxy for HTTPS, with user and password if it needs them.
                type: str
              http:
                description: Address of the proxy for HTTP, with user and password if it needs them.
                type: str
              no_proxy:
                description: Hosts, domains and networks that are reached without it.
                type: list
                elements: str
              certificate_authority:
                description: Certificate authorities of the proxy, as PEM.
                type: str
  workloads:
    description: The first network of the workloads, and what they may use. Needed to enable a Supervisor.
    type: dict
    suboptions:
      kind:
        description: Kind of the network. V(nsx_vpc) needs vCenter 9.0.
        type: str
        choices: [vsphere, nsx, nsx_vpc]
        default: vsphere
      portgroup:
        description: The distributed port group, by name, path or id. Needed for O(workloads.kind=vsphere).
        type: str
      gateway:
        description: Gateway of the network with the length of its prefix, such as C(10.0.0.1/24). Needed with O(workloads.address).
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
      search_domains:
        description: Domains in which names are looked for.
        type: list
        elements: str
      ntp:
        description: Time servers.
        type: list
        elements: str
      nsx:
        description: Networks that NSX makes for each namespace. Needed for O(workloads.kind=nsx).
        type: dict
        suboptions:
          distributed_switch:
            description: The distributed switch, by name or id.
            type: str
            required: true
          namespace_subnet_prefix:
            description: Length of the prefix of a namespace's network; vCenter takes 28.
            type: int
          pod_cidrs:
            description: Networks for pods, such as C(10.244.0.0/20).
            type: list
            elements: str
      nsx_vpc:
        description: Virtual private clouds of NSX. Needed for O(workloads.kind=nsx_vpc).
        type: dict
        suboptions:
          project:
            description: The NSX project, by name or path. The default one if it is not set.
            type: str
          connectivity_profile:
            description: The VPC connectivity profile of that project, by name or path. The default one if it is not set.
            type: str
          private_cidrs:
            description: Networks out of which private subnets are taken, such as C(172.26.0.0/16).
            type: list
            elements: str
            required: true
      api_server_dns_names:
        description: Further names in the certificate of the Kubernetes API.
        type: list
        elements: str
      images:
        description: Where images of virtual machines and containers come from.
        type: dict
        suboptions:
          content_libraries:
            description: Content libraries that every namespace may read, since vCenter 8.0.2.
            type: list
            elements: dict
            suboptions:
              name:
                description: The library, by name or id.
                type: str
                required: true
              services:
                description: Ids of Supervisor services that use it, such as C(kubernetes.vmware.com), since vCenter 9.0.
                type: list
                elements: str
              naming:
                description: How the images are named in Kubernetes, since vCenter 9.0. vCenter takes V(FROM_ITEM_ID).
                type: str
                choices: [FROM_ITEM_ID, PREFER_ITEM_SOURCE_ID]
          kubernetes_library:
            description: The content library of vSphere Kubernetes Service, by name or id. vCenter makes one if it is not set.
            type: str
          registry:
            description: The registry of images that name none; Docker Hub if it is not set.
            type: dict
            suboptions:
              hostname:
                description: Name or address.
                type: str
                required: true
              port:
                description: Port; vCenter takes 443.
                type: int
              username:
                description: User of the registry, since vCenter 8.0.3.
                type: str
              password:
                description: Password of that user.
                type: str
              certificate_authority:
                description: Certificate authorities of the registry, as PEM, since vCenter 8.0.3. Without them it is not verified.
                type: str
          repository:
            description: The repository of images that name none.
            type: str
      storage:
        description: Storage of the workloads.
        type: dict
        suboptions:
          ephemeral_storage_policy:
            description: Storage policy of ephemeral disks, by name or id. That of O(storage_policy) if it is not set.
            type: str
          image_storage_policy:
            description: Storage policy of container images, by name or id. That of O(storage_policy) if it is not set.
            type: str
          file_volume_clusters:
            description: vSAN clusters with a file service, for volumes that several pods write to.
            type: list
            elements: str
  load_balancer:
    description: The load balancer. Needed to enable a Supervisor, but for O(workloads.kind=nsx_vpc).
    type: dict
    suboptions:
      provider:
        description:
          - Which load balancer it is. If it is not set, V(foundation) for O(workloads.kind=vsphere), else the one of that kind's name.
          - V(foundation), V(haproxy) and V(nsx_advanced) go with networks of vSphere, V(nsx) and V(nsx_advanced) with those of NSX, V(nsx_vpc) and
            V(nsx_advanced) with virtual private clouds.
          - V(foundation) and V(nsx_vpc) need vCenter 9.0. V(haproxy) is deprecated there.
        type: str
        choices: [foundation, haproxy, nsx_advanced, nsx, nsx_vpc]
      ranges:
        description: Addresses that the load balancer may give away. Needed for V(foundation), V(haproxy) and V(nsx).
        type: list
        elements: dict
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
        description: Servers of HAProxy's data plane API, or the one controller of NSX Advanced Load Balancer.
        type: list
        elements: dict
        suboptions:
          host:
            description: Address.
            type: str
            required: true
          port:
            description: Port. If it is not set, 5556 for V(haproxy) and 443 for V(nsx_advanced).
            type: int
      username:
        description: User of HAProxy's data plane API, or of the controller.
        type: str
      password:
        description: Password of that user.
        type: str
      certificate_authority:
        description: Certificate authorities of HAProxy's data plane API, or of the controller, as PEM.
        type: str
      cloud:
        description: The cloud of NSX Advanced Load Balancer, since vCenter 8.0.2. It takes C(Default-Cloud).
        type: str
      foundation:
        description: Where and how the Foundation load balancer runs.
        type: dict
        suboptions:
          size:
            description: Size of its nodes. vCenter takes V(SMALL).
            type: str
            choices: [SMALL, MEDIUM, LARGE, X_LARGE]
          availability:
            description: One node, or two of which one stands by. vCenter takes V(ACTIVE_PASSIVE).
            type: str
            choices: [SINGLE_NODE, ACTIVE_PASSIVE]
          storage_policy:
            description: Storage policy of its nodes, by name or id.
            type: str
          zone:
            description: The zone for its nodes.
            type: str
          interfaces:
            description: Its network interfaces, if they are not to be those of the Supervisor.
            type: list
            elements: dict
            suboptions:
              personas:
                description: What goes through the interface.
                type: list
                elements: str
                choices: [MANAGEMENT, WORKLOAD, FRONTEND]
                required: true
              network:
                description: A port group of its own, or the management or workload network of the Supervisor.
                type: str
                choices: [portgroup, management, workload]
                default: portgroup
              name:
                description: Name for the network, as Kubernetes names its objects. Needed with a port group.
                type: str
              portgroup:
                description: The distributed port group, by name, path or id.
                type: str
              ranges:
                description: Addresses for the nodes. DHCP is used if it is not set.
                type: list
                elements: dict
                suboptions:
                  address:
                    description: First address.
                    type: str
                    required: true
                  count:
                    description: How many addresses.
                    type: int
                    required: true
              gateway:
                description: Gateway with the length of its prefix. Needed with addresses.
                type: str
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
          syslog:
            description: Where its logs are sent.
            type: dict
            suboptions:
              endpoint:
                description: Address, such as C(tls://syslog.example.com:6514).
                type: str
                required: true
              certificate_authority:
                description: Certificate authority of that server, as PEM.
                type: str
      nsx:
        description: How NSX balances.
        type: dict
        suboptions:
          edge_cluster:
            description: The edge cluster, by name or id. The oldest one if it is not set.
            type: str
          tier0_gateway:
            description: The tier-0 gateway, by name or id.
            type: str
          egress_ranges:
            description: Addresses under which workloads reach the outside. Needed unless O(load_balancer.nsx.routing_mode=ROUTED).
            type: list
            elements: dict
            suboptions:
              address:
                description: First address.
                type: str
                required: true
              count:
                description: How many addresses.
                type: int
                required: true
          routing_mode:
            description: Whether addresses of workloads are translated or routed. vCenter takes V(NAT).
            type: str
            choices: [NAT, ROUTED]
          size:
            description: Size of the load balancers. vCenter takes V(SMALL).
            type: str
            choices: [SMALL, MEDIUM, LARGE]
          ingress_certificate:
            description: Certificate with its key, as PEM, for ingresses that have none.
            type: str
  storage_policy:
    description: Storage policy, by name or id, of ephemeral disks, of images, and of the control plane, where those name none.
    type: str
  state:
    description:
      - Whether the object is to be there.
      - V(absent) is refused, with a list, while namespaces or services are on the Supervisor. Before vCenter 9.1 it is disabled cluster by cluster.
    type: str
    choices: [present, absent]
    default: present
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 7200
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

- name: Enable a Supervisor on three zones, with NSX Advanced Load Balancer
  vcf.ray.supervisor:
    name: supervisor-1
    zones: [zone-a, zone-b, zone-c]
    storage_policy: zonal
    control_plane:
      network:
        portgroups: [management-a, management-b, management-c]
        gateway: 10.0.0.1/24
        address: 10.0.0.40
    workloads:
      portgroup: workload
    load_balancer:
      provider: nsx_advanced
      servers:
        - host: alb.example.com
      username: admin
      password: "{{ vault_alb_password }}"
      certificate_authority: "{{ lookup('ansible.builtin.file', 'alb-ca.pem') }}"

- name: Enable a Supervisor with virtual private clouds of NSX
  vcf.ray.supervisor:
    name: supervisor-1
    cluster: cluster-1
    storage_policy: vSAN Default Storage Policy
    control_plane:
      count: 1
      network:
        portgroup: management
        gateway: 10.0.0.1/24
        address: 10.0.0.40
    workloads:
      kind: nsx_vpc
      service_cidr: 10.96.0.0/23
      nsx_vpc:
        private_cidrs: [172.26.0.0/16]

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
    zones:
      description: Its zones.
      returned: when it exists
      type: list
      elements: str
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
from ..module_utils._resources.supervisor_lifecycle import Supervisor
from ..module_utils._resources.supervisor_options import SPEC

PARTS = ("control_plane", "workloads", "load_balancer", "storage_policy")


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Bring the Supervisor to what the options say."""
    p = task.params
    desired = {key: p[key] for key in ("name", "cluster", "zones")}
    resource = Supervisor(client, p["name"], {key: p[key] for key in PARTS})
    return reconcile(task, resource, desired if p["state"] == "present" else None)


def main() -> None:
    run({**vcenter.ARGSPEC, **_wait.ARGSPEC, **SPEC}, vcenter.connect, ensure, mutually_exclusive=[("cluster", "zones")])


if __name__ == "__main__":
    main()
