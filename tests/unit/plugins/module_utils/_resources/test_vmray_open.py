# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dashboard that asks for no token, and how Ray is reached: by a proxy with a path, with a token, or not at all."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.tests.unit.plugins.preflight_script import PREFLIGHT
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted
from ansible_collections.vcf.ray.tests.unit.plugins.vmray_script import AGES, BESIDE, CREATED, NODES, READ, RUNNING, WATCH, at, known, play, ray

LB, PROXY = "http://10.0.0.9:8265", "https://ray.example.com/c"
SAYS = f"The dashboard of VMRayCluster ns/c answers at {LB} without a token: whoever reaches this address can run code on the cluster."
TOKEN = {"token": "t0ken"}


def stranger(answer: object) -> Scripted:
    return ray(("open", (), answer))


def waited(raw: dict | None = None) -> list[tuple]:
    return [*known(raw or RUNNING), WATCH, *AGES]


def test_an_answer_without_a_token_is_warned_of_without_another_request() -> None:
    played = play(waited(), ray=ray(NODES), image="vmi-1", open_dashboard="warn")
    assert played["notices"] == [f"{SAYS} Accept it with open_dashboard: accept, or use a Ray image that asks for a token."]


def test_it_can_be_accepted() -> None:
    assert not play(waited(), ray=ray(NODES), image="vmi-1", open_dashboard="accept")["notices"]


@pytest.mark.parametrize(("answer", "warned"), [(True, True), (False, False), (RayError("silent", code="CONNECTION"), False)])
def test_who_has_a_token_asks_once_more_without_it(answer: object, warned: bool) -> None:
    played = play(waited(), ray=ray(NODES), stranger=stranger(answer), image="vmi-1", open_dashboard="warn", ray_options=TOKEN)
    assert bool(played["notices"]) is warned


def test_a_proxy_in_front_does_not_hide_an_open_load_balancer() -> None:
    played = play(waited(), ray=ray(NODES), stranger=stranger(True), image="vmi-1", open_dashboard="warn", ray_options={"url": PROXY})
    assert played["notices"][0].startswith(SAYS) and played["urls"] == [PROXY, LB]
    assert played["vmray_cluster"]["dashboard_url"] == PROXY


def test_without_a_wait_nobody_is_asked() -> None:
    assert not play(known(), image="vmi-1", wait=False, open_dashboard="warn")["notices"]


def test_refused_and_without_a_token_nothing_is_even_read() -> None:
    with pytest.raises(RayError, match="open_dashboard: refuse, and no ray.token is given") as caught:
        play([], open_dashboard="refuse")
    assert caught.value.code == "INPUT"


@pytest.mark.parametrize("check", [True, False])
def test_refused_and_open_all_the_same_ends_before_any_write(check: bool) -> None:
    with pytest.raises(RayError, match="without a token.*open_dashboard: refuse does not allow it"):
        play(known(), stranger=stranger(True), image="vmi-1", open_dashboard="refuse", ray_options=TOKEN, check=check)


def test_refused_and_closed_is_fine() -> None:
    assert not play(known(), stranger=stranger(False), image="vmi-1", wait=False, open_dashboard="refuse", ray_options=TOKEN)["changed"]


def test_a_new_cluster_that_turns_out_to_be_open_is_refused_at_the_end() -> None:
    with pytest.raises(RayError, match="refuse does not allow it"):
        play(CREATED, looks=[RUNNING] * 2, ray=ray(NODES, NODES), stranger=stranger(True), open_dashboard="refuse", ray_options=TOKEN)


def test_the_custom_resource_is_believed_where_ray_cannot_be_asked() -> None:
    raw = at({"vm_status": "running", "ip": "10.0.0.1"}, current_workers={"c-w-1": {"vm_status": "running", "ray_status": "running", "ip": "10.0.0.2"}})
    raw["spec"]["autoscaler_desired_workers"] = {"c-w-1": "w"}
    certificate = ("names", ("Secret", "ns"), ["c-tls"])
    made = [(*READ, None), *PREFLIGHT, ("create", ..., {}), ("create", ..., {}), WATCH, *BESIDE, certificate]
    played = play(made, looks=[raw] * 3, ready="resource")
    shown = played["vmray_cluster"]
    assert (shown["ready_by"], shown["nodes"]) == ("resource", []) and "Secret c-tls" in " ".join(shown["evidence"])
    assert played.waits == [(0.2, 0.5), (0.3, 0.5)]


def test_a_wait_for_the_custom_resource_says_what_is_missing() -> None:
    with pytest.raises(RayError, match="nothing shows yet that Ray has started on the head"):
        play([*CREATED, ("names", ("Secret", "ns"), []), *AGES], looks=[RUNNING], ready="resource", wait_timeout=0)
