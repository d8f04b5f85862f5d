# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login at a registry: made before the cluster, changed in place, removed with the cluster where it was made here."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources import vmray_secret
from ansible_collections.vcf.ray.tests.unit.plugins.preflight_script import PREFLIGHT
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted
from ansible_collections.vcf.ray.tests.unit.plugins.vmray_script import AGES, BESIDE, READ, known, play, stored

LOGIN = {"registry": "registry.example.com", "username": "robot", "password": "s3cret-word"}
SECRET = ("get", ("Secret", "c-docker-auth", "ns"))
DATA = {key: base64.b64encode(value.encode()).decode() for key, value in LOGIN.items()}
MADE = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": DATA,
        "metadata": {"name": "c-docker-auth", "namespace": "ns", "labels": {"vcf.ray/cluster": "c"}}}
USED = stored(docker_config={"auth_secret_name": "c-docker-auth"})
OTHERS = {**MADE, "data": {**DATA, "password": base64.b64encode(b"before").decode()}}
LABELLED = ("list", ("Secret", "ns", {"labels": {"vcf.ray/cluster": "c"}}), [MADE])


def test_it_is_made_before_the_cluster_that_names_it() -> None:
    kube = [(*READ, None), *PREFLIGHT, ("create", ..., {}), (*SECRET, None), ("create", ("Secret", MADE), {}), ("create", ..., {}),
            *known(USED), (*SECRET, MADE)]
    played = play(kube, docker_auth=LOGIN, wait=False)
    assert played["vmray_cluster"]["docker_secret"] == {"name": "c-docker-auth", "state": "as asked"}
    assert played["diff"]["after"]["spec"]["docker_config"] == {"auth_secret_name": "c-docker-auth"}
    assert "s3cret" not in str(played.result)


def test_check_mode_says_the_same_and_makes_none() -> None:
    played = play([(*READ, None), *PREFLIGHT, ("create", ..., {})], docker_auth=LOGIN, check=True)
    assert played["changed"] and played["vmray_cluster"]["docker_secret"]["state"] == "as asked"


def test_the_same_login_changes_nothing() -> None:
    for check in (True, False):
        assert not play([*known(USED), (*SECRET, MADE)], docker_auth=LOGIN, image="vmi-1", check=check, wait=False)["changed"]


def test_what_is_stored_and_was_not_asked_for_is_left_alone() -> None:
    assert not play([*known(USED), (*SECRET, MADE)], docker_auth={**LOGIN, "registry": None}, image="vmi-1", wait=False)["changed"]


def test_another_login_is_changed_in_place_and_the_machines_are_told_of() -> None:
    write = [(*SECRET, OTHERS), ("merge", ("Secret", "c-docker-auth", "ns", {"data": DATA}), {})]
    played = play([*known(USED), (*SECRET, OTHERS), *write, *known(USED), (*SECRET, MADE)], docker_auth=LOGIN, image="vmi-1", wait=False)
    assert played["changed"] and "reaches only machines whose data of the first boot is made anew" in played["notices"][0]
    assert [side["docker_secret"]["state"] for side in (played["diff"]["before"], played["diff"]["after"])] == ["other login", "as asked"]
    checked = play([*known(USED), (*SECRET, OTHERS), *AGES], docker_auth=LOGIN, image="vmi-1", check=True)
    assert checked["diff"] == {"before": played["diff"]["before"], "after": checked["diff"]["after"]} and checked["notices"] == played["notices"]
    assert checked["diff"]["after"]["docker_secret"] == played["diff"]["after"]["docker_secret"]


def test_a_missing_secret_of_a_cluster_is_made_again() -> None:
    write = [(*SECRET, None), ("create", ("Secret", MADE), {})]
    assert play([*known(USED), (*SECRET, None), *write, *known(USED), (*SECRET, MADE)], docker_auth=LOGIN, image="vmi-1", wait=False)["changed"]


def test_a_living_cluster_without_a_login_does_not_heed_one() -> None:
    with pytest.raises(RayError, match="would not heed a change of: docker_config.auth_secret_name"):
        play([*known(), (*SECRET, None)], docker_auth=LOGIN, image="vmi-1")


def test_a_login_that_a_shell_takes_apart_is_refused_without_a_word_of_it() -> None:
    with pytest.raises(RayError, match="docker_auth: username and password may have only") as caught:
        play([(*READ, None), *PREFLIGHT], docker_auth={**LOGIN, "username": "robot$ray", "password": "a;b"})
    assert "robot$" not in str(caught.value) and "a;b" not in str(caught.value)


def test_it_goes_with_the_cluster() -> None:
    end = [("delete", ("VMRayCluster", "c", "ns"), None), LABELLED, ("list", ("VMRayCluster", "ns"), [USED]),
           ("delete", ("Secret", "c-docker-auth", "ns"), None)]
    assert play([(*READ, USED), *BESIDE, *end, (*READ, USED)], absent=True, wait=False)["changed"]


def test_one_that_a_killed_run_has_left_is_removed() -> None:
    nothing = [("names", (kind, "ns"), []) for kind in ("VirtualMachine", "VirtualMachineService", "Secret")]
    none = ("list", ("VMRayCluster", "ns"), [])
    end = [LABELLED, none, ("delete", ("Secret", "c-docker-auth", "ns"), None), (*READ, None), *nothing]
    assert play([(*READ, None), *nothing, LABELLED, none, *end], absent=True, wait=False)["changed"]
    assert play([(*READ, None), *nothing, LABELLED, none], absent=True, check=True)["changed"]


def test_one_that_another_cluster_uses_stays() -> None:
    other = {"metadata": {"name": "d"}, "spec": USED["spec"]}
    kube = Scripted([LABELLED, ("list", ("VMRayCluster", "ns"), [USED, other])])
    assert not vmray_secret.made_for(kube, "ns", "c")


def test_who_may_not_look_for_secrets_removes_none() -> None:
    assert not vmray_secret.made_for(Scripted([(*LABELLED[:2], RayError("no", code="FORBIDDEN"))]), "ns", "c")


def test_a_value_that_is_no_text_is_another_login() -> None:
    for data in ("%", base64.b64encode(b"\xff").decode(), None):
        kube = Scripted([(*SECRET, {**MADE, "data": {**DATA, "password": data}})])
        assert vmray_secret.DockerSecret(kube, "ns", "c", "c-docker-auth", LOGIN).state()["state"] == "other login"
