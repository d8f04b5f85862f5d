# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each way in which a cluster does not come up, or not go: the right words, within the wait that the user has set."""

from __future__ import annotations

import json
import time

import pytest
from conftest import NAMESPACE

PATIENCE = 15
WORKERS = [{"node_type": "worker", "vm_class": "ray-small", "min_workers": 1, "max_workers": 1, "resources": {"cpu": 1}}]
# A fault, its options, options of the cluster, what the message must say, and whether the cluster comes up once the fault is over.
NEVER_READY = [
    ("image-missing", {}, {}, ["InvalidVirtualMachineImage", "not found"], True),
    ("class-missing", {}, {}, ["InvalidVirtualMachineClass", "ray-small", "not found"], False),
    ("secret-missing", {}, {"docker_auth": {"username": "puller", "password": "Pull-1st!pw"}}, ["doomed-docker-auth", "not found"], False),
    ("no-load-balancer-address", {}, {}, ["no service address", "load balancer"], True),
    ("no-address", {"role": "head"}, {}, ["head VM has no address"], False),
    # The first boot runs once, so the head stays without its container.
    ("container-fails", {"text": "docker: no space left on device"}, {}, ["Ray does not answer", "/var/log/cloud-init-output.log", "docker"], False),
    # Only a head that is up asks for workers.
    ("stuck-worker", {}, {"workers": WORKERS, "wait_timeout": 60}, ["doomed-w-", "workers 0 of 1"], True),
    ("load-balancer-unreachable", {}, {}, ["Ray does not answer", "cannot be reached"], False),
]


@pytest.fixture(name="doomed")
def fixture_doomed(site):
    """A name whose cluster is gone after the test, whatever came of it."""
    yield "doomed"
    site.gone("doomed")


@pytest.mark.parametrize(("fault", "how", "asked", "words", "heals"), NEVER_READY, ids=[row[0] for row in NEVER_READY])
def test_it_says_why_it_is_not_ready(site, doomed, fault, how, asked, words, heals) -> None:
    with site.fault(fault, **how):
        begin = time.monotonic()
        wait = {"wait_timeout": PATIENCE, **asked}
        done = site.run(site.cluster(doomed, **wait))
        took = time.monotonic() - begin
        text = done.refused
        # The start of ansible-playbook, the preflight, and one read that hangs, are not the wait's.
        assert took < wait["wait_timeout"] + 40, text
        for word in words:
            assert word in text, text
        assert "Pull-1st!pw" not in done.play.text
    if heals:
        # The operator goes on by itself; the same task again finds the cluster that it made, and waits on.
        assert site.run(site.cluster(doomed, **{**asked, "wait_timeout": 240})).ok["vmray_cluster"]["ready_by"] == "ray"


def test_evidence_will_do_where_the_address_cannot_be_reached(site) -> None:
    with site.fault("load-balancer-unreachable", seen="outside"):
        made = site.run(site.cluster("unseen", ready="resource")).ok["vmray_cluster"]
        assert made["ready_by"] == "resource" and made["evidence"], made
        assert site.run(site.cluster("unseen", ready="resource")).ok["changed"] is False
    site.gone("unseen")


def test_an_operator_that_is_gone_is_named(site) -> None:
    with site.fault("operator-gone"):
        text = site.run(site.cluster("orphan", wait_timeout=PATIENCE)).refused
        assert "operator" in text, text
        assert site.kubectl("get", "vmrayclusters", "-o", "json")["items"] == []


def test_a_removal_without_operator_names_the_finalizer(site) -> None:
    site.run(site.cluster("stays", wait=False)).ok
    with site.fault("operator-gone"):
        text = site.run(site.removal("stays", wait_timeout=PATIENCE)).refused
        assert "vmraycluster.vmray.broadcom.com" in text and "operator" in text, text
    assert site.run(site.removal("stays")).ok["vmray_cluster"] is None


def test_a_finalizer_that_nobody_takes_away_is_named_and_left(site) -> None:
    with site.fault("stuck-finalizer"):
        site.run(site.cluster("stuck", wait=False)).ok
        text = site.run(site.removal("stuck", wait_timeout=PATIENCE)).refused
        left = json.loads(site.exec("kubectl", "--kubeconfig", str(site.state / "kube/admin.kubeconfig"), "-n", NAMESPACE, "get", "vmrayclusters", "stuck",
                                    "-o", "json").stdout)["metadata"]["finalizers"]
        assert left and all(name in text for name in left), text
    assert site.run(site.removal("stuck")).ok["vmray_cluster"] is None


def test_a_token_of_five_seconds_lasts_a_wait_of_twenty(site) -> None:
    put = ("curl", "-sf", "-X", "PUT", "http://127.0.0.1:8092/settings", "-d")
    with site.fault("no-load-balancer-address"):
        assert site.exec(*put, '{"token_seconds": 5}').returncode == 0
        try:
            before = logins(site)
            text = site.run(site.cluster("lasting", wait_timeout=20)).refused
            after = logins(site)
        finally:
            site.exec(*put, '{"token_seconds": 36000}')
    assert "no service address" in text and "Unauthorized" not in text, text
    # One at the start, then at most one for each life of a token; a watch that is open needs none.
    assert 2 <= after - before <= 2 + (20 + 20) / 4, (before, after)
    site.gone("lasting")


def logins(site) -> int:
    return (site.state / "logs/supervisor.log").read_text().count("login of ray-dev")


def test_ray_that_wants_a_token_is_ready_only_for_who_has_it(site) -> None:
    token = f"{site.variables()['vcenter_password']}-Ray1"
    image = {"ray_image": f"{site.cluster('x')['vmray_cluster']['ray_image']}-token", "workers": WORKERS}
    done = site.run(site.cluster("locked", **image, wait_timeout=120))
    assert "token" in done.refused, done.refused
    made = site.run(site.cluster("locked", **image, ray={"token": token}, open_dashboard="refuse")).ok
    assert made["changed"] is False and made["vmray_cluster"]["ready_by"] == "ray"
    url = made["vmray_cluster"]["dashboard_url"]
    assert site.exec("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"{url}/api/v0/nodes").stdout == "401"
    job = {"dashboard_url": url, "submission_id": "locked-1", "entrypoint": "python -c 'import ray; ray.init(); print(len(ray.nodes()))'", "wait_timeout": 120}
    assert "token" in site.run({"ray_job": job}).refused
    ran = site.run({"ray_job": {**job, "token": token}})
    assert ran.ok["ray_job"]["status"] == "SUCCEEDED" and ran.ok["ray_job"]["log_tail"][-1] == "2"
    assert token not in ran.play.text + done.play.text
    site.gone("locked")


def test_an_open_dashboard_is_refused_before_anything_is_written_or_warned_of(site) -> None:
    text = site.run(site.cluster("open", open_dashboard="refuse")).refused
    assert "dashboard" in text and "token" in text, text
    assert site.kubectl("get", "vmrayclusters", "-o", "json")["items"] == []
