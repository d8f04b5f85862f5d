# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container is here: the entrypoint of its image, in namespaces and with the root of its own."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import parts, settings
from ..kube import Kube
from ..namespaces import die_with_parent
from ..settings import Lab, write_private
from . import podfiles
from .images import Image
from .podfiles import NotReadyToStart, PodFiles

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class StartError(Exception):
    """The container was made, but its command could not be started."""


@dataclass(frozen=True)
class Running:
    """A container that was started."""

    process: asyncio.subprocess.Process  # outside of the container's namespaces; it ends with the entrypoint
    pid: int  # of the entrypoint, as the node counts

    async def wait(self) -> int:
        """The exit code, as a shell tells one of a signal."""
        code = await self.process.wait()
        return 128 - code if code < 0 else code


async def prepare(lab: Lab, kube: Kube, pod: dict[str, Any], image: Image, folder: Path) -> Path:
    """Write what the container is to be into `folder`, with all that is mounted in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    config, container = image.config, pod["spec"]["containers"][0]
    files = PodFiles(lab, kube, pod, folder)
    binds = [*await files.volumes(), files.kubeconfig()]
    binds += [(lab.state / "etc" / name, f"/etc/{name}", False) for name in ("hosts", "resolv.conf")]
    own = await files.variables()
    text = json.dumps(
        {
            "root": str(image.rootfs),
            "command": command(config, container, own),
            "env": environment(lab, config, pod) | own,
            "folder": container.get("workingDir") or config.get("WorkingDir") or "/",
            "hostname": pod["metadata"]["name"][:63].rstrip("-."),
            "binds": [[str(source), target, writable] for source, target, writable in binds],
        }
    )
    write_private(folder / "container.json", text)
    return folder / "container.json"


def command(config: dict[str, Any], container: dict[str, Any], variables: dict[str, str]) -> list[str]:
    """The pod's command takes the place of Entrypoint and Cmd, its args that of Cmd."""
    given, rest = container.get("command"), container.get("args")
    first = config.get("Entrypoint") or []
    if given:
        first = [podfiles.expanded(word, variables) for word in given]
    if rest:
        rest = [podfiles.expanded(word, variables) for word in rest]
    elif not given:
        rest = config.get("Cmd")
    words = [*first, *(rest or [])]
    if not words:
        raise NotReadyToStart("failed to generate container spec: no command specified", "CreateContainerError")
    return words


def environment(lab: Lab, config: dict[str, Any], pod: dict[str, Any]) -> dict[str, str]:
    """Variables of the image, of Kubernetes, and those that stand for what the pod has not got here.

    A pod has an address for itself; here the address is to be told to it, or two pods would want the same port.
    """
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    server = {"KUBERNETES_SERVICE_HOST": settings.APISERVER_IP, "KUBERNETES_SERVICE_PORT": str(settings.APISERVER_PORT)}
    ours = {"POD_IP": pod["status"]["podIP"], "POD_NAMESPACE": namespace, "LAB_SPEED": lab.speed}
    own = dict(entry.partition("=")[::2] for entry in config.get("Env") or [])
    return {"PATH": DEFAULT_PATH, "HOSTNAME": name, "HOME": "/root"} | own | server | ours | {"KUBECONFIG": podfiles.KUBECONFIG}


async def start(lab: Lab, spec: Path, log: Path) -> Running:
    """Start the container; its words are added to the pod's log. StartError says why its command does not run."""
    log.parent.mkdir(parents=True, exist_ok=True)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as answer, log.open("ab") as output:
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "vcf_lab.supervisor.rootfs",
                str(spec),
                str(writing),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=parts.environment(lab),
                pass_fds=(writing,),
                start_new_session=True,
                preexec_fn=die_with_parent,  # the next kubelet would find the pod's address taken
            )
        finally:
            os.close(writing)
        try:
            told = (await _told(answer)).splitlines()
        except BaseException:
            process.kill()
            await process.wait()
            raise
    pid = [int(line) for line in told if line.isdigit()]
    why = "; ".join(line for line in told if not line.isdigit())
    if why or not pid:
        code = await process.wait()
        raise StartError(f"failed to start container: {why or f'it ended with code {code}, see {log}'}")
    return Running(process, pid[0])


async def _told(answer: io.FileIO) -> str:
    """All that comes through the pipe; the container closes it by becoming its command, or by its end."""
    stream = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(stream)
    transport, _protocol = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, answer)
    try:
        return (await stream.read()).decode(errors="replace")
    finally:
        transport.close()


async def stop(running: Running, grace: float) -> None:
    """Ask the entrypoint to end, and end it when it does not; nothing of the container is left afterwards."""
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, None)):
        if running.process.returncode is not None:
            return
        os.kill(running.pid, number)  # our process waits for it, so the number is still its own
        try:
            await asyncio.wait_for(running.process.wait(), patience)
        except asyncio.TimeoutError:
            continue
