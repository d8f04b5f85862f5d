# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all parts of a lab agree on: addresses, ports, folders.

Every part runs in the same network namespace, so addresses are constants;
only what differs between two labs (folder, password, version) is in `Lab`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

# One flat network, as a small data centre has; the bridge is its router.
NETWORK_PREFIX = 16
BRIDGE = "br0"
BRIDGE_IP = "10.244.0.1"
VCENTER_IP = "10.244.0.2"
APISERVER_IP = "10.244.0.3"
PUBLISHER_IP = "10.244.0.4"
REGISTRY_IP = "10.244.0.5"
VCSIM_IP = "10.244.0.6"
MIRROR_IP = "10.244.0.7"
FILES_IP = "10.244.0.8"
VM_FIRST_IP = "10.244.0.11"  # virtual machines count up from here
POD_FIRST_IP = "10.244.2.10"  # pods count up from here

VCENTER_HOST = "vcenter.lab"
PUBLISHER_HOST = "packages.lab"
REGISTRY_HOST = "registry.lab"
MIRROR_HOST = "mirror.lab"
FILES_HOST = "files.lab"
HOSTS = {
    VCENTER_HOST: VCENTER_IP,
    PUBLISHER_HOST: PUBLISHER_IP,
    REGISTRY_HOST: REGISTRY_IP,
    MIRROR_HOST: MIRROR_IP,
    FILES_HOST: FILES_IP,
}

VCENTER_PORT = 443
VCENTER_LAB_PORT = 8090  # plain HTTP, for the lab itself
VCSIM_PORT = 8989
PUBLISHER_PORT = 443
REGISTRY_PORT = 443  # of both registries
FILES_PORT = 443
APISERVER_PORT = 6443
ETCD_PORT = 2379
WEBHOOK_PORT = 8091  # token webhook of the supervisor part, 127.0.0.1
SUPERVISOR_LAB_PORT = 8092  # health, faults, life of tokens; 127.0.0.1
VMOPERATOR_LAB_PORT = 8093  # health, faults; 127.0.0.1

VCENTER_URL = f"https://{VCENTER_HOST}"
VCENTER_LAB_URL = f"http://{VCENTER_IP}:{VCENTER_LAB_PORT}"
VCSIM_URL = f"http://{VCSIM_IP}:{VCSIM_PORT}"
PUBLISHER_URL = f"https://{PUBLISHER_HOST}"
FILES_URL = f"https://{FILES_HOST}/artifactory"
APISERVER_URL = f"https://{APISERVER_IP}:{APISERVER_PORT}"
ETCD_URL = f"http://127.0.0.1:{ETCD_PORT}"
WEBHOOK_URL = f"https://127.0.0.1:{WEBHOOK_PORT}/authenticate"

SERVICE_CIDR = "10.96.0.0/16"  # ClusterIPs
SSO_DOMAIN = "vsphere.local"
ADMINISTRATOR = f"administrator@{SSO_DOMAIN}"

REGISTRY_USER = "ray-builder"  # of both registries and of the file server

WORKLOAD_PORTGROUP = "DC0_DVPG1"  # as the simulator names its second one

VERSIONS = ("7.0.3", "8.0.1", "8.0.3", "9.0", "9.1")
DEFAULT_VERSION = "9.1"
SPEEDS = ("fast", "natural")
TOKEN_SECONDS = 10 * 3600  # life of a Supervisor's session token, as a real one's


@dataclass(frozen=True)
class Lab:
    """One lab, as `lab.json` in its state folder describes it."""

    state: Path
    bin: Path
    version: str
    speed: str
    operator: bool
    password: str
    token_seconds: int = TOKEN_SECONDS

    @property
    def ca_cert(self) -> Path:
        return self.state / "pki" / "ca.crt"

    @property
    def ca_key(self) -> Path:
        return self.state / "pki" / "ca.key"

    @property
    def kubeconfig(self) -> Path:
        """Of the cluster's own administrator, by client certificate."""
        return self.state / "kube" / "admin.kubeconfig"

    @property
    def registry_password(self) -> str:
        """Of `REGISTRY_USER`; another one than vCenter's, so that a test sees which of the two was sent."""
        return f"{self.password}-Reg1"

    @property
    def ray_token(self) -> str:
        """Of Ray in images whose tag ends in `-token`."""
        return f"{self.password}-Ray1"

    @property
    def operator_image(self) -> Path:
        """The operator's image, as `docker save` writes one: what the node has before anybody pulls."""
        return self.state / "operator-image.tar.gz"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def file(self) -> Path:
        return self.state / "lab.json"

    def save(self) -> None:
        """Write `lab.json`; 0600, because it holds the password."""
        text = json.dumps(
            {
                "state": str(self.state),
                "bin": str(self.bin),
                "version": self.version,
                "speed": self.speed,
                "operator": self.operator,
                "password": self.password,
                "token_seconds": self.token_seconds,
            },
            indent=2,
        )
        write_private(self.file, text + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)


def default_state() -> Path:
    """State folder when no option says otherwise."""
    if chosen := os.environ.get("LAB_STATE"):
        return Path(chosen).expanduser().resolve()
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "vcf-lab" / "default"


def read(state: Path) -> Lab:
    """The lab of a state folder; FileNotFoundError when there is none."""
    values = json.loads((state / "lab.json").read_text())
    return Lab(
        state=Path(values["state"]),
        bin=Path(values["bin"]),
        version=values["version"],
        speed=values["speed"],
        operator=values["operator"],
        password=values["password"],
        token_seconds=values.get("token_seconds", TOKEN_SECONDS),
    )


def load() -> Lab:
    """The lab that this process belongs to, from $LAB_STATE."""
    return read(Path(os.environ["LAB_STATE"]))
