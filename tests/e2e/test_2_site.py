# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way, twice; what it made, seen by others' tools."""

from __future__ import annotations

import json
import re


def rays(lab, path: str):
    url = json.loads(lab.kubectl("get", "vmrayclusters", "-o", "json").stdout)["items"][0]["status"]["vm_service_status"]["ip"]
    return json.loads(lab.exec("curl", "-sf", f"http://{url}:8265{path}").stdout)


def test_site_goes_from_an_empty_vcenter_to_a_finished_job(lab) -> None:
    play = lab.play("vcf.ray.site")
    assert play.rc == 0, play.text
    assert play.counts["failed"] == 0
    assert re.search(r"Job\s+hello-ray SUCCEEDED", play.text), play.text


def test_the_job_ran_on_the_workers_of_the_custom_resource(lab) -> None:
    cluster = json.loads(lab.kubectl("get", "vmrayclusters", "-o", "json").stdout)["items"][0]
    logs = rays(lab, "/api/jobs/hello-ray/logs")["logs"]
    answers = [json.loads(line) for line in logs.splitlines() if line.startswith("{")]
    nodes = {n["node_id"]: n for n in rays(lab, "/api/v0/nodes?detail=1")["data"]["result"]["result"]}
    assert len(answers) >= 2
    assert {a["address"] for a in answers} == {w["ip"] for w in cluster["status"]["current_workers"].values()}
    assert cluster["status"]["head_node_status"]["ip"] not in {a["address"] for a in answers}
    assert len({a["netns"] for a in answers}) == len(answers)
    for answer in answers:
        assert nodes[answer["node_id"]]["node_ip"] == answer["address"]
        assert not nodes[answer["node_id"]]["is_head_node"]


def test_no_secret_is_shown_at_the_highest_verbosity(lab) -> None:
    play = lab.play("vcf.ray.site", "-vvv")
    assert play.rc == 0, play.text
    variables = (lab.state / "vars.yml").read_text()
    secrets = set(re.findall(r'password: "(.+)"', variables))
    assert len(secrets) >= 4
    # The shortest is the beginning of all others.
    assert [s for s in secrets if s in play.text] == []
    assert "eyJ" not in play.text, "a token"


def test_site_again_changes_nothing(lab) -> None:
    before, jobs = lab.digest(), len(rays(lab, "/api/jobs/"))
    play = lab.play("vcf.ray.site")
    assert play.rc == 0, play.text
    assert play.counts["changed"] == 0, play.text
    assert lab.digest() == before
    assert len(rays(lab, "/api/jobs/")) == jobs


def test_the_users_rights_end_at_the_namespace(lab) -> None:
    assert lab.kubectl("get", "vmrayclusters").returncode == 0
    other = lab.kubectl("get", "vmrayclusters", "-n", "kube-system")
    assert other.returncode != 0
    assert "forbidden" in other.stderr


def test_a_view_user_cannot_create(lab, tmp_path) -> None:
    play = tmp_path / "viewer.yml"
    play.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [
        {"name": "Log in as a user who may only look", "vcf.ray.supervisor_kubeconfig": {
            "hostname": "{{ server }}", "username": "ray-viewer@vsphere.local", "password": "{{ vi_admin_users[1].password }}",
            "ca_path": "{{ devops_user_ca_path }}", "namespace": "{{ vi_admin_namespaces[0].name }}", "path": str(tmp_path / "viewer.config")}}]}]))
    server = json.loads(lab.exec("kubectl", "--kubeconfig", str(lab.state / "kubeconfig"), "config", "view", "-o", "json").stdout)
    address = re.search(r"https://([0-9.]+)", server["clusters"][0]["cluster"]["server"]).group(1)
    assert lab.play(str(play), "-e", f"server={address}").rc == 0
    allowed = ["auth", "can-i", "create", "vmrayclusters"]
    assert lab.exec("kubectl", "--kubeconfig", str(tmp_path / "viewer.config"), "get", "vmrayclusters").returncode == 0
    assert lab.exec("kubectl", "--kubeconfig", str(tmp_path / "viewer.config"), *allowed).stdout.strip() == "no"
    assert lab.kubectl(*allowed).stdout.strip() == "yes"


def test_the_kubeconfig_is_for_its_owner_only(lab) -> None:
    assert (lab.state / "kubeconfig").stat().st_mode & 0o777 == 0o600


def test_check_mode_on_the_finished_site_has_nothing_to_do(lab) -> None:
    play = lab.play("vcf.ray.site", "--check")
    assert play.rc == 0, play.text
    assert play.counts["changed"] == 0, play.text
