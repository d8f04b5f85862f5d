# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private file system of a VM, in its own mount namespace, over the host's."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from . import environment, limits
from .mounts import cover, cover_file, mount
from .spec import VmSpec

# Folders of the host that a VM has of its own. /run last but one: links from /etc lead into it.
PRIVATE_FOLDERS = ("/run", "/root", "/home", "/tmp", "/var/log")
VOLATILE_FOLDERS = ("run", "tmp")
# `bash --login` reads it; a distribution's own profile would reset PATH and lose the shims.
PROFILE = 'export PATH="${LAB_PATH:-$PATH}"\n'


def prepare(spec: VmSpec) -> None:
    """Cover the host's folders with those of this VM."""
    disk = Path(spec.folder)
    socket.sethostname(spec.name)
    mount("--make-rprivate", "/")
    for name in VOLATILE_FOLDERS:  # as after any boot; nothing is mounted there yet
        shutil.rmtree(disk / name, ignore_errors=True)
    for folder in PRIVATE_FOLDERS:
        cover(folder, disk / folder.strip("/"), spec.keep)
    (disk / "tmp").chmod(0o1777)
    mount("-t", "tmpfs", "-o", f"size={spec.shm_bytes},mode=1777", "tmpfs", "/dev/shm")
    _hardware(spec)
    _etc(spec)


def _hardware(spec: VmSpec) -> None:
    folder = Path(spec.folder) / "cgroup"
    folder.mkdir(exist_ok=True)
    for name, text in limits.cgroup_files(spec.cpus, spec.memory).items():
        (folder / name).write_text(text)
    mount("--rbind", str(folder), "/sys/fs/cgroup")
    cover_file("/proc/meminfo", Path(spec.folder) / "meminfo", limits.meminfo(spec.memory))


def show_meminfo(spec: VmSpec) -> None:
    """Again, in a container: a new /proc came with its PID namespace."""
    mount("--bind", str(Path(spec.folder) / "meminfo"), "/proc/meminfo")


def _etc(spec: VmSpec) -> None:
    etc = Path(spec.folder) / "etc"
    files = {
        "hosts": f"127.0.0.1 localhost\n{spec.address} {spec.name}\n",
        "profile": PROFILE,
        # Without a name server a lookup fails at once; the host's one would only time out.
        "resolv.conf": "",
        "hostname": spec.name + "\n",
        "bash.bashrc": "",
    }
    for name, text in files.items():
        try:
            cover_file(f"/etc/{name}", etc / name, text)
        except PermissionError:
            print(f"the host has no /etc/{name}, and it cannot be made here: left out", flush=True)
    for name in ("passwd", "group"):
        store = etc / name
        # A reboot keeps the users that cloud-init made.
        text = store.read_text() if store.exists() else Path("/etc", name).read_text()
        cover_file(f"/etc/{name}", store, text)
    environment.skeleton(Path("/root"))
