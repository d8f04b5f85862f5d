# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching what a package is made of, as kapp-controller has vendir do it.

Bundles and images are pulled by the real imgpkg, which refuses a lock whose images are not named by digest, and makes the
lock point to the bundle's own repository when all of them are there. Whether the images exist nobody asks here, neither
on a Supervisor nor in the lab: kbld takes the lock's word for it, and the pods that cannot pull them tell.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vcf_lab.vcenter.carvel_step import ReconcileFailed, inside, only, run

KINDS = {"inline": ("paths",), "imgpkgBundle": ("image", "subPath"), "image": ("url", "subPath")}  # with their options
IMGPKG_SAYS = "imgpkg: Error: "  # vendir has imgpkg built in, so its users do not see this


async def fetch(sources: list[dict[str, Any]], folder: Path, imgpkg: Path, environment: Callable[[], Any]) -> Path:
    """Bring everything into the folder; the one of it that the templates are relative to.

    Each source has a directory, named by its number unless it says another; a single one is the root itself.
    """
    for number, source in enumerate(sources):
        name = str(source.get("path") or number)
        into = inside(folder, name)
        kind = next((kind for kind in KINDS if kind in source), None)
        if kind is None:
            other = next((key for key in source if key != "path"), "nothing")
            raise ReconcileFailed(f"Fetching ({number}): {other} is not fetched by this lab, only {', '.join(KINDS)}")
        if source[kind].get("secretRef"):
            raise ReconcileFailed(f'Fetching: secrets "{source[kind]["secretRef"].get("name")}" not found')
        only(source[kind], KINDS[kind], f"Fetching ({number}): {kind}")
        if kind == "inline":
            _inline(source[kind], into)
        else:
            await _pull(kind, source[kind], into, name, imgpkg, await environment())
    return folder / "0" if len(sources) == 1 and not sources[0].get("path") else folder


def _inline(source: dict[str, Any], into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for name, text in (source.get("paths") or {}).items():
        path = inside(into, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


async def _pull(
    kind: str, source: dict[str, Any], into: Path, name: str, imgpkg: Path, environment: dict[str, str]
) -> None:
    flag, reference = ("-b", source.get("image")) if kind == "imgpkgBundle" else ("-i", source.get("url"))
    into.parent.mkdir(parents=True, exist_ok=True)
    part = source.get("subPath")
    whole = into.with_name(f".{into.name}.whole") if part else into
    done = await run([str(imgpkg), "pull", flag, str(reference), "-o", str(whole)], into.parent, environment)
    if done.code:
        why = done.said.partition(IMGPKG_SAYS)[2] or done.said
        raise ReconcileFailed(
            f"vendir: Error: Syncing directory '{name}': Syncing directory '.' with {kind} contents: {why}"
        )
    if part:
        chosen = inside(whole, part)
        if not chosen.is_dir():
            raise ReconcileFailed(f"vendir: Error: Syncing directory '{name}': Expected subdirectory '{part}' to exist")
        chosen.rename(into)
