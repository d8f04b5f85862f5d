# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two registries for container images: the site's own, and one for a site without a way to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bcrypt
import yaml

from . import pki, settings
from .settings import Lab, write_private

HOSTS = {"registry": settings.REGISTRY_HOST, "mirror": settings.MIRROR_HOST}
REALM = "lab registry"
BCRYPT_ROUNDS = 5  # each request of a client is checked anew; the password is random and lives as long as the lab


def write_files(lab: Lab) -> None:
    """Certificates, login and configurations that the registries read at their start."""
    folder = lab.state / "registries"
    login = bcrypt.hashpw(lab.registry_password.encode(), bcrypt.gensalt(BCRYPT_ROUNDS)).decode()
    write_private(folder / "htpasswd", f"{settings.REGISTRY_USER}:{login}\n")
    for name, host in HOSTS.items():
        cert, key = pki.issue(lab, name, [host, settings.HOSTS[host]])
        content = _configuration(data(lab, name), settings.HOSTS[host], cert, key, folder / "htpasswd")
        write_private(folder / f"{name}.yml", yaml.safe_dump(content, sort_keys=False))


def _configuration(data_folder: Path, address: str, cert: Path, key: Path, htpasswd: Path) -> dict[str, Any]:
    return {
        "version": 0.1,
        "log": {"level": "error"},  # requests are logged in any case
        "storage": {
            "filesystem": {"rootdirectory": str(data_folder)},
            "delete": {"enabled": True},
            # Nothing may change in a lab by itself.
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {
            "addr": f"{address}:{settings.REGISTRY_PORT}",
            "tls": {"certificate": str(cert), "key": str(key)},
        },
        "auth": {"htpasswd": {"realm": REALM, "path": str(htpasswd)}},
    }


def command(name: str, lab: Lab) -> list[str]:
    """Without the variable it looks for a collector of traces on this machine, for ever."""
    config = lab.state / "registries" / f"{name}.yml"
    return ["env", "OTEL_TRACES_EXPORTER=none", str(lab.bin / "registry"), "serve", str(config)]


def data(lab: Lab, name: str) -> Path:
    return lab.state / name


def contents(lab: Lab, name: str) -> dict[str, str]:
    """What a client wrote: tags, manifests and layers of each repository, each with its digest.

    Read from the disk, where an upload that was begun and never finished can be told from what was pushed.
    """
    root = data(lab, name) / "docker" / "registry" / "v2" / "repositories"
    links = (path for path in root.rglob("link") if "_uploads" not in path.parts)
    return {str(path.relative_to(root).parent): path.read_text() for path in sorted(links)}
