# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Day 2: a cluster whose head's token is refused scales no more, and does so again with a new head behind the same address."""

from __future__ import annotations

import base64

import pytest
from conftest import NAMESPACE

NAME = "old"


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster(site):
    made = site.run(site.cluster(NAME, max_workers=2, workers=[{"vm_class": "ray-small", "min_workers": 1, "max_workers": 2}])).ok["vmray_cluster"]
    yield made
    site.gone(NAME)


def renew(site, mode: str, **options) -> dict:
    return {"vmray_cluster": {"name": NAME, "namespace": NAMESPACE, "supervisor": site.login, "renew": mode, "wait_timeout": 240, **options}}


def machines(site) -> dict[str, str]:
    rows = site.kubectl("get", "virtualmachines", "-o", "json")["items"]
    return {r["metadata"]["name"]: r["metadata"]["uid"] for r in rows if r["metadata"]["name"].startswith(f"{NAME}-")}


def test_a_young_head_is_left_alone(site, cluster) -> None:
    before = machines(site)
    done = site.run(renew(site, "due")).ok
    assert not done["changed"] and machines(site) == before


def test_a_job_that_runs_is_waited_for_and_named(site, cluster) -> None:
    before = machines(site)
    job = {"dashboard_url": cluster["dashboard_url"], "submission_id": "long", "entrypoint": "sleep 300"}
    site.run({"ray_job": {**job, "wait": False}}).ok
    refused = site.run(renew(site, "always", drain_timeout=3)).refused
    assert "long RUNNING" in refused and "nothing was changed" in refused
    assert machines(site) == before
    site.run({"ray_job": {"dashboard_url": cluster["dashboard_url"], "submission_id": "long", "state": "absent"}}).ok


def test_a_dead_token_and_a_frozen_field_are_mended_by_a_new_head(site, cluster) -> None:
    before = machines(site)
    # Its token is refused from now on, and the worker that goes is not replaced.
    site.kubectl("delete", "serviceaccount", NAME)
    done = site.run(renew(site, "always", idle_timeout_minutes=7)).ok
    now = machines(site)
    head = next(name for name in now if name.startswith(f"{NAME}-h-"))
    assert done["changed"] and done["vmray_cluster"]["service_address"] == cluster["service_address"]
    assert now[head] != before[head] and len(now) == 2 and not set(before.values()) & set(now.values()), (before, now)
    data = site.kubectl("get", "secret", f"{NAME}-hsecret", "-o", "json")["data"]["user-data"]
    assert "idle_timeout_minutes: 7" in base64.b64decode(base64.b64decode(data)).decode()
    assert len(done["vmray_cluster"]["nodes"]) == 2
    assert not site.run(renew(site, "due", idle_timeout_minutes=7)).ok["changed"]


def test_a_replacement_that_was_cut_short_is_finished(site, cluster) -> None:
    site.kubectl("delete", "secret", f"{NAME}-hsecret", f"{NAME}-wsecret")
    seen = site.run({**renew(site, "due"), "check_mode": True}).ok
    assert seen["changed"] and "hsecret is gone" in seen["vmray_cluster"]["renewed"]
    done = site.run(renew(site, "due")).ok
    assert done["changed"] and len(done["vmray_cluster"]["nodes"]) == 2
