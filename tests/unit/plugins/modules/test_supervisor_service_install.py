# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""supervisor_service_install: the path that vCenter knows, refusals that mean "not yet", and when it is done."""

from __future__ import annotations

import base64
import contextlib
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import kube_login
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources import supervisor_service_install as resource
from ansible_collections.vcf.ray.plugins.modules import supervisor_service_install
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, refusal, run, task_for, vcenter
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

BASE = "/api/vcenter/namespace-management"
SUPERVISORS = ("GET", f"{BASE}/supervisors/summaries", None)
ONE = {"items": [{"supervisor": "sv-id", "info": {"name": "sv"}}]}
V2 = f"{BASE}/supervisors/sv-id/supervisor-services"
LIST, GET = ("GET", V2, None), ("GET", f"{V2}/ray", None)
ROWS = {"supervisor_services": [{"supervisor_service": "ray"}]}
NONE = {"supervisor_services": []}
CATALOGUE = ("GET", f"{BASE}/supervisor-services/ray", None)
VERSIONS = ("GET", f"{BASE}/supervisor-services/ray/versions", None,
            [{"version": v, "state": s} for v, s in (("0.9.0", "ACTIVATED"), ("0.10.0", "ACTIVATED"), ("1.0.0", "DEACTIVATED"))])
KNOWN = [(*CATALOGUE, {"state": "ACTIVATED"}), VERSIONS]
ASKED = {"supervisor": "sv", "service": "ray"}
START = [(*SUPERVISORS, ONE), (*LIST, NONE), *KNOWN]


def release(number: str) -> tuple:
    """vCenter tells its release, which is asked for only before something is installed."""
    return "GET", "/sdk/vimServiceVersions.xml", None, f"<name>urn:vim25</name><version>{number}</version>"


OLD = release("8.0.1.0")
CHECKED = ("GET", f"{V2}/ray/versions/0.10.0/precheck", None)
PRECHECK = ("POST", f"{V2}/ray?action=precheck", {"target_version": "0.10.0"})
POST = ("POST", V2, {"supervisor_service": "ray", "version": "0.10.0"})


def info(current: str = "0.10.0", desired: str = "0.10.0", status: str = "CONFIGURED", **more: object) -> dict:
    return {"current_version": current, "desired_version": desired, "config_status": status, "service_namespace": "svc-ray-1", "messages": [], **more}


THERE = [(*LIST, ROWS), (*GET, info())]


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    # The default of until() was bound before.
    monkeypatch.setitem(resource.ride_out.__globals__["_wait"].until.__kwdefaults__, "sleep", lambda seconds: None)


def test_install_takes_the_newest_version() -> None:
    result = run(supervisor_service_install, *START, OLD, (*POST, (201, None)), *THERE, **ASKED)
    assert result["changed"] and result["supervisor_service_install"]["service_namespace"] == "svc-ray-1"
    assert result["supervisor_service_install"]["pod"] == "not_checked"


@pytest.mark.parametrize(("status", "text"), [
    (404, "The service account is not ready. Please try again later"),
    (500, "Failed to run compatibility check"),
    (500, "signature verification result not found"),
    (500, "The namespace (svc-ray-1) is in terminating status"),
])
def test_not_yet_is_ridden_out(status: int, text: str) -> None:
    result = run(supervisor_service_install, *START, OLD, (*POST, refusal(status, "ERROR", text)), (*LIST, NONE), (*POST, (201, None)),
                 *THERE, **ASKED, wait_timeout=60)
    assert result["changed"]


def test_a_refusal_that_was_carried_out_is_not_repeated() -> None:
    refused = refusal(500, "ERROR", "Failed to run compatibility check")
    assert run(supervisor_service_install, *START, OLD, (*POST, refused), *THERE, *THERE, **ASKED)["changed"]


def test_any_other_refusal_fails_at_once() -> None:
    with pytest.raises(RayError, match="No such thing"):
        run(supervisor_service_install, *START, OLD, (*POST, refusal(400, "INVALID_ARGUMENT", "No such thing.")), **ASKED)


def test_unchanged() -> None:
    assert not run(supervisor_service_install, (*SUPERVISORS, ONE), *THERE, **ASKED)["changed"]


def test_done_is_the_version_asked_for_with_its_namespace() -> None:
    busy = [(*LIST, ROWS), (*GET, info("0.9.0", "0.10.0"))]
    done = run(supervisor_service_install, (*SUPERVISORS, ONE), *busy, *busy, *THERE, **ASKED, wait_timeout=60)
    assert done["supervisor_service_install"]["current_version"] == "0.10.0"


def test_a_change_of_version_keeps_the_configuration() -> None:
    kept = base64.b64encode(b"a: 1").decode()
    old = info("0.9.0", "0.9.0", yaml_service_config=kept)
    result = run(supervisor_service_install, (*SUPERVISORS, ONE), (*LIST, ROWS), (*GET, old), *KNOWN, OLD, (*GET, old),
                 ("PUT", f"{V2}/ray", {"version": "0.10.0", "yaml_service_config": kept}, (204, None)), *THERE, **ASKED, version="0.10.0")
    assert result["changed"] and "a: 1" not in str(result)


def test_a_configuration_is_compared_by_its_values() -> None:
    theirs = base64.b64encode(b'{"b": 2, "a": 1}').decode()
    there = [(*LIST, ROWS), (*GET, info(yaml_service_config=theirs))]
    assert not run(supervisor_service_install, (*SUPERVISORS, ONE), *there, **ASKED, yaml_service_config={"a": 1, "b": 2})["changed"]


def test_the_older_path_is_that_of_the_cluster() -> None:
    v1 = f"{BASE}/clusters/domain-c9/supervisor-services"
    topology = ("GET", f"{BASE}/supervisors/sv-id/topology", None, [{"clusters": ["domain-c9"]}])
    result = run(supervisor_service_install, (*SUPERVISORS, ONE), (*LIST, MISSING), topology, ("GET", v1, None, []), *KNOWN, OLD,
                 ("POST", v1, POST[2], (204, None)), ("GET", v1, None, ROWS["supervisor_services"]), ("GET", f"{v1}/ray", None, info()), **ASKED)
    assert result["changed"]


def test_check_mode_says_what_is_missing() -> None:
    script = [(*SUPERVISORS, {"items": []})] * 3
    assert "No Supervisor" in run(supervisor_service_install, *script, check_mode=True, **ASKED)["unknown"][0]
    script = [(*SUPERVISORS, ONE), (*LIST, NONE), (*CATALOGUE, MISSING), OLD, ("GET", f"{BASE}/supervisor-services", None, [])]
    assert "No Supervisor service" in run(supervisor_service_install, *script, check_mode=True, **ASKED)["unknown"][0]


def test_a_deactivated_version_is_refused() -> None:
    with pytest.raises(RayError, match="1.0.0 of ray is DEACTIVATED"):
        run(supervisor_service_install, *START, **ASKED, version="1.0.0")


def test_remove() -> None:
    result = run(supervisor_service_install, (*SUPERVISORS, ONE), *THERE, ("DELETE", f"{V2}/ray", None, (204, None)), (*LIST, NONE), **ASKED,
                 state="absent")
    assert result["changed"]
    assert not run(supervisor_service_install, (*SUPERVISORS, {"items": []}), **ASKED, state="absent")["changed"]


def test_what_another_client_is_removing_is_removed() -> None:
    refused = ("DELETE", f"{V2}/ray", None, refusal(400, "NOT_ALLOWED_IN_CURRENT_STATE", "It is being removed."))
    assert run(supervisor_service_install, (*SUPERVISORS, ONE), *THERE, refused, (*GET, info(status="REMOVING")), (*LIST, NONE), **ASKED,
               state="absent")["changed"]
    with pytest.raises(RayError, match="being removed"):
        run(supervisor_service_install, (*SUPERVISORS, ONE), *THERE, refused, (*GET, info()), **ASKED, state="absent")


def test_versions_are_ordered_by_their_numbers() -> None:
    assert sorted(["0.10.0", "0.9.0", "0.10.0-rc1"], key=resource.version_key) == ["0.9.0", "0.10.0-rc1", "0.10.0"]


def test_a_precheck_comes_before_the_install() -> None:
    fits = {"target_version": "0.10.0", "status": "COMPATIBLE", "precheck_finish_time": "2"}
    result = run(supervisor_service_install, *START, release("8.0.3.0"), (*CHECKED, MISSING), (*PRECHECK, (202, "task")), (*CHECKED, MISSING), (*LIST, NONE),
                 (*CHECKED, fits), (*POST, (201, None)), *THERE, **ASKED, wait_timeout=60)
    assert result["precheck"] == "COMPATIBLE"


def test_a_result_that_another_client_has_used_up_is_not_waited_for() -> None:
    """Two runs at the same moment: the install of the one takes the result of the other away."""
    there = refusal(400, "ALREADY_EXISTS", "It is installed.")
    result = run(supervisor_service_install, *START, release("9.1.0.0"), (*CHECKED, MISSING), (*PRECHECK, (204, None)), (*CHECKED, MISSING), *THERE,
                 (*POST, there), *THERE, *THERE, **ASKED, wait_timeout=60)
    assert result["changed"]


def test_what_does_not_fit_is_told_and_not_installed() -> None:
    message = {"severity": "ERROR", "details": {"default_message": "Kubernetes 1.30 is needed."}}
    old = {"target_version": "0.10.0", "status": "INCOMPATIBLE", "precheck_finish_time": "1", "status_messages": []}
    new = {**old, "precheck_finish_time": "2", "status_messages": [message]}
    with pytest.raises(RayError, match="0.10.0 of ray does not fit the Supervisor sv-id: ERROR: Kubernetes 1.30 is needed.") as caught:
        run(supervisor_service_install, *START, release("9.1.0.0"), (*CHECKED, old), (*PRECHECK, (204, None)), (*CHECKED, old), (*CHECKED, new),
            **ASKED, wait_timeout=60)
    assert "Nothing was installed" in caught.value.hint


def test_the_platform_may_not_be_ready_for_a_precheck_either() -> None:
    not_yet = refusal(500, "ERROR", "signature verification result not found for Supervisor Service ray/0.10.0 on Supervisor sv-id")
    fits = {"target_version": "0.10.0", "status": "COMPATIBLE", "precheck_finish_time": "2"}
    assert run(supervisor_service_install, *START, release("9.1.0.0"), (*CHECKED, MISSING), (*PRECHECK, not_yet), (*PRECHECK, (202, "task")),
               (*CHECKED, fits), (*POST, (201, None)), *THERE, **ASKED, wait_timeout=60)["changed"]


def test_any_failure_inside_vcenter_may_have_installed_it() -> None:
    failed = refusal(500, "INTERNAL_SERVER_ERROR", "Unexpected.")
    assert run(supervisor_service_install, *START, OLD, (*POST, failed), *THERE, *THERE, **ASKED)["changed"]
    with pytest.raises(RayError, match="Unexpected"):
        run(supervisor_service_install, *START, OLD, (*POST, failed), (*LIST, NONE), **ASKED)


def test_a_change_that_failed_may_have_been_made() -> None:
    old = info("0.9.0", "0.9.0")
    put = ("PUT", f"{V2}/ray", {"version": "0.10.0"}, refusal(500, "ERROR", "Unexpected."))
    assert run(supervisor_service_install, (*SUPERVISORS, ONE), (*LIST, ROWS), (*GET, old), *KNOWN, OLD, (*GET, old), put, (*GET, info()), *THERE,
               **ASKED, version="0.10.0")["changed"]


def test_another_version_that_somebody_asked_for_meanwhile_is_not_ours() -> None:
    with pytest.raises(RayError, match="took more than 0 s"):
        run(supervisor_service_install, *START, OLD, (*POST, (201, None)), (*LIST, ROWS), (*GET, info("1.0.0", "1.0.0")), (*LIST, ROWS),
            (*GET, info("1.0.0", "1.0.0")), **ASKED)


def test_an_error_that_stays_leads_to_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "ERROR_PATIENCE", 0)
    text = "Reason: ReconcileFailed. Message: vendir: Error: Syncing directory '0': Fetching image: MANIFEST_UNKNOWN: manifest unknown"
    broken = info("", "0.10.0", "ERROR", messages=[{"severity": "ERROR", "details": {"default_message": text}}])
    with pytest.raises(RayError, match="MANIFEST_UNKNOWN") as caught:
        run(supervisor_service_install, (*SUPERVISORS, ONE), (*LIST, ROWS), (*GET, broken), **ASKED)
    assert "it is not there" in caught.value.hint and "imgpkg copy" in caught.value.hint


def test_values_that_an_error_quotes_are_not_shown() -> None:
    text = "Reason: ReconcileFailed. Message: ytt: Error: values.yaml: | 1 | size: planted | = found: string = expected: integer (by schema.yml:4)"
    broken = info("", "0.10.0", "ERROR", messages=[{"severity": "ERROR", "details": {"default_message": text}}])
    with pytest.raises(RayError, match="The value size is a string and has to be an integer") as caught:
        run(supervisor_service_install, (*SUPERVISORS, ONE), (*LIST, ROWS), (*GET, broken), (*LIST, ROWS), (*GET, broken), **ASKED)
    assert "planted" not in str(caught.value)


def test_carvel_services_need_their_release() -> None:
    script = [(*SUPERVISORS, ONE), (*LIST, NONE), (*CATALOGUE, MISSING), release("7.0.3.0")]
    with pytest.raises(RayError, match="needs vCenter 8.0.1; vc is 7.0.3"):
        run(supervisor_service_install, *script, **ASKED)


@pytest.mark.parametrize("written", [{"a": 1, "b": [2]}, "a: 1\nb: [2]\n", '{"b": [2], "a": 1}'])
def test_a_configuration_may_be_written_in_many_ways(written: t.Any) -> None:
    theirs = base64.b64encode(b"# theirs\nb:\n- 2\na: 1\n").decode()
    there = [(*LIST, ROWS), (*GET, info(yaml_service_config=theirs))]
    assert not run(supervisor_service_install, (*SUPERVISORS, ONE), *there, **ASKED, yaml_service_config=written)["changed"]


def test_a_text_is_sent_as_it_is_and_never_shown() -> None:
    text, kept = "# mine\npassword: planted\n", base64.b64encode(b"a: 1").decode()
    sent = base64.b64encode(text.encode()).decode()
    old = [(*LIST, ROWS), (*GET, info(yaml_service_config=kept))]
    put = ("PUT", f"{V2}/ray", {"version": "0.10.0", "yaml_service_config": sent}, (204, None))
    new = [(*LIST, ROWS), (*GET, info(yaml_service_config=sent))]
    result = run(supervisor_service_install, (*SUPERVISORS, ONE), *old, OLD, put, *new, **ASKED,
                 yaml_service_config=text)
    assert result["changed"] and "planted" not in str(result)
    checked = run(supervisor_service_install, (*SUPERVISORS, ONE), *old, OLD, **ASKED, yaml_service_config=text, check_mode=True)
    assert checked["diff"] == result["diff"] and "planted" not in str(checked)


def test_values_can_be_taken_away() -> None:
    there = [(*LIST, ROWS), (*GET, info(yaml_service_config=base64.b64encode(b"a: 1").decode()))]
    put = ("PUT", f"{V2}/ray", {"version": "0.10.0", "yaml_service_config": base64.b64encode(b"{}").decode()}, (204, None))
    gone = [(*LIST, ROWS), (*GET, info(yaml_service_config=base64.b64encode(b"{}").decode()))]
    assert run(supervisor_service_install, (*SUPERVISORS, ONE), *there, OLD, put, *gone, **ASKED, yaml_service_config={})["changed"]
    assert not run(supervisor_service_install, (*SUPERVISORS, ONE), *gone, **ASKED, yaml_service_config={})["changed"]
    assert not run(supervisor_service_install, (*SUPERVISORS, ONE), *THERE, **ASKED, yaml_service_config={})["changed"]


@pytest.mark.parametrize(("config", "words"), [
    ("password: 'planted", "is no YAML: line 1, column"), ("planted", "but no map"), ("- planted", "but no map"), (["planted"], "has to be a map"),
])
def test_a_configuration_that_is_none_is_not_repeated(config: t.Any, words: str) -> None:
    with pytest.raises(RayError, match=words) as caught:
        run(supervisor_service_install, **ASKED, yaml_service_config=config)
    assert "planted" not in str(caught.value)


RAY = "ray-on-vcf.broadcom.com"
LOGIN = {"supervisor_login": {"username": "me", "password": "secret"}}
RAYS = [(*LIST, {"supervisor_services": [{"supervisor_service": RAY}]}), ("GET", f"{V2}/{RAY}", None, info())]
AT = {"items": [{"supervisor": "sv-id", "info": {"name": "sv", "APIEndpoint": "10.0.0.5"}}]}
LABELS = {"control-plane": "vmray-controller-manager"}
CLUSTERS = "vmray.broadcom.com/v1alpha1/vmrayclusters"


def pod(name: str = "op-1", phase: str = "Running", ready: bool = True, **state: t.Any) -> dict:
    return {"metadata": {"name": name}, "status": {"phase": phase, "containerStatuses": [{"name": "c", "ready": ready, "state": state}]}}


def inside(monkeypatch: pytest.MonkeyPatch, *script: tuple) -> list[str]:
    """A Supervisor that follows a script; returns where it was looked for."""
    opened, client = [], Scripted(list(script))

    @contextlib.contextmanager
    def opener(address: str) -> t.Iterator[Scripted]:
        opened.append(address)
        yield client
        client.done()

    monkeypatch.setattr(kube_login, "opener", lambda task: opener)
    return opened


def test_with_a_login_the_operators_pod_has_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = [("list", ("Pod", "svc-ray-1", LABELS), rows) for rows in (
        [], [pod(phase="Pending", ready=False, waiting={"reason": "ContainerCreating"})], [pod(), {**pod("op-0", "Failed"), "metadata": {
            "name": "op-0", "deletionTimestamp": "now"}}])]
    opened = inside(monkeypatch, *seen)
    result = run(supervisor_service_install, (*SUPERVISORS, AT), *RAYS, *RAYS, *RAYS, supervisor="sv", service=RAY, wait_timeout=60, **LOGIN)
    assert not result["changed"] and opened == ["10.0.0.5"]
    assert result["supervisor_service_install"]["pod"] == "running" and result["supervisor_service_install"]["pods"] == ["op-1"]


def test_a_pod_that_does_not_come_up_is_told_with_its_events(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = pod(phase="Pending", ready=False, waiting={"reason": "ImagePullBackOff", "message": "Back-off pulling image r/x:1"})
    listed = ("list", ("Pod", "svc-ray-1", LABELS), [waiting])
    events = [{"type": "Warning", "reason": "Failed", "message": "denied", "lastTimestamp": "2", "involvedObject": {"kind": "Pod", "name": "op-1"}},
              {"type": "Normal", "reason": "Pulling"}]
    inside(monkeypatch, listed, listed, listed, ("list", ("Event", "svc-ray-1"), events))
    with pytest.raises(RayError) as caught:
        run(supervisor_service_install, (*SUPERVISORS, AT), *RAYS, *RAYS, supervisor="sv", service=RAY, **LOGIN)
    assert "pods: op-1 ImagePullBackOff" in caught.value.message
    assert "Pod op-1: c waiting ImagePullBackOff Back-off pulling image r/x:1. Events: Pod op-1: Failed: denied." in caught.value.message
    assert "The image r/x:1 cannot be fetched from the registry: it refuses the Supervisor's login, or was given none." in caught.value.message


@pytest.mark.parametrize(("pods", "words"), [([pod()], "Its pods in namespace svc-ray-1 run."), ([], "carries control-plane=vmray-controller-manager.")])
def test_beside_vcenters_error_stands_what_the_pods_do(monkeypatch: pytest.MonkeyPatch, pods: list[dict], words: str) -> None:
    monkeypatch.setattr(resource, "ERROR_PATIENCE", 0)
    inside(monkeypatch, ("list", ("Pod", "svc-ray-1", LABELS), pods), ("list", ("Event", "svc-ray-1"), []))
    broken = info("", "0.10.0", "ERROR", messages=[{"severity": "ERROR", "details": {"default_message": "Failed."}}])
    with pytest.raises(RayError, match="ERROR: Failed") as caught:
        run(supervisor_service_install, (*SUPERVISORS, AT), RAYS[0], (*RAYS[1][:3], broken), supervisor="sv", service=RAY, **LOGIN)
    assert words in caught.value.message


def test_pods_of_a_service_that_is_not_known_are_those_with_the_labels_given(monkeypatch: pytest.MonkeyPatch) -> None:
    inside(monkeypatch, ("list", ("Pod", "svc-ray-1", {"app": "x"}), [pod()]))
    found = run(supervisor_service_install, (*SUPERVISORS, AT), *THERE, **ASKED, pod_labels={"app": "x"}, **LOGIN)
    assert found["supervisor_service_install"]["pod"] == "running"
    inside(monkeypatch)
    assert run(supervisor_service_install, (*SUPERVISORS, AT), *THERE, **ASKED, **LOGIN)["supervisor_service_install"]["pod"] == "not_checked"


@pytest.mark.parametrize("check_mode", [True, False])
def test_all_missing_apis_are_told_before_the_install(monkeypatch: pytest.MonkeyPatch, check_mode: bool) -> None:
    inside(monkeypatch, ("apis", (), {"vmoperator.vmware.com/v1alpha1", "apps/v1"}))
    wanted = ["vmoperator.vmware.com/v1alpha2", "cert-manager.io/v1", "apps/v1"]
    with pytest.raises(RayError, match="not serve vmoperator.vmware.com/v1alpha2, cert-manager.io/v1, which ray needs .of those groups it has vmoperator"):
        run(supervisor_service_install, (*SUPERVISORS, AT), (*LIST, NONE), *KNOWN, **ASKED, required_apis=wanted, check_mode=check_mode, **LOGIN)


def test_apis_are_served_or_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(supervisor_service_install, (*SUPERVISORS, AT), *THERE, **ASKED, required_apis=["apps/v1"])["required_apis"] == "not_checked"
    inside(monkeypatch, ("apis", (), {"apps/v1"}))
    assert run(supervisor_service_install, (*SUPERVISORS, AT), *THERE, **ASKED, required_apis=["apps/v1"], **LOGIN)["required_apis"] == "served"


REMOVED = [("DELETE", f"{V2}/{RAY}", None, (204, None)), (*LIST, NONE)]
GOING: dict[str, t.Any] = {"supervisor": "sv", "service": RAY, "state": "absent"}


def test_a_service_with_living_clusters_is_not_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"metadata": {"namespace": "team", "name": f"c{n}"}} for n in range(2)]
    inside(monkeypatch, ("everywhere", (CLUSTERS,), rows))
    with pytest.raises(RayError, match="still has work: vmrayclusters team/c0, vmrayclusters team/c1.") as caught:
        run(supervisor_service_install, (*SUPERVISORS, AT), *RAYS, **GOING, **LOGIN)
    assert caught.value.code == "RESOURCE_IN_USE"
    inside(monkeypatch, ("everywhere", (CLUSTERS,), []))
    assert run(supervisor_service_install, (*SUPERVISORS, AT), *RAYS, *REMOVED, **GOING, **LOGIN)["clusters"] == "none"
    inside(monkeypatch, ("everywhere", (CLUSTERS,), rows))
    result = run(supervisor_service_install, (*SUPERVISORS, AT), *RAYS, **GOING, **LOGIN, check_mode=True)
    assert result["changed"] and result["clusters"] == "living" and "team/c0" in result["unknown"][0]


def test_without_a_login_a_warning_says_that_nobody_has_looked() -> None:
    warned: list[str] = []
    client, http = vcenter((*SUPERVISORS, AT), *RAYS, *REMOVED)
    task = task_for(supervisor_service_install, **GOING)
    task.warn = warned.append
    assert supervisor_service_install.ensure(task, client)["clusters"] == "not_checked"
    http.done()
    assert len(warned) == 1 and CLUSTERS in warned[0]
    assert "clusters" not in run(supervisor_service_install, (*SUPERVISORS, AT), (*LIST, NONE), **GOING)
    assert "clusters" not in run(supervisor_service_install, (*SUPERVISORS, AT), *RAYS, *REMOVED, **GOING, guard_kinds=[])


@pytest.mark.parametrize("option", [{"required_apis": ["cert-manager"]}, {"guard_kinds": ["VMRayCluster"]}])
def test_a_misspelt_api_or_kind_is_refused_before_anything_is_asked(option: dict) -> None:
    with pytest.raises(RayError, match="names no API") as caught:
        run(supervisor_service_install, **ASKED, **option)
    assert "Write it as " in caught.value.hint


def test_an_account_without_a_right_hears_which_are_meant() -> None:
    denied = refusal(403, "UNAUTHORIZED", "Denied.")
    for script, words in [([(*SUPERVISORS, denied)], "the privileges Namespaces.Manage and SupervisorServices.Install on"),
                          ([(*SUPERVISORS, ONE), (*LIST, denied)], "the privileges Namespaces.Manage and SupervisorServices.Install on"),
                          ([*START, OLD, (*POST, denied)], "the privilege SupervisorServices.Install on")]:
        with pytest.raises(RayError) as caught:
            run(supervisor_service_install, *script, **ASKED)
        assert words in caught.value.hint
