# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""supervisor: the specification that is sent, and the states it waits through."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources.messages import Patience
from ansible_collections.vcf.ray.plugins.module_utils._resources.supervisor_lifecycle import Supervisor
from ansible_collections.vcf.ray.plugins.modules import supervisor
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, refusal, run, vcenter

BASE = "/api/vcenter/namespace-management"
LIST = ("GET", f"{BASE}/supervisors/summaries", None)
TOPOLOGY = ("GET", f"{BASE}/supervisors/sv-id/topology", None, [{"zone": "z", "clusters": ["domain-c9"]}])
CLUSTER = ("GET", "/api/vcenter/cluster?names=c1", None, [{"cluster": "domain-c9", "name": "c1"}])
CONDITIONS = ("GET", f"{BASE}/supervisors/sv-id/conditions", None)
COMPATIBLE = ("GET", f"{BASE}/cluster-compatibility?network_provider=VSPHERE_NETWORK", None)
POLICIES = ("GET", "/api/vcenter/storage/policies", None, [{"policy": "p-1", "name": "gold"}])


def release(text: str) -> tuple:
    return "GET", "/sdk/vimServiceVersions.xml", None, f"<name>urn:vim25</name><version>{text}</version>"


def network(name: str, number: int) -> tuple:
    return "GET", f"/api/vcenter/network?names={name}", None, [{"network": f"dvportgroup-{number}", "name": name, "type": "DISTRIBUTED_PORTGROUP"}]


def listed(config: str = "RUNNING", kubernetes: str = "READY", **more: object) -> dict:
    info = {"name": "sv", "config_status": config, "kubernetes_status": kubernetes, "APIEndpoint": "10.0.0.5", **more}
    return {"items": [{"supervisor": "sv-id", "info": info}]}


ASKED = {
    "name": "sv", "cluster": "c1", "storage_policy": "gold",
    "control_plane": {"size": "TINY", "count": 1, "network": {"portgroup": "mgmt", "gateway": "10.0.0.1/24", "address": "10.0.0.40", "dns": ["10.0.0.2"]}},
    "workloads": {"portgroup": "work", "service_cidr": "10.96.0.0/23"},
    "load_balancer": {"ranges": [{"address": "10.0.2.1", "count": 9}]},
}
BODY = {
    "name": "sv",
    "control_plane": {
        "size": "TINY", "count": 1, "storage_policy": "p-1",
        "network": {
            "network": "management",
            "backing": {"backing": "NETWORK_SEGMENT", "network_segment": {"networks": ["dvportgroup-1"]}},
            "ip_management": {"dhcp_enabled": False, "gateway_address": "10.0.0.1/24",
                              "ip_assignments": [{"assignee": "NODE", "ranges": [{"address": "10.0.0.40", "count": 5}]}]},
            "services": {"dns": {"servers": ["10.0.0.2"], "search_domains": []}},
            "proxy": {"proxy_settings_source": "VC_INHERITED"},
        },
    },
    "workloads": {
        "network": {
            "network": "workload", "network_type": "VSPHERE", "vsphere": {"dvpg": "dvportgroup-2"},
            "ip_management": {"dhcp_enabled": True, "ip_assignments": [{"assignee": "SERVICE", "ranges": [{"address": "10.96.0.0", "count": 512}]}]},
        },
        "edge": {"provider": "VSPHERE_FOUNDATION", "load_balancer_address_ranges": [{"address": "10.0.2.1", "count": 9}]},
        "storage": {"ephemeral_storage_policy": "p-1", "image_storage_policy": "p-1"},
    },
}
FITS = (*COMPATIBLE, [{"cluster": "domain-c9", "compatible": True, "incompatibility_reasons": []}])
NAMES = [CLUSTER, FITS, POLICIES, network("mgmt", 1), network("work", 2)]
NOBODY = (*LIST, {"items": []})
BEFORE = [NOBODY, release("9.1.0.0"), *NAMES]
ENABLE = ("POST", f"{BASE}/supervisors/domain-c9?action=enable_on_compute_cluster", BODY, "sv-id")
READY = {
    "supervisor": "sv-id", "name": "sv", "cluster": "domain-c9", "zones": ["z"], "config_status": "RUNNING", "kubernetes_status": "READY",
    "api_endpoint": "10.0.0.5", "ready": True, "messages": [],
}


def test_enable() -> None:
    result = run(supervisor, *BEFORE, ENABLE, (*LIST, listed()), TOPOLOGY, **ASKED)
    assert result["changed"] and result["supervisor"] == READY


def test_check_mode_looks_up_every_name_and_writes_nothing() -> None:
    assert run(supervisor, *BEFORE, check_mode=True, **ASKED)["changed"]
    with pytest.raises(RayError, match="No port group is called 'work'"):
        run(supervisor, *BEFORE[:-1], (*network("work", 2)[:3], []), ("GET", "/api/vcenter/network", None, []), check_mode=True, **ASKED)


def test_nothing_to_do_is_two_requests_and_one_for_the_name_of_a_cluster() -> None:
    assert run(supervisor, (*LIST, listed()), TOPOLOGY, name="sv")["supervisor"] == READY
    assert not run(supervisor, (*LIST, listed()), TOPOLOGY, CLUSTER, **ASKED)["changed"]


def test_a_lost_answer_is_settled_by_reading() -> None:
    cut = (*ENABLE[:3], RayError("Gone.", code="CONNECTION"))
    result = run(supervisor, *BEFORE, cut, (*LIST, listed()), TOPOLOGY, (*LIST, listed()), **ASKED)
    assert result["changed"] and result["supervisor"] == READY


def test_one_that_another_run_has_just_made_is_taken_as_it_is() -> None:
    taken = (*COMPATIBLE, [{"cluster": "domain-c9", "compatible": False, "incompatibility_reasons": [{"default_message": "Enabled."}]}])
    there = (*LIST, listed())
    refused = (*ENABLE[:3], refusal(400, "ALREADY_EXISTS", "The cluster domain-c9 already has a Supervisor."))
    result = run(supervisor, NOBODY, release("9.1.0.0"), CLUSTER, taken, there, TOPOLOGY, *NAMES[2:], refused, there, TOPOLOGY, there, **ASKED)
    assert result["supervisor"] == READY


@pytest.mark.parametrize(("answer", "hint"), [
    (refusal(404, "NOT_FOUND", "Not Found"), "One of these is not there, or this account may not see it: domain-c9, dvportgroup-1, dvportgroup-2, p-1."),
    (refusal(500, "UNABLE_TO_ALLOCATE_RESOURCE", "No."), "missing licence"),
    (refusal(400, "INVALID_ARGUMENT", "No."), "Change the option that vCenter objects to"),
])
def test_a_refusal_says_what_to_look_at(answer: tuple, hint: str) -> None:
    with pytest.raises(RayError) as caught:
        run(supervisor, *BEFORE, (*ENABLE[:3], answer), **ASKED)
    assert hint in caught.value.hint


def test_it_cannot_be_moved() -> None:
    elsewhere = ("GET", "/api/vcenter/cluster?names=c2", None, [{"cluster": "domain-c10", "name": "c2"}])
    here = ("GET", "/api/vcenter/cluster?clusters=domain-c9", None, [{"cluster": "domain-c9", "name": "c1"}])
    with pytest.raises(RayError, match="Supervisor sv is on cluster c1, not on c2, and cannot be moved"):
        run(supervisor, (*LIST, listed()), TOPOLOGY, elsewhere, here, name="sv", cluster="c2")
    with pytest.raises(RayError, match="Supervisor sv is in zone z, not in zones x, y, and cannot be moved"):
        run(supervisor, (*LIST, listed()), TOPOLOGY, name="sv", zones=["y", "x"])
    assert not run(supervisor, (*LIST, listed()), TOPOLOGY, name="sv", zones=["z"])["changed"]


def test_one_that_is_there_is_waited_for_by_its_name_alone() -> None:
    configuring = listed("CONFIGURING", "WARNING")
    message = {"severity": "ERROR", "details": {"default_message": "No host."}}
    rows = [{"type": "Deployed", "status": "TRUE"}, {"type": "ControlPlaneVMsConfigured", "status": "FALSE", "reason": "Waiting", "messages": [message]}]
    with pytest.raises(RayError) as caught:
        run(supervisor, (*LIST, configuring), TOPOLOGY, (*CONDITIONS, rows), (*LIST, configuring), (*CONDITIONS, rows),
            ("GET", f"{BASE}/clusters/domain-c9", None, {"messages": [{"severity": "WARNING", "details": {"default_message": "Slow."}}]}), name="sv")
    assert "WARNING: Slow. Open conditions:" in caught.value.message
    assert caught.value.code == "TIMEOUT"
    assert "CONFIGURING, Kubernetes WARNING; 1 of 2 conditions hold, next ControlPlaneVMsConfigured (Waiting)" in caught.value.message
    assert "Open conditions: ControlPlaneVMsConfigured: Waiting (ERROR: No host.)." in caught.value.message


def test_a_cluster_that_is_taken_is_refused_before_the_first_write() -> None:
    taken = (*COMPATIBLE, [{"cluster": "domain-c9", "compatible": False, "incompatibility_reasons": [{"default_message": "Enabled."}]}])
    with pytest.raises(RayError, match="The Supervisor 'sv' is there already, so 'other' cannot be enabled on cluster c1"):
        run(supervisor, (*LIST, listed()), release("9.1"), CLUSTER, taken, (*LIST, listed()), TOPOLOGY, **{**ASKED, "name": "other"})


def test_reasons_of_vcenter_are_told_before_the_first_write_and_in_check_mode() -> None:
    no_host = (*COMPATIBLE, [{"cluster": "domain-c9", "compatible": False, "incompatibility_reasons": [{"default_message": "A host is down."}]}])
    for check_mode in (True, False):
        with pytest.raises(RayError, match="on cluster c1 with workloads of kind vsphere: A host is down."):
            run(supervisor, NOBODY, release("9.1"), CLUSTER, no_host, NOBODY, check_mode=check_mode, **ASKED)


ZONES = ("GET", "/api/vcenter/consumption-domains/zones", None, {"items": [{"zone": z, "info": {}} for z in ("a", "b", "c", "d")]})
COMPATIBLE_ZONES = ("GET", f"{BASE}/cluster-compatibility/v2?zones=a&zones=b&zones=c&network_provider=VSPHERE", None)
ON_ZONES = {**{k: v for k, v in ASKED.items() if k != "cluster"}, "zones": ["c", "a", "b"]}


def test_enable_on_zones() -> None:
    there = ("GET", f"{BASE}/supervisors/sv-id/topology", None, [{"zone": z, "clusters": [f"domain-c{n}"]} for n, z in enumerate("bca")])
    fits = (*COMPATIBLE_ZONES, {"compatible": True, "zone_summaries": []})
    enable = ("POST", f"{BASE}/supervisors?action=enable_on_zones", {**BODY, "zones": ["a", "b", "c"]}, "sv-id")
    result = run(supervisor, NOBODY, release("9.1"), ZONES, fits, *NAMES[2:], enable, (*LIST, listed()), there, **ON_ZONES)
    assert result["supervisor"]["zones"] == ["a", "b", "c"] and result["supervisor"]["cluster"] == "domain-c0, domain-c1, domain-c2"


def test_zones_that_are_not_there_or_do_not_fit() -> None:
    with pytest.raises(RayError, match="No zone is called 'e'. There is: a"):
        run(supervisor, NOBODY, release("9.1"), ZONES, **{**ON_ZONES, "zones": ["a", "b", "e"]})
    rows = [{"cluster": "domain-c1", "compatible": False, "incompatibility_reasons": [{"default_message": "No DRS."}]}]
    answer = {"compatible": False, "zone_summaries": [{"zone": "a", "compatible": False, "cluster_summaries": rows}]}
    with pytest.raises(RayError, match="zones a, b, c with workloads of kind vsphere: zone a: No DRS."):
        run(supervisor, NOBODY, release("9.1"), ZONES, (*COMPATIBLE_ZONES, answer), NOBODY, **ON_ZONES)


def test_a_vcenter_that_is_too_old_is_told_before_the_first_write_and_in_check_mode() -> None:
    clusters = ("GET", f"{BASE}/clusters", None, [])
    for check_mode in (True, False):
        with pytest.raises(RayError, match="Enabling a Supervisor needs vCenter 8.0.1; vc is 7.0.3"):
            run(supervisor, (*LIST, MISSING), clusters, release("7.0.3.0"), check_mode=check_mode, **ASKED)
    with pytest.raises(RayError, match="control_plane.count needs vCenter 9.0; vc is 8.0.3"):
        run(supervisor, NOBODY, release("8.0.3.0"), **ASKED)


def test_before_segments_the_network_is_named_alone() -> None:
    control = {"network": {"portgroup": "mgmt"}}
    balancer = {"provider": "haproxy", "ranges": [{"address": "10.0.2.1", "count": 9}], "servers": [{"host": "h"}], "username": "u", "password": "p",
                "certificate_authority": "PEM"}
    body = {
        "name": "sv",
        "control_plane": {"size": "SMALL", "storage_policy": "p-1", "network": {
            "network": "management", "backing": {"backing": "NETWORK", "network": "dvportgroup-1"}, "ip_management": {"dhcp_enabled": True},
            "proxy": {"proxy_settings_source": "VC_INHERITED"}}},
        "workloads": {**BODY["workloads"], "edge": {
            "provider": "HAPROXY", "load_balancer_address_ranges": [{"address": "10.0.2.1", "count": 9}],
            "haproxy": {"servers": [{"host": "h", "port": 5556}], "username": "u", "password": "p", "certificate_authority_chain": "PEM"}}},
    }
    enable = (*ENABLE[:2], body, "sv-id")
    assert run(supervisor, NOBODY, release("8.0.1.0"), *NAMES, enable, (*LIST, listed()), TOPOLOGY,
               **{**ASKED, "control_plane": control, "load_balancer": balancer})["changed"]


def test_what_is_needed_to_enable_one_is_named() -> None:
    with pytest.raises(RayError, match="needs cluster or zones, control_plane, workloads, load_balancer, storage_policy"):
        run(supervisor, NOBODY, name="sv")


def test_an_error_is_borne_for_a_while() -> None:
    now = [0.0]
    resource = Supervisor(vcenter()[0], "sv")
    resource._patience = Patience(600, clock=lambda: now[0])
    state = {"config_status": "ERROR", "kubernetes_status": "ERROR", "messages": ["ERROR: No host."], "ready": False, "api_endpoint": None}
    assert resource.ready(state) is False
    now[0] = 599
    assert resource.ready(state) is False
    now[0] = 600
    with pytest.raises(RayError, match="No host. Open conditions: none. On vCenter, /var/log/vmware/wcp/wcpsvc.log tells more."):
        resource.ready(state)


NAMESPACES = ("GET", "/api/vcenter/namespaces/instances/v2", None)
SERVICES = ("GET", f"{BASE}/supervisors/sv-id/supervisor-services", None)
LEAVING = [(*LIST, listed()), TOPOLOGY, (*NAMESPACES, [{"namespace": "n", "supervisor": "other-id"}]),
           (*SERVICES, {"supervisor_services": [{"supervisor_service": "tkg.vsphere.vmware.com"}]})]
DELETE = ("DELETE", f"{BASE}/supervisors/sv-id", None)
DISABLE = ("POST", f"{BASE}/clusters/domain-c9?action=disable", None, (204, None))


def test_remove_and_the_older_way() -> None:
    assert run(supervisor, *LEAVING, release("9.1"), (*DELETE, (204, None)), NOBODY, name="sv", state="absent")["changed"]
    assert run(supervisor, *LEAVING, release("9.1"), (*DELETE, MISSING), DISABLE, NOBODY, name="sv", state="absent")["changed"]
    assert run(supervisor, *LEAVING, release("9.0"), DISABLE, NOBODY, name="sv", state="absent")["changed"]
    busy = (*DELETE, refusal(400, "NOT_ALLOWED_IN_CURRENT_STATE", "Busy."))
    with pytest.raises(RayError, match="Busy"):
        run(supervisor, *LEAVING, release("9.1"), busy, (*LIST, listed()), name="sv", state="absent")
    # Another client was faster.
    assert run(supervisor, *LEAVING, release("9.1"), busy, (*LIST, listed("REMOVING")), NOBODY, name="sv", state="absent")["changed"]
    assert not run(supervisor, NOBODY, name="sv", state="absent")["changed"]


def test_what_stands_on_it_is_listed_before_any_write() -> None:
    on_it = [(*LIST, listed()), TOPOLOGY, (*NAMESPACES, [{"namespace": "n", "supervisor": "sv-id"}]),
             (*SERVICES, {"supervisor_services": [{"supervisor_service": "ray.example.com"}]})]
    with pytest.raises(RayError, match="on it are the namespaces n and the services ray.example.com") as caught:
        run(supervisor, *on_it, name="sv", state="absent")
    assert caught.value.code == "RESOURCE_IN_USE"
    # A teardown in check mode has removed nothing yet.
    assert "on it are the namespaces n" in run(supervisor, *on_it, name="sv", state="absent", check_mode=True)["unknown"][0]


def test_one_of_7_0_is_read_and_removed_by_its_cluster() -> None:
    row = {"cluster": "domain-c9", "cluster_name": "c1", "config_status": "RUNNING", "kubernetes_status": "READY"}
    found = [(*LIST, MISSING), ("GET", f"{BASE}/clusters", None, [row])]
    message = {"severity": "WARNING", "details": {"default_message": "Low."}}
    detail = ("GET", f"{BASE}/clusters/domain-c9", None, {**row, "api_server_cluster_endpoint": "10.0.0.5", "messages": [message]})
    result = run(supervisor, *found, detail, name="c1")
    assert result["supervisor"] == {**READY, "supervisor": "domain-c9", "name": "c1", "zones": [], "messages": ["WARNING: Low."]}
    nothing = [(*NAMESPACES, MISSING), ("GET", "/api/vcenter/namespaces/instances", None, []),
               ("GET", f"{BASE}/clusters/domain-c9/supervisor-services", None, [])]
    gone = [(*LIST, MISSING), ("GET", f"{BASE}/clusters", None, [])]
    assert run(supervisor, *found, detail, *nothing, DISABLE, *gone, name="c1", state="absent")["changed"]
