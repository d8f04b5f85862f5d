# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container from the inside: its namespaces, the root file system in them, and the command that it becomes.

Called with the container's description and a pipe. A line with the pid of the entrypoint goes into the pipe, and another
only when that cannot be started. This process stays outside, waits for the entrypoint and ends as it did.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..namespaces import die_with_parent, program
from ..vm.mounts import mount
from .layers import BadLayer, inside

# CLONE_NEWNS, NEWUTS, NEWIPC, NEWPID. Of the network the container has the lab's, where its pod has an address.
NAMESPACES = 0x00020000 | 0x04000000 | 0x08000000 | 0x20000000
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
# chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot, mknod,
# audit_write, setfcap: what container runtimes leave to root.
CAPABILITIES = {0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31}
START_ERROR = 128
_PR_CAPBSET_DROP = 24
_MNT_DETACH = 2
# Flags that a mount of the host may carry and that a user namespace must not take from it.
_LOCKED = {"nosuid": os.ST_NOSUID, "nodev": os.ST_NODEV, "noexec": os.ST_NOEXEC, "noatime": os.ST_NOATIME}
_libc = ctypes.CDLL(None, use_errno=True)


def main(spec_file: str, pipe: int) -> None:
    os.set_inheritable(pipe, False)  # becoming the command closes it
    if _libc.unshare(NAMESPACES) != 0:
        os.write(pipe, f"no namespaces: {os.strerror(ctypes.get_errno())}\n".encode())
        sys.exit(START_ERROR)
    child = os.fork()
    if child == 0:
        die_with_parent()
        _first_process(spec_file, pipe)
    os.write(pipe, f"{child}\n".encode())
    os.close(pipe)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sys.exit(128 - code if code < 0 else code)


def _first_process(spec_file: str, pipe: int) -> None:
    """PID 1 of the container, which is the entrypoint in the end."""
    os.umask(0o022)
    try:
        spec = json.loads(Path(spec_file).read_text())
        mount("--make-rprivate", "/")
        _build(Path(spec["root"]), spec)
        _enter(spec["root"])
        _become(spec)
    except (OSError, ValueError, BadLayer) as error:
        os.write(pipe, f"{error}\n".encode())
    os._exit(START_ERROR)


def _build(root: Path, spec: dict[str, Any]) -> None:
    """The container's own mounts over the image's files, which all containers of the image share."""
    socket.sethostname(spec["hostname"])
    mount("--bind", str(root), str(root))
    mount("-t", "proc", "proc", str(_point(root, "/proc")))
    _devices(root)
    mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(_point(root, "/tmp")))
    for source, target, writable in sorted(spec["binds"], key=lambda bind: bind[1]):
        point = _point(root, target, folder=os.path.isdir(source))
        mount("--bind", source, str(point))
        if not writable:
            _close(point)
    inside(root, spec["folder"]).mkdir(parents=True, exist_ok=True)
    _close(root)


def _devices(root: Path) -> None:
    folder = _point(root, "/dev")
    mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", str(folder))
    for name in DEVICES:
        if os.path.exists(f"/dev/{name}"):
            (folder / name).touch()
            mount("--bind", f"/dev/{name}", str(folder / name))
    for name, target in LINKS.items():
        (folder / name).symlink_to(target)
    (folder / "shm").mkdir()
    mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(folder / "shm"))


def _point(root: Path, path: str, *, folder: bool = True) -> Path:
    """Where to mount; what the image lacks is added to it, as an empty folder or file."""
    point = inside(root, path)
    if folder:
        point.mkdir(parents=True, exist_ok=True)
    elif not point.exists():
        point.parent.mkdir(parents=True, exist_ok=True)
        point.touch()
    return point


def _close(point: Path) -> None:
    """Make a bind mount read-only, keeping the flags that its file system came with."""
    flags = os.statvfs(point).f_flag
    mount("-o", ",".join(["remount", "bind", "ro", *(name for name, flag in _LOCKED.items() if flags & flag)]), str(point))


def _enter(root: str) -> None:
    """Make `root` the root and let go of the one before, so that no way leads back (pivot_root(2), "pivot_root(".", ".")")."""
    os.chdir(root)
    done = subprocess.run([program("pivot_root"), ".", "."], capture_output=True, text=True)
    if done.returncode:
        raise OSError(done.stderr.strip())
    if _libc.umount2(b".", _MNT_DETACH) != 0:
        raise OSError(f"the old root stays: {os.strerror(ctypes.get_errno())}")
    os.chdir("/")


def _become(spec: dict[str, Any]) -> None:
    command = spec["command"]
    os.chdir(spec["folder"])
    for number in range(64):
        if number not in CAPABILITIES and _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) != 0:
            break  # the kernel knows no more
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and that would be handed on
    try:
        os.execvpe(command[0], command, spec["env"])
    except OSError as error:
        raise OSError(f'exec: "{command[0]}": {str(error.strerror).lower()}') from error


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
