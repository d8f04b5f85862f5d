# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of ansible-playbook, each in a session, a folder and an environment of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import typing as t
import uuid
from pathlib import Path

from fake_vcenter import PASSWORD, FakeVCenter

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MARKER = "VCF_RAY_TEST_RUN"
IN_PROCESS = "ran in the controller's process"
ITEMS = ("runner_item_on_ok", "runner_item_on_failed", "runner_item_on_skipped")
AS_MODULE = re.compile(r"(\S+) runs as a module: (.*)")


def wait_for(what: t.Callable[[], t.Any], seconds: float) -> t.Any:
    """What it gives as soon as that is true, or what it gives at the end."""
    end = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def hear_interrupts() -> None:
    """A shell lets what it starts with "&" ignore Ctrl-C, and that is handed down; nobody's play is run like that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Core:
    """An ansible-core: the folder of its commands, its version, its Python."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.python = folder, folder / "python"
        installed = next(folder.parent.glob("lib/python*/site-packages/ansible_core-*.dist-info"))
        self.version = re.search(r"ansible_core-(\d+\.\d+)", installed.name).group(1)

    def __str__(self) -> str:
        return self.version


class Run:
    """One command of an ansible-core against a fake vCenter; ``with`` ends whatever is left of it.

    Args:
        command: a playbook of ``plays/`` or a command, and its arguments. The inventory is made here, with the login as ``vcenter``.
        in_process: the value of the environment variable; None leaves it unset.
        hosts: their names.
        kwargs: of Popen.
    """

    def __init__(self, core: Core, folder: Path, server: FakeVCenter, *command: str, in_process: bool | None = None, hosts: str = "vc-1",
                 env: dict[str, str] | None = None, **kwargs: t.Any) -> None:
        folder.mkdir(parents=True)
        self.folder, self.server, self.marker = folder, server, uuid.uuid4().hex
        login = {"hostname": "127.0.0.1", "port": server.port, "username": "admin", "password": PASSWORD, "ca_path": str(server.ca_path)}
        inventory = {"all": {"hosts": {host: {} for host in hosts.split()}, "vars": {"ansible_connection": "local", "vcenter": login}}}
        (folder / "hosts.json").write_text(json.dumps(inventory))
        if command[0].endswith(".yml"):
            command = ("ansible-playbook", str(HERE / "plays" / command[0]), *command[1:])
        with open(folder / "out", "wb") as out, open(folder / "err", "wb") as err:
            self.process = subprocess.Popen(
                [shutil.which(command[0], path=core.bin) or command[0], *command[1:]], cwd=folder, stdout=out, stderr=err, start_new_session=True,
                env={**self._env(core, in_process), **(env or {})}, **{"stdin": subprocess.DEVNULL, "preexec_fn": hear_interrupts, **kwargs})

    def _env(self, core: Core, in_process: bool | None) -> dict[str, str]:
        return {
            "PATH": f"{core.bin}:/usr/bin:/bin", "HOME": str(self.folder), "LANG": "C.UTF-8", MARKER: self.marker, "NO_COLOR": "1",
            "PYTHONDONTWRITEBYTECODE": "1", "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"),
            "ANSIBLE_INVENTORY": str(self.folder / "hosts.json"), "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(self.folder / "tmp"), "ANSIBLE_ASYNC_DIR": str(self.folder / "async"),
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callbacks"), "ANSIBLE_CALLBACKS_ENABLED": "recorder", "TEST_RESULTS": str(self.folder / "results"),
            **({} if in_process is None else {"VCF_RAY_IN_PROCESS": str(in_process).lower()}),
        }

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *args: object) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def end(self, seconds: float = 120) -> Run:
        self.process.wait(seconds)
        return self

    def processes(self) -> list[int]:
        """The processes of this run, wherever they have gone; not those that are dead and only not yet buried."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARKER}={self.marker}".encode() in (folder / "environ").read_bytes() and "\nState:\tZ" not in (folder / "status").read_text():
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    @property
    def rc(self) -> int | None:
        return self.process.poll()

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text()

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def progress(self) -> list[str]:
        return re.findall(r"^waiting: .*$", self.text, re.MULTILINE)

    @property
    def rows(self) -> list[dict]:
        """What the callback has recorded, with the words that differ from run to run taken out."""
        path = self.folder / "results"
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text.replace(str(self.server.port), "65535").replace(str(self.folder), "FOLDER").splitlines()]

    def results(self, task: str) -> list[dict]:
        """The results of a task of this name, one for each host."""
        return [row["result"] for row in self.rows if row["task"] == task and row["event"] not in ("runner_retry", *ITEMS)]

    def items(self, task: str) -> list[dict]:
        return [row["result"] for row in self.rows if row["task"] == task and row["event"] in ITEMS]

    def failed(self, task: str) -> bool:
        return any(row["event"] == "runner_on_failed" for row in self.rows if row["task"] == task)
