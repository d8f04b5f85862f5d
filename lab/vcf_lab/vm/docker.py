# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `docker` command of a VM: containers are namespaces on the lab's own Python and Ray."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from . import docker_args, environment, spec
from .docker_args import Call, DockerError

STATE = Path(spec.DOCKER_RUN)
LOGS = Path("/var/log/containers")
READY_SECONDS = 20.0
RUNTIMES = "map[io.containerd.runc.v2:{runc [] <nil> <nil>} runc:{runc [] <nil> <nil>}]"


def main(arguments: list[str]) -> None:
    _record(arguments)
    call = docker_args.parse(arguments)
    verb = VERBS.get(call.verb)
    if verb is None:
        raise DockerError(f"docker: '{call.verb}' is not a docker command of the lab.")
    verb(call)


def _record(arguments: list[str]) -> None:
    """Who called what: the first thing to look at when a bring-up fails. No passwords."""
    hidden = ["***" if arguments[i - 1] in ("-p", "--password") and i else a for i, a in enumerate(arguments)]
    with open("/var/log/docker.log", "a") as file:
        file.write(f"{time.strftime('%H:%M:%S')} {json.dumps(hidden)}\n")


def pull(call: Call) -> None:
    reference = _word(call)
    docker_args.check_image(reference)
    images = _images()
    if reference not in images:
        images.append(reference)
        STATE.mkdir(parents=True, exist_ok=True)
        (STATE / "images.json").write_text(json.dumps(images))
    if not call.has("-q", "--quiet"):
        print(f"Status: Image is up to date for {reference}")
    print(reference)


def run(call: Call) -> None:
    image, *command = call.words or [""]
    if image not in _images():
        print(f"Unable to find image '{image}' locally", file=sys.stderr)
        try:
            pull(Call("pull", [("-q", "")], [image]))
        except DockerError as error:
            raise DockerError(f"docker: {error}.\nSee 'docker run --help'.", 125) from error
    name = call.value("--name") or f"container{os.getpid()}"
    if _pid(name):
        raise DockerError(
            f'docker: Error response from daemon: Conflict. The container name "/{name}" is already in use by a '
            "container. You have to remove (or rename) that container to be able to reuse that name.",
            125,
        )
    if text := spec.current().container_fails:
        raise DockerError(text, 125)
    folder = _make(call, name, image, command)
    child = _start(folder, name)
    print(f"{os.getpid():064x}")
    if not call.has("-d", "--detach"):
        sys.stdout.flush()
        code = child.wait()
        sys.stdout.write((LOGS / f"{name}.log").read_text())
        sys.exit(code)


def _make(call: Call, name: str, image: str, command: list[str]) -> Path:
    folder = STATE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    values = {
        "image": image,
        "command": command or ["/bin/bash"],
        "env": {**environment.of_image(spec.current(), image), **docker_args.environment(call, dict(os.environ))},
        "mounts": docker_args.mounts(call),
    }
    (folder / "config.json").write_text(json.dumps(values))
    (folder / "config.json").chmod(0o600)
    return folder


def _start(folder: Path, name: str) -> subprocess.Popen[bytes]:
    LOGS.mkdir(parents=True, exist_ok=True)
    unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with (LOGS / f"{name}.log").open("ab") as log:
        child = subprocess.Popen(
            [*unshare, sys.executable, "-m", "vcf_lab.vm.container", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_SECONDS
    while not (folder / "ready").exists():
        if child.poll() is not None or time.monotonic() > deadline:
            text = (LOGS / f"{name}.log").read_text()[-500:]
            raise DockerError(f"docker: Error response from daemon: failed to create task for container: {text}", 127)
        time.sleep(0.01)
    inside = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    (folder / "pid").write_text(inside[0] if inside else "0")
    return child


def exec_(call: Call) -> None:
    name, *command = call.words
    pid, config = _running(name), _config(name)
    env = {**config["env"], **docker_args.environment(call, dict(os.environ))}
    where = call.value("-w", "--workdir") or environment.CONTAINER_HOME
    os.execvpe("nsenter", ["nsenter", "-t", str(pid), "-m", "-p", f"--wd={where}", "--", *command], env)


def inspect(call: Call) -> None:
    """Ray asks by template; each template that it uses, and no other."""
    wanted, name = call.value("-f", "--format") or "", _word(call)
    if name in _images() and ".Config.Env" in wanted:
        image = environment.of_image(spec.current(), name)
        told = ("PATH", "HOME", "LANG", *environment.of_token(spec.current(), name))
        print(json.dumps([f"{key}={image[key]}" for key in told]))
        return
    if not _pid(name):
        raise DockerError(f"Error: No such object: {name}")
    config = _config(name)
    if ".State.Running" in wanted:
        print("true")
    elif ".Config.Image" in wanted:
        print(config["image"])
    elif ".Config.Env" in wanted:
        print(json.dumps([f"{key}={value}" for key, value in config["env"].items()]))
    elif ".Mounts" in wanted:
        print(json.dumps([{"Source": source, "Destination": target} for source, target in config["mounts"]]))
    else:
        raise DockerError(f"docker: the lab has no inspect format {wanted!r}")


def stop(call: Call) -> None:
    """Ends at once; a container of `--rm`, as all of ours are, is gone with its end."""
    for name in call.words:
        if pid := _pid(name):
            os.kill(pid, signal.SIGKILL)
        elif call.verb != "rm" or not call.has("-f", "--force"):
            raise DockerError(f"Error response from daemon: No such container: {name}")
        print(name)


def logs(call: Call) -> None:
    path = LOGS / f"{_word(call)}.log"
    if not path.exists():
        raise DockerError(f"Error response from daemon: No such container: {_word(call)}")
    lines = path.read_text(errors="replace").splitlines(keepends=True)
    tail = call.value("--tail", "-n")
    sys.stdout.writelines(lines[-int(tail) :] if tail and tail.isdigit() else lines)


def ps(call: Call) -> None:
    names = [path.name for path in sorted(STATE.glob("*/")) if _pid(path.name)] if STATE.exists() else []
    if call.value("--format") == "{{.Names}}":
        print("\n".join(names))
        return
    print(f"{'CONTAINER ID':<15}{'IMAGE':<40}{'STATUS':<10}NAMES")
    for name in names:
        print(f"{_pid(name):012x}   {_config(name)['image']:<40}{'Up':<10}{name}")


def images(call: Call) -> None:
    print("REPOSITORY:TAG")
    for reference in _images():
        print(reference)


def login(call: Call) -> None:
    if not call.value("-u", "--username") or not (call.value("-p", "--password") or call.has("--password-stdin")):
        raise DockerError("Error: Cannot perform an interactive login from a non TTY device")
    print("Login Succeeded")


def info(call: Call) -> None:
    print(RUNTIMES if ".Runtimes" in (call.value("-f", "--format") or "") else "Server Version: lab")


def version(call: Call) -> None:
    print("Docker version lab")


VERBS = {
    "pull": pull, "run": run, "exec": exec_, "inspect": inspect, "stop": stop, "kill": stop, "rm": stop,
    "logs": logs, "ps": ps, "images": images, "login": login, "info": info, "version": version,
}  # fmt: skip


def _word(call: Call) -> str:
    if not call.words:
        raise DockerError(f'"docker {call.verb}" requires at least 1 argument.')
    return call.words[0]


def _images() -> list[str]:
    path = STATE / "images.json"
    return json.loads(path.read_text()) if path.exists() else []


def _pid(name: str) -> int | None:
    """PID 1 of a running container, as this VM counts."""
    try:
        pid = int((STATE / name / "pid").read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


def _running(name: str) -> int:
    if pid := _pid(name):
        return pid
    raise DockerError(f"Error response from daemon: No such container: {name}")


def _config(name: str) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((STATE / name / "config.json").read_text())
    return config


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except DockerError as failure:
        print(failure, file=sys.stderr)
        sys.exit(failure.code)
