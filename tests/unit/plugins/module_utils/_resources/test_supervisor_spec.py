# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""supervisor: what cannot work is refused before anything is asked, and what each kind of network and load balancer sends."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources.supervisor_options import SPEC
from ansible_collections.vcf.ray.plugins.module_utils._resources.supervisor_plan import refuse_nonsense, refuse_too_new
from ansible_collections.vcf.ray.plugins.module_utils._resources.supervisor_spec import enable_body
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import vcenter

BASE = "/api/vcenter/namespace-management"
ASKED: dict[str, t.Any] = {
    "name": "sv", "cluster": "c1", "storage_policy": "gold",
    "control_plane": {"network": {"portgroup": "mgmt", "gateway": "10.0.0.1/24", "address": "10.0.0.40"}},
    "workloads": {"portgroup": "work"},
    "load_balancer": {"ranges": [{"address": "10.0.2.1", "count": 9}]},
}
LOGIN = {"servers": [{"host": "h"}], "username": "u", "password": "p", "certificate_authority": "PEM"}
RANGES = [{"address": "10.0.2.1", "count": 9}]
HAPROXY = {"provider": "haproxy", "ranges": RANGES, **LOGIN}
LIBRARY = {"content_libraries": [{"name": "l", "services": ["s"]}]}
NSX = {"kind": "nsx", "nsx": {"distributed_switch": "dvs"}}
VPC = {"kind": "nsx_vpc", "nsx_vpc": {"private_cidrs": ["172.26.0.0/16"]}}


def release(text: str) -> tuple:
    return "GET", "/sdk/vimServiceVersions.xml", None, f"<name>urn:vim25</name><version>{text}</version>"


def changed(**changes: t.Any) -> dict:
    """The options with some set or left out, by their path; filled in as Ansible does, or AssertionError."""
    asked = copy.deepcopy(ASKED)
    for path, value in changes.items():
        *parents, last = path.split("__")
        inner = asked
        for parent in parents:
            inner = inner[parent]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    result = ArgumentSpecValidator(SPEC, mutually_exclusive=[("cluster", "zones")]).validate(asked)
    assert not result.error_messages, result.error_messages
    return result.validated_parameters


def refused(**changes: t.Any) -> str:
    spec = changed(**changes)
    with pytest.raises(RayError) as caught:
        refuse_nonsense("sv", spec, spec)
    assert caught.value.code == "INPUT" and caught.value.hint
    return str(caught.value)


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"cluster": None}, "needs cluster or zones"),
    ({"storage_policy": None}, "needs storage_policy"),
    ({"load_balancer": None}, "needs load_balancer"),
    ({"cluster": None, "zones": ["a", "b"]}, "one zone or on three different ones, not on a, b"),
    ({"cluster": None, "zones": ["a", "b", "b"]}, "not on a, b, b"),
    ({"load_balancer__provider": "nsx"}, "nsx does not go with workloads of kind vsphere. Use foundation or haproxy or nsx_advanced"),
    ({"workloads": NSX, "load_balancer": HAPROXY}, "haproxy does not go with workloads of kind nsx"),
    ({"load_balancer__cloud": "c"}, "load_balancer.cloud is for nsx_advanced, and the load balancer is foundation"),
    ({"load_balancer__ranges": None}, "foundation needs addresses to give away"),
    ({"workloads": NSX}, "Without load_balancer.nsx.egress_ranges"),
    ({"load_balancer": {**HAPROXY, "provider": "nsx_advanced", "servers": [{"host": "a"}, {"host": "b"}]}}, "and load_balancer.servers names 2"),
    ({"control_plane__network__gateway": "10.0.0.1"}, "Write it with the length of its prefix"),
    ({"control_plane__network__gateway": "10.0.0.1/240"}, "control_plane.network.gateway is '10.0.0.1/240', which cannot be read"),
    ({"control_plane__network__address": "10.0.1.40"}, "5 addresses from 10.0.1.40 are not all in 10.0.0.0/24, the network of the gateway"),
    ({"control_plane__network__address": "10.0.0.254"}, "not all in 10.0.0.0/24"),
    ({"control_plane__network__floating_address": "x"}, "control_plane.network.floating_address is 'x'"),
    ({"workloads__service_cidr": "10.96.0.1/16"}, "workloads.service_cidr is '10.96.0.1/16', which cannot be read: 10.96.0.1/16 has host bits set"),
    ({"workloads": {**VPC, "nsx_vpc": {"private_cidrs": ["ten"]}}, "load_balancer": None}, "workloads.nsx_vpc.private_cidrs is 'ten'"),
    ({"load_balancer__ranges": [{"address": "10.0.2", "count": 1}]}, "load_balancer.ranges is '10.0.2'"),
])
def test_nonsense_is_refused_in_a_sentence(changes: dict, sentence: str) -> None:
    assert sentence in refused(**changes)


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"zones": ["a"]}, "mutually exclusive: cluster|zones"),
    ({"control_plane__network__portgroups": ["a"]}, "mutually exclusive: portgroup|portgroups"),
    ({"control_plane__network": {}}, "one of the following is required: portgroup, portgroups"),
    ({"control_plane__network__proxy": {"source": "own"}}, "source is own but any of the following are missing: https, http"),
    ({"workloads__address": "10.0.1.4"}, "missing parameter(s) required by 'address': gateway"),
    ({"workloads": {"kind": "nsx"}}, "kind is nsx but all of the following are missing: nsx"),
    ({"workloads": {**NSX, "portgroup": "a"}}, "mutually exclusive: portgroup|nsx|nsx_vpc"),
    ({"load_balancer__provider": "haproxy"}, "provider is haproxy but all of the following are missing: servers, username, password"),
    ({"load_balancer__foundation": {"interfaces": [{"personas": ["FRONTEND"]}]}}, "network is portgroup but all of the following are missing: portgroup"),
    ({"workloads__images": {"registry": {"hostname": "r", "password": "p"}}}, "parameters are required together: username, password"),
])
def test_ansible_refuses_what_its_spec_can_say(changes: dict, sentence: str) -> None:
    with pytest.raises(AssertionError) as caught:
        changed(**changes)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(("changes", "at", "sentence"), [
    ({}, "8.0.3", "The load balancer foundation needs vCenter 9.0"),
    ({"control_plane__count": 1}, "8.0.3", "control_plane.count needs vCenter 9.0"),
    ({"workloads": VPC, "load_balancer": None}, "8.0.3", "The workload network nsx_vpc needs vCenter 9.0"),
    ({"control_plane__network": {"portgroups": ["a", "b"]}}, "8.0.1", "More than one port group for the control plane needs vCenter 8.0.3"),
    ({"workloads__images": {"content_libraries": [{"name": "l"}]}}, "8.0.1", "workloads.images.content_libraries needs vCenter 8.0.2"),
    ({"workloads__images": LIBRARY, "load_balancer": HAPROXY}, "8.0.3", "A choice of services or names for a content library needs vCenter 9.0"),
    ({"workloads__images": {"registry": {"hostname": "r", "certificate_authority": "PEM"}}}, "8.0.1", "workloads.images.registry needs vCenter 8.0.3"),
    ({}, "7.0.3", "Enabling a Supervisor needs vCenter 8.0.1"),
])
def test_what_a_release_does_not_have(changes: dict, at: str, sentence: str) -> None:
    client, http = vcenter(release(at))
    with pytest.raises(RayError, match="needs vCenter") as caught:
        refuse_too_new(client, changed(**changes))
    assert sentence in caught.value.message and caught.value.code == "UNSUPPORTED"
    http.done()


def policy() -> tuple:
    return "GET", "/api/vcenter/storage/policies", None, [{"policy": "p-1", "name": "gold"}, {"policy": "p-2", "name": "silver"}]


def network(name: str) -> tuple:
    return "GET", f"/api/vcenter/network?names={name}", None, [{"network": f"dvportgroup-{name}", "name": name, "type": "DISTRIBUTED_PORTGROUP"}]


def body(*script: tuple, **changes: t.Any) -> dict:
    spec = changed(**changes)
    refuse_nonsense("sv", spec, spec)
    client, http = vcenter(policy(), network("mgmt"), release("9.1.0.0"), *script)
    result = enable_body("sv", spec, client)
    http.done()
    return result


def test_the_whole_control_plane() -> None:
    proxy = {"source": "own", "https": "https://u:p@proxy:3128", "no_proxy": ["10.0.0.0/8"], "certificate_authority": "PEM"}
    own = {"login_banner": "Hello", "storage_policy": "silver", "size": "LARGE", "count": 3}
    result = body(network("work"), control_plane__network__floating_address="10.0.0.50", control_plane__network__proxy=proxy,
                  **{f"control_plane__{key}": value for key, value in own.items()})["control_plane"]
    assert {k: v for k, v in result.items() if k != "network"} == {"size": "LARGE", "count": 3, "login_banner": "Hello", "storage_policy": "p-2"}
    assert result["network"]["floating_IP_address"] == "10.0.0.50"
    assert result["network"]["proxy"] == {"proxy_settings_source": "CLUSTER_CONFIGURED", "https_proxy_config": "https://u:p@proxy:3128",
                                          "no_proxy_config": ["10.0.0.0/8"], "tls_root_ca_bundle": "PEM"}


def test_images_and_storage() -> None:
    library = {"name": "lib", "services": ["kubernetes.vmware.com"], "naming": "FROM_ITEM_ID"}
    images = {"content_libraries": [library], "kubernetes_library": "tkg", "repository": "mine",
              "registry": {"hostname": "r", "port": 5000, "username": "u", "password": "p", "certificate_authority": "PEM"}}
    find = [("POST", "/api/content/library?action=find", {"name": name}, [f"id-{name}"]) for name in ("tkg", "lib")]
    cluster = ("GET", "/api/vcenter/cluster?names=c2", None, [{"cluster": "domain-c2", "name": "c2"}])
    storage = {"image_storage_policy": "silver", "file_volume_clusters": ["c2"]}
    result = body(network("work"), *find, cluster, workloads__images=images, workloads__storage=storage,
                  workloads__api_server_dns_names=["k.example.com"])["workloads"]
    assert result["images"] == {
        "repository": "mine", "kubernetes_content_library": "id-tkg",
        "content_libraries": [{"content_library": "id-lib", "supervisor_services": ["kubernetes.vmware.com"], "resource_naming_strategy": "FROM_ITEM_ID"}],
        "registry": {"hostname": "r", "port": 5000, "username": "u", "password": "p", "certificate_chain": "PEM"},
    }
    assert result["storage"] == {"ephemeral_storage_policy": "p-1", "image_storage_policy": "p-2",
                                 "cloud_native_file_volume": {"vsan_clusters": ["domain-c2"]}}
    assert result["kube_API_server_options"] == {"security": {"certificate_dns_names": ["k.example.com"]}}


def test_nsx_advanced_load_balancer() -> None:
    result = body(network("work"), load_balancer={"provider": "nsx_advanced", "cloud": "c", **LOGIN})["workloads"]["edge"]
    assert result == {"provider": "NSX_ADVANCED", "nsx_advanced": {
        "server": {"host": "h", "port": 443}, "username": "u", "password": "p", "certificate_authority_chain": "PEM", "cloud_name": "c"}}


def test_foundation() -> None:
    interfaces = [{"personas": ["MANAGEMENT"], "network": "management"},
                  {"personas": ["WORKLOAD", "FRONTEND"], "portgroup": "front", "name": "front", "ranges": RANGES, "gateway": "10.0.2.254/24"}]
    asked = {"size": "LARGE", "availability": "SINGLE_NODE", "storage_policy": "silver", "zone": "z", "interfaces": interfaces, "dns": ["10.0.0.2"],
             "ntp": ["10.0.0.3"], "syslog": {"endpoint": "tcp://s"}}
    zones = ("GET", "/api/vcenter/consumption-domains/zones", None, {"items": [{"zone": "z"}]})
    result = body(network("work"), zones, network("front"), load_balancer__foundation=asked)["workloads"]["edge"]["foundation"]
    assert result == {
        "deployment_target": {"zones": ["z"], "storage_policy": "p-2", "deployment_size": "LARGE", "availability": "SINGLE_NODE"},
        "interfaces": [
            {"personas": ["MANAGEMENT"], "network": {"network_type": "SUPERVISOR_MANAGEMENT"}},
            {"personas": ["WORKLOAD", "FRONTEND"], "network": {"network_type": "DVPG", "dvpg_network": {
                "name": "front", "network": "dvportgroup-front", "ipam": "STATIC", "ip_config": {"ip_ranges": RANGES, "gateway": "10.0.2.254/24"}}}},
        ],
        "network_services": {"dns": {"servers": ["10.0.0.2"], "search_domains": []}, "ntp": {"servers": ["10.0.0.3"]}, "syslog": {"endpoint": "tcp://s"}},
    }


SWITCHES = ("GET", f"{BASE}/networks/nsx/distributed-switches", None, [{"distributed_switch": "50 0a", "name": "dvs"}])


def test_nsx() -> None:
    edges = ("GET", f"{BASE}/networks/nsx/edges", None, [{"edge_cluster": "e-1", "name": "edge"}])
    gateways = ("GET", f"{BASE}/nsx-tier0-gateways?distributed_switch=50+0a", None, [{"tier0_gateway": "t-1", "display_name": "t0"}])
    nsx = {"distributed_switch": "dvs", "namespace_subnet_prefix": 27, "pod_cidrs": ["10.244.0.0/23"]}
    work = {"kind": "nsx", "service_cidr": "10.96.0.0/23", "nsx": nsx}
    balancer = {"ranges": RANGES, "nsx": {"edge_cluster": "edge", "tier0_gateway": "t0", "egress_ranges": RANGES, "routing_mode": "NAT", "size": "LARGE",
                                          "ingress_certificate": "PEM"}}
    result = body(SWITCHES, edges, SWITCHES, gateways, workloads=work, load_balancer=balancer)["workloads"]
    assert result["network"] == {
        "network": "workload", "network_type": "NSXT", "nsx": {"dvs": "50 0a", "namespace_subnet_prefix": 27},
        "ip_management": {"ip_assignments": [{"assignee": "SERVICE", "ranges": [{"address": "10.96.0.0", "count": 512}]},
                                             {"assignee": "POD", "ranges": [{"address": "10.244.0.0", "count": 512}]}]},
    }
    assert result["edge"] == {"provider": "NSX", "load_balancer_address_ranges": RANGES, "nsx": {
        "edge_cluster_ID": "e-1", "t0_gateway": "t-1", "routing_mode": "NAT", "egress_IP_ranges": RANGES, "load_balancer_size": "LARGE",
        "default_ingress_TLS_certificate": "PEM"}}


def test_nsx_vpc() -> None:
    path = "/orgs/default/projects/p"
    projects = ("GET", f"{BASE}/networks/nsx/projects", None, {"projects": [
        {"name": "p", "nsx_path": path, "vpc_connectivity_profiles": [{"name": "fast", "nsx_path": f"{path}/vpc-connectivity-profiles/fast"}]}]})
    vpc = {"project": "p", "connectivity_profile": "fast", "private_cidrs": ["172.26.0.0/16"]}
    result = body(projects, projects, workloads={"kind": "nsx_vpc", "nsx_vpc": vpc}, load_balancer=None)["workloads"]
    assert result["edge"] == {"provider": "NSX_VPC"}
    assert result["network"] == {"network": "workload", "network_type": "NSX_VPC", "nsx_vpc": {
        "nsx_project": path, "vpc_connectivity_profile": f"{path}/vpc-connectivity-profiles/fast",
        "default_private_cidrs": [{"address": "172.26.0.0", "prefix": 16}]}}
    bare = body(workloads=VPC, load_balancer=None)["workloads"]["network"]["nsx_vpc"]
    assert bare == {"default_private_cidrs": [{"address": "172.26.0.0", "prefix": 16}]}


def test_no_password_is_shown() -> None:
    def secrets(spec: dict, at: str = "") -> t.Iterator[str]:
        for name, option in spec.items():
            if name in ("password", "https", "http"):
                yield f"{at}{name}: {option.get('no_log')}"
            yield from secrets(option.get("options") or {}, f"{at}{name}.")

    found = list(secrets(SPEC))
    assert len(found) == 4 and all(entry.endswith("True") for entry in found), found
