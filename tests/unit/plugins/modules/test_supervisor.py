# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""supervisor: the specification that is sent, and the states it waits through."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources.messages import Patience
from ansible_collections.vcf.ray.plugins.module_utils._resources.supervisor import Supervisor
from ansible_collections.vcf.ray.plugins.modules import supervisor, supervisor_info
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, refusal, run, vcenter

BASE = "/api/vcenter/namespace-management"
LIST = ("GET", f"{BASE}/supervisors/summaries", None)
TOPOLOGY = ("GET", f"{BASE}/supervisors/sv-id/topology", None, [{"zone": "z", "clusters": ["domain-c9"]}])
CLUSTER = ("GET", "/api/vcenter/cluster?names=c1", None, [{"cluster": "domain-c9", "name": "c1"}])
POLICIES = ("GET", "/api/vcenter/storage/policies", None, [{"policy": "p-1", "name": "gold"}])


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
BEFORE = [(*LIST, {"items": []}), CLUSTER, (*LIST, {"items": []}), POLICIES, network("mgmt", 1), network("work", 2)]


def test_enable() -> None:
    enable = ("POST", f"{BASE}/supervisors/domain-c9?action=enable_on_compute_cluster", BODY, "sv-id")
    result = run(supervisor, *BEFORE, enable, (*LIST, listed()), TOPOLOGY, **ASKED)
    assert result["changed"]
    assert result["supervisor"] == {
        "supervisor": "sv-id", "name": "sv", "cluster": "domain-c9", "config_status": "RUNNING", "kubernetes_status": "READY",
        "api_endpoint": "10.0.0.5", "ready": True, "messages": [],
    }


def test_check_mode_looks_up_every_name_and_writes_nothing() -> None:
    assert run(supervisor, *BEFORE, check_mode=True, **ASKED)["changed"]
    with pytest.raises(RayError, match="No port group is called 'work'"):
        run(supervisor, *BEFORE[:-1], (*network("work", 2)[:3], []), ("GET", "/api/vcenter/network", None, []), check_mode=True, **ASKED)


def test_one_that_is_there_is_waited_for_by_its_name_alone() -> None:
    configuring = listed("CONFIGURING", "WARNING")
    with pytest.raises(RayError, match="last seen: CONFIGURING, Kubernetes WARNING") as caught:
        run(supervisor, (*LIST, configuring), TOPOLOGY, (*LIST, configuring),
            ("GET", f"{BASE}/supervisors/sv-id/conditions", None, [{"type": "ControlPlaneVMsConfigured", "status": "FALSE", "reason": "Waiting"}]), name="sv")
    assert caught.value.code == "TIMEOUT" and "ControlPlaneVMsConfigured: Waiting" in caught.value.message


def test_a_cluster_that_is_taken_is_refused_before_the_first_write() -> None:
    with pytest.raises(RayError, match="already runs the Supervisor 'sv'"):
        run(supervisor, (*LIST, listed()), CLUSTER, (*LIST, listed()), TOPOLOGY, **{**ASKED, "name": "other"})


def test_a_vcenter_that_is_too_old_is_told_before_the_first_write_and_in_check_mode() -> None:
    clusters = ("GET", f"{BASE}/clusters", None, [])
    for check_mode in (True, False):
        with pytest.raises(RayError, match="older than 8.0 U1"):
            run(supervisor, (*LIST, MISSING), clusters, CLUSTER, (*LIST, MISSING), check_mode=check_mode, **ASKED)


def test_what_is_needed_to_enable_one_is_named() -> None:
    with pytest.raises(RayError, match="needs cluster, control_plane, workloads"):
        run(supervisor, (*LIST, {"items": []}), name="sv")


def test_an_error_is_borne_for_a_while() -> None:
    now = [0.0]
    client, http = vcenter((*LIST, listed("ERROR")), TOPOLOGY, ("GET", f"{BASE}/supervisors/sv-id/conditions", None, []))
    resource = Supervisor(client, "sv")
    resource._patience = Patience(600, clock=lambda: now[0])
    state = {"config_status": "ERROR", "kubernetes_status": "ERROR", "messages": ["ERROR: No host."], "ready": False, "api_endpoint": None}
    assert resource.ready(state) is False
    now[0] = 599
    assert resource.ready(state) is False
    now[0] = 600
    with pytest.raises(RayError, match="No host."):
        resource.ready(state)


def test_remove_and_the_older_way() -> None:
    delete = ("DELETE", f"{BASE}/supervisors/sv-id", None)
    gone = (*LIST, {"items": []})
    assert run(supervisor, (*LIST, listed()), TOPOLOGY, (*delete, (204, None)), gone, name="sv", state="absent")["changed"]
    disable = ("POST", f"{BASE}/clusters/domain-c9?action=disable", None, (204, None))
    assert run(supervisor, (*LIST, listed()), TOPOLOGY, (*delete, MISSING), disable, gone, name="sv", state="absent")["changed"]
    with pytest.raises(RayError, match="Busy"):
        run(supervisor, (*LIST, listed()), TOPOLOGY, (*delete, refusal(400, "NOT_ALLOWED_IN_CURRENT_STATE", "Busy.")), name="sv", state="absent")


def test_info() -> None:
    message = {"severity": "WARNING", "details": {"default_message": "Low."}}
    found = run(supervisor_info, (*LIST, listed(messages=[message])), TOPOLOGY)["supervisors"]
    assert [(s["name"], s["cluster"], s["messages"]) for s in found] == [("sv", "domain-c9", ["WARNING: Low."])]
    assert run(supervisor_info, (*LIST, listed()), name="other")["supervisors"] == []
