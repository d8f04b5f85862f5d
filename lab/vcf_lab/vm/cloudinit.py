# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cloud-init does in the guest: users, files, commands, in its order."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import time
from pathlib import Path
from typing import TextIO

from . import environment
from .spec import VmSpec
from .userdata import CloudConfig, File, User, UserDataError, parse

LOG = logging.getLogger(__name__)
OUTPUT = Path("/var/log/cloud-init-output.log")
PASSWORDS = "shadow.json"  # in the VM's folder: /etc/shadow is not ours to cover


def run(spec: VmSpec) -> None:
    """Carry out the user data once per instance; UserDataError when something of it failed.

    A failing command does not stop the later ones, as in a real guest: the runcmd script goes on.
    """
    done = Path(spec.folder) / "instance-id"
    if spec.user_data is None or (done.exists() and done.read_text() == spec.instance_id):
        return
    with OUTPUT.open("a", buffering=1) as out:
        try:
            _carry_out(spec, parse(spec.user_data), out)
        except UserDataError as error:
            print(f"cloud-init failed: {error}", file=out)
            raise
        finally:
            done.write_text(spec.instance_id)
        print("cloud-init finished", file=out)


def _carry_out(spec: VmSpec, config: CloudConfig, out: TextIO) -> None:
    for note in config.notes:
        print(f"cloud-init: {note}", file=out)
    _write_files([file for file in config.files if not file.deferred])
    _add_users(spec, config)
    _write_files([file for file in config.files if file.deferred])
    failures = []
    for command in config.commands:
        started, written = time.monotonic(), OUTPUT.stat().st_size
        code = _run(spec, command, out)
        LOG.info("runcmd: %s after %.2f s: %s", code, time.monotonic() - started, shown(command))
        if code:
            failures.append(f"runcmd failed with exit code {code}: {shown(command)}{_last_line(written)}")
    if failures:
        raise UserDataError("; ".join(failures))


def shown(command: str | list[str]) -> str:
    """A command for logs and conditions: a registry's password is not for everybody."""
    text = command if isinstance(command, str) else " ".join(command)
    return re.sub(r"((?:--password|-p)[ =])\S+", r"\1***", text)[:200]


def _run(spec: VmSpec, command: str | list[str], out: TextIO) -> int:
    arguments = ["/bin/sh", "-c", command] if isinstance(command, str) else command
    env = environment.of_user(spec, "root")
    try:
        done = subprocess.run(arguments, env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    except OSError as error:
        print(f"{arguments[0]}: {error.strerror}", file=out)
        return 127
    return done.returncode


def _last_line(start: int) -> str:
    """What a failing command said last, for the condition of the VM."""
    with OUTPUT.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").split("\n")
    return next((f": {line.strip()[:300]}" for line in reversed(lines) if line.strip()), "")


def _write_files(files: list[File]) -> None:
    for file in files:
        path = Path(file.path)
        for name in file.owner.split(":"):
            if name not in known_names():
                raise UserDataError(f"write_files {path}: unknown user or group {name}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab" if file.append else "wb") as target:
                target.write(file.content)
            path.chmod(file.mode)
        except OSError as error:
            raise UserDataError(f"write_files {path}: {error.strerror}") from error


def known_names() -> set[str]:
    """Users and groups of this VM."""
    lines = Path("/etc/passwd").read_text().splitlines() + Path("/etc/group").read_text().splitlines()
    return {line.split(":", 1)[0] for line in lines}


def _add_users(spec: VmSpec, config: CloudConfig) -> None:
    """All with uid 0: it is the only one of this user namespace, and so chown and ssh work."""
    names = known_names()
    with open("/etc/group", "a") as group:
        if "docker" not in names:  # the image brings docker
            group.write("docker:x:0:\n")
    for user in config.users:
        if user.name not in names:
            with open("/etc/passwd", "a") as passwd, open("/etc/group", "a") as group:
                passwd.write(f"{user.name}:x:0:0::/home/{user.name}:{user.shell}\n")
                group.write(f"{user.name}:x:0:\n")
        home = Path(environment.home_of(user.name))
        environment.skeleton(home)
        if user.ssh_authorized_keys:
            keys = home / ".ssh" / "authorized_keys"
            keys.parent.mkdir(mode=0o700, exist_ok=True)
            keys.write_text("\n".join(user.ssh_authorized_keys) + "\n")
    hashes = {user.name: user.passwd for user in config.users if _may_log_in(user, config)}
    path = Path(spec.folder) / PASSWORDS
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(hashes, file)


def _may_log_in(user: User, config: CloudConfig) -> bool:
    return config.password_logins and not user.locked and bool(user.passwd)
