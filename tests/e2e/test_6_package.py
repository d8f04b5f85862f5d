# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new version of the package while a job runs, and one that comes to the site without the registry that it was built into."""

from __future__ import annotations

import json
import shutil
import time

import pytest

COUNTING = "python -u -c 'import itertools, time; [print(n) or time.sleep(1) for n in itertools.count()]'"
JOB = "counting"
OPERATOR = "vmray-controller-manager"


def play_of(lab, tmp_path, module: str, **options):
    file = tmp_path / "play.yml"
    file.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False,
                                 "tasks": [{"name": f"Use {module}", f"vcf.ray.{module}": options}]}]))
    play = lab.play(str(file))
    assert play.rc == 0, play.text
    return play


def objects(lab, kind: str, *where: str) -> list[dict]:
    done = lab.exec("kubectl", "--kubeconfig", str(lab.state / "kube/admin.kubeconfig"), "get", kind, *(where or ["-A"]), "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["items"]


def dashboard(lab) -> str:
    return f"http://{objects(lab, 'vmrayclusters')[0]['status']['vm_service_status']['ip']}:8265"


def job(lab) -> dict:
    return json.loads(lab.exec("curl", "-sf", f"{dashboard(lab)}/api/jobs/{JOB}").stdout)


def counted(lab) -> int:
    """How far the job has come."""
    logs = json.loads(lab.exec("curl", "-sf", f"{dashboard(lab)}/api/jobs/{JOB}/logs").stdout)["logs"]
    return max((int(line) for line in logs.split() if line.isdigit()), default=-1)


def goes_on(lab) -> bool:
    """The job counts further."""
    before, deadline = counted(lab), time.monotonic() + 60
    while time.monotonic() < deadline:
        if counted(lab) > before:
            return True
        time.sleep(1)
    return False


def identities(lab) -> dict[str, str]:
    """What must live through an upgrade, by uid."""
    kinds = ("vmrayclusters", "virtualmachines", "virtualmachineservices", "customresourcedefinitions")
    return {f"{kind} {o['metadata']['name']}": o["metadata"]["uid"] for kind in kinds for o in objects(lab, kind)}


def operator(lab) -> dict:
    return next(pod for pod in objects(lab, "pods") if pod["metadata"]["labels"].get("control-plane") == OPERATOR)


def installed(lab) -> str:
    return next(iter(lab.ask("/state")["installs"].values()))["current_version"]


def version(lab, number: str, tmp_path) -> dict:
    """The variables of a version whose operator is another image, since its label says so."""
    source = tmp_path / f"source-{number}"
    if not source.exists():
        shutil.copytree(lab.variables()["carvel_package_source"], source)
        build = source / "image/build.py"
        labels = f'"Labels": {{"org.opencontainers.image.version": "{number}"}},'
        build.write_text(build.read_text().replace('"User": "0",', f'"User": "0", {labels}'))
        assert labels in build.read_text()
    return {"carvel_package_source": str(source), "carvel_package_version": number, "carvel_package_image_tag": number,
            "carvel_package_path": str(lab.state / f"ray-on-vcf-{number}.yaml")}


@pytest.fixture(scope="module", name="folder")
def fixture_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("package")


def site(lab, folder, variables: dict):
    file = folder / "site.json"
    file.write_text(json.dumps(variables))
    play = lab.play("vcf.ray.site", "-e", f"@{file}")
    assert play.rc == 0, play.text
    return play


def test_a_new_version_takes_the_place_of_the_old_one_while_a_job_runs(lab, folder) -> None:
    play_of(lab, folder, "ray_job", dashboard_url=dashboard(lab), submission_id=JOB, entrypoint=COUNTING, wait=False)
    assert goes_on(lab)
    before, pod, started = identities(lab), operator(lab), job(lab)["start_time"]
    play = site(lab, folder, version(lab, "0.2.0", folder))
    assert play.counts["changed"] > 0
    assert installed(lab) == "0.2.0"
    assert identities(lab) == before
    now = operator(lab)
    assert now["metadata"]["uid"] != pod["metadata"]["uid"]
    assert now["status"]["containerStatuses"][0]["imageID"] != pod["status"]["containerStatuses"][0]["imageID"]
    assert goes_on(lab)
    assert (job(lab)["status"], job(lab)["start_time"]) == ("RUNNING", started)


def test_the_new_version_again_changes_nothing(lab, folder) -> None:
    before = lab.digest()
    play = site(lab, folder, version(lab, "0.2.0", folder))
    assert play.counts["changed"] == 0, play.text
    assert lab.digest() == before


def test_a_published_version_cannot_get_other_content(lab, folder) -> None:
    other = folder / "other"
    other.mkdir()
    file = folder / "site.json"
    file.write_text(json.dumps({**version(lab, "0.4.0", other), "carvel_package_version": "0.2.0", "carvel_package_image_tag": "0.2.0"}))
    before = lab.digest()
    play = lab.play("vcf.ray.site", "-e", f"@{file}")
    assert play.rc != 0
    assert "0.2.0" in play.text and "Traceback" not in play.text
    assert lab.digest() == before


def test_a_site_of_its_own_needs_nothing_but_the_archive(lab, folder) -> None:
    """One file is carried over; the registry of the build is not there any more, and the mirror is all that the site may use."""
    archive, own = folder / "ray-on-vcf.tar", lab.variables()
    built = folder / "built.json"
    built.write_text(json.dumps({**version(lab, "0.3.0", folder), "carvel_package_export": str(archive)}))
    play = lab.play("vcf.ray.carvel_package", "-e", f"@{built}")
    assert play.rc == 0, play.text
    registry = own["vi_admin_registries"][0]
    mirror = {**registry, "name": "mirror", "registry_hostname": "mirror.lab"}
    before, pod = identities(lab), operator(lab)
    lab.exec("kill", "-KILL", (lab.state / "pids/registry").read_text().strip())
    variables = {"carvel_package_source": "", "carvel_package_archive": str(archive), "carvel_package_bundle": "mirror.lab/ray/ray-on-vcf-bundle",
                 "carvel_package_path": str(lab.state / "mirrored.yaml"), "carvel_package_repository_url": "", "carvel_package_version": "0.3.0",
                 "carvel_package_allowed_registries": ["mirror.lab"], "vi_admin_registries": [mirror], "vi_admin_allowed_registries": ["mirror.lab/ray"],
                 "vi_admin_registry_login": {"username": own["carvel_package_username"], "password": own["carvel_package_password"],
                                             "ca_path": own["carvel_package_ca_path"]}}
    play = site(lab, folder, variables)
    assert play.counts["changed"] > 0
    assert installed(lab) == "0.3.0"
    now = operator(lab)
    assert now["metadata"]["uid"] != pod["metadata"]["uid"]
    assert now["spec"]["containers"][0]["image"].startswith("mirror.lab/ray/ray-on-vcf-bundle@sha256:")
    assert identities(lab) == before
    assert goes_on(lab)
    assert site(lab, folder, variables).counts["changed"] == 0


def test_the_job_ends_when_it_is_told(lab, folder) -> None:
    play_of(lab, folder, "ray_job", dashboard_url=dashboard(lab), submission_id=JOB, state="absent")
