# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PID 1 of a lab's namespaces: makes the network, starts the parts, watches them.

It forks once. The parent only reaps, or every orphan of a dead virtual machine
would stay a zombie; the child does the work. When either ends, the kernel ends
the whole lab.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import asdict, dataclass

from . import instance, network, settings
from .ask import Unanswered
from .parts import PARTS, Part, environment
from .settings import Lab, write_private

READY_WITHIN = 90.0
ASK_EVERY = 0.1


@dataclass
class Condition:
    """How a part is, as `status.json` tells it."""

    state: str = "waiting"  # starting, ready, dead, not started
    pid: int | None = None
    seconds: float | None = None  # from the lab's start until it answered
    detail: str = ""


class Supervisor:
    """Starts the parts in their order and notes what becomes of them.

    A dead part is not started again: a lab that heals itself would hide faults.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._started = time.monotonic()
        self._conditions = {part.name: Condition() for part in PARTS}
        self._decided = {part.name: asyncio.Event() for part in PARTS}

    async def run(self) -> None:
        self._write()
        await asyncio.gather(*(self._live(part) for part in PARTS))
        await asyncio.Event().wait()  # all dead: the namespaces stay for a look

    async def _live(self, part: Part) -> None:
        if not await self._may_start(part):
            return
        process = await self._start(part)
        if process is None:
            return
        ended = asyncio.create_task(process.wait())
        asking = asyncio.create_task(self._until_ready(part))
        await asyncio.wait([ended, asking], return_when=asyncio.FIRST_COMPLETED)
        asking.cancel()
        code = await ended
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._note(part, state="dead", detail=f"ended with {how}")

    async def _may_start(self, part: Part) -> bool:
        for name in part.after:
            await self._decided[name].wait()
            if self._conditions[name].state != "ready":
                self._note(part, state="not started", detail=f"needs {name}")
                return False
        return True

    async def _start(self, part: Part) -> asyncio.subprocess.Process | None:
        command = part.command(self._lab)
        with open(self._lab.logs / f"{part.name}.log", "ab") as log:
            try:
                process = await asyncio.create_subprocess_exec(
                    *command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=environment(self._lab)
                )
            except OSError as error:
                self._note(part, state="dead", detail=f"{command[0]}: {error.strerror}")
                return None
        write_private(self._lab.state / "pids" / part.name, f"{process.pid}\n")
        self._note(part, state="starting", pid=process.pid)
        return process

    async def _until_ready(self, part: Part) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while True:
            try:
                await asyncio.to_thread(part.ask, self._lab)
            except (Unanswered, ValueError) as error:
                if time.monotonic() > deadline:
                    self._note(part, detail=f"no good answer in {READY_WITHIN:.0f} s: {error}", decided=True)
                    deadline = float("inf")
            else:
                self._note(part, state="ready", seconds=round(time.monotonic() - self._started, 1), detail="")
                return
            await asyncio.sleep(ASK_EVERY)

    def _note(self, part: Part, *, decided: bool = False, **changes: object) -> None:
        condition = self._conditions[part.name]
        for name, value in changes.items():
            setattr(condition, name, value)
        print(f"{part.name}: {condition.state} {condition.detail}".rstrip(), flush=True)
        self._write()
        if decided or condition.state in ("ready", "dead", "not started"):
            self._decided[part.name].set()

    def _write(self) -> None:
        values = {name: asdict(condition) for name, condition in self._conditions.items()}
        write_private(self._lab.state / "status.json", json.dumps(values, indent=2) + "\n")


def _reap(worker: int) -> int:
    """Collect every orphan until the worker itself ends."""
    while True:
        pid, status = os.wait()
        if pid == worker:
            return os.waitstatus_to_exitcode(status)


def main() -> int:
    lab = settings.load()
    network.make(lab.state)
    (lab.state / "network").write_text(f"{instance.network_of_self()}\n")
    worker = os.fork()
    if worker:
        return _reap(worker)
    asyncio.run(Supervisor(lab).run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
