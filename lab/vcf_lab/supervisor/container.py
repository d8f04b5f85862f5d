# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container is here: a process with the environment, secrets and token of its pod."""

from __future__ import annotations

import asyncio
import base64
import ctypes
import os
import shutil
import signal
import sys
from pathlib import Path

import yaml

from .. import parts, settings
from ..kube import Kube
from ..settings import Lab, write_private

# Image, without registry and tag -> module of this package that does its work.
PROGRAMS = {"vmray-cluster-controller": "vcf_lab.rayoperator"}
OPERATOR = "vmray-cluster-controller"
TOKEN_SECONDS = 365 * 24 * 3600  # a lab does not live as long as its tokens
STOP_SECONDS = 3.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class NotReadyToStart(Exception):
    """Something that the pod mounts is not there yet."""


def image_name(image: str) -> str:
    """`registry:5000/team/name:tag@digest` -> `name`."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]


def program(image: str) -> str | None:
    """The module that stands for an image; None for one that nobody could pull here."""
    return PROGRAMS.get(image_name(image))


async def prepare(lab: Lab, kube: Kube, pod: dict, folder: Path) -> dict[str, str]:
    """Write secrets and kubeconfig below `folder`; the environment of the process."""
    namespace, container = pod["metadata"]["namespace"], pod["spec"]["containers"][0]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    mounts = await _volumes(kube, pod, folder)
    account = pod["spec"].get("serviceAccountName") or "default"
    token = await _token(kube, namespace, account)
    env = parts.environment(lab)
    for entry in container.get("env", []):
        env[entry["name"]] = _inside(_value(pod, entry), mounts)
    return env | {
        "POD_IP": pod["status"]["podIP"],
        "POD_NAMESPACE": namespace,
        "KUBECONFIG": str(_kubeconfig(lab, folder, namespace, token)),
        "LAB_SPEED": lab.speed,
    }


async def start(module: str, env: dict[str, str], log: Path) -> asyncio.subprocess.Process:
    """Start the process; its words are added to the pod's log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, stdout=output, stderr=output, env=env, preexec_fn=_die_with_parent
        )


async def stop(process: asyncio.subprocess.Process) -> None:
    """Ask it to end, and end it when it does not."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()


def _die_with_parent() -> None:
    """A pod must not outlive its kubelet: the next one would find its address taken."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def _volumes(kube: Kube, pod: dict, folder: Path) -> dict[str, Path]:
    """Secret volumes as folders; mount path in the container -> folder here."""
    namespace = pod["metadata"]["namespace"]
    sources = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
    found = {}
    for mount in pod["spec"]["containers"][0].get("volumeMounts", []):
        secret = sources.get(mount["name"], {}).get("secret")
        if secret is None:
            continue
        content = await kube.get("Secret", secret["secretName"], namespace)
        if content is None:
            raise NotReadyToStart(f'secret "{secret["secretName"]}" not found')
        found[mount["mountPath"]] = place = folder / "volumes" / mount["name"]
        place.mkdir(parents=True)
        for name, value in content.get("data", {}).items():
            (place / name).touch(0o600)
            (place / name).write_bytes(base64.b64decode(value))
    return found


def _value(pod: dict, entry: dict) -> str:
    """Value of a variable of the container, by itself or from a field of the pod."""
    path = entry.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
    if path is None:
        return entry.get("value", "")
    found: object = pod
    for key in path.split("."):
        found = found.get(key, "") if isinstance(found, dict) else ""
    return str(found)


def _inside(value: str, mounts: dict[str, Path]) -> str:
    """Paths below a mount lead to its folder: these processes share one file system."""
    for path, place in mounts.items():
        if value == path or value.startswith(path.rstrip("/") + "/"):
            return str(place) + value[len(path.rstrip("/")) :]
    return value


async def _token(kube: Kube, namespace: str, account: str) -> str:
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": TOKEN_SECONDS},
    }
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    return (await kube.request("POST", path, body=body))["status"]["token"]


def _kubeconfig(lab: Lab, folder: Path, namespace: str, token: str) -> Path:
    path = folder / "kubeconfig"
    cluster = {"server": settings.APISERVER_URL, "certificate-authority": str(lab.ca_cert)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "pod", "user": {"token": token}}],
        "contexts": [{"name": "pod", "context": {"cluster": "lab", "user": "pod", "namespace": namespace}}],
        "current-context": "pod",
    }
    write_private(path, yaml.safe_dump(content, sort_keys=False))
    os.chmod(folder, 0o700)
    return path
