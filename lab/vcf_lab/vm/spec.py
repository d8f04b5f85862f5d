# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the platform hands to a virtual machine: its virtual hardware and its user data."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from vcf_lab import settings

SPEC_FILE = "spec.json"
# Docker's state of this VM, on the VM's own /run.
DOCKER_RUN = "/run/vcf-lab/docker"
SPEC_VARIABLE = "VCF_LAB_VM_SPEC"


@dataclass(frozen=True)
class VmSpec:
    """Written by the platform before the machine starts; read by everything inside it."""

    name: str
    namespace: str
    folder: str  # of this VM: its disk, its logs, this spec
    address: str
    gateway: str
    cpus: int
    memory: int  # bytes
    user_data: str | None = None
    instance_id: str = ""  # cloud-init runs once per instance, not at each boot
    keep: tuple[str, ...] = ()  # host paths that must stay visible below private folders
    container_fails: str = ""  # what docker says when a container is to run; empty: it runs
    ray_token: str = ""  # of images in which Ray wants one

    def save(self) -> Path:
        """0600: user data carries private keys."""
        path = Path(self.folder) / SPEC_FILE
        settings.write_private(path, json.dumps(dataclasses.asdict(self)))
        return path

    @property
    def memory_kib(self) -> int:
        return self.memory // 1024

    @property
    def shm_bytes(self) -> int:
        """Ray takes 30 % of memory for its object store, which has to fit in /dev/shm."""
        return self.memory * 3 // 10


def read(path: Path) -> VmSpec:
    """The spec as saved."""
    values = json.loads(path.read_text())
    return VmSpec(**{**values, "keep": tuple(values["keep"])})


def current() -> VmSpec:
    """The spec of the VM that this process runs in (shims)."""
    return read(Path(os.environ[SPEC_VARIABLE]))


def package_root() -> Path:
    """The folder that has to be on PYTHONPATH for `vcf_lab` to be importable."""
    return Path(__file__).resolve().parents[2]


def python_paths() -> set[str]:
    """Everything that Python, Ray and the lab are made of, wherever an installer put it.

    A virtual environment is only links into another installation, and an editable install points
    elsewhere again: so not only prefixes, but also the real executable and all of sys.path.
    """
    real = Path(sys.executable).resolve()
    paths = {sys.prefix, sys.base_prefix, str(real.parent.parent), str(package_root())}
    paths |= {entry for entry in sys.path if entry and os.path.isdir(entry)}
    return {os.path.abspath(path) for path in paths if path not in ("/", "/usr")}
