# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On the empty vCenter: check mode, and mistakes, end without a write."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest


def test_check_mode_runs_to_its_end_and_writes_nothing(lab, start) -> None:
    play = lab.play("vcf.ray.site", "--check", "--diff")
    assert play.rc == 0, play.text
    assert play.counts["changed"] > 0
    assert "does not exist yet" in play.text
    assert lab.writes() == []
    assert lab.digest() == start
    assert not (lab.state / "kubeconfig").exists()


@pytest.mark.parametrize(("wrong", "words"), [
    ({"vcenter_password": "no"}, ("vCenter", "login", "401")),
    ({"vcenter_ca_path": "/etc/hosts"}, ("CA file /etc/hosts", "PEM")),
    ({"vcenter_hostname": "packages.lab"}, ("packages.lab",)),
    ({"vi_admin_supervisor": {"cluster": "DC0_C9"}}, ("cluster", "DC0_C9", "DC0_C0")),
    ({"vi_admin_namespaces": [{"name": "deploy-ray", "vm_classes": ["best-effort-smal"]}]}, ("best-effort-smal", "best-effort-small")),
], ids=["password", "ca", "host", "cluster", "vm_class"])
def test_a_mistake_ends_before_the_first_write(lab, start, tmp_path, wrong, words) -> None:
    extra = tmp_path / "wrong.json"
    whole = lab.variables()
    extra.write_text(json.dumps({name: {**whole[name], **value} if isinstance(value, dict) else value for name, value in wrong.items()}))
    play = lab.play("vcf.ray.site", "-e", f"@{extra}")
    assert play.rc != 0
    assert play.counts["failed"] == 1, play.text
    for word in words:
        assert word in play.text, play.text
    assert "Traceback" not in play.text
    assert lab.writes() == []
    assert lab.digest() == start


def test_a_wrong_ca_is_told_from_a_wrong_password(lab, start, tmp_path) -> None:
    ca, key = tmp_path / "other.pem", tmp_path / "other.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", "1", "-out", ca, "-keyout", key],
                   check=True, capture_output=True)
    play = lab.play("vcf.ray.site", "-e", f"vcenter_ca_path={ca}")
    assert play.rc != 0
    assert play.counts["failed"] == 1
    assert "cannot be trusted: its certificate comes from an unknown CA" in play.text
    assert lab.digest() == start


# An ordinary user of a system that allows no user namespaces: those of another one, in which the limit is none.
FORBIDDEN = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--keep-caps", "sh", "-c",
             'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --inh-caps=-all --ambient-caps=-all "$@"', "sh"]


def test_forbidden_user_namespaces_are_said_in_one_sentence(tmp_path) -> None:
    done = subprocess.run([*FORBIDDEN, pathlib.Path(sys.executable).parent / "lab", "up"], env={**os.environ, "LAB_STATE": str(tmp_path / "state")},
                          capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode != 0
    assert "this system forbids user namespaces to ordinary users" in done.stderr
    assert "sysctl -w user.max_user_namespaces=10000" in done.stderr
    assert "Traceback" not in done.stderr
