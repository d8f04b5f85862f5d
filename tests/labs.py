# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab in a folder of its own, and ansible-playbook inside it; for all tests that need one."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import typing as t

import yaml

ROOT = pathlib.Path(__file__).parents[1]
BIN = pathlib.Path(sys.executable).parent
SIDE_DOOR = "http://10.244.0.2:8090"
# POSTs that only read (docs of the vCenter API), and the logins.
READING = re.compile(r"action=(find|probe|checkContent|check-compatibility)(&|$)|^/api/session$|^/sts/|^/sso-adminserver/")
# The parts of a lab that hold what is published; nothing takes it away again.
PUBLISHED = ("registry", "mirror", "files")
# Operations of the SSO service that write.
SOAP_WRITES = re.compile(r"^(Create|Update|Delete|Add|Remove|Reset|Enable|Disable|Unlock|SetRole)")

# What is random or a time in all that a lab tells, and the word that stands for it when two runs are compared.
RANDOM = [(re.compile(pattern), word) for pattern, word in (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|\+00:00)", "TIME"),
    (r"\bsvc-([a-z-]+)-[a-z0-9]{5}\b", r"svc-\1-NAME"),
    (r"-([hw])-[a-z0-9]{5,8}\b", r"-\1-NAME"),
    (r"\bvmi-[0-9a-f]{17}\b", "IMAGE"),
)]


def is_write(request: dict) -> bool:
    """Whether an entry of the lab's request log could have changed something; logins and logouts do not count."""
    if request.get("operation"):
        return bool(SOAP_WRITES.search(request["operation"]))
    if request["method"] in ("GET", "HEAD") or READING.search(request["path"]):
        return False
    return not (request["method"] == "DELETE" and request["path"] == "/api/session")


class Play:
    """What one run of ansible-playbook said: ``rc``, ``text``, ``counts`` (ok, changed, failed ...), ``failures``."""

    def __init__(self, done: subprocess.CompletedProcess) -> None:
        self.rc, self.text = done.returncode, done.stdout + done.stderr
        recap = re.search(r"^localhost\s+: (.*)$", self.text, re.MULTILINE)
        self.counts = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", recap.group(1))} if recap else {}
        self.failures = re.findall(r"^(?:fatal|failed): .*$|^\[ERROR\]: .*$", self.text, re.MULTILINE)


class Lab:
    """A lab; ``env`` is the environment of all that runs in it.

    ``way`` is how the tasks of our modules run: ``in_process`` (the controller's) or ``module``.
    """

    def __init__(self, state: pathlib.Path, way: str = "in_process", **env: str) -> None:
        self.state = state
        self.env = {**os.environ, "LAB_STATE": str(state), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"), "NO_COLOR": "1",
                    "ANSIBLE_NOCOWS": "1", "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False", **env}
        self.way = way

    @property
    def way(self) -> str:
        return self._way

    @way.setter
    def way(self, way: str) -> None:
        self._way = way
        self.env["VCF_RAY_IN_PROCESS"] = str(way == "in_process")

    def command(self, *args: str, timeout: float = 300, **kwargs: t.Any) -> subprocess.CompletedProcess:
        """``lab ARGS``"""
        return subprocess.run([BIN / "lab", *args], env=self.env, capture_output=True, text=True, timeout=timeout, check=False, cwd=ROOT, **kwargs)

    def up(self, *args: str) -> None:
        done = self.command("up", *args, timeout=1500)
        assert done.returncode == 0, done.stdout + done.stderr

    def down(self) -> None:
        self.command("down")

    def exec(self, *args: str, **kwargs: t.Any) -> subprocess.CompletedProcess:
        return self.command("exec", *args, **kwargs)

    def playbook(self, playbook: str, *args: str, timeout: float = 900) -> subprocess.CompletedProcess:
        return self.exec(str(BIN / "ansible-playbook"), playbook, "-e", f"@{self.state}/vars.yml", *args, timeout=timeout)

    def ask(self, path: str, method: str = "GET", body: t.Any = None) -> t.Any:
        """An answer of the vCenter's side door."""
        data = () if body is None else ("--data", json.dumps(body))
        done = self.exec("curl", "-sS", "--fail-with-body", "-X", method, *data, SIDE_DOOR + path)
        assert done.returncode == 0, f"{method} {path}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout) if done.stdout else None

    def variables(self) -> dict[str, t.Any]:
        """Those with which site.yml runs against this lab."""
        return yaml.safe_load((self.state / "vars.yml").read_text(encoding="utf-8"))

    def digest(self, *args: str) -> str:
        done = self.command("digest", *args)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def whole(self) -> list[str]:
        """The state behind the digest, line by line, for a test to show where it differs; without what was published, which stays."""
        state = {key: value for key, value in json.loads(self.digest("--show")).items() if key not in PUBLISHED}
        return json.dumps(state, indent=1, sort_keys=True).splitlines()

    def writes(self) -> list[str]:
        """The requests to vCenter so far that could have written something."""
        return [f"{r['method']} {r.get('operation') or r['path']}" for r in self.ask("/requests") if is_write(r)]
