# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other commands than ansible-playbook that meet our modules and their action plugins."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CORES, WAYS
from fake_vcenter import FakeVCenter
from running import HERE, IN_PROCESS, ROOT, Core, Run, wait_for

TOOLS = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def tool(name: str) -> str:
    """Its path; without it the test is skipped."""
    return shutil.which(name, path=TOOLS) or pytest.skip(f"{name} is not installed (tests/requirements.txt)")


def test_ad_hoc(core: Core, server: FakeVCenter, tmp_path: Path) -> None:
    options = json.dumps({option: "{{ vcenter.%s }}" % option for option in ("hostname", "port", "username", "password", "ca_path")})
    with Run(core, tmp_path / "run", server, "ansible", "vc-1", "-vv", "-m", "vcf.ray.namespace_info", "-a", options) as run:
        assert run.end().rc == 0, run.text
    assert IN_PROCESS in run.text and '"namespaces": []' in run.text
    assert not server.sessions and len(server.logins) == 1


def test_ansible_doc(core: Core, server: FakeVCenter, tmp_path: Path) -> None:
    """The page is the module's, not that of the action plugin of the same name."""
    with Run(core, tmp_path / "run", server, "ansible-doc", "--json", "vcf.ray.namespace") as run:
        assert run.end().rc == 0, run.text
    page = json.loads(run.out)["vcf.ray.namespace"]["doc"]
    assert page["module"] == "namespace" and page["filename"].endswith("plugins/modules/namespace.py") and "wait_timeout" in page["options"]


def test_ansible_lint_knows_our_options(tmp_path: Path) -> None:
    playbook = tmp_path / "playbooks/site.yml"
    playbook.parent.mkdir()
    playbook.write_text("""---
- name: One misspelt option
  hosts: localhost
  tasks:
    - name: Make a namespace
      vcf.ray.namespace:
        hostname: vcenter.example.com
        name: deploy-ray
        suprevisor: supervisor-1
""")
    done = subprocess.run(
        [tool("ansible-lint"), "--offline", "--format", "pep8", str(playbook)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PATH": TOOLS, "HOME": str(tmp_path), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"), "NO_COLOR": "1"})
    assert re.search(r"args\[module\].*Unsupported parameters.*: suprevisor\.", done.stdout), done.stdout + done.stderr
    assert "fqcn" not in done.stdout


class Job:
    """A job as Automation Platform runs it: what ansible-runner keeps of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "private/artifacts/job"

    @property
    def status(self) -> str:
        return (self.folder / "status").read_text()

    @property
    def stdout(self) -> str:
        return (self.folder / "stdout").read_text()

    @property
    def events(self) -> list[dict]:
        return [json.loads(path.read_text()) for path in (self.folder / "job_events").glob("*.json")]


def start_job(core: Core, folder: Path, server: FakeVCenter, way: str, seconds: int) -> tuple[Run, Job]:
    (folder / "private/project").mkdir(parents=True)
    run = Run(core, folder / "run", server, tool("ansible-runner"), "run", str(folder / "private"), "-p", str(HERE / "plays/wait.yml"),
              "--inventory", str(folder / "run/hosts.json"), "--ident", "job", "--cmdline", f"-e seconds={seconds}", in_process=WAYS[way],
              env={"ANSIBLE_CALLBACK_PLUGINS": ""})
    return run, Job(folder)


def test_a_job_shows_the_lines(core: Core, server: FakeVCenter, tmp_path: Path) -> None:
    run, job = start_job(core, tmp_path, server, "in_process", 1)
    with run:
        run.end()
    line = "waiting: [vc-1] slow-vc-1: CONFIGURING (0 s)"
    assert job.status == "successful" and line in job.stdout, run.text
    assert [event["event"] for event in job.events if line in event["stdout"]] == ["verbose"]


@pytest.mark.parametrize("core", CORES[:1], ids=str, indirect=True)
def test_a_job_that_is_cancelled(core: Core, way: str, server: FakeVCenter, tmp_path: Path) -> None:
    """ansible-runner ends its children by SIGKILL of their group."""
    run, job = start_job(core, tmp_path, server, way, 600)
    with run:
        assert wait_for(server.waiting, 90), run.text
        os.kill(run.process.pid, signal.SIGTERM)
        assert wait_for(lambda: not run.processes(), 10), run.text
        assert not server.sessions and job.status == "canceled"
