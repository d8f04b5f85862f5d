# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs as a controller would run them, against a lab: credentials by their injectors, answers and artifacts as extra variables.

From the package to the end of a Ray job, each job in the order of the workflow, and before each the same with an answer that is nonsense.
"""

from __future__ import annotations

import importlib.metadata
import json
import pathlib
import re
import subprocess
import sys
import typing as t
from unittest import mock

import counting
import pytest
from controller_config import AAP, BIN, ROOT
from jinja2.sandbox import ImmutableSandboxedEnvironment
from labs import Lab, Play

NAMESPACE = "deploy-ray"
IMAGE = "ray-node-ubuntu-24.04"
VM_CLASS = "best-effort-small"


class Done(Play):
    """What a job said, and what it hands on to the next."""

    def __init__(self, done: subprocess.CompletedProcess) -> None:
        super().__init__(done)
        found = re.search(r"^\s*RUN: (\{.*\})$", done.stdout, re.MULTILINE)
        self.artifacts = json.loads(found.group(1)) if found else {}


class Controller:
    """Runs job templates in a lab, in the way of a controller's workflow: what a job hands on goes before the answers of its own survey."""

    def __init__(self, lab: Lab, folder: pathlib.Path, config: dict[str, list[dict]]) -> None:
        self.lab, self.folder, self.config = lab, folder, config
        self.variables = lab.variables()
        self.artifacts: dict[str, t.Any] = {}
        self.said = ""
        self.results = folder / "results"
        lab.env |= {"ANSIBLE_SHOW_CUSTOM_STATS": "True", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "HOME": str(folder), "TEST_RESULTS": str(self.results),
                    "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/e2e/callback_plugins"), "ANSIBLE_CALLBACKS_ENABLED": "results"}
        self.inputs = self._inputs(lab.variables(), pathlib.Path(lab.variables()["vcenter_ca_path"]).read_text(encoding="utf-8"))

    @staticmethod
    def _inputs(known: dict, ca: str) -> dict[str, dict[str, str]]:
        """What somebody has entered for the credentials."""
        admin = {"username": known["vcenter_username"], "password": known["vcenter_password"], "ca": ca}
        return {
            "Ray on VCF vCenter": {"host": known["vcenter_hostname"], **admin},
            "Ray on VCF Supervisor administrator": admin,
            "Ray on VCF Supervisor login": {"username": known["devops_user_username"], "password": known["devops_user_password"], "ca": ca,
                                            "host": "10.244.1.2"},
            "Ray on VCF dashboard": {},
            "Ray on VCF registry": {"username": known["carvel_package_username"], "password": known["carvel_package_password"], "ca": ca},
        }

    def credentials(self, names: list[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Environment and extra variables that the injectors of these credentials make, with their files written."""
        env: dict[str, str] = {}
        extra: dict[str, str] = {}
        types = {item["name"]: item for item in self.config["controller_credential_types"]}
        for name in names:
            injectors = types[name]["injectors"]
            values: dict[str, t.Any] = {**self.inputs[name], "tower": {"filename": {}}}
            for label, text in injectors["file"].items():
                path = self.folder / f"{name} {label}"
                path.write_text(render(text, values), encoding="utf-8")
                values["tower"]["filename"][label.removeprefix("template.")] = str(path)
            env |= {key: render(text, values) for key, text in injectors.get("env", {}).items()}
            extra |= {key: render(text, values) for key, text in injectors.get("extra_vars", {}).items()}
        return env, extra

    def launch(self, playbook: str, answers: dict, **more: t.Any) -> Done:
        template = next(item for item in self.config["controller_templates"] if item["playbook"].endswith(f"/{playbook}.yml"))
        defaults = {q["variable"]: q["default"] for q in template["survey_spec"]["spec"] if "default" in q}
        env, extra = self.credentials(template["credentials"])
        given = self.folder / "extra.json"
        given.write_text(json.dumps({**more, **defaults, **answers, **self.artifacts, **extra}), encoding="utf-8")
        given.chmod(0o600)
        with mock.patch.dict(self.lab.env, env):
            # A lab names its own CA to all that runs in it; here only the credential does.
            done = Done(self.lab.exec("env", f"VCF_RAY_CA_PATH={env.get('VCF_RAY_CA_PATH', '')}", str(BIN / "ansible-playbook"), "-i", "localhost,",
                                      str(ROOT / template["playbook"]), "-e", f"@{given}", "-v", timeout=900))
        self.artifacts |= done.artifacts
        self.said += done.text
        return done


def render(text: str, values: dict) -> str:
    return ImmutableSandboxedEnvironment().from_string(text).render(**values)


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory, config: dict[str, list[dict]]) -> t.Iterator[Controller]:
    lab = Lab(tmp_path_factory.mktemp("aap") / "lab")
    lab.up()
    yield Controller(lab, tmp_path_factory.mktemp("runner"), config)
    lab.down()


def refused(controller: Controller, playbook: str, answers: dict, **more: t.Any) -> str:
    """What the playbook says to these answers, which must change nothing at the whole site."""
    before, written, handed_on = controller.lab.whole(), controller.lab.writes(), dict(controller.artifacts)
    done = controller.launch(playbook, answers, **more)
    assert done.rc != 0 and "Traceback" not in done.text, done.text
    assert controller.lab.writes() == written
    assert controller.lab.whole() == before
    assert controller.artifacts == handed_on
    return done.text


def test_the_package_is_handed_on(controller: Controller) -> None:
    known = {name: controller.variables[name] for name in ("carvel_package_build", "carvel_package_work_dir")}
    answers = {name: controller.variables[name] for name in ("carvel_package_source", "carvel_package_version", "carvel_package_image_repository")}
    assert "no name of a repository" in refused(controller, "carvel_package", answers | {"carvel_package_image_repository": "https://no/"}, **known)
    done = controller.launch("carvel_package", answers, **known)
    assert done.rc == 0, done.text
    assert set(done.artifacts) == {"vi_admin_service_content", "vi_admin_service_version"}
    assert "kind: Package" in done.artifacts["vi_admin_service_content"]


VI_ADMIN = {"ray_supervisor": "ray-supervisor", "ray_library_url": "https://packages.lab/dl-vm/lib.json", "ray_library_datastore": "LocalDS_0",
            "ray_vm_class": VM_CLASS}


@pytest.fixture(scope="module")
def supervisor(controller: Controller) -> dict[str, t.Any]:
    """An enabled Supervisor, as the survey takes it for there; and the options that a job template has as extra variables here."""
    wanted = controller.variables["vi_admin_supervisor"]
    play = controller.folder / "supervisor.yml"
    login = {key: controller.variables[f"vcenter_{key}"] for key in ("hostname", "username", "password", "ca_path")}
    play.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False,
                                 "vars": {"ansible_python_interpreter": sys.executable}, "tasks": [{"vcf.ray.supervisor": wanted | login}]}]),
                    encoding="utf-8")
    done = controller.lab.exec(str(BIN / "ansible-playbook"), str(play))
    assert done.returncode == 0, done.stdout + done.stderr
    return {"vi_admin_registries": controller.variables["vi_admin_registries"]}


@pytest.mark.parametrize(("answer", "said"), [
    ({"ray_user_role": "KING"}, "value of role must be one of: OWNER, EDIT, VIEW, got: KING"),
    ({"ray_vm_class": "best-effort-galactic"}, "best-effort-galactic"),
    ({"ray_storage_policy": "gold, if you please"}, "gold, if you please"),
    ({"ray_namespace": "Deploy Ray!"}, "Deploy Ray!"),
    ({"ray_user": "", "ray_library_url": "nonsense"}, "Nobody but administrators would have access"),
])
def test_the_vi_admins_nonsense_is_refused(controller: Controller, supervisor: dict, answer: dict, said: str) -> None:
    assert said in refused(controller, "vi_admin", VI_ADMIN | answer, **supervisor)


@pytest.mark.parametrize("playbook", ["vi_admin", "devops_user"])
def test_no_variable_of_a_built_in_credential_switches_verification_off(controller: Controller, supervisor: dict, playbook: str) -> None:
    """Those credentials set them, and with a CA that is not known here a job with them must go no further."""
    switches = {"VMWARE_VALIDATE_CERTS": "False", "K8S_AUTH_VERIFY_SSL": "False"}
    without = {name: {key: value for key, value in values.items() if key != "ca"} for name, values in controller.inputs.items()}
    with mock.patch.dict(controller.lab.env, switches), mock.patch.object(controller, "inputs", without):
        text = refused(controller, playbook, VI_ADMIN | cluster(controller) | {"ray_supervisor_address": "10.244.1.2"}, **supervisor)
    assert "certificate" in text and "ca_path" in text


def test_the_vi_admin_hands_the_namespace_on(controller: Controller, supervisor: dict) -> None:
    password = controller.variables["devops_user_password"]
    done = controller.launch("vi_admin", VI_ADMIN | {"ray_user_password": password}, **supervisor)
    assert done.rc == 0, done.text
    assert done.artifacts == {"devops_user_supervisor": "10.244.1.2", "devops_user_namespace": NAMESPACE}


def cluster(controller: Controller) -> dict[str, t.Any]:
    return {"ray_image": f"rayproject/ray:{importlib.metadata.version('ray')}", "ray_vm_image": IMAGE, "ray_head_class": VM_CLASS,
            "ray_worker_class": VM_CLASS, "ray_min_workers": 1, "ray_max_workers": 1, "ray_vm_password": controller.variables["vcenter_password"] + "-Vm1",
            "devops_user_accept_open_dashboard": "yes"}


@pytest.mark.parametrize(("answer", "said"), [
    ({"ray_min_workers": "many"}, "many"),
    ({"devops_user_ready": "soon"}, "soon"),
    ({"ray_max_workers": 0}, "max_workers"),
    ({"ray_vm_image": "vmi-nothing"}, "vmi-nothing"),
    ({"devops_user_accept_open_dashboard": "no"}, "could run code there"),
])
def test_the_devops_users_nonsense_is_refused(controller: Controller, answer: dict, said: str) -> None:
    assert said in refused(controller, "devops_user", cluster(controller) | answer)


def test_the_devops_user_hands_the_dashboard_on(controller: Controller) -> None:
    done = controller.launch("devops_user", cluster(controller))
    assert done.rc == 0, done.text
    assert set(done.artifacts) == {"data_scientist_dashboard_url", "data_scientist_dashboard_urls"}


def test_the_inventory_source_sees_the_cluster(controller: Controller) -> None:
    """By the environment of its credential alone: a controller knows no extra variables there."""
    env, _extra = controller.credentials(["Ray on VCF Supervisor login"])
    with mock.patch.dict(controller.lab.env, env):
        done = controller.lab.exec(str(BIN / "ansible-inventory"), "-i", str(AAP / "inventories/ray.vmray_cluster.yml"), "--list")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["ray_ready"]["hosts"]) == 2, done.stdout


@pytest.mark.parametrize(("answer", "said"), [
    ({"ray_job_rerun": "perhaps"}, "perhaps"),
    ({"ray_job_cpus": "most of them"}, "entrypoint_num_cpus"),
    ({"ray_job_working_dir": "/no/such/folder", "ray_job_entrypoint": "true"}, "/no/such/folder"),
    ({"ray_dashboard": "http://10.244.1.77:8265"}, "10.244.1.77"),
])
def test_the_data_scientists_nonsense_is_refused(controller: Controller, answer: dict, said: str) -> None:
    assert said in refused(controller, "data_scientist", answer)


def test_the_data_scientist_runs_a_job(controller: Controller) -> None:
    done = controller.launch("data_scientist", {"data_scientist_accept_open_dashboard": "yes"})
    assert done.rc == 0, done.text
    assert done.artifacts == {"data_scientist_ended_jobs": {"hello-ray": "SUCCEEDED"}}


def test_a_second_run_of_the_workflow_changes_nothing(controller: Controller, supervisor: dict) -> None:
    before = controller.lab.whole()
    for playbook, answers, more in (("vi_admin", VI_ADMIN, supervisor), ("devops_user", cluster(controller), {}), ("data_scientist", {}, {})):
        done = controller.launch(playbook, answers, **more)
        assert done.rc == 0 and done.counts["changed"] == 0, done.text
    assert controller.lab.whole() == before


def test_renewal_leaves_a_cluster_that_lives_long_enough(controller: Controller) -> None:
    done = controller.launch("renew", {"ray_cluster": "test-ray", "devops_user_accept_open_dashboard": "yes"})
    assert done.rc == 0 and done.counts["changed"] == 0, done.text


def test_the_report_is_written(controller: Controller) -> None:
    path = controller.folder / "report.html"
    done = controller.launch("report", {"site_report_path": str(path), "ray_supervisor": "ray-supervisor"})
    assert done.rc == 0, done.text
    assert "test-ray" in path.read_text(encoding="utf-8")


def test_the_way_back_asks_first(controller: Controller) -> None:
    answers = {"ray_supervisor": "ray-supervisor", "ray_namespace": NAMESPACE, "ray_cluster": "test-ray", "ray_library": "ray-images"}
    assert "teardown_confirm" in refused(controller, "teardown", answers)
    done = controller.launch("teardown", answers | {"teardown_confirm": "yes"})
    assert done.rc == 0, done.text
    assert controller.lab.ask("/requests")
    assert NAMESPACE not in "".join(controller.lab.whole())


def test_each_node_is_counted_once(controller: Controller) -> None:
    """Over all jobs of all personas: one Supervisor and one Ray cluster, whatever was done on them."""
    events = [json.loads(line) for line in controller.results.read_text(encoding="utf-8").splitlines()]
    # A controller has an event for each item of a loop, and one for the loop.
    said = [(event["action"], result) for event in events for result in (event["result"], *event["result"].get("results", []))]
    found = [(action, node) for action, result in said for node in counting.nodes(action, result)]
    distinct = counting.distinct([node for _action, node in found])
    assert len(found) > 20 and len(distinct) == 2, distinct
    assert {node["facts"]["device_type"] for _action, node in found} == {"Supervisor", "Ray cluster"}
    assert {action for action, _node in found} == set(counting.QUERIES), "a query that never says anything"


def test_nothing_that_was_said_or_handed_on_is_a_secret(controller: Controller) -> None:
    secrets = {values["password"] for values in controller.inputs.values() if "password" in values} | {cluster(controller)["ray_vm_password"]}
    assert len(secrets) >= 3
    for secret in secrets:
        assert secret not in controller.said
        assert secret not in json.dumps(controller.artifacts)
