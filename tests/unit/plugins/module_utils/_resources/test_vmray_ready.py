# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources import vmray_ready
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


HEAD, WORKER = {"node_id": "1", "node_ip": "10.0.0.1", "is_head": True}, {"node_id": "2", "node_ip": "10.0.0.2", "is_head": False}
SILENT = RayError("refused", code="CONNECTION")


def cluster(address: str | None = "10.0.0.9", least: int = 1) -> dict:
    return {"spec": {"common_node_config": {"available_node_types": {"w": {"min_workers": least}}}}, "status": {"vm_service_status": {"ip": address}}}


def test_ray_is_asked_over_one_connection_with_one_request_a_look() -> None:
    ray, asked = Scripted([("live_nodes", (), [HEAD]), ("live_nodes", (), [HEAD, WORKER]), ("live_nodes", (), SILENT), ("version", (), SILENT),
                           ("version", (), {"ray_version": "2.60.0"}), ("live_nodes", (), [HEAD]), ("close", (), None)]), []
    dashboard = vmray_ready.Dashboard(lambda url: asked.append(url) or ray)
    looks = [(dashboard.look(cluster()), dashboard.words(cluster())) for look in range(5)]
    dashboard.close()
    ray.done()
    assert asked == ["http://10.0.0.9:8265"]
    assert [good for (good, nodes), words in looks] == [False, True, False, False, False]
    lost = "Ray not answering any more; workers 0 of 1"
    assert [words for found, words in looks] == ["Ray answers; workers 0 of 1", "Ray answers; workers 1 of 1", lost, lost,
                                                 "Ray 2.60.0 answers; workers 0 of 1"]


@pytest.mark.parametrize("code", ["AUTH", "TLS", "PROXY"])
def test_what_does_not_come_with_time_is_told_at_once(code: str) -> None:
    with pytest.raises(RayError, match="refused"):
        vmray_ready.Dashboard(lambda url: Scripted([("live_nodes", (), RayError("refused", code=code))])).look(cluster())


def test_without_an_address_nobody_is_asked() -> None:
    assert vmray_ready.Dashboard(lambda url: pytest.fail("asked")).look(cluster(None)) == (False, [])


def test_another_address_is_another_connection() -> None:
    rays = [Scripted([("live_nodes", (), [HEAD]), ("close", (), None)]) for each in range(2)]
    left = list(rays)
    dashboard = vmray_ready.Dashboard(lambda url: left.pop(0))
    for address in ("10.0.0.9", "10.0.0.8"):
        assert dashboard.look(cluster(address, least=0)) == (True, [HEAD])
    dashboard.close()
    for ray in rays:
        ray.done()


def test_a_silent_address_that_holds_up_the_wait_is_left_alone_for_a_while() -> None:
    clock, asked = Clock(), []

    class Ray:
        def live_nodes(self) -> t.Any:
            asked.append(clock.now)
            clock.now += 3
            raise SILENT

        version = live_nodes

    dashboard = vmray_ready.Dashboard(lambda url: Ray(), clock)
    for look in range(20):
        dashboard.look(cluster())
        clock.now += 0.5
    assert asked == [0, 5, 10, 15, 20]


def resource(wanted: dict | None = None, current: dict | None = None, least: int = 1, tls: bool = True, **status: t.Any) -> dict:
    return {"metadata": {"name": "c", "namespace": "ns"},
            "spec": {"common_node_config": {"available_node_types": {"w": {"min_workers": least}}}, "enable_tls": tls,
                     "autoscaler_desired_workers": wanted or {}},
            "status": {"head_node_status": {"vm_status": "running", "ip": "10.0.0.1"}, "vm_service_status": {"ip": "10.0.0.9"},
                       "current_workers": current or {}, **status}}


UP = {"vm_status": "running", "ray_status": "running", "ip": "10.0.0.2"}
SECRETS = ("names", ("Secret", "ns"), ["c-hsecret", "c-tls"])


def evidence(raw: dict, *script: tuple) -> tuple[bool, list[str]]:
    """What it says at the second look, a moment after the first."""
    kube, clock = Scripted(list(script)), Clock()
    found = vmray_ready.Evidence(kube, clock)
    assert found.look(raw)[0] is False, "one read is never enough"
    clock.now += vmray_ready.APART
    answer = found.look(raw)
    kube.done()
    return answer


def test_a_certificate_and_running_machines_of_all_workers_are_the_best_evidence() -> None:
    assert evidence(resource({"c-w-1": "w"}, {"c-w-1": UP}), SECRETS) == (True, [
        "the machine of the head runs at 10.0.0.1, its service at 10.0.0.9", "the machines of all 1 workers run",
        "Ray on the head has stored its certificate in Secret c-tls", "the autoscaler has asked for workers: c-w-1"])


def test_two_good_reads_of_the_same_moment_are_one() -> None:
    found = vmray_ready.Evidence(Scripted([SECRETS]), Clock())
    assert [found.look(resource({"c-w-1": "w"}, {"c-w-1": UP}))[0] for look in range(3)] == [False, False, False]


def test_who_may_not_see_secrets_is_told_by_the_workers_that_are_asked_for() -> None:
    no = ("names", ..., RayError("forbidden", code="FORBIDDEN"))
    assert evidence(resource({"c-w-1": "w"}, {"c-w-1": UP}), no, no)[0]
    good, words = evidence(resource(least=0), no, no)
    assert not good and words[-1] == "nothing shows yet that Ray has started on the head"


def test_a_cluster_that_leaves_no_trace_is_believed_but_not_praised() -> None:
    good, words = evidence(resource(least=0, tls=False))
    assert good and "cannot be told" in words[-1]


@pytest.mark.parametrize(("raw", "words"), [
    (resource(head_node_status={"vm_status": "running"}), "the machine of the head does not run yet"),
    (resource(head_node_status={"vm_status": "initialized", "ip": "10.0.0.1"}), "the machine of the head does not run yet"),
    (resource(vm_service_status={}), "the cluster has no service address yet"),
    (resource(conditions=[{"type": "HeadNodeReady", "message": "no quota"}]), "the operator says HeadNodeReady: no quota"),
])
def test_without_a_head_no_secret_is_looked_for(raw: dict, words: str) -> None:
    good, found = evidence(raw)
    assert not good and words in found


@pytest.mark.parametrize(("wanted", "current", "words"), [
    ({}, {}, "machines of workers running: 0 of 1"),
    ({"a": "w", "b": "w"}, {"a": UP}, "machines of workers running: 1 of 2"),
    ({"a": "w"}, {"a": {**UP, "ray_status": "initialized"}}, "machines of workers running: 0 of 1"),
    ({"a": "w"}, {"a": UP, "z": UP}, "leaving: z"),
])
def test_workers_must_be_those_that_are_asked_for(wanted: dict, current: dict, words: str) -> None:
    assert evidence(resource(wanted, current), SECRETS)[1][-1] == words


def test_the_dashboard_may_be_elsewhere() -> None:
    asked = []
    ray = Scripted([("live_nodes", (), [HEAD, WORKER])])
    vmray_ready.Dashboard(lambda url: asked.append(url) or ray, url_of=lambda raw: "https://proxy/ray").look(cluster())
    assert asked == ["https://proxy/ray"]


def test_a_head_that_waits_for_the_load_balancer_is_told_so() -> None:
    raw = {"status": {"cluster_state": "unhealthy", "conditions": [{"type": "HeadNodeReady", "message": "Head node VM service IP is not assigned"}]}}
    assert vmray_ready.words(raw, vmray_ready.Dashboard(lambda url: None)) == "head VM not there yet; no service address from the load balancer yet"
