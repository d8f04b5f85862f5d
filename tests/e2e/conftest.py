# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for all tests of this folder, which run in the order of their files and lines: from empty back to empty.

All of it twice, each time with a lab of its own: in the controller's process, and as modules. What the tasks of the
second run return is compared with the first.
"""

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
# Known differences between two runs with two labs, and nothing of the way in which a task ran: random names, times, what is dealt out in turn.
KNOWN = [(re.compile(pattern), word) for pattern, word in (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"\b[0-9a-f]{56}\b", "NODE"),
    (r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|\+00:00)", "TIME"),
    (r'"(start_time|end_time)": [0-9]+', r'"\1": 0'),
    (r"-([hw])-[a-z0-9]{5,8}\b", r"-\1-NAME"),
    (r"\bsvc-([a-z-]+)-[a-z0-9]{5}\b", r"svc-\1-NAME"),
    (r"/[^\" ]*/pytest-[^/]*/[^/\" ]*", "FOLDER"),
    (r'"size": [0-9]+', '"size": 0'),
    (r"\b10\.244\.[0-9]+\.[0-9]+\b", "ADDRESS"),
    (r"4026[0-9]{6}", "NETNS"),
    (r"\bvmi-[0-9a-f]{17}\b", "IMAGE"),
    (r"\b[0-9.]+ s\b", "SECONDS"),
    (r"\([0-9]+ reads\)", "READS"),
)]

# The end of a job's log, in which Ray has more or fewer lines of its own.
KNOWN_KEYS = {"log_tail"}


def known(value: dict) -> dict:
    return {key: item for key, item in value.items() if key not in KNOWN_KEYS}


class Play:
    """What one run of ansible-playbook said: ``rc``, ``text``, ``counts`` (ok, changed, failed ...), ``failures``."""

    def __init__(self, done: subprocess.CompletedProcess) -> None:
        self.rc, self.text = done.returncode, done.stdout + done.stderr
        recap = re.search(r"^localhost\s+: (.*)$", self.text, re.M)
        self.counts = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", recap.group(1))} if recap else {}
        self.failures = re.findall(r"^(?:fatal|failed): .*$|^\[ERROR\]: .*$", self.text, re.M)


class Lab:
    """A running lab in a folder of its own.

    ``way`` is how the tasks of our modules run, ``first`` what they returned in the run before this one: play -> results.
    """

    def __init__(self, state: pathlib.Path, way: str, first: dict[str, list[list[str]]]) -> None:
        self.state, self.way, self.first = state, way, first
        self.start = ""
        self.plays: dict[str, int] = {}
        self.env = {**os.environ, "LAB_STATE": str(state), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"), "NO_COLOR": "1",
                    "ANSIBLE_NOCOWS": "1", "ANSIBLE_LOCALHOST_WARNING": "False", "VCF_RAY_IN_PROCESS": str(way == "in_process"),
                    "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/e2e/callback_plugins"), "ANSIBLE_CALLBACKS_ENABLED": "results",
                    "TEST_RESULTS": str(state.with_name(f"{state.name}.results"))}

    def command(self, *args: str, timeout: float = 300, **kwargs) -> subprocess.CompletedProcess:
        """``lab ARGS``"""
        return subprocess.run([BIN / "lab", *args], env=self.env, capture_output=True, text=True, timeout=timeout, check=False, cwd=ROOT, **kwargs)

    def exec(self, *args: str, **kwargs) -> subprocess.CompletedProcess:
        return self.command("exec", *args, **kwargs)

    def play(self, playbook: str, *args: str, timeout: float = 900) -> Play:
        results = pathlib.Path(self.env["TEST_RESULTS"])
        results.write_text("")
        done = self.exec(str(BIN / "ansible-playbook"), playbook, "-e", f"@{self.state}/vars.yml", *args, timeout=timeout)
        self.compare(results.read_text(), done.stdout + done.stderr)
        return Play(done)

    def compare(self, results: str, shown: str) -> None:
        """Keep the results of a play, or hold them against those of the same play in the first run."""
        for pattern, word in KNOWN:
            results = pattern.sub(word, results)
        test = os.environ["PYTEST_CURRENT_TEST"].replace(self.way, "WAY")
        self.plays[test] = self.plays.get(test, 0) + 1
        play = f"{test} play {self.plays[test]}"
        now = [json.dumps(json.loads(line, object_hook=known), indent=1, sort_keys=True).splitlines() for line in results.splitlines()]
        for before, after in zip(self.first.setdefault(play, now), now, strict=True):
            assert before == after, f"{play}\n{shown}"

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


@pytest.fixture(scope="session", name="first")
def fixture_first() -> dict[str, list[list[str]]]:
    return {}


@pytest.fixture(scope="session", name="lab", params=["in_process", "module"])
def fixture_lab(tmp_path_factory, request, first):
    lab = Lab(pathlib.Path(os.environ.get("LAB_TEST_STATE") or tmp_path_factory.mktemp("lab") / "state"), request.param, first)
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
