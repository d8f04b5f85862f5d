# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marked secrets are planted in every place that takes one; then everything that a run leaves, shows or starts is searched for them.

They may be found in the named kubeconfig (the token), and in what is not the run's: the API server, and the nodes, whose
first boot is the operator's. They must be found by the same search where a play leaks them on purpose.
"""

from __future__ import annotations

import base64
import json
import os
import pathlib
import subprocess
import threading
import time
import urllib.parse

import pytest
import yaml
from conftest import NAMESPACE, SUPERVISOR
from labs import BIN, ROOT

# Nodes sign in at the registry by the operator's own first boot, and the tools of the lab's machines are not the run's.
NOT_OURS = ("docker login", "vcf_lab.")
PLAY = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
         "roles": ["vcf.ray.devops_user"]},
        {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": {
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "data_scientist_dashboard_url": "{{ devops_user_result.clusters[0].dashboard_url }}"},
         "roles": ["vcf.ray.data_scientist", "vcf.ray.site_report"]}]


def spellings(secret: str) -> set[bytes]:
    """A secret as it may stand in a file: raw, escaped for URLs and JSON, in base64 once and twice, also in the middle of something longer."""
    raw = secret.encode()
    once = _base64(raw)
    return {raw, urllib.parse.quote(secret, safe="").encode(), urllib.parse.quote(secret).encode(), urllib.parse.quote_plus(secret).encode(),
            json.dumps(secret)[1:-1].encode(), *once, *(twice for part in once for twice in _base64(part))}


def _base64(data: bytes) -> set[bytes]:
    """The part that does not depend on what stands before and behind, for each of the three ways to fall into groups."""
    found = set()
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + data)
        begin = (0, 2, 3)[shift]
        end = len(text) - (0, 3, 2)[(shift + len(data)) % 3] if (shift + len(data)) % 3 else len(text)
        found |= {text[begin:end], text[begin:end].replace(b"+", b"-").replace(b"/", b"_")}
    return found


class Search:
    """One run, and everywhere that it could leave a secret: its output, files, artifacts, and the command lines of its processes."""

    def __init__(self, site, folder: pathlib.Path, play: list, variables: dict) -> None:
        self.folder = folder
        for name in ("home", "tmp", "project", "env"):
            (folder / name).mkdir(parents=True)
        # What the user keeps in files of his own is not searched.
        (folder / "project/play.yml").write_text(json.dumps(play))
        self._given = site.folder / f"{folder.name}.json"
        self._given.write_text(json.dumps(variables))
        self._given.chmod(0o600)
        self._commands: set[bytes] = set()
        self._ended = threading.Event()
        env = {**{k: v for k, v in site.env.items() if k != "ANSIBLE_CALLBACKS_ENABLED"}, "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "ANSIBLE_LOCAL_TEMP": str(folder / "tmp/local"),
               "PATH": f"{BIN}:{os.environ['PATH']}"}
        watching = threading.Thread(target=self._watch)
        watching.start()
        try:
            done = subprocess.run([BIN / "lab", "exec", str(BIN / "ansible-runner"), "run", str(folder), "-p", "play.yml",
                                   f"--cmdline=-vvv -e @{self._given}"], env=env, cwd=ROOT, capture_output=True, timeout=600, check=False)
        finally:
            self._ended.set()
            watching.join()
        self.rc, self.output = done.returncode, done.stdout + done.stderr

    def _watch(self) -> None:
        while not self._ended.is_set():
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                try:
                    self._commands.add((process / "cmdline").read_bytes().replace(b"\0", b" "))
                except OSError:
                    continue
            time.sleep(0.05)

    def places(self) -> dict[str, bytes]:
        files = {str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink()}
        ours = {f"command line {line[:60]!r}": line for line in self._commands if not any(word.encode() in line for word in NOT_OURS)}
        return {"output": self.output, **files, **ours}

    def found(self, secrets: dict[str, str]) -> set[tuple[str, str]]:
        """(name of the secret, place) of each that is found."""
        marks = {name: spellings(value) for name, value in secrets.items()}
        return {(name, place) for place, content in self.places().items() for name, marked in marks.items() if any(mark in content for mark in marked)}


@pytest.fixture(scope="module", name="planted")
def fixture_planted(site):
    own = site.variables()
    return {"password of the user": own["devops_user_password"], "password of the nodes": 'Mark-nodes/"1&=+ü', "password of the registry": "Mark-registry-0f2b",
            "token of Ray": f"{own['vcenter_password']}-Ray1", "secret of the job": 'Mark-job/"2&=+ß'}


@pytest.fixture(scope="module", name="variables")
def fixture_variables(site, planted):
    cluster = {k: v for k, v in site.cluster("sealed")["vmray_cluster"].items() if k not in ("namespace", "supervisor", "wait_timeout")}
    cluster |= {"ray_image": f"{cluster['ray_image']}-token", "vm_password": planted["password of the nodes"], "ray": {"token": planted["token of Ray"]},
                "docker_auth": {"registry": "registry.lab", "username": "puller", "password": planted["password of the registry"]}}
    own = {k: v for k, v in site.variables().items() if k.startswith("devops_user_") and k not in ("devops_user_cluster", "devops_user_clusters")}
    return {**own, "devops_user_supervisor": SUPERVISOR, "devops_user_namespace": NAMESPACE, "devops_user_kubeconfig": str(site.folder / "named.kubeconfig"),
            "devops_user_clusters": [cluster], "devops_user_accept_open_dashboard": False, "data_scientist_token": planted["token of Ray"],
            "data_scientist_jobs": [{"submission_id": "sealed-1", "entrypoint": "python -c 'print(1)'",
                                     "runtime_env": {"env_vars": {"API_KEY": planted["secret of the job"]}}}]}


def test_nothing_that_a_run_leaves_holds_a_secret(site, planted, variables, tmp_path) -> None:
    page = tmp_path / "run/tmp/report.html"
    run = Search(site, tmp_path / "run", PLAY, {**variables, "site_report_path": str(page)})
    assert run.rc == 0, run.output.decode()
    made = site.kubectl("get", "vmrayclusters", "sealed", "-o", "json")["spec"]["common_node_config"]["vm_password_salt_hash"]
    named = pathlib.Path(variables["devops_user_kubeconfig"])
    token = yaml.safe_load(named.read_text())["users"][0]["user"]["token"]
    assert named.stat().st_mode & 0o777 == 0o600
    secrets = {**planted, "hash of the password": made, "token of the user": token}
    assert page.stat().st_size > 1000
    assert any(place.startswith("artifacts/") for place in run.places()), "the runner's artifacts are searched"
    assert run.found(secrets) == set()
    # The allowed places do hold what they are for, so the search would have seen it.
    assert any(mark in named.read_bytes() for mark in spellings(token))


def test_a_run_that_fails_leaves_no_secret_either(site, planted, variables, tmp_path) -> None:
    wrong = {**variables, "devops_user_clusters": [{**variables["devops_user_clusters"][0], "name": "unsealed", "storage_class": "nowhere"}]}
    run = Search(site, tmp_path / "run", PLAY, wrong)
    assert run.rc != 0 and b"nowhere" in run.output
    assert run.found(planted) == set()
    left = [path for path in (tmp_path / "run/tmp").rglob("*") if path.is_file()]
    assert left == []
    site.gone("sealed")


LEAKS = {
    "output": {"ansible.builtin.debug": {"msg": "{{ (secret | b64encode) | b64encode }}"}},
    "tmp/": {"ansible.builtin.copy": {"content": "{{ secret | urlencode }}", "dest": "{{ lookup('env', 'TMPDIR') }}/leak", "mode": "0600"}, "no_log": True},
    "command line": {"ansible.builtin.command": {"argv": ["sh", "-c", "sleep 1; :", "user:{{ secret }}"]}, "no_log": True},
    "artifacts/": {"ansible.builtin.set_stats": {"data": {"leak": "{{ secret }}"}}},
}


@pytest.mark.parametrize("place", LEAKS)
def test_a_leak_on_purpose_is_found(site, tmp_path, place) -> None:
    secret = 'Mark-leak/"3&=+é'
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [
        {"name": "Leak", "changed_when": False, **LEAKS[place]} if "command" in place else {"name": "Leak", **LEAKS[place]}]}]
    run = Search(site, tmp_path / "run", play, {"secret": secret})
    assert run.rc == 0, run.output.decode()
    assert any(where.startswith(place) for _, where in run.found({"it": secret})), os.listdir(tmp_path / "run")
