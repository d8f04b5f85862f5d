# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from vcf_lab import cli, digest, forward, instance, network, settings, site_vars


def lab_command(*words: str, state) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vcf_lab.cli", words[0], "--state", str(state), *words[1:]]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["exec", "true"], "no lab runs"),
        (["exec"], "which command?"),
        (["run"], "which command?"),
        (["env"], "no lab there"),
        (["logs", "etcd"], "no log of etcd"),
        (["doctor"], "no lab"),
        (["forward", "nonsense"], "is not [LOCALPORT:]ADDRESS:PORT"),
        (["kill", "etcd"], "etcd does not run"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path, words, said):
    done = lab_command(*words, state=tmp_path / "none")
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_down_without_a_lab_is_success(tmp_path):
    assert lab_command("down", state=tmp_path / "none").returncode == 0


def test_a_foreign_folder_is_never_removed(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    done = lab_command("down", state=tmp_path)
    assert done.returncode == 1
    assert "not a lab's folder" in done.stderr
    assert (tmp_path / "thesis.tex").exists()


def test_the_life_of_tokens_is_an_option_and_stays_with_the_lab(tmp_path, capsys):
    given = cli.parser().parse_args(["up", "--token-seconds", "5"])
    assert cli._wanted(given) == {"token_seconds": 5}
    assert cli._wanted(cli.parser().parse_args(["up"])) == {}
    settings.Lab(tmp_path, tmp_path, "9.1", "fast", True, "secret", token_seconds=5).save()
    assert settings.read(tmp_path).token_seconds == 5
    for wrong in ("0", "-1", "soon"):
        with pytest.raises(SystemExit):
            cli.parser().parse_args(["up", f"--token-seconds={wrong}"])
    assert "is not a number of seconds" in capsys.readouterr().err


def test_unknown_version_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.parser().parse_args(["up", "--version", "6.5"])
    assert ended.value.code == 2
    assert "9.1" in capsys.readouterr().err


def test_options_that_were_not_given_agree_with_any_lab():
    assert cli._wanted(cli.parser().parse_args(["up"])) == {}
    given = cli.parser().parse_args(["up", "--operator", "none", "--speed", "natural"])
    assert cli._wanted(given) == {"operator": False, "speed": "natural"}


@pytest.mark.parametrize(
    ("text", "parsed"),
    [("8265:10.244.1.3:80", (8265, "10.244.1.3", 80)), ("vcenter.lab:443", (0, "vcenter.lab", 443))],
)
def test_forward_understands(text, parsed):
    assert forward.parse(text) == parsed


@pytest.mark.parametrize("text", ["10.0.0.1", "10.0.0.1:0", "10.0.0.1:70000", "x:10.0.0.1:1", ""])
def test_forward_refuses(text):
    with pytest.raises(forward.ForwardError):
        forward.parse(text)


def test_forward_tells_of_a_used_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(forward.ForwardError, match="Address already in use"):
            forward._listen(taken.getsockname()[1])


def test_a_reused_pid_is_not_our_lab(tmp_path):
    record = {"pid": os.getpid(), "start": "1"}
    (tmp_path / "instance.json").write_text(json.dumps(record))
    assert instance.find(tmp_path) is None
    instance.Instance.of(os.getpid()).save(tmp_path)
    assert instance.find(tmp_path) is not None


def test_end_waits_for_the_process(tmp_path):
    process = subprocess.Popen(["sleep", "60"])
    running = instance.Instance.of(process.pid)
    running.end()
    assert not running.alive
    process.wait()


@pytest.mark.parametrize(("version", "provider", "count"), [("9.1", "foundation", 1), ("9.0", "foundation", 1), ("8.0.3", "haproxy", None)])
def test_the_variables_of_site_are_of_the_release(lab, version, provider, count):
    variables = yaml.safe_load(site_vars.text(dataclasses.replace(lab, version=version)))
    supervisor = variables["vi_admin_supervisor"]
    assert supervisor["load_balancer"]["provider"] == provider
    assert supervisor["control_plane"].get("count") == count
    assert variables["vcenter_password"] == lab.password
    assert "${" not in str(variables)
    if provider == "haproxy":
        assert supervisor["load_balancer"]["certificate_authority"] == lab.ca_cert.read_text()
        assert supervisor["load_balancer"]["password"] == f"{lab.password}-Lb1"


@pytest.mark.parametrize("version", settings.VERSIONS)
def test_site_starts_from_the_source_where_a_supervisor_can_be_told_of_a_registry(lab, version):
    variables = yaml.safe_load(site_vars.text(dataclasses.replace(lab, version=version)))
    assert Path(variables["vi_admin_service_package"]).is_file()
    if version in ("7.0.3", "8.0.1"):
        assert not [name for name in variables if name.startswith("carvel_package") or name == "vi_admin_registries"]
        return
    assert (Path(variables["carvel_package_source"]) / "Makefile").is_file()
    assert variables["carvel_package_path"] == f"{lab.state}/ray-on-vcf-0.1.0.yaml"
    assert variables["carvel_package_password"] == lab.registry_password != lab.password
    (registry,) = variables["vi_admin_registries"]
    assert registry["certificate_authority"] == lab.ca_cert.read_text()
    assert registry["registry_hostname"] == variables["carvel_package_image_repository"].partition("/")[0] == "registry.lab"
    assert "${" not in str(variables)


def test_the_bridge_has_a_mac_of_its_own():
    assert f"address {network.BRIDGE_MAC} type bridge" in network.commands()


def test_digest_ignores_versions_and_times_of_status_but_not_identity():
    one = {"metadata": {"name": "a", "uid": "1", "resourceVersion": "5", "managedFields": []}, "spec": {"time": 1}}
    one["status"] = {"conditions": [{"type": "Ready", "lastTransitionTime": "now"}]}
    two = json.loads(json.dumps(one))
    two["metadata"]["resourceVersion"] = "6"
    two["status"]["conditions"][0]["lastTransitionTime"] = "later"
    assert digest.canonical(one) == digest.canonical(two)
    two["metadata"]["uid"] = "2"
    assert digest.canonical(one) != digest.canonical(two)
    assert digest.canonical(one)["spec"] == {"time": 1}
