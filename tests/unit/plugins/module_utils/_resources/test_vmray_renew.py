# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exact conversations of a replacement of a head: when it is due, what is removed in which order, and what a run that was cut short leaves."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils import _wait
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources import vmray_ages, vmray_renew
from ansible_collections.vcf.ray.plugins.module_utils._resources.vmray_renew import Renewal
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted

# Seconds since 1970, of today and of the ends of what is young.
TODAY = 1_800_000_000.0
DAY, YEAR = 86400.0, 365 * 86400.0
WITHIN = 2 * DAY
HEAD, OLD, NEW = "c-h-abcde", "uid-1", "uid-2"
RAW = {
    "metadata": {"name": "c", "namespace": "ns", "labels": {"vmray.kubernetes.io/head-nounce": "abcde"}},
    "spec": {"autoscaler_desired_workers": {"c-w-1": "w", "c-w-2": "w"}},
}


class Clock:
    """Time goes on only while somebody sleeps."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    passing = Clock()
    monkeypatch.setattr(_wait.until, "__kwdefaults__", {**_wait.until.__kwdefaults__, "sleep": passing.sleep})
    # A certificate stands for its end.
    monkeypatch.setattr(vmray_ages, "certificate_end", lambda data: data)
    return passing


def stamp(minute: float) -> str | None:
    return vmray_ages.stamp(TODAY + minute * 60)


def machine(name: str = HEAD, uid: str = OLD, made: float = 1, leaving: bool = False) -> dict:
    return {"metadata": {"name": name, "uid": uid, "creationTimestamp": stamp(made), **({"deletionTimestamp": stamp(9)} if leaving else {})}}


def boot(end: float, made: float = 1) -> dict:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": end}).encode()).decode().rstrip("=")
    data = base64.b64encode(f"SVC_ACCOUNT_TOKEN=e30.{claims}.c2ln\n".encode())
    return {"metadata": {"creationTimestamp": stamp(made)}, "data": {"user-data": base64.b64encode(data).decode()}}


def secret(made: float, **data: t.Any) -> dict:
    return {"metadata": {"creationTimestamp": stamp(made)}, "data": {key.replace("_", "."): value for key, value in data.items()}}


def held(**other: t.Any) -> dict:
    """The secrets of a cluster that is in order; the authority is the oldest, the data of workers the youngest."""
    young = {"authority": secret(0, ca_cert=TODAY + 9 * YEAR), "hsecret": boot(TODAY + 7 * DAY), "wsecret": secret(2), "tls": secret(2, tls_crt=TODAY + YEAR)}
    return {**young, **other}


def renewal(script: list, ray: Scripted | None = None, clock: Clock | None = None) -> tuple[Renewal, Scripted]:
    kube = Scripted(script)
    return Renewal(kube, "ns", "c", lambda url: ray, clock or Clock(), today=lambda: TODAY), kube


def why(machines: list, **other: t.Any) -> str | None:
    """What ``due`` says of these machines and secrets."""
    rows = held(**other)
    names = {"authority": "root-cert", "hsecret": "hsecret", "wsecret": "wsecret", "tls": "tls"}
    reads = [("get", ("Secret", f"c-{name}", "ns"), rows[key]) for key, name in names.items()]
    found, kube = renewal([("list", ("VirtualMachine", "ns"), machines), *(reads if any(m["metadata"]["name"] == HEAD for m in machines) else [])])
    answer = found.due(RAW, WITHIN)
    kube.done()
    return answer


def test_a_young_cluster_is_not_due() -> None:
    assert why([machine(), machine("c-w-1", made=3), machine("c-w-2", made=3)]) is None


def test_a_cluster_without_tls_has_no_certificate_to_end() -> None:
    assert why([machine()], tls=None) is None


@pytest.mark.parametrize(("secrets", "words"), [
    ({"hsecret": boot(TODAY + WITHIN - 1)}, "the token of its head ends at 2027-01-17T07:59:59Z"),
    ({"hsecret": boot(TODAY - 1)}, "the token of its head has ended at 2027-01-15T07:59:59Z"),
    ({"tls": secret(2, tls_crt=TODAY + DAY)}, "the certificate of its head ends at 2027-01-16T08:00:00Z"),
    ({"authority": secret(0, ca_cert=TODAY + DAY)}, "the authority of its certificates ends at 2027-01-16T08:00:00Z"),
])
def test_what_ends_soon_is_due(secrets: dict, words: str) -> None:
    assert why([machine()], **secrets) == words


@pytest.mark.parametrize(("secrets", "words"), [
    ({"hsecret": None}, "Secret c-hsecret is gone, and the machine of the head is still the one that was made of it"),
    ({"hsecret": boot(TODAY + 7 * DAY, made=2)}, "the machine of the head is older than Secret c-hsecret"),
    ({"wsecret": secret(0)}, "Secret c-wsecret, of which workers are made, is older than the head"),
    ({"authority": None}, "Secret c-root-cert is not the authority any more with which the head was made"),
    ({"authority": secret(2)}, "Secret c-root-cert is not the authority any more with which the head was made"),
])
def test_secrets_that_do_not_fit_tell_of_a_replacement_that_was_cut_short(secrets: dict, words: str) -> None:
    assert why([machine()], **secrets) == words


def test_so_does_a_head_that_is_being_removed_and_a_worker_that_is_older_than_its_head() -> None:
    assert why([machine(leaving=True)]) == "the machine of the head is being removed"
    assert why([machine(), machine("c-w-2", made=0), machine("d-w-1", made=0)]) == "the workers c-w-2 are of an earlier head"


def test_without_a_head_the_operator_is_about_to_make_one() -> None:
    assert why([]) is None


JOBS = [{"type": "SUBMISSION", "submission_id": "b", "status": "RUNNING"}, {"type": "SUBMISSION", "submission_id": "a", "status": "PENDING"},
        {"type": "DRIVER", "submission_id": None, "job_id": "02000000", "status": "SUCCEEDED"}]


def test_the_jobs_are_waited_for_over_one_connection() -> None:
    ray = Scripted([("jobs", (), JOBS), ("jobs", (), JOBS[2:]), ("close", (), None)])
    renewal([], ray)[0].drain("http://10.0.0.9:8265", 600)
    ray.done()


def test_who_gives_up_names_the_jobs_and_has_changed_nothing(clock: Clock) -> None:
    ray = Scripted([*[("jobs", (), JOBS)] * 4, ("close", (), None)])
    with pytest.raises(RayError, match="not replaced, nothing was changed: .*took more than 1 s .*not ended: a PENDING, b RUNNING") as caught:
        renewal([], ray, clock)[0].drain("http://10.0.0.9:8265", 0.9)
    assert caught.value.code == "TIMEOUT" and "drain_timeout 0" in (caught.value.hint or "")
    ray.done()


def test_a_ray_that_does_not_answer_may_run_anything(clock: Clock) -> None:
    silent = RayError("refused", code="CONNECTION")
    ray = Scripted([*[("jobs", (), silent)] * 4, ("close", (), None)])
    with pytest.raises(RayError, match="nothing was changed: refused .*drain_timeout 0") as caught:
        renewal([], ray, clock)[0].drain("http://10.0.0.9:8265", 0.9)
    assert caught.value.code == "TIMEOUT", "else it would be tried again like a write without an answer"
    ray.done()


def test_a_ray_that_wants_a_token_says_so_at_once() -> None:
    ray = Scripted([("jobs", (), RayError("Ray wants a token", code="AUTH", hint="Give it.")), ("close", (), None)])
    with pytest.raises(RayError, match="nothing was changed: Ray wants a token") as caught:
        renewal([], ray)[0].drain("http://10.0.0.9:8265", 600)
    assert caught.value.hint == "Give it."


def test_without_time_or_address_jobs_are_not_asked_for() -> None:
    found = renewal([], None)[0]
    found.drain("http://10.0.0.9:8265", 0)
    found.drain(None, 600)


READ = ("get", ("VirtualMachine", HEAD, "ns"))
SERVED = ("merge", ("VMRayCluster", "c", "ns", {"spec": {}}, {"dry_run": True}), {})
AUTHORITY = ("get", ("Secret", "c-root-cert", "ns"), secret(0, ca_cert=TODAY + 9 * YEAR))
SECRETS = [("delete", ("Secret", f"c-{suffix}", "ns"), None) for suffix in ("hsecret", "wsecret", "tls")]
GONE = ("delete", ("VirtualMachine", HEAD, "ns"), None)
LISTED = ("list", ("VirtualMachine", "ns"))
BACK = ("merge", ("VMRayCluster", "c", "ns", {"spec": {"autoscaler_desired_workers": {"c-w-1": None, "c-w-2": None}}}), {})
WORKERS = [machine("c-w-1", made=2), machine("c-w-2", made=2)]
NO_DATA = [("get", ("Secret", "c-hsecret", "ns"), None), ("get", ("Secret", "c-wsecret", "ns"), None)]
AFTER = [("get", ("VMRayCluster", "c", "ns"), RAW), (*LISTED, WORKERS), BACK, *NO_DATA]


def test_secrets_go_before_the_machine_and_the_workers_when_it_is_gone() -> None:
    waits = [(*READ, machine(leaving=True)), (*READ, machine(leaving=True)), (*READ, None)]
    found, kube = renewal([(*READ, machine()), SERVED, AUTHORITY, *SECRETS, GONE, *waits, *AFTER, (*READ, None), (*READ, machine(uid=NEW))])
    found.replace(RAW)
    assert [found.is_new(RAW) for look in range(3)] == [False, True, True]
    kube.done()


def test_changes_of_the_spec_are_written_while_the_head_lacks_its_data() -> None:
    spec = {"ray_docker_image": "rayproject/ray:2.60.0"}
    checked = ("merge", ("VMRayCluster", "c", "ns", {"spec": spec}, {"dry_run": True}), {})
    written = ("merge", ("VMRayCluster", "c", "ns", {"spec": spec}), {})
    found, kube = renewal([(*READ, machine()), checked, AUTHORITY, *SECRETS, written, GONE, (*READ, None), *AFTER])
    found.replace(RAW, spec)
    kube.done()


def test_an_authority_goes_first_when_it_ends_soon_and_is_kept_otherwise() -> None:
    ending = (*AUTHORITY[:2], secret(0, ca_cert=TODAY + 29 * DAY))
    first = ("delete", ("Secret", "c-root-cert", "ns"), None)
    found, kube = renewal([(*READ, machine()), SERVED, ending, first, *SECRETS, GONE, (*READ, None), *AFTER])
    found.replace(RAW)
    kube.done()


def test_without_an_operator_nothing_is_removed() -> None:
    found, kube = renewal([(*READ, machine()), (*SERVED[:2], RayError("failed calling webhook", code="INTERNAL"))])
    with pytest.raises(RayError, match="failed calling webhook"):
        found.replace(RAW)
    kube.done()


def test_a_lost_answer_is_met_by_calling_again_and_the_new_head_is_left_alone() -> None:
    lost = RayError("no answer", code="CONNECTION")
    begun = [(*READ, machine()), SERVED, AUTHORITY, *SECRETS, (*GONE[:2], lost)]
    new = machine(uid=NEW, made=5)
    # Its first worker has come meanwhile, and is not given back.
    rows = [new, machine("c-w-1", made=2), machine("c-w-2", made=6)]
    one = ("merge", ("VMRayCluster", "c", "ns", {"spec": {"autoscaler_desired_workers": {"c-w-1": None}}}), {})
    data = [("get", ("Secret", "c-hsecret", "ns"), boot(TODAY + 7 * DAY, made=4)), ("get", ("Secret", "c-wsecret", "ns"), secret(6))]
    again = [(*READ, new), SERVED, (*READ, new), ("get", ("VMRayCluster", "c", "ns"), RAW), (*LISTED, rows), one, *data]
    found, kube = renewal([*begun, *again])
    with pytest.raises(RayError, match="no answer"):
        found.replace(RAW)
    # There is no Ray any more to drain.
    found.drain("http://10.0.0.9:8265", 600)
    found.replace(RAW)
    kube.done()


def test_a_head_that_is_gone_already_leaves_the_rest_to_do() -> None:
    found, kube = renewal([(*READ, None), SERVED, AUTHORITY, *SECRETS, (*READ, None), *AFTER, (*READ, machine(uid=NEW))])
    found.replace(RAW)
    assert found.is_new(RAW)
    kube.done()


def test_data_of_workers_that_was_made_while_the_head_went_is_removed_too() -> None:
    stale = [("get", ("Secret", "c-hsecret", "ns"), boot(TODAY + 7 * DAY, made=4)), ("get", ("Secret", "c-wsecret", "ns"), secret(3))]
    idle = ("get", ("VMRayCluster", "c", "ns"), {**RAW, "spec": {}})
    found, kube = renewal([(*READ, machine()), SERVED, AUTHORITY, *SECRETS, GONE, (*READ, None), idle, (*LISTED, []), *stale, SECRETS[1]])
    found.replace(RAW)
    kube.done()


def test_a_machine_that_does_not_go_is_named(clock: Clock) -> None:
    found, kube = renewal([(*READ, machine()), SERVED, AUTHORITY, *SECRETS, GONE, *[(*READ, machine(leaving=True))] * 700], clock=clock)
    with pytest.raises(RayError, match="Waiting for VirtualMachine c-h-abcde to be gone took more than 600 s"):
        found.replace(RAW)


def test_a_head_without_the_name_part_is_found_too() -> None:
    assert vmray_renew.head_name({"metadata": {"name": "c"}}) == "c-h"
