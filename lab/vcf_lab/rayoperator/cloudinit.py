# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud-init user data of a cluster's VMs, and the head's autoscaler configuration.

Most of it is made as data and dumped. The commands are not: the operator puts the user's
initialization commands as bare text into a YAML list, inside single quotes for `su`. A quote, `: `
or ` #` in them therefore breaks the VM's cloud-init, and has to break it here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vcf_lab.rayoperator import CREATED_BY_LABEL

CONTAINER = "ray_container"
CONTAINER_HOME = "/home/ray"
KEY = ".ssh/id_rsa_ray"
BOOTSTRAP = "ray_bootstrap_config.yaml"
TOKEN_FILE = "svc-account-token.env"
GENCERT = f"sh {CONTAINER_HOME}/gencert.sh"
OPEN_FILES = "--ulimit nofile=65536:65536"
DEFAULT_PORT = 6379


@dataclass(frozen=True)
class Login:
    """Credentials of the image registry."""

    username: str
    password: str
    registry: str = ""


@dataclass(frozen=True)
class Material:
    """What user data needs beside the cluster's spec."""

    ssh_key: str
    ca_cert: str
    ca_key: str
    login: Login | None = None
    token: str = ""  # the rest is for the head only
    service_ip: str = ""


def head_user_data(cluster: dict[str, Any], material: Material) -> str:
    """User data of the head VM; one made by `ray up` gets its container from there."""
    user = _user(cluster)
    files = _common_files(user, material)
    token = f"SVC_ACCOUNT_TOKEN={material.token}\nRAY_VMSERVICE_IP={material.service_ip}\n"
    files.append(_file(user, TOKEN_FILE, token, "0400"))
    commands = _common_commands(user, material.login)
    if cluster["metadata"].get("labels", {}).get(CREATED_BY_LABEL) != "ray-cli":
        files.append(_file(user, BOOTSTRAP, _dump(bootstrap_config(cluster))))
        commands += _head_commands(cluster)
    return _user_data(cluster, files, commands)


def worker_user_data(cluster: dict[str, Any], material: Material) -> str:
    """User data of all worker VMs: prepared for SSH; the head's autoscaler starts Ray on them."""
    user = _user(cluster)
    return _user_data(cluster, _common_files(user, material), _common_commands(user, material.login))


def bootstrap_config(cluster: dict[str, Any]) -> dict[str, Any]:
    """What the head's autoscaler is started with; fixed for the life of the head."""
    spec, name = cluster["spec"], cluster["metadata"]["name"]
    common, head = spec["common_node_config"], spec["head_node"]
    return {
        "cluster_name": name,
        "max_workers": common["max_workers"],
        "upscaling_speed": 1,
        "idle_timeout_minutes": common.get("idle_timeout_minutes", 0),
        "docker": {
            "image": spec["ray_docker_image"],
            "container_name": CONTAINER,
            "run_options": _run_options(cluster),
            "worker_run_options": [],
        },
        "provider": {"type": "vsphere", "vsphere_config": _vsphere_config(cluster)},
        "auth": {"ssh_user": common["vm_user"], "ssh_private_key": f"{CONTAINER_HOME}/{KEY}"},
        "available_node_types": {
            key: _node_type(node) for key, node in common["available_node_types"].items()
        },
        "head_node_type": head["node_type"],
        "file_mounts": {},
        "cluster_synced_files": [],
        "rsync_exclude": ["**/.git", "**/.git/**"],
        "rsync_filter": [".gitignore"],
        "no_restart": False,
        "initialization_commands": common.get("initialization_commands") or [],
        "setup_commands": common.get("setup_commands") or [],
        "head_setup_commands": head.get("setup_commands") or [],
        "worker_setup_commands": spec.get("worker_node", {}).get("setup_commands") or [],
        "head_start_ray_commands": [GENCERT, "ray stop", _head_start(cluster)],
        "worker_start_ray_commands": [
            GENCERT,
            "ray stop",
            f"ray start --block --address=$RAY_HEAD_IP:{_port(cluster)}",
        ],
    }


def _vsphere_config(cluster: dict[str, Any]) -> dict[str, Any]:
    common, api_server = cluster["spec"]["common_node_config"], cluster["spec"]["api_server"]
    return {
        "ca_cert": api_server.get("ca_cert", ""),
        "api_server": api_server["location"],
        "namespace": cluster["metadata"]["namespace"],
        "vm_image": common["vm_image"],
        "storage_policy": common["storage_class"],
    }


def _node_type(node: dict[str, Any]) -> dict[str, Any]:
    """Lower-case resources, zeros included: to Ray these are custom ones, not its CPU and GPU."""
    resources = node.get("resources") or {}
    return {
        "node_config": {"vmclass": node["vm_class"]},
        "min_workers": node.get("min_workers", 0),
        "max_workers": node.get("max_workers", 0),
        "resources": {key: resources.get(key, 0) for key in ("cpu", "memory", "gpu")},
    }


def _user(cluster: dict[str, Any]) -> str:
    user: str = cluster["spec"]["common_node_config"]["vm_user"]
    return user


def _port(cluster: dict[str, Any]) -> int:
    return cluster["spec"]["head_node"].get("port") or DEFAULT_PORT


def _head_start(cluster: dict[str, Any]) -> str:
    return (
        f"ray start --head --port={_port(cluster)} --block "
        f"--autoscaling-config={CONTAINER_HOME}/{BOOTSTRAP} --dashboard-host=0.0.0.0"
    )


def _run_options(cluster: dict[str, Any]) -> list[str]:
    home = f"/home/{_user(cluster)}"
    tls = 1 if cluster["spec"].get("enable_tls", True) else 0
    return [
        *(f"-v {home}/{name}:{CONTAINER_HOME}/{name}" for name in ("ca.crt", "ca.key", "gencert.sh")),
        f"--env RAY_USE_TLS={tls}",
        f"--env RAY_TLS_CA_CERT={CONTAINER_HOME}/ca.crt",
        f"--env RAY_TLS_SERVER_KEY={CONTAINER_HOME}/tls.key",
        f"--env RAY_TLS_SERVER_CERT={CONTAINER_HOME}/tls.crt",
        OPEN_FILES,
    ]


def _common_files(user: str, material: Material) -> list[dict[str, Any]]:
    script = (Path(__file__).parent / "gencert.sh").read_text()
    return [
        _file(user, KEY, material.ssh_key, "0600"),
        _file(user, "ca.crt", material.ca_cert, "0444"),
        _file(user, "ca.key", material.ca_key, "0444"),
        _file(user, "gencert.sh", script, "0777"),
    ]


def _file(user: str, name: str, content: str, mode: str = "") -> dict[str, Any]:
    entry = {"path": f"/home/{user}/{name}", "content": content}
    return {**entry, "permissions": mode} if mode else entry


def _common_commands(user: str, login: Login | None) -> list[str]:
    home, key = f"/home/{user}", f"/home/{user}/{KEY}"
    commands = [
        f"chown -R {user}:{user} {home}",
        f"usermod -aG docker {user}",
        f"su {user} -c 'ssh-keygen -y -f {key} > {key}.pub'",
        f"su {user} -c 'cat {key}.pub >> {home}/.ssh/authorized_keys'",
        f"su {user} -c 'echo >> {home}/.bashrc'",
    ]
    if login:
        where = f"{login.registry} " if login.registry else ""
        commands.append(f"docker login {where}--username {login.username} --password {login.password}")
    return commands


def _head_commands(cluster: dict[str, Any]) -> list[str]:
    user, image = _user(cluster), cluster["spec"]["ray_docker_image"]
    first = cluster["spec"]["common_node_config"].get("initialization_commands") or []
    mounts = [f"-v /home/{user}/{name}:{CONTAINER_HOME}/{name}" for name in (BOOTSTRAP, KEY)]
    options = " ".join(
        [f"--env-file /home/{user}/{TOKEN_FILE}", *mounts, *_run_options(cluster)]
    )
    inside = (
        f"sudo -i -u root chmod 0777 {CONTAINER_HOME}/{KEY}; {GENCERT};ray stop;{_head_start(cluster)}"
    )
    return [
        *(f"su {user} -c '{command}'" for command in first),
        f"docker pull {image}",
        f'docker run -d --rm --name {CONTAINER} --network host {options} {image} /bin/bash -c "{inside}"',
    ]


def _user_data(cluster: dict[str, Any], files: list[dict[str, Any]], commands: list[str]) -> str:
    account = {
        "name": _user(cluster),
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "lock_passwd": False,
        "passwd": cluster["spec"]["common_node_config"]["vm_password_salt_hash"],
        "shell": "/bin/bash",
    }
    head = _dump({"ssh_pwauth": True, "users": [account], "write_files": files})
    lines = "".join(f"  - {command}\n" for command in commands)
    return f"#cloud-config\n{head}runcmd:\n{lines}"


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, so that user data can be read."""


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def _dump(value: dict[str, Any]) -> str:
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False)
    return text
