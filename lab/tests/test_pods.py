# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods of a lab: they run real images, from the node or from a registry, and say why when they do not."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vcf_lab import operator_image, pulling, settings

pytestmark = pytest.mark.lab
CLI = [sys.executable, "-m", "vcf_lab.cli"]
PACKAGE = str(Path(__file__).parent.parent)
PYTHON = "/opt/python/bin/python3"
PRELOADED = "vmray-cluster-controller:latest"
REPOSITORY = f"{settings.REGISTRY_HOST}/pods/controller"
# Tells what it finds, then waits for its end; one that is deaf has to be killed.
LOOK = """
import json, os, signal, sys, time
def refused(path):
    try: open(path, "w").close()
    except OSError as error: return error.strerror
print(json.dumps({
    "pid": os.getpid(), "words": sys.argv[1:], "host": os.uname().nodename, "root": sorted(os.listdir("/")),
    "pids": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
    "variables": dict(os.environ), "account": sorted(os.listdir("/var/run/secrets/kubernetes.io/serviceaccount")),
    "config": open("/mnt/config/key").read(), "hosts": open("/etc/hosts").read(),
    "refused": [refused(path) for path in ("/x", "/etc/hosts", "/mnt/config/key", "/tmp/x", "/mnt/work/x", "/dev/null")],
    "random": len(open("/dev/urandom", "rb").read(4)),
    "capabilities": next(line for line in open("/proc/self/status") if line.startswith("CapBnd")).split()[1],
}), flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
time.sleep(3600)
"""
TURNS = """
import os, signal, sys, time
def end(*_):
    time.sleep(0.5)
    print("end", os.environ["TURN"], flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if os.environ["TURN"] == "2" else end)
print("start", os.environ["TURN"], flush=True)
time.sleep(3600)
"""


class Cluster:
    """kubectl, and what the tests ask of it."""

    def __init__(self, state: Path) -> None:
        self.lab = settings.read(state)

    def exec(self, *command: str, text: str | None = None, **env: str) -> str:
        words = [f"{name}={value}" for name, value in env.items()]
        whole = [*CLI, "exec", "--state", str(self.lab.state), "env", *words, *command]
        done = subprocess.run(whole, input=text, capture_output=True, text=True, timeout=120, cwd=PACKAGE)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def kubectl(self, *words: str, text: str | None = None) -> str:
        return self.exec("kubectl", "--kubeconfig", str(self.lab.kubeconfig), *words, text=text)

    def apply(self, obj: dict) -> None:
        self.kubectl("apply", "-f", "-", text=json.dumps(obj))

    def deploy(self, name: str, image: str, policy: str = "IfNotPresent", **container: object) -> None:
        first = {"name": "c", "image": image, "imagePullPolicy": policy, **container}
        volumes = [{"name": "config", "configMap": {"name": "settings"}}, {"name": "work", "emptyDir": {}}]
        first["volumeMounts"] = [{"name": volume["name"], "mountPath": f"/mnt/{volume['name']}"} for volume in volumes]
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [first], "volumes": volumes}}
        spec = {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template}
        self.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})

    def container(self, name: str) -> dict:
        """Status of the container of the only pod."""
        pods = json.loads(self.kubectl("get", "pods", "-l", f"app={name}", "-o", "json"))["items"]
        assert len(pods) <= 1
        return (pods[0]["status"].get("containerStatuses") or [{}])[0] if pods else {}

    def log(self, name: str) -> str:
        path = self.lab.logs / f"pod-{name}.log"
        return path.read_text() if path.exists() else ""

    def waits(self, name: str, reason: str, message: str = "") -> dict:
        """Until its container waits for this reason, with these words."""

        def there() -> dict | None:
            status = self.container(name)
            waiting = status.get("state", {}).get("waiting", {})
            return status if waiting.get("reason") == reason and re.search(message, waiting["message"]) else None

        return soon(there, lambda: f"{self.container(name)}")

    def runs(self, name: str) -> dict:
        def there() -> dict | None:
            status = self.container(name)
            return status if status.get("ready") else None

        return soon(there, lambda: f"{self.container(name)} {self.log(name)}")


def soon(ask: Callable[[], Any], why: Callable[[], str], seconds: float = 45.0) -> Any:
    """Asked until there is an answer; the deadline only bounds a failing test."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.2)
    raise AssertionError(why())


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    state = tmp_path_factory.mktemp("pods") / "state"
    done = subprocess.run([*CLI, "up", "--state", str(state)], capture_output=True, text=True, cwd=PACKAGE)
    try:
        assert done.returncode == 0, done.stderr
        found = Cluster(state)
        found.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"key": "value"}})
        yield found
    finally:
        subprocess.run([*CLI, "down", "--state", str(state)], capture_output=True, cwd=PACKAGE)


@pytest.fixture(scope="module")
def pushed(cluster: Cluster) -> str:
    """The operator's image in the lab's registry, by digest."""
    where = cluster.lab.state / "push"
    login = base64.b64encode(f"{settings.REGISTRY_USER}:{cluster.lab.registry_password}".encode()).decode()
    settings.write_private(where / "config.json", json.dumps({"auths": {settings.REGISTRY_HOST: {"auth": login}}}))
    env = {"DOCKER_CONFIG": str(where), "SSL_CERT_FILE": str(cluster.lab.ca_cert)}
    crane = str(cluster.lab.bin / "crane")
    (where / "image.tar").write_bytes(subprocess.run(["gzip", "-dc", operator_image.ensure()], capture_output=True).stdout)
    pushed_as = cluster.exec(crane, "push", str(where / "image.tar"), f"{REPOSITORY}:1", **env)
    return pushed_as.strip()


def test_the_image_of_the_node_runs_in_a_root_of_its_own(cluster: Cluster) -> None:
    who = [{"name": "WHO", "value": "me"}]
    cluster.deploy("own", PRELOADED, command=[PYTHON, "-c", LOOK], args=["--for=$(WHO)"], env=who)
    status = cluster.runs("own")
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", status["imageID"])
    assert (status["started"], status["restartCount"]) == (True, 0)
    found = json.loads(soon(lambda: cluster.log("own"), lambda: "no words"))
    assert (found["pid"], found["pids"]) == (1, [1])
    assert found["words"] == ["--for=me"]
    assert found["host"].startswith("own-")
    assert "entrypoint" in found["root"] and "work" not in found["root"]
    assert found["account"] == ["ca.crt", "namespace", "token"]
    assert found["config"] == "value"
    assert settings.VCENTER_HOST in found["hosts"]
    assert found["refused"] == ["Read-only file system"] * 3 + [None] * 3
    assert found["random"] == 4
    assert int(found["capabilities"], 16) & 1 << 21 == 0  # CAP_SYS_ADMIN
    assert found["variables"]["KUBECONFIG"] == "/var/run/lab/kubeconfig"
    assert not any(cluster.lab.password in value for value in found["variables"].values())


def test_a_pull_fails_in_the_tools_words_and_heals_by_itself(cluster: Cluster, pushed: str) -> None:
    cluster.deploy("pulled", pushed, command=[PYTHON, "-c", LOOK])
    cluster.waits("pulled", "ErrImagePull", "x509: certificate signed by unknown authority")
    status = cluster.waits("pulled", "ImagePullBackOff", "x509: certificate signed by unknown authority")
    assert f'Back-off pulling image "{pushed}": ErrImagePull: failed to pull image' in status["state"]["waiting"]["message"]
    registry = {"hostname": settings.REGISTRY_HOST, "certificate_chain": cluster.lab.ca_cert.read_text()}
    cluster.apply(pulling.secret("r-1", registry))
    cluster.waits("pulled", "ImagePullBackOff", "UNAUTHORIZED: authentication required")
    wrong = {"username": settings.REGISTRY_USER, "password": "wrong"}
    cluster.apply(pulling.secret("r-1", registry | wrong))
    cluster.waits("pulled", "ImagePullBackOff", "UNAUTHORIZED")
    cluster.apply(pulling.secret("r-1", registry | wrong | {"password": cluster.lab.registry_password}))
    assert cluster.runs("pulled")["imageID"] == pushed
    assert json.loads(soon(lambda: cluster.log("pulled"), lambda: "no words"))["pid"] == 1


@pytest.mark.parametrize(
    ("name", "image", "policy", "reason", "message"),
    [
        ("gone", f"{REPOSITORY}@sha256:{'0' * 64}", "IfNotPresent", "ImagePullBackOff", "MANIFEST_UNKNOWN: manifest unknown"),
        ("tag", f"{REPOSITORY}:none", "IfNotPresent", "ImagePullBackOff", "MANIFEST_UNKNOWN|status code 404"),
        ("host", "nowhere.lab/ray/op:1", "IfNotPresent", "ImagePullBackOff", "dial tcp: lookup nowhere.lab"),
        ("route", "10.244.0.99/ray/op:1", "IfNotPresent", "ImagePullBackOff", "no route to host"),
        ("always", PRELOADED, "Always", "ImagePullBackOff", "index.docker.io"),
        ("never", "ray/op:1", "Never", "ErrImageNeverPull", "is not present with pull policy of Never"),
        ("name", "Ray/Op:1", "Always", "InvalidImageName", "invalid reference format"),
    ],
)
def test_an_image_that_cannot_be_had(
    cluster: Cluster, pushed: str, name: str, image: str, policy: str, reason: str, message: str
) -> None:
    cluster.deploy(name, image, policy)
    status = cluster.waits(name, reason, message)
    assert (status["imageID"], status["started"], status["restartCount"]) == ("", False, 0)
    cluster.kubectl("delete", "deployment", name, "--wait=false")


@pytest.mark.parametrize(
    ("name", "command", "code", "reason", "message"),
    [
        ("absent", ["/manager"], 128, "StartError", 'exec: "/manager": no such file or directory'),
        ("nopath", ["manager"], 128, "StartError", 'exec: "manager": no such file or directory'),
        ("folder", ["/etc"], 128, "StartError", 'exec: "/etc": permission denied'),
        ("seven", [PYTHON, "-c", "raise SystemExit(7)"], 7, "Error", ""),
        ("done", [PYTHON, "-c", "0"], 0, "Completed", ""),
    ],
)
def test_a_command_that_does_not_stay(
    cluster: Cluster, name: str, command: list[str], code: int, reason: str, message: str
) -> None:
    cluster.deploy(name, PRELOADED, command=command)
    status = cluster.waits(name, "CrashLoopBackOff", f"restarting failed container, exit code {code}.*{re.escape(message)}")
    last = status["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (code, reason)
    assert message in last.get("message", "")
    assert status["restartCount"] >= 1 and status["started"] is False
    cluster.kubectl("delete", "deployment", name, "--wait=false")


def test_a_changed_template_replaces_the_pod_and_never_two_run(cluster: Cluster) -> None:
    for turn in ("1", "2", "3"):
        cluster.deploy("turns", PRELOADED, command=[PYTHON, "-c", TURNS], env=[{"name": "TURN", "value": turn}])
        soon(lambda turn=turn: f"start {turn}" in cluster.log("turns"), lambda: cluster.log("turns"))
    # The second is deaf: it ends without a word, before the third begins.
    assert cluster.log("turns").splitlines() == ["start 1", "end 1", "start 2", "start 3"]
    cluster.kubectl("rollout", "status", "deployment/turns", "--timeout=20s")
    running = cluster.exec("sh", "-c", "grep -lsz '^TURN=' /proc/[0-9]*/environ | wc -l")
    assert running.strip() == "1"


def test_a_killed_container_is_started_again_in_the_same_pod(cluster: Cluster) -> None:
    cluster.deploy("killed", PRELOADED, command=[PYTHON, "-c", TURNS], env=[{"name": "TURN", "value": "killed"}])
    soon(lambda: "start killed" in cluster.log("killed"), lambda: cluster.log("killed"))
    cluster.exec("sh", "-c", "kill -KILL $(grep -lsz '^TURN=killed' /proc/[0-9]*/environ | cut -d/ -f3)")
    soon(lambda: cluster.log("killed").count("start killed") == 2, lambda: cluster.log("killed"))
    status = cluster.runs("killed")
    assert (status["restartCount"], status["lastState"]["terminated"]["exitCode"]) == (1, 137)


def test_secrets_of_an_ended_pod_are_gone(cluster: Cluster) -> None:
    cluster.deploy("brief", PRELOADED, command=[PYTHON, "-c", TURNS], env=[{"name": "TURN", "value": "1"}])
    cluster.runs("brief")
    pods = cluster.lab.state / "supervisor" / "pods"
    (uid,) = cluster.kubectl("get", "pods", "-l", "app=brief", "-o", "jsonpath={.items[*].metadata.uid}").split()
    assert (pods / uid / "kubeconfig").stat().st_mode & 0o077 == 0
    cluster.kubectl("delete", "deployment", "brief", "--wait=false")
    soon(lambda: not (pods / uid).exists(), lambda: f"{pods / uid} is there")


def test_a_killed_kubelet_leaves_no_container(cluster: Cluster) -> None:
    cluster.deploy("orphan", PRELOADED, command=[PYTHON, "-c", TURNS], env=[{"name": "TURN", "value": "orphan"}])
    soon(lambda: "start orphan" in cluster.log("orphan"), lambda: cluster.log("orphan"))
    kill = [*CLI, "kill", "--state", str(cluster.lab.state), "supervisor"]
    done = subprocess.run(kill, capture_output=True, text=True, cwd=PACKAGE)
    assert done.returncode == 0, done.stderr
    left = "grep -lsz '^TURN=orphan' /proc/[0-9]*/environ || echo none"
    soon(lambda: cluster.exec("sh", "-c", left).strip() == "none", lambda: "it runs on")
