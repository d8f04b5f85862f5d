# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What replacements and removals that were cut short have left: listed always, removed when asked for, and never by its name alone."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources import vmray_orphans
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted
from ansible_collections.vcf.ray.tests.unit.plugins.vmray_script import BESIDE, READ, RUNNING, WATCH, known, play, stored

HEAD = "vmray.kubernetes.io/ray-cluster-head"
OLD = "c-h-old42"
MACHINE = {"metadata": {"name": OLD, "labels": {HEAD: OLD}}}
SERVICE = {"metadata": {"name": OLD}, "spec": {"selector": {HEAD: OLD}}}
WORKER = {"metadata": {"name": "c-w-abcdefgh"}, "spec": {"bootstrap": {"cloudInit": {"rawCloudConfig": {"name": "c-wsecret", "key": "user-data"}}}}}
FOUND = [f"VirtualMachine {OLD}", f"VirtualMachineService {OLD}"]
LABELLED = ("list", ("Secret", "ns", {"labels": {"vcf.ray/cluster": "c"}}), [])


def names(machines: t.Iterable[str] = (), services: t.Iterable[str] = (), secrets: t.Iterable[str] | None = None) -> list[tuple]:
    asked = [("names", ("VirtualMachine", "ns"), [*machines]), ("names", ("VirtualMachineService", "ns"), [*services])]
    return asked if secrets is None else [*asked, ("names", ("Secret", "ns"), [*secrets])]


BOTH = names(["c-h-abcde", OLD, "c-x-h-abcde"], ["c-h-abcde", OLD])
CHECKED = [("get", ("VirtualMachine", OLD, "ns"), MACHINE), ("get", ("VirtualMachineService", OLD, "ns"), SERVICE)]
REMOVED = [("delete", ("VirtualMachine", OLD, "ns"), None), ("delete", ("VirtualMachineService", OLD, "ns"), None)]
GONE = names(["c-h-abcde"], ["c-h-abcde"])


def test_they_are_listed_and_left_alone() -> None:
    played = play([(*READ, stored()), *BOTH], image="vmi-1", wait=False)
    assert not played["changed"] and played["vmray_cluster"]["orphans"] == FOUND
    assert played["notices"] == [
        f"Orphans of VMRayCluster ns/c that nobody needs, and nobody removes: {', '.join(FOUND)}. remove_orphans: true removes them."]


def test_they_are_removed_when_asked_for_and_waited_for() -> None:
    going = ("names", ("VirtualMachine", "ns"), ["c-h-abcde", OLD])
    played = play([(*READ, stored()), *BOTH, *CHECKED, *REMOVED, going, *BOTH[1:], *GONE, *known()], image="vmi-1", remove_orphans=True, wait=False)
    assert played["changed"] and not played["notices"]
    assert [side["orphans"] for side in (played["diff"]["before"], played["diff"]["after"])] == [FOUND, []]


def test_check_mode_says_so_and_removes_nothing() -> None:
    played = play([(*READ, stored()), *BOTH, *CHECKED], image="vmi-1", remove_orphans=True, wait=False, check=True)
    assert played["changed"] and played["diff"]["after"]["orphans"] == [] and not played["notices"]


def test_without_orphans_nothing_is_removed() -> None:
    assert not play(known(), image="vmi-1", remove_orphans=True, wait=False)["changed"]


def test_a_machine_that_only_has_the_name_is_not_removed() -> None:
    with pytest.raises(RayError, match="VirtualMachine ns/c-h-old42 is named like one of cluster c, but does not bear the operator's marks"):
        play([(*READ, stored()), *BOTH, ("get", ("VirtualMachine", OLD, "ns"), {"metadata": {"name": OLD}})], image="vmi-1", remove_orphans=True)


def test_a_head_that_the_operator_has_not_named_yet_is_no_orphan() -> None:
    fresh = stored()
    fresh["metadata"]["labels"] = {}
    assert vmray_orphans.orphans(Scripted([]), "ns", "c", fresh) == []


def test_who_may_not_look_finds_none() -> None:
    refused = RayError("no", code="FORBIDDEN")
    kube = Scripted([("names", ("VirtualMachine", "ns"), refused), ("names", ("VirtualMachineService", "ns"), [OLD])])
    assert vmray_orphans.orphans(kube, "ns", "c", stored()) == FOUND[1:]


def test_the_end_of_a_cluster_does_not_wait_for_its_orphans_and_tells_them() -> None:
    played = play([(*READ, stored()), *BOTH, ("delete", ("VMRayCluster", "c", "ns"), None), LABELLED, WATCH, *names([OLD], [OLD], [])],
                  looks=[None], absent=True)
    assert played["changed"] and ", ".join(FOUND) in played["notices"][0]


def test_the_end_of_a_cluster_takes_them_along_when_asked_for() -> None:
    end = [*CHECKED, ("delete", ("VMRayCluster", "c", "ns"), None), LABELLED, *REMOVED, *GONE]
    played = play([(*READ, stored()), *BOTH, *end, WATCH, *names([], [], [])], looks=[None], absent=True, remove_orphans=True)
    assert played["changed"] and not played["notices"]


def going(kind: str, name: str) -> tuple:
    return ("get", (kind, name, "ns"), {"metadata": {"name": name, "deletionTimestamp": "now"}})


def test_a_removal_that_was_cut_short_is_waited_for() -> None:
    there = names(["c-h-abcde"], [], [])
    played = play([(*READ, None), *there, going("VirtualMachine", "c-h-abcde"), LABELLED, LABELLED, WATCH, *there, *names([], [], [])],
                  looks=[None, None], absent=True)
    assert played["changed"] and played.told[0].startswith("c: still there: VirtualMachine c-h-abcde (")


LEFT = names([OLD, "c-w-abcdefgh"], [OLD], ["c-hsecret", "c-ssh-key"])
STANDING = [("get", ("VirtualMachine", OLD, "ns"), MACHINE), ("get", ("VirtualMachine", "c-w-abcdefgh", "ns"), WORKER),
            ("get", ("VirtualMachineService", OLD, "ns"), SERVICE)]


def test_what_nobody_removes_without_a_cluster_is_told_and_not_waited_for() -> None:
    played = play([(*READ, None), *LEFT, *STANDING, LABELLED], absent=True)
    assert not played["changed"]
    assert f"VirtualMachine {OLD}, VirtualMachine c-w-abcdefgh, VirtualMachineService {OLD}, Secret c-hsecret. " in played["notices"][0]


def test_what_nobody_removes_without_a_cluster_goes_when_asked_for() -> None:
    gone = [REMOVED[0], ("delete", ("VirtualMachine", "c-w-abcdefgh", "ns"), None), REMOVED[1], ("delete", ("Secret", "c-hsecret", "ns"), None),
            names()[0], names()[0], *names([], [], [])[1:]]
    played = play([(*READ, None), *LEFT, *STANDING, LABELLED, *STANDING, LABELLED, *gone, WATCH, *names([], [], ["c-ssh-key"])],
                  looks=[None], absent=True, remove_orphans=True)
    assert played["changed"] and not played["notices"]
    assert play([(*READ, None), *LEFT, *STANDING, LABELLED, *STANDING], absent=True, remove_orphans=True, check=True)["changed"]


def test_no_wait_for_what_nobody_removes() -> None:
    left = names([], [], ["c-tls"])
    with pytest.raises(RayError, match="has gone, and nobody removes what is left of it: Secret c-tls. .*remove_orphans: true") as caught:
        play([(*READ, RUNNING), *BESIDE, ("delete", ..., None), LABELLED, WATCH, *left * 31], looks=[None] * 31, absent=True, wait_timeout=600)
    assert caught.value.code == "FAILED"


def test_a_cluster_that_is_not_let_go_is_explained() -> None:
    with pytest.raises(RayError, match="the operator has not let it go yet, .*How far it got") as caught:
        play([(*READ, stored()), *BESIDE, ("delete", ..., None), LABELLED, WATCH], looks=[stored()], absent=True, wait_timeout=0)
    assert caught.value.code == "TIMEOUT"
