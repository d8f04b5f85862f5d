# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The user data of head and workers, and what the head's autoscaler reads."""

from __future__ import annotations

import copy
import subprocess

import pytest
import yaml

from vcf_lab.rayoperator import CREATED_BY_LABEL, cloudinit

CLUSTER = {
    "metadata": {"name": "demo", "namespace": "team"},
    "spec": {
        "ray_docker_image": "rayproject/ray:2.60.0",
        "api_server": {"location": "10.244.1.2"},
        "head_node": {"node_type": "head", "port": 6400},
        "worker_node": {"setup_commands": ["echo worker"]},
        "common_node_config": {
            "vm_image": "vmi-0",
            "storage_class": "gold",
            "vm_user": "ray-vm",
            "vm_password_salt_hash": "$6$salt$hash",
            "max_workers": 3,
            "available_node_types": {
                "head": {"vm_class": "small", "min_workers": 0, "max_workers": 0, "resources": {}},
                "worker": {"vm_class": "big", "min_workers": 1, "max_workers": 3, "resources": {"cpu": 2}},
            },
        },
        "enable_tls": True,
    },
}
MATERIAL = cloudinit.Material("KEY\nKEY\n", "CA\n", "CAKEY\n", None, "abc.def", "10.244.1.3")


def cluster(**common: object) -> dict:
    made = copy.deepcopy(CLUSTER)
    made["spec"]["common_node_config"].update(common)
    return made


def head(made: dict, material: cloudinit.Material = MATERIAL) -> dict:
    return yaml.safe_load(cloudinit.head_user_data(made, material))


def modes(data: dict) -> dict[str, str | None]:
    return {entry["path"].removeprefix("/home/ray-vm/"): entry.get("permissions") for entry in data["write_files"]}


def contents(data: dict) -> dict[str, str]:
    return {entry["path"].removeprefix("/home/ray-vm/"): entry["content"] for entry in data["write_files"]}


COMMON_MODES = {".ssh/id_rsa_ray": "0600", "ca.crt": "0444", "ca.key": "0444", "gencert.sh": "0777"}


def test_files_of_the_head() -> None:
    data = head(cluster())
    assert modes(data) == {**COMMON_MODES, "svc-account-token.env": "0400", "ray_bootstrap_config.yaml": None}
    assert contents(data)["svc-account-token.env"] == "SVC_ACCOUNT_TOKEN=abc.def\nRAY_VMSERVICE_IP=10.244.1.3\n"
    assert contents(data)[".ssh/id_rsa_ray"] == "KEY\nKEY\n"
    assert data["ssh_pwauth"] is True
    assert data["users"][0] == {
        "name": "ray-vm",
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "lock_passwd": False,
        "passwd": "$6$salt$hash",
        "shell": "/bin/bash",
    }


def test_a_worker_gets_neither_token_nor_container() -> None:
    data = yaml.safe_load(cloudinit.worker_user_data(cluster(), MATERIAL))
    assert modes(data) == COMMON_MODES
    assert not [command for command in data["runcmd"] if "docker run" in command or "docker pull" in command]
    assert len(data["runcmd"]) == 5


def test_commands_of_the_head_in_order() -> None:
    commands = head(cluster(initialization_commands=["echo first"]))["runcmd"]
    assert commands[5] == "su ray-vm -c 'echo first'"
    assert commands[6] == "docker pull rayproject/ray:2.60.0"
    run = commands[7]
    assert run.startswith("docker run -d --rm --name ray_container --network host ")
    assert "--env-file /home/ray-vm/svc-account-token.env" in run
    assert run.count(" -v ") == 5
    assert run.count(" --env ") == 4
    assert " --env RAY_USE_TLS=1 " in run
    steps = ["chmod 0777", "gencert.sh;", "ray stop;", "ray start --head --port=6400 --block"]
    places = [run.index(step, run.index("/bin/bash -c")) for step in steps]
    assert places == sorted(places)


def test_registry_login_is_not_quoted() -> None:
    material = cloudinit.Material("K", "C", "C", cloudinit.Login("me", "p w", "registry.lab"))
    assert "docker login registry.lab --username me --password p w" in head(cluster(), material)["runcmd"]


def test_without_tls() -> None:
    made = cluster()
    made["spec"]["enable_tls"] = False
    assert "--env RAY_USE_TLS=0 " in head(made)["runcmd"][-1]


@pytest.mark.parametrize(
    ("command", "becomes"),
    [
        ("echo a: b", {"su ray-vm -c 'echo a": "b'"}),
        ("echo a # b", "su ray-vm -c 'echo a"),
        ("echo 'a'", "su ray-vm -c 'echo 'a''"),
    ],
)
def test_initialization_commands_break_as_they_do_in_the_field(command: str, becomes: object) -> None:
    assert head(cluster(initialization_commands=[command]))["runcmd"][5] == becomes


def test_a_head_of_ray_up_is_left_to_ray_up() -> None:
    made = cluster()
    made["metadata"]["labels"] = {CREATED_BY_LABEL: "ray-cli"}
    data = head(made)
    assert modes(data) == {**COMMON_MODES, "svc-account-token.env": "0400"}
    assert not [command for command in data["runcmd"] if command.startswith("docker")]


def test_bootstrap_configuration() -> None:
    config = yaml.safe_load(contents(head(cluster()))["ray_bootstrap_config.yaml"])
    assert config["idle_timeout_minutes"] == 0
    assert config["available_node_types"]["worker"] == {
        "node_config": {"vmclass": "big"},
        "min_workers": 1,
        "max_workers": 3,
        "resources": {"cpu": 2, "memory": 0, "gpu": 0},
    }
    assert config["provider"]["vsphere_config"]["api_server"] == "10.244.1.2"
    assert config["worker_setup_commands"] == ["echo worker"]
    assert config["worker_start_ray_commands"][-1] == "ray start --block --address=$RAY_HEAD_IP:6400"
    assert not [option for option in config["docker"]["run_options"] if "env-file" in option or "id_rsa" in option]


def test_ray_accepts_the_bootstrap_configuration() -> None:
    util = pytest.importorskip("ray.autoscaler._private.util")
    config = yaml.safe_load(contents(head(cluster()))["ray_bootstrap_config.yaml"])
    util.validate_config(util.prepare_config(config))


def test_gencert_is_a_valid_shell_script() -> None:
    script = contents(head(cluster()))["gencert.sh"]
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
