# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of kapp-controller: a program of the Carvel suite that runs, and what it says when it fails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT = 300.0


class ReconcileFailed(Exception):
    """The reason that kapp-controller would report."""


@dataclass
class Done:
    """How a program ended."""

    code: int
    out: str
    said: str


async def run(
    command: list[str], folder: Path, environment: dict[str, str] | None = None, stdin: str | None = None
) -> Done:
    """Run a program in a folder; it does not outlive the install that wanted it."""
    pipe = asyncio.subprocess.PIPE
    source = asyncio.subprocess.DEVNULL if stdin is None else pipe
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdin=source, stdout=pipe, stderr=pipe
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(None if stdin is None else stdin.encode()), TIMEOUT)
    except asyncio.TimeoutError as error:
        raise ReconcileFailed(f"{Path(command[0]).name}: Error: it did not end within {TIMEOUT:.0f} s") from error
    finally:
        if process.returncode is None:  # too slow, or the install was stopped
            process.kill()
            await process.wait()
    return Done(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace").strip())


def only(options: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    """Refuse what this lab does not do: left out in silence it would seem to work."""
    unknown = [name for name in options if name not in known]
    if unknown:
        raise ReconcileFailed(f"{where}: {unknown[0]} is not done by this lab, only {', '.join(known)}")


def inside(folder: Path, name: object) -> Path:
    """A path that a package names; it cannot leave the folder."""
    path = (folder / str(name)).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ReconcileFailed(f"Checking path: Invalid path: {name}")
    return path
