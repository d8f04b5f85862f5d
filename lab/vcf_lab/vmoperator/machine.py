# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One running virtual machine: its processes, its interface, its folder."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from vcf_lab.vm.spec import VmSpec, package_root

from . import network

LOG = logging.getLogger(__name__)
UNSHARE = [
    "unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc",
]  # fmt: skip
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)

Listener = Callable[[dict[str, Any]], Awaitable[None]]


class Machine:
    """Started, it tells its listener what the guest says, and at last {"event": "down"}."""

    def __init__(self, spec: VmSpec, number: int, listener: Listener) -> None:
        self.spec = spec
        self.link = f"vm{number}"
        self.up = False
        self.started = asyncio.get_running_loop().time()
        self.bootstrap: tuple[bool, str] | None = None  # (worked, why not)
        self._listener = listener
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Return when the processes run; {"event": "up"} comes when the guest has booted."""
        path = self.spec.save()
        with (Path(self.spec.folder) / "agent.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *UNSHARE,
                sys.executable,
                "-m",
                "vcf_lab.vm",
                str(path),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(package_root())},
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self._reading = asyncio.create_task(self._listen())
        self._reading.add_done_callback(_show_error)
        await network.push_interface(self.link, self._process.pid)

    async def stop(self) -> None:
        """Return when nothing of the machine is left but its folder.

        SIGKILL to the outer unshare: it ignores SIGTERM while it waits, and with its child the
        whole PID namespace goes.
        """
        self._stopping = True
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await network.remove_link(self.link)

    async def _listen(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        async for line in self._process.stdout:
            event = json.loads(line)
            if event["event"] == "up":
                self.up = True
            elif event["event"] == "bootstrap":
                self.bootstrap = (event["ok"], event["message"])
            await self._listener(event)
        await self._process.wait()
        if not self._stopping:
            self.up = False
            LOG.warning("%s/%s went down by itself", self.spec.namespace, self.spec.name)
            await self._listener({"event": "down"})

    def last_words(self) -> str:
        """End of the agent's log, for a machine that did not come up."""
        path = Path(self.spec.folder) / "agent.log"
        return path.read_text(errors="replace")[-400:].strip() if path.exists() else ""


def _show_error(task: asyncio.Task[None]) -> None:
    """Nobody awaits the reading task: an error in it must not wait for the end of the program."""
    if not task.cancelled() and task.exception() is not None:
        LOG.error("reading from a machine", exc_info=task.exception())


def _die_with_parent() -> None:
    """No machine outlives the operator, even one that is killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def make_folder(state: Path, namespace: str, name: str) -> Path:
    """A new, empty disk; one of an earlier machine of that name is moved aside, for its logs."""
    folder = state / "vms" / namespace / name
    if folder.exists():
        old = state / "vms" / namespace / ".old"
        old.mkdir(exist_ok=True)
        number = 1
        while (aside := old / f"{name}.{number}").exists():
            number += 1
        folder.rename(aside)
    folder.mkdir(parents=True, mode=0o700)
    return folder
