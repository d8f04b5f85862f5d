# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""namespace: names to ids, what is sent, and what check mode says of parents that are not there."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.modules import namespace
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, refusal, run

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


def test_unchanged_in_four_requests_and_a_limit_that_is_not_given_is_kept() -> None:
    result = run(namespace, (*V2, INFO), POLICIES, (*SUPERVISORS, ONE), (*FIND_LIBRARY, ["lib-1"]), **ASKED)
    assert not result["changed"]


def test_check_mode_shows_the_namespace_that_the_real_run_makes() -> None:
    look = [(*V2, MISSING), (*V1, MISSING), POLICIES, (*SUPERVISORS, ONE), (*FIND_LIBRARY, ["lib-1"]), CLASSES]
    new = {**INFO, "storage_specs": [{"policy": "p-1"}]}
    real = run(namespace, *look, ("POST", f"{BASE}/v2", ..., (204, None)), (*V2, new), **ASKED)["diff"]["after"]
    said = run(namespace, *look, check_mode=True, **ASKED)["diff"]["after"]
    assert said == {key: value for key, value in real.items() if key not in ("config_status", "messages", "networks", "zones")}


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
    with pytest.raises(RayError, match="being removed, and making it anew needs supervisor"):
        run(namespace, (*V2, going), name="ns")


def test_a_supervisor_of_7_is_its_cluster() -> None:
    old = {"cluster": "domain-c9", **{k: v for k, v in INFO.items() if k != "supervisor"}}
    result = run(namespace, (*V2, MISSING), (*V1, MISSING), (*SUPERVISORS, MISSING),
                 ("GET", "/api/vcenter/namespace-management/clusters", None, [{"cluster": "domain-c9", "cluster_name": "c1"}]),
                 ("POST", BASE, {"namespace": "ns", "cluster": "domain-c9"}, (204, None)), (*V2, MISSING), (*V1, old), name="ns", supervisor="c1")
    assert result["namespace"]["supervisor"] == "domain-c9"


VERSION = ("GET", "/sdk/vimServiceVersions.xml", None)
TOPOLOGY = ("GET", "/api/vcenter/namespace-management/supervisors/sv-id/topology", None,
            [{"zone": "z1", "clusters": ["c1"]}, {"zone": "z2", "clusters": ["c2"]}])
GONE = [(*V2, MISSING), (*V1, MISSING)]


def released(version: str) -> str:
    return f"<name>urn:vim25</name><version>{version}</version>"


def patched(asked: dict, body: dict, *look: tuple, before: dict | None = None) -> dict:
    """One PATCH with this body, and nothing else that is written."""
    before = before or INFO
    return run(namespace, (*V2, before), *look, ("PATCH", f"{BASE}/ns", body, (204, None)), (*V2, before), name="ns", **asked)


def test_one_class_less_is_one_patch_that_leaves_the_rest() -> None:
    two = {**INFO, "vm_service_spec": {"vm_classes": ["small", "big"], "content_libraries": ["lib-1"]}}
    patched({"vm_classes": ["small"]}, {"vm_service_spec": {"vm_classes": ["small"], "content_libraries": ["lib-1"]}}, before=two)


def test_without_purge_lists_only_add() -> None:
    both = ("GET", "/api/vcenter/storage/policies", None, [{"policy": "p-1", "name": "gold"}, {"policy": "p-2", "name": "silver"}])
    body = {"storage_specs": [{"policy": "p-1", "limit": 100}, {"policy": "p-2"}],
            "content_libraries": [{"content_library": "lib-1"}, {"content_library": "lib-2"}],
            "vm_service_spec": {"vm_classes": ["big", "small"], "content_libraries": ["lib-1", "lib-2"]}}
    patched({"vm_classes": ["big"], "storage_policies": [{"policy": "silver"}], "content_libraries": ["more"], "purge": False}, body,
            both, ("POST", "/api/content/library?action=find", {"name": "more"}, ["lib-2"]), CLASSES)
    assert not run(namespace, (*V2, INFO), name="ns", vm_classes=[], content_libraries=[], storage_policies=[], purge=False)["changed"]


def test_an_empty_list_detaches_all() -> None:
    patched({"vm_classes": []}, {"vm_service_spec": {"vm_classes": [], "content_libraries": ["lib-1"]}})


def test_a_limit_of_storage_is_changed_and_taken_away() -> None:
    patched({"storage_policies": [{"policy": "gold", "limit_mib": 7}]}, {"storage_specs": [{"policy": "p-1", "limit": 7}]}, POLICIES)
    patched({"storage_policies": [{"policy": "gold", "limit_mib": -1}]}, {"storage_specs": [{"policy": "p-1"}]}, POLICIES)


def test_limits_that_are_not_given_stay_and_one_that_goes_is_named() -> None:
    limited = {**INFO, "resource_spec": {"cpu_limit": 1000, "pod_count": 5, "unknown": 1}}
    patched({"limits": {"memory_mib": 64, "pods": -1}}, {"resource_spec": {"cpu_limit": 1000, "memory_limit": 64, "pod_count_unset": True}}, before=limited)
    result = run(namespace, (*V2, limited), name="ns", limits={"cpu_mhz": 1000, "memory_mib": -1})
    assert not result["changed"] and result["namespace"]["limits"]["pods"] == 5 and result["namespace"]["limits"]["jobs"] == -1


def test_limits_of_a_new_namespace() -> None:
    body = {"namespace": "ns", "supervisor": "sv-id", "resource_spec": {"pod_count": 0}, "description": "d", "networks": ["net"]}
    run(namespace, *GONE, (*SUPERVISORS, ONE), ("POST", f"{BASE}/v2", body, (204, None)), (*V2, INFO), name="ns", supervisor="sv", description="d",
        limits={"pods": 0, "jobs": -1}, networks=["net"])


@pytest.mark.parametrize("asked", [{"limits": {"pods": -2}}, {"storage_policies": [{"policy": "gold", "limit_mib": -5}]}])
def test_what_is_no_limit_is_told(asked: dict) -> None:
    with pytest.raises(RayError, match="which is no limit. Give a number from 0 on, or -1 to take the limit away"):
        run(namespace, (*V2, INFO), name="ns", **asked)


LIBRARIES = [{"content_library": "lib-1", "writable": False, "extra": 1}, {"content_library": "lib-w", "writable": True, "allow_import": True}]
WRITABLE = {**INFO, "content_libraries": LIBRARIES, "vm_service_spec": {"vm_classes": ["small"], "content_libraries": ["lib-1", "lib-w"]}}


def test_a_library_that_can_be_written_stays_as_it_is() -> None:
    body = {"content_libraries": [{"content_library": "lib-w", "writable": True, "allow_import": True}]}
    patched({"content_libraries": []}, body, before=WRITABLE)
    assert not run(namespace, (*V2, WRITABLE), (*FIND_LIBRARY, ["lib-1"]), name="ns", content_libraries=["images"])["changed"]


def test_before_8_0_2_libraries_go_with_the_classes() -> None:
    old = {key: value for key, value in INFO.items() if key != "content_libraries"}
    body = {"vm_service_spec": {"vm_classes": ["small"], "content_libraries": ["lib-2"]}}
    patched({"content_libraries": ["images"]}, body, (*FIND_LIBRARY, ["lib-2"]), before=old)


def test_ids_in_another_case_and_order_are_the_same() -> None:
    one, two = "aaaaaaaa-0000-1111-2222-333344445555", "bbbbbbbb-0000-1111-2222-333344445555"
    told = {**INFO, "supervisor": one.upper(), "storage_specs": [{"policy": two.upper(), "limit": 1}, {"policy": one.upper()}],
            "vm_service_spec": {"vm_classes": ["small", "big"], "content_libraries": [two.upper(), one.upper()]},
            "content_libraries": [{"content_library": two.upper()}, {"content_library": one.upper()}]}
    rows = ("GET", f"/api/vcenter/storage/policies?policies={one}", None, [{"policy": one, "name": "gold"}])
    more = ("GET", f"/api/vcenter/storage/policies?policies={two}", None, [{"policy": two, "name": "silver"}])
    mine = {"items": [{"supervisor": one, "info": {"name": "sv"}}]}
    found = [("GET", f"/api/content/library/{i}", None, {"id": i, "name": i}) for i in (one, two)]
    result = run(namespace, (*V2, told), rows, more, (*SUPERVISORS, mine), *found, name="ns", supervisor="sv", vm_classes=["big", "small"],
                 storage_policies=[{"policy": one}, {"policy": two}], content_libraries=[one, two])
    assert not result["changed"]


def test_zones_need_9_0() -> None:
    script = [*GONE, (*SUPERVISORS, ONE), (*VERSION, released("8.0.3.0"))]
    with pytest.raises(RayError, match="A namespace in zones needs vCenter 9.0; vc is 8.0.3"):
        run(namespace, *script, name="ns", supervisor="sv", zones=[{"name": "z1"}])


def test_a_namespace_in_zones() -> None:
    look = [*GONE, (*SUPERVISORS, ONE), (*VERSION, released("9.0.0.0")), TOPOLOGY]
    spec = {"name": "z1", "cpu_limit_MHz": 10, "vm_reservations": [{"reserved_vm_class": "small", "count": 2}]}
    zone = {"name": "z1", "cpu_limit_mhz": 10, "vm_reservations": [{"vm_class": "small", "count": 2}]}
    run(namespace, *look, ("POST", f"{BASE}/v2", {"namespace": "ns", "supervisor": "sv-id", "zones": [spec]}, (204, None)), (*V2, INFO),
        name="ns", supervisor="sv", zones=[zone])
    with pytest.raises(RayError, match="No zone of this Supervisor is called 'z3'. There is: z1, z2"):
        run(namespace, *look, name="ns", supervisor="sv", zones=[{"name": "z3"}])


def test_zones_are_added_and_left() -> None:
    now = {**INFO, "zones": [{"zone": "z1"}, {"zone": "z0", "marked_for_removal": True}]}
    look = [(*V2, now), (*VERSION, released("9.0.0.0")), TOPOLOGY]
    add = ("PATCH", f"{BASE}/ns", {"zones": [{"name": "z2"}]}, (204, None))
    assert run(namespace, *look, add, (*V2, now), name="ns", zones=[{"name": "z2"}], purge=False)["changed"]
    leave = ("DELETE", f"{BASE}/ns/zones/z1", None, (204, None))
    assert run(namespace, *look, add, leave, (*V2, now), name="ns", zones=[{"name": "z2"}])["changed"]
    assert not run(namespace, *look, name="ns", zones=[{"name": "z1"}])["changed"]


@pytest.mark.parametrize("name", ["Ray", "-ray", "ray_1", "r" * 64, "", "vmware-system-ray"])
def test_a_name_that_cannot_be_one_is_told_before_anything_is_asked(name: str) -> None:
    with pytest.raises(RayError, match="cannot be the name of a namespace"):
        run(namespace, name=name, supervisor="sv")


GOING = {**INFO, "config_status": "REMOVING"}
MAKE = ("POST", f"{BASE}/v2", {"namespace": "ns", "supervisor": "sv-id"})


def test_one_that_is_going_is_made_anew_when_it_has_gone() -> None:
    result = run(namespace, (*V2, GOING), (*SUPERVISORS, ONE), *GONE, (*MAKE, (204, None)), (*V2, INFO), name="ns", supervisor="sv")
    assert result["changed"] and result["diff"]["before"] == {}
    assert run(namespace, (*V2, GOING), (*SUPERVISORS, ONE), check_mode=True, name="ns", supervisor="sv")["changed"]
    with pytest.raises(RayError, match="still being removed.*wait: true"):
        run(namespace, (*V2, GOING), (*SUPERVISORS, ONE), name="ns", supervisor="sv", wait=False)


@pytest.mark.parametrize("answer", [
    refusal(500, "ERROR", "The namespace (ns) is in terminating status. Please wait until it is gone."),
    refusal(400, "ALREADY_EXISTS", "Namespace ns already exists."),
])
def test_a_name_that_kubernetes_has_not_let_go_of_is_waited_for(answer: tuple) -> None:
    look = GONE if answer[1]["error_type"] == "ALREADY_EXISTS" else []
    script = [*GONE, (*SUPERVISORS, ONE), (*MAKE, answer), *look]
    assert run(namespace, *script, (*MAKE, (204, None)), (*V2, INFO), name="ns", supervisor="sv", wait_timeout=5)["changed"]
    with pytest.raises(RayError, match="Waiting for the name ns to be free took more than 0 s"):
        run(namespace, *script, name="ns", supervisor="sv")


def test_one_that_goes_after_the_change_is_told() -> None:
    body = {"description": "d"}
    with pytest.raises(RayError, match="being removed by somebody else"):
        run(namespace, (*V2, INFO), ("PATCH", f"{BASE}/ns", body, (204, None)), (*V2, GOING), name="ns", description="d")


def test_a_removal_that_is_held_up_says_where_to_look() -> None:
    with pytest.raises(RayError, match="last seen: REMOVING.*kubectl get namespace ns -o yaml.*finalizers"):
        run(namespace, (*V2, GOING), (*V2, GOING), (*V2, GOING), name="ns", state="absent")


class Cluster:
    """The Kubernetes of a Supervisor, for looking only."""

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def get(self, kind: str, name: str) -> dict:
        assert (kind, name) == ("Namespace", "ns")
        told = {"status": "True", "message": "Finalizers remaining: x.y/z in 1 instances"}
        return {"status": {"conditions": [told, {"status": "False", "message": "Fine"}]}}


def test_what_holds_up_a_removal_is_told_with_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list = []
    monkeypatch.setattr(namespace.kube_login, "opener", lambda task: lambda host: asked.append(host) or Cluster())
    with pytest.raises(RayError, match="Kubernetes says: Finalizers remaining: x.y/z in 1 instances[.] Run it again"):
        run(namespace, (*V2, GOING), (*V2, GOING), (*V2, GOING), (*SUPERVISORS, ONE), name="ns", state="absent")
    assert asked == ["10.0.0.1"]


def test_one_that_somebody_else_removes_is_waited_for() -> None:
    refused = refusal(400, "NOT_ALLOWED_IN_CURRENT_STATE", "Namespace ns is being removed.")
    delete = ("DELETE", f"{BASE}/ns", None, refused)
    assert run(namespace, (*V2, INFO), delete, (*V2, GOING), *GONE, name="ns", state="absent")["changed"]
    with pytest.raises(RayError, match="being removed"):
        run(namespace, (*V2, INFO), delete, (*V2, INFO), name="ns", state="absent")


def test_what_another_client_has_made_meanwhile_keeps_what_was_not_asked_for() -> None:
    """The new one is not emptied, and what is asked for is laid over it."""
    exists = refusal(400, "ALREADY_EXISTS", "Namespace ns already exists.")
    theirs = {**INFO, "description": "theirs", "resource_spec": {"cpu_limit": 10}}
    body = {"namespace": "ns", "supervisor": "sv-id", "resource_spec": {"pod_count": 5}}
    script = [*GONE, (*SUPERVISORS, ONE), ("POST", f"{BASE}/v2", body, exists), (*V2, theirs), (*V2, theirs),
              ("PATCH", f"{BASE}/ns", {"resource_spec": {"cpu_limit": 10, "pod_count": 5}}, (204, None)), (*V2, theirs)]
    assert run(namespace, *script, name="ns", supervisor="sv", limits={"pods": 5}, wait_timeout=5)["changed"]
