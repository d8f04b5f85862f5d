# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door to Ansible: a result says when TLS was not verified, whatever the option is called, and no secret gets past it."""

from __future__ import annotations

import contextlib
import json

import pytest
from ansible.module_utils import basic

from ansible_collections.vcf.ray.plugins.module_utils import _module


@pytest.mark.parametrize(("params", "verified"), [
    ({"validate_certs": True, "registry_validate_certs": True, "supervisor": {"validate_certs": True}}, True),
    ({"validate_certs": None, "supervisor": None, "supervisor_login": "text"}, True),
    ({"validate_certs": False}, False),
    ({"registry_validate_certs": False}, False),
    ({"source_validate_certs": False, "registry_validate_certs": True}, False),
    ({"validate_certs": True, "supervisor_login": {"validate_certs": False}}, False),
])
def test_every_option_for_certificates_counts(params: dict, verified: bool) -> None:
    assert _module._verified(params) is verified


@pytest.fixture(name="logged")
def system_log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the system's log gets of a run with a kubeconfig in memory."""
    lines: list[str] = []
    arguments = {"ANSIBLE_MODULE_ARGS": {"kubeconfig": {"users": [{"user": {"token": "planted"}}]}}}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(arguments).encode())
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    monkeypatch.setattr(_module.AnsibleModule, "log", lambda self, msg, log_args=None: lines.append(f"{msg} {log_args}"))
    return lines


def test_no_option_reaches_the_log_of_the_system(logged: list[str], capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        _module.run({"kubeconfig": {"type": "raw", "no_log": False}}, lambda task: contextlib.nullcontext(task.hide(["planted"])),
                    lambda task, client: {"changed": False})
    assert logged == ["Invoked None"] and "planted" not in capsys.readouterr().out


def test_options_that_are_refused_are_not_repeated(logged: list[str], capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        _module.run({"kubeconfig": {"type": "raw", "no_log": False}, "name": {"required": True}}, contextlib.nullcontext, lambda task, client: {})
    said = capsys.readouterr().out
    assert "missing required arguments: name" in said and "planted" not in said
