# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as the benchmarks meet it, from inside its network, and the Ansible that is measured in it."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
# Ansible with the bundle's collections, in an environment of its own; the harness runs in the lab's.
BIN = ROOT / "build/bench/bin"
LOG_URL = "http://10.244.0.2:8090"
SESSION_HEADER = "vmware-api-session-id"
NAMESPACE = "deploy-ray"
VMRAY = f"/apis/vmray.broadcom.com/v1alpha1/namespaces/{NAMESPACE}/vmrayclusters"


class Failed(Exception):
    """A command of a measurement that did not do what it was for."""


class World:
    """One lab in which site.yml has run."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.work = state / "bench"
        (self.work / "tmp").mkdir(parents=True, exist_ok=True)
        (self.work / "ansible.cfg").touch()
        self.variables: dict[str, Any] = yaml.safe_load((state / "vars.yml").read_text())
        self.ca = self.variables["vcenter_ca_path"]
        self.vcenter = f"https://{self.variables['vcenter_hostname']}"
        self.kubeconfig = self.variables["devops_user_kubeconfig"]
        self._tls = ssl.create_default_context(cafile=self.ca)

    @property
    def env(self) -> dict[str, str]:
        """Of every Ansible: the user's own settings, caches and turbo modes stay out of the figures."""
        outside = {k: v for k, v in os.environ.items() if not k.startswith(("ANSIBLE_", "VMWARE_", "K8S_", "VCF_RAY_"))}
        return {**outside, "ANSIBLE_CONFIG": str(self.work / "ansible.cfg"), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"),
                "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False", "ANSIBLE_DEPRECATION_WARNINGS": "False",
                "NO_COLOR": "1", "TMPDIR": str(self.work / "tmp"), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}

    def run(self, *command: str | Path, timeout: float = 600, env: dict[str, str] | None = None, data: str | None = None) -> str:
        """The command's output; Failed with the end of what it said when it fails."""
        done = subprocess.run([str(c) for c in command], env={**self.env, **(env or {})}, input=data, capture_output=True, text=True,
                              timeout=timeout, check=False, cwd=self.work)
        if done.returncode:
            raise Failed(f"{' '.join(map(str, command))}: {(done.stdout + done.stderr)[-3000:]}")
        return done.stdout

    def site(self) -> None:
        """From an empty vCenter to a cluster with its finished job; a second call changes nothing."""
        self.run(BIN / "ansible-playbook", "vcf.ray.site", "-e", f"@{self.state}/vars.yml", timeout=300)

    def kubectl(self, *args: str, admin: bool = False, data: str | None = None) -> str:
        config = self.state / "kube/admin.kubeconfig" if admin else self.kubeconfig
        return self.run("kubectl", "--kubeconfig", config, *args, data=data)

    def kube_login(self) -> tuple[str, str]:
        """Address and token of the DevOps user's kubeconfig."""
        config = yaml.safe_load(Path(self.kubeconfig).read_text())
        return config["clusters"][0]["cluster"]["server"], config["users"][0]["user"]["token"]

    def cluster(self, name: str | None = None) -> dict[str, Any]:
        """The custom resource as it is."""
        found: dict[str, Any] = json.loads(self.kubectl("get", "vmraycluster", name or self.variables["devops_user_clusters"][0]["name"], "-o", "json"))
        return found

    def session(self) -> str:
        """A vCenter session of the administrator."""
        user = f"{self.variables['vcenter_username']}:{self.variables['vcenter_password']}"
        login = {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}
        token: str = self.ask("POST", "/api/session", headers=login)
        return token

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """One call to vCenter, decoded."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.vcenter + path, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
        with urllib.request.urlopen(request, context=self._tls, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def vcenter_log(self, *, forget: bool = False) -> list[dict[str, Any]]:
        """The requests that vCenter has got since the log was last forgotten."""
        with urllib.request.urlopen(f"{LOG_URL}/requests", timeout=30) as answer:
            log: list[dict[str, Any]] = json.load(answer)
        if forget:
            urllib.request.urlopen(urllib.request.Request(f"{LOG_URL}/requests", method="DELETE"), timeout=30).close()
        return log


def get_json(url: str, timeout: float = 2.0) -> Any:
    """The decoded answer of a plain address, such as Ray's dashboard."""
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return json.load(answer)


def elapsed_ms(start: float) -> float:
    return (time.monotonic() - start) * 1000
