# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The namespaces of a lab: making them, and going into them.

`setns` is called here rather than through nsenter(1), so that a command keeps
our environment, folder and signals, and dies when we are killed.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

_CLONE_ANY = 0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

# The outer unshare ignores SIGTERM; only its death ends the lab, at once and whole.
_UNSHARE = ("--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child")
_USER = ("--user", "--map-root-user")


class NamespaceError(Exception):
    """A sentence for the user: why there can be no namespaces, and what to do."""


def system_path(path: str | None = None) -> str:
    """PATH with the folders of `ip`, which ordinary users often lack."""
    parts = (os.environ.get("PATH", "") if path is None else path).split(os.pathsep)
    return os.pathsep.join([*filter(None, parts), *(p for p in ("/usr/sbin", "/sbin", "/usr/bin", "/bin") if p not in parts)])


def program(name: str) -> str:
    """Path of a program of the system; a sentence when it is missing."""
    packages = {"unshare": "util-linux", "ip": "iproute2", "mount": "util-linux", "ssh": "openssh-client"}
    found = shutil.which(name, path=system_path())
    if not found:
        raise NamespaceError(f"the program {name} is missing: install the package {packages.get(name, name)}")
    return found


def unshare() -> list[str]:
    """Command that starts another one as PID 1 of new namespaces.

    Tried in a throw-away namespace first, by making a bridge: with some
    security modules `unshare` succeeds and only the network refuses.
    """
    base = [program("unshare")]
    flags = [[*base, *_USER, *_UNSHARE]]
    if os.geteuid() == 0:
        flags.append([*base, *_UNSHARE])  # root needs no user namespace where these are off
    trial = [program("ip"), "link", "add", "br0", "type", "bridge"]
    why = ""
    for command in flags:
        done = subprocess.run([*command, *trial], capture_output=True, text=True)
        if done.returncode == 0:
            return command
        why = why or (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    raise NamespaceError(_advice(why))


def _advice(why: str) -> str:
    """One sentence that says which switch of this system is in the way."""
    if "Unknown device type" in why or "not supported" in why:
        return f"the kernel has no bridge ({why}): run `modprobe bridge` as root"
    if os.geteuid() == 0:
        return f"namespaces are forbidden even for root ({why}): a container needs --privileged, or use another machine"
    switches = {
        "user.max_user_namespaces": "10000",
        "kernel.apparmor_restrict_unprivileged_userns": "0",
        "kernel.unprivileged_userns_clone": "1",
    }
    if _sysctl("user.max_user_namespaces") not in (None, "0"):
        del switches["user.max_user_namespaces"]  # any other limit is large enough
    wrong = [
        f"`sysctl -w {name}={good}`" for name, good in switches.items() if _sysctl(name) not in (None, good)
    ] or [f"`sysctl -w {name}={good}`" for name, good in switches.items()]
    return (
        f"this system forbids user namespaces to ordinary users ({why}): "
        f"allow them as root by {' or '.join(wrong)}, or run the lab as root"
    )


def _sysctl(name: str) -> str | None:
    path = Path("/proc/sys") / name.replace(".", "/")
    return path.read_text().strip() if path.exists() else None


def enter(pid: int, kinds: tuple[str, ...] = ("user", "net", "pid", "mnt")) -> None:
    """Move this process into the namespaces of the lab whose unshare is `pid`.

    Its own `pid` namespace is the old one, hence `pid_for_children`: only
    processes forked from here on are inside.
    """
    folder = os.getcwd()
    files = {"pid": "pid_for_children"}
    opened = []
    for kind in kinds:
        path = f"/proc/{pid}/ns/{files.get(kind, kind)}"
        # Joining the user namespace one is in already is an error.
        if kind == "user" and os.stat(path).st_ino == os.stat("/proc/self/ns/user").st_ino:
            continue
        opened.append((kind, os.open(path, os.O_RDONLY | os.O_CLOEXEC)))
    for kind, fd in opened:
        if _libc.setns(fd, _CLONE_ANY) != 0:
            error = ctypes.get_errno()
            raise NamespaceError(f"cannot enter the {kind} namespace of the lab: {os.strerror(error)}")
        os.close(fd)
    os.chdir(folder)


def die_with_parent(signal_number: int = 9) -> None:
    """Ask the kernel to end this process when its parent is gone."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
