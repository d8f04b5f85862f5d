# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for all tests of this folder, which run in the order of their files and lines: from empty back to empty."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
BIN = pathlib.Path(sys.executable).parent
# POSTs that only read (docs of the vCenter API), and the logins.
READING = re.compile(r"action=(find|probe|checkContent|check-compatibility)|^/api/session$|^/sts/|^/sso-adminserver/")


class Play:
    """What one run of ansible-playbook said: ``rc``, ``text``, ``counts`` (ok, changed, failed ...), ``failures``."""

    def __init__(self, done: subprocess.CompletedProcess) -> None:
        self.rc, self.text = done.returncode, done.stdout + done.stderr
        recap = re.search(r"^localhost\s+: (.*)$", self.text, re.M)
        self.counts = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", recap.group(1))} if recap else {}
        self.failures = re.findall(r"^(?:fatal|failed): .*$|^\[ERROR\]: .*$", self.text, re.M)


class Lab:
    """A running lab in a folder of its own."""

    def __init__(self, state: pathlib.Path) -> None:
        self.state = state
        self.start = ""
        self.env = {**os.environ, "LAB_STATE": str(state), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"), "NO_COLOR": "1",
                    "ANSIBLE_NOCOWS": "1", "ANSIBLE_LOCALHOST_WARNING": "False"}

    def command(self, *args: str, timeout: float = 300, **kwargs) -> subprocess.CompletedProcess:
        """``lab ARGS``"""
        return subprocess.run([BIN / "lab", *args], env=self.env, capture_output=True, text=True, timeout=timeout, check=False, cwd=ROOT, **kwargs)

    def exec(self, *args: str, **kwargs) -> subprocess.CompletedProcess:
        return self.command("exec", *args, **kwargs)

    def play(self, playbook: str, *args: str, timeout: float = 900) -> Play:
        done = self.exec(str(BIN / "ansible-playbook"), playbook, "-e", f"@{self.state}/vars.yml", *args, timeout=timeout)
        return Play(done)

    def digest(self) -> str:
        done = self.command("digest")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def writes(self) -> list[str]:
        """The requests to vCenter so far that could have written something."""
        log = json.loads(self.exec("curl", "-sf", "http://10.244.0.2:8090/requests").stdout)
        return [f"{r['method']} {r['path']}" for r in log
                if r["method"] not in ("GET", "HEAD") and not READING.search(r["path"]) and not (r["method"] == "DELETE" and r["path"] == "/api/session")]

    def kubectl(self, *args: str) -> subprocess.CompletedProcess:
        """kubectl of the lab with the kubeconfig that site.yml made for the DevOps user."""
        return self.exec("kubectl", "--kubeconfig", str(self.state / "kubeconfig"), *args)


@pytest.fixture(scope="session", name="lab")
def fixture_lab(tmp_path_factory):
    lab = Lab(pathlib.Path(os.environ.get("LAB_TEST_STATE") or tmp_path_factory.mktemp("lab") / "state"))
    up = lab.command("up", timeout=1500)
    assert up.returncode == 0, up.stdout + up.stderr
    lab.start = lab.digest()
    yield lab
    if not os.environ.get("LAB_TEST_STATE"):
        lab.command("down")


@pytest.fixture(scope="session", name="start")
def fixture_start(lab: Lab) -> str:
    """The digest of the empty lab."""
    return lab.start
