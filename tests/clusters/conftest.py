# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters and jobs on a site that the VI admin has made, with real Ray; in the controller's process, as everything else is tried both ways elsewhere."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "integration")]
import world  # noqa: E402
from labs import BIN, ROOT, Lab, Play  # noqa: E402

NAMESPACE = "deploy-ray"
SUPERVISOR = "10.244.1.2"
# Faults that are a state and strike nobody in particular.
STATES = ("operator-gone",)
# Keys of a task beside its module.
KEYWORDS = ("vars", "check_mode", "diff", "ignore_errors")
IMAGE = f"rayproject/ray:{importlib.metadata.version('ray')}"


class Done:
    """What a play said and what its tasks returned, in their order."""

    def __init__(self, play: Play, results: list[dict]) -> None:
        self.play, self.results = play, results

    @property
    def last(self) -> dict:
        assert self.results, self.play.text
        return self.results[-1]

    @property
    def ok(self) -> dict:
        """The result of the last task, which must not have failed."""
        assert self.play.rc == 0, self.play.text
        return self.last

    @property
    def refused(self) -> str:
        """The message of the task that failed."""
        assert self.play.rc != 0, self.play.text
        assert "Traceback" not in self.play.text, self.play.text
        return self.last["msg"]


class Site(Lab):
    """A lab whose vCenter has Supervisor, service and namespace."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self._results = folder, folder / "results"
        super().__init__(folder / "state", ANSIBLE_CALLBACK_PLUGINS=str(ROOT / "tests/e2e/callback_plugins"), ANSIBLE_CALLBACKS_ENABLED="results",
                         TEST_RESULTS=str(self._results))

    def make(self) -> None:
        self.up()
        (self.folder / "role.yml").write_text(world.role())
        done = Play(self.playbook(str(self.folder / "role.yml")))
        assert done.rc == 0, done.text

    @property
    def login(self) -> dict:
        """The option ``supervisor`` of the DevOps user."""
        own = self.variables()
        return {"hostname": SUPERVISOR, "username": own["devops_user_username"], "password": own["devops_user_password"], "ca_path": own["devops_user_ca_path"]}

    def run(self, *tasks: dict, args: tuple[str, ...] = ()) -> Done:
        """Tasks of our modules, ``{module: options}``; more keywords of a task beside the module."""
        play = self.folder / "play.yml"
        named = [{"name": f"Task {number}", **{k if k in KEYWORDS else f"vcf.ray.{k}": v for k, v in task.items()}} for number, task in enumerate(tasks)]
        play.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": named,
                                     "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}}]))
        self._results.write_text("")
        done = Play(self.playbook(str(play), *args))
        return Done(done, [json.loads(line)["result"] for line in self._results.read_text().splitlines()])

    def cluster(self, name: str, **options: t.Any) -> dict:
        """A task that makes a small cluster: a head alone unless ``workers`` says more."""
        return {"vmray_cluster": {"name": name, "namespace": NAMESPACE, "supervisor": self.login, "image": "ray-node-ubuntu-24.04", "ray_image": IMAGE,
                                  "storage_class": "vsan-default-storage-policy", "vm_password": "Nodes-1st!pw", "head": {"vm_class": "ray-small"},
                                  "wait_timeout": 240, **options}}

    def removal(self, name: str, **options: t.Any) -> dict:
        return {"vmray_cluster": {"name": name, "namespace": NAMESPACE, "supervisor": self.login, "state": "absent", "wait_timeout": 120, **options}}

    def gone(self, *names: str) -> None:
        for name in names:
            self.run(self.removal(name)).ok

    def kubectl(self, *args: str) -> t.Any:
        """kubectl as the administrator of the Supervisor's Kubernetes, in the namespace; decoded with ``-o json``."""
        done = self.exec("kubectl", "--kubeconfig", str(self.state / "kube/admin.kubeconfig"), "-n", NAMESPACE, *args)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if "json" in args else done.stdout

    def rays(self, url: str, path: str) -> t.Any:
        """An answer of Ray's dashboard, asked by curl."""
        return json.loads(self.exec("curl", "-sf", "--max-time", "20", f"{url}{path}").stdout)

    @contextlib.contextmanager
    def fault(self, name: str, **options: t.Any) -> t.Iterator[None]:
        """Armed inside, where it must have struck by the end."""
        done = self.command("fault", "add", name, *(f"{k}={v}" for k, v in options.items()))
        assert done.returncode == 0, done.stdout + done.stderr
        try:
            yield
            listed = self.command("fault", "list").stdout
            assert name in STATES or re.search(rf"^{name} .*struck [1-9]", listed, re.MULTILINE), listed
        finally:
            self.command("fault", "clear", name)

    def begin(self, *args: str, **kwargs: t.Any) -> subprocess.Popen:
        """A command in the lab that goes on beside the test."""
        return subprocess.Popen([BIN / "lab", "exec", *args], env=self.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                start_new_session=True, **kwargs)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items) -> None:
    """For several workers, and before pytest-xdist looks: a file stays in one of them."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session", name="site")
def fixture_site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    try:
        site.make()
        yield site
    finally:
        site.down()
