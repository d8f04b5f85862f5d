# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small commands that a VM finds on its PATH before the host's.

In a user namespace of an ordinary user there is one uid, 0: the real ones would fail.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from .spec import VmSpec, package_root

SU = """#!/bin/sh
# su [-|-l] [USER] [-c COMMAND ...]: another name and home, the same uid.
user=root
while [ $# -gt 0 ]; do
    case $1 in
    - | -l | --login) shift ;;
    -s | --shell) shift 2 ;;
    -*) break ;;
    *) user=$1; shift; break ;;
    esac
done
while [ "${1:-}" = - ] || [ "${1:-}" = -l ]; do shift; done
if ! grep -q "^$user:" /etc/passwd; then
    echo "su: user $user does not exist or the user entry does not contain all the required fields" >&2
    exit 1
fi
home=/home/$user
[ "$user" = root ] && home=/root
export HOME=$home USER=$user LOGNAME=$user
exec /bin/bash "$@"
"""

SUDO = """#!/bin/sh
# sudo [options] COMMAND: everybody has uid 0 already.
while [ $# -gt 0 ]; do
    case $1 in
    -u | -g | -h | -p) shift 2 ;;
    --) shift; break ;;
    -*) shift ;;
    *=*) export "$1"; shift ;;
    *) break ;;
    esac
done
[ $# -eq 0 ] && exec /bin/bash
%sexec "$@"
"""

# The head opens its private key to a container user of another uid. Here both are uid 0, and an
# ssh client refuses a key of its own user that others can read.
SKIP_KEY_CHMOD = """case "$*" in
chmod\\ 0777\\ */.ssh/*) exit 0 ;;
esac
"""

USERMOD = """#!/bin/sh
# usermod -aG GROUP USER: groups decide nothing where everybody has uid 0.
exit 0
"""

DOCKER = """#!/bin/sh
PYTHONPATH={root} exec {python} -m vcf_lab.vm.docker "$@"
"""


def scripts() -> dict[str, dict[str, str]]:
    """Text by command name, for the VM and for the containers in it."""
    docker = DOCKER.format(root=shlex.quote(str(package_root())), python=shlex.quote(sys.executable))
    return {
        "vm": {"su": SU, "sudo": SUDO % "", "usermod": USERMOD, "docker": docker},
        "container": {"su": SU, "sudo": SUDO % SKIP_KEY_CHMOD},
    }


def install(spec: VmSpec) -> None:
    """Write them below the VM's folder."""
    for where, commands in scripts().items():
        folder = Path(spec.folder) / "shims" / where
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in commands.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
