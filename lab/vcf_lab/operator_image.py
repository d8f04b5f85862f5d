# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's image, made once per machine and kept in the user's cache.

A node has it before anybody pushed one, as test clusters have: the ready package names no registry.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from . import build
from .toolchain import BuildError

NAME = "vmray-cluster-controller"
TAG = f"{NAME}:latest"
PACKAGE = Path(__file__).parent
SCRIPT = PACKAGE / "operator_source" / "image" / "build.py"
# What the image is made of: the operator with what it imports of this package, and the script.
SOURCES = ("__init__.py", "kinds.py", "kube.py", "kubeconfig.py", "rayoperator/*", "operator_source/image/*.py")
KEPT = 3  # images of other sources; an editor's every change would stay for ever
Say = Callable[[str], None]


def digest() -> str:
    """Name of the image in the cache: the sources, the Python and the versions of all that is installed beside it."""
    total = hashlib.sha256(repr((sys.version, sys.base_prefix, os.confstr("CS_GNU_LIBC_VERSION"))).encode())
    # Our own name is left out: the parts of a lab may find this package in two places.
    installed = {
        f"{found.name} {found.version}" for found in importlib.metadata.distributions() if found.name != "vcf-lab"
    }
    total.update("\n".join(sorted(installed)).encode())
    for path in sorted(path for pattern in SOURCES for path in PACKAGE.glob(pattern) if path.is_file()):
        total.update(f"\0{path.relative_to(PACKAGE)}\0".encode() + path.read_bytes())
    return total.hexdigest()[:20]


def folder() -> Path:
    return build.cache().parent / "images"


def ensure(say: Say = print) -> Path:
    """The archive, as `docker save` writes one; made when it is not there."""
    archive = folder() / digest() / f"{NAME}.tar.gz"
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    with build.locked(folder(), "makes the operator's image", say):
        if not archive.exists():  # another process may have made it meanwhile
            _make(archive, say)
            _forget_old(archive.parent)
    return archive


def _make(archive: Path, say: Say) -> None:
    path = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-B", str(SCRIPT), "--tag", TAG, str(archive)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise BuildError(f"the operator's image could not be made: {why}")
    say(f"the operator's image: {done.stdout.strip()}")


def _forget_old(newest: Path) -> None:
    """Those that other processes may be reading are the latest ones."""
    others = [path for path in folder().iterdir() if path.is_dir() and path != newest]
    for path in sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
