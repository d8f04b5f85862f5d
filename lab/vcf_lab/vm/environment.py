# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments of processes in a VM, built from nothing: the lab's own must not leak in."""

from __future__ import annotations

import sys
from pathlib import Path

from .spec import SPEC_VARIABLE, VmSpec

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CONTAINER_HOME = "/home/ray"
TOKEN_TAG = "-token"


def home_of(user: str) -> str:
    return "/root" if user == "root" else f"/home/{user}"


def skeleton(home: Path) -> None:
    """What a new account has: Ray's commands source ~/.bashrc."""
    home.mkdir(parents=True, exist_ok=True)
    for name in (".bashrc", ".profile"):
        (home / name).touch()


def of_user(spec: VmSpec, user: str) -> dict[str, str]:
    """Of a login (SSH, su) or of cloud-init on the VM."""
    path = f"{spec.folder}/shims/vm:{SYSTEM_PATH}"
    home = home_of(user)
    return {**_basics(spec, path), "HOME": home, "USER": user, "LOGNAME": user, "SHELL": "/bin/bash"}


def of_token(spec: VmSpec, image: str) -> dict[str, str]:
    """What an image brings in which Ray lets nobody in without a token: one whose tag ends so."""
    if not image.partition("@")[0].endswith(TOKEN_TAG):
        return {}
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": spec.ray_token}


def of_image(spec: VmSpec, image: str) -> dict[str, str]:
    """Of a container, before the options of `docker run`: the image is the lab's own Python."""
    path = f"{spec.folder}/shims/container:{Path(sys.executable).parent}:{SYSTEM_PATH}"
    return {
        **_basics(spec, path),
        "HOME": CONTAINER_HOME,
        "USER": "ray",
        "LOGNAME": "ray",
        # No network leads out of the lab.
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DISABLE_DOCKER_CPU_WARNING": "1",
        **of_token(spec, image),
    }


def _basics(spec: VmSpec, path: str) -> dict[str, str]:
    return {
        "PATH": path,
        "LAB_PATH": path,  # /etc/profile restores it from here
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        SPEC_VARIABLE: f"{spec.folder}/spec.json",
    }
