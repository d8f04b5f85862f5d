# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bind mounts that make a file system private, without hiding what the lab itself is made of."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path


def mount(*arguments: str) -> None:
    """mount(8); its error text says what went wrong."""
    result = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if result.returncode:
        raise OSError(f"mount {' '.join(arguments)}: {result.stderr.strip()}")


def kept_below(path: str, keep: Iterable[str]) -> list[tuple[str, str]]:
    """(where it is seen, what is mounted there) for each kept path below `path`, outermost first.

    A path is kept under the name it was given by and under its real one, as symbolic links lead
    from one to the other. What lies inside another kept path comes along with that one.
    """
    candidates = {os.path.abspath(entry): os.path.realpath(entry) for entry in keep}
    candidates.update({real: real for real in list(candidates.values())})
    chosen: list[tuple[str, str]] = []
    for seen in sorted(candidates):
        inside = any(seen.startswith(outer + "/") for outer, _ in chosen)
        if seen.startswith(path.rstrip("/") + "/") and not inside:
            chosen.append((seen, candidates[seen]))
    return chosen


def cover(path: str, store: Path, keep: Iterable[str]) -> None:
    """Show the folder `store` at `path`; kept host paths below it stay where they were.

    Kept paths are bound into the store first: once `path` is covered they cannot be reached.
    """
    store.mkdir(parents=True, exist_ok=True)
    for seen, real in kept_below(path, keep):
        if not os.path.exists(real):
            continue
        point = store / os.path.relpath(seen, path)
        if os.path.isdir(real):
            point.mkdir(parents=True, exist_ok=True)
        else:
            point.parent.mkdir(parents=True, exist_ok=True)
            point.touch()
        mount("--rbind", real, str(point))
    # rbind also because a mount of the host below `path` may not be uncovered by a user namespace.
    mount("--rbind", str(store), path)


def cover_file(path: str, store: Path, text: str) -> None:
    """Show a file with this text at `path`, which may be a link."""
    store.parent.mkdir(parents=True, exist_ok=True)
    store.write_text(text)
    real = os.path.realpath(path)
    if not os.path.exists(real):
        os.makedirs(os.path.dirname(real), exist_ok=True)
        Path(real).touch()
    mount("--bind", str(store), real)
