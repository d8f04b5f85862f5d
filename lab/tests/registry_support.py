# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real registry on this machine's loopback, as a site has one: TLS by an own CA, and a login."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import bcrypt
import yaml

from vcf_lab import build, pki
from vcf_lab.settings import Lab

USER, PASSWORD = "ray-builder", "planted-login"
TOOLS = ("registry", "imgpkg", "kbld", "ytt")


def there() -> bool:
    """Whether the lab's programs are built on this machine."""
    return all((build.cache() / name).exists() for name in TOOLS)


class Registry:
    """One running registry; `host` is its name in references."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        lab = Lab(folder, build.cache(), "9.1", "fast", False, "")
        self.ca, _ = pki.make_ca(folder / "pki")
        self._cert, self._key = pki.issue(lab, "registry", ["127.0.0.1"])
        (folder / "htpasswd").write_bytes(
            f"{USER}:".encode() + bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)) + b"\n"
        )
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.host = f"127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        http = {"addr": self.host, "tls": {"certificate": str(self._cert), "key": str(self._key)}}
        config = {
            "version": 0.1,
            "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": str(self._folder / "data")}, "delete": {"enabled": True}},
            "http": http,
            "auth": {"htpasswd": {"realm": "test", "path": str(self._folder / "htpasswd")}},
        }
        (self._folder / "config.yml").write_text(yaml.safe_dump(config))
        command = [build.cache() / "registry", "serve", self._folder / "config.yml"]
        environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
        log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError((self._folder / "log").read_text())

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def spec(self, **change: str | None) -> dict[str, object]:
        """What a Supervisor is told of it; None leaves a field out."""
        host, port = self.host.split(":")
        fields = {"hostname": host, "port": int(port), "username": USER, "password": PASSWORD}
        fields |= {"certificate_chain": self.ca.read_text(), **change}
        return {"name": "own", "image_registry": {key: value for key, value in fields.items() if value is not None}}

    def push(self, repository: str, files: dict[str, str], *, bundle: bool = True) -> str:
        """A bundle (or plain image) of these files; its reference by digest."""
        folder = self._folder / "push"
        shutil.rmtree(folder, ignore_errors=True)
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        lock = self._folder / "lock.yml"
        kind = ["-b", f"{self.host}/{repository}:1"] if bundle else ["-i", f"{self.host}/{repository}:1"]
        output = ["--lock-output", str(lock)] if bundle else []
        done = self._run("imgpkg", "push", *kind, "-f", str(folder), *output, "--tty")
        if bundle:
            return str(yaml.safe_load(lock.read_text())["bundle"]["image"])
        return next(word.strip("'") for word in done.split() if "@sha256:" in word)

    def _run(self, tool: str, *arguments: str) -> str:
        auths = {self.host: {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}}
        (self._folder / "config.json").write_text(json.dumps({"auths": auths}))
        environment = {"DOCKER_CONFIG": str(self._folder), "SSL_CERT_FILE": str(self.ca), "HOME": str(self._folder)}
        done = subprocess.run(
            [build.cache() / tool, *arguments],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
