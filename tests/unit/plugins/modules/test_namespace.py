# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""namespace: names to ids, what is sent, and what check mode says of parents that are not there."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import namespace
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, run

BASE = "/api/vcenter/namespaces/instances"
V2, V1 = ("GET", f"{BASE}/v2/ns", None), ("GET", f"{BASE}/ns", None)
SUPERVISORS = ("GET", "/api/vcenter/namespace-management/supervisors/summaries", None)
ONE = {"items": [{"supervisor": "sv-id", "info": {"name": "sv", "config_status": "RUNNING", "kubernetes_status": "READY", "APIEndpoint": "10.0.0.1"}}]}
POLICIES = ("GET", "/api/vcenter/storage/policies", None, [{"policy": "p-1", "name": "gold"}])
CLASSES = ("GET", "/api/vcenter/namespace-management/virtual-machine-classes", None, [{"id": "small"}, {"id": "big"}])
FIND_LIBRARY = ("POST", "/api/content/library?action=find", {"name": "images"})
INFO = {
    "supervisor": "sv-id", "config_status": "RUNNING", "description": "", "storage_specs": [{"policy": "p-1", "limit": 100}],
    "vm_service_spec": {"vm_classes": ["small"], "content_libraries": ["lib-1"]}, "content_libraries": [{"content_library": "lib-1"}],
    "access_list": [], "messages": [],
}
ASKED = {"name": "ns", "supervisor": "sv", "storage_policies": [{"policy": "gold"}], "vm_classes": ["small"], "content_libraries": ["images"]}


def test_make() -> None:
    body = {
        "namespace": "ns", "supervisor": "sv-id", "storage_specs": [{"policy": "p-1"}],
        "vm_service_spec": {"vm_classes": ["small"], "content_libraries": ["lib-1"]},
    }
    result = run(namespace, (*V2, MISSING), (*V1, MISSING), POLICIES, (*SUPERVISORS, ONE), (*FIND_LIBRARY, ["lib-1"]), CLASSES,
                 ("POST", f"{BASE}/v2", body, (204, None)), (*V2, INFO), **ASKED)
    assert result["changed"] and result["namespace"]["config_status"] == "RUNNING"


def test_unchanged_and_a_limit_that_is_not_given_is_kept() -> None:
    result = run(namespace, (*V2, INFO), POLICIES, (*SUPERVISORS, ONE), (*FIND_LIBRARY, ["lib-1"]), CLASSES, **ASKED)
    assert not result["changed"]


def test_a_change_of_classes_keeps_the_libraries() -> None:
    body = {"vm_service_spec": {"vm_classes": ["big", "small"], "content_libraries": ["lib-1"]}}
    after = {**INFO, "vm_service_spec": {"vm_classes": ["small", "big"], "content_libraries": ["lib-1"]}}
    result = run(namespace, (*V2, INFO), CLASSES, ("PATCH", f"{BASE}/ns", body, (204, None)), (*V2, after), name="ns", vm_classes=["small", "big"])
    assert result["diff"]["before"]["vm_classes"] == ["small"] and result["diff"]["after"]["vm_classes"] == ["big", "small"]


def test_check_mode_without_the_supervisor_does_not_lie() -> None:
    script = [(*V2, MISSING), (*V1, MISSING), POLICIES, (*SUPERVISORS, {"items": []}), (*SUPERVISORS, {"items": []})]
    result = run(namespace, *script, check_mode=True, **ASKED)
    assert result["changed"] and "No Supervisor is called 'sv'" in result["unknown"][0]
    with pytest.raises(RayError, match="No Supervisor"):
        run(namespace, *script, **ASKED)


def test_a_wrong_class_is_told_before_anything_is_written() -> None:
    with pytest.raises(RayError, match="No VM class is called 'smal'. There is: small, big"):
        run(namespace, (*V2, INFO), CLASSES, name="ns", vm_classes=["smal"])


def test_another_supervisor_is_refused() -> None:
    other = {"items": [{"supervisor": "sv-2", "info": {"name": "sv"}}]}
    with pytest.raises(RayError, match="supervisor is 'sv-id', asked for 'sv-2'"):
        run(namespace, (*V2, INFO), (*SUPERVISORS, other), name="ns", supervisor="sv")


def test_remove_waits_until_it_is_gone() -> None:
    result = run(namespace, (*V2, INFO), ("DELETE", f"{BASE}/ns", None, (204, None)), (*V2, MISSING), (*V1, MISSING), name="ns", state="absent")
    assert result["changed"] and result["namespace"] is None


def test_one_that_is_going_is_not_removed_again_but_waited_for() -> None:
    going = {**INFO, "config_status": "REMOVING"}
    assert run(namespace, (*V2, going), (*V2, MISSING), (*V1, MISSING), name="ns", state="absent")["changed"]
    with pytest.raises(RayError, match="being removed"):
        run(namespace, (*V2, going), name="ns")


def test_a_supervisor_of_7_is_its_cluster() -> None:
    old = {"cluster": "domain-c9", **{k: v for k, v in INFO.items() if k != "supervisor"}}
    result = run(namespace, (*V2, MISSING), (*V1, MISSING), (*SUPERVISORS, MISSING),
                 ("GET", "/api/vcenter/namespace-management/clusters", None, [{"cluster": "domain-c9", "cluster_name": "c1"}]),
                 ("POST", BASE, {"namespace": "ns", "cluster": "domain-c9"}, (204, None)), (*V2, MISSING), (*V1, old), name="ns", supervisor="c1")
    assert result["namespace"]["supervisor"] == "domain-c9"
