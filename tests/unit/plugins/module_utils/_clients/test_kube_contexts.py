# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which namespaces a kubeconfig speaks of."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
import yaml

from ansible_collections.vcf.ray.plugins.module_utils._clients.kube_contexts import namespaces


def kubeconfig(current: str | None, *contexts: tuple[str, str, str | None]) -> dict:
    """``(name, cluster/user, namespace)`` for each context."""
    rows = [{"name": name, "context": {"cluster": who.split("/")[0], "user": who.split("/")[1], **({"namespace": ns} if ns else {})}}
            for name, who, ns in contexts]
    return {"contexts": rows, "users": [{"name": "u", "user": {"token": "t"}}], **({"current-context": current} if current else {})}


LOGIN = kubeconfig("sv", ("sv", "sv/u", None), ("b", "sv/u", "b"), ("a", "sv/u", "a"), ("other", "sv/else", "x"), ("far", "far/u", "y"))


@pytest.mark.parametrize(("document", "context", "expected"), [
    (LOGIN, None, ["a", "b"]),
    (LOGIN, "b", ["b"]),
    (LOGIN, "sv", ["a", "b"]),
    (LOGIN, "far", ["y"]),
    (LOGIN, "nobody", []),
    (json.dumps(LOGIN), None, ["a", "b"]),
    ({}, None, []),
    ({"contexts": None, "current-context": ""}, None, []),
    (kubeconfig("admin", ("admin", "sv/root", None)), None, []),
])
def test_the_contexts_of_one_login(document: t.Any, context: str | None, expected: list[str]) -> None:
    assert namespaces(document, context) == expected


def test_several_files_are_merged_as_kubectl_does(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text(yaml.safe_dump(kubeconfig(None, ("a", "sv/u", "a"))))
    second.write_text(yaml.safe_dump(kubeconfig("b", ("a", "sv/u", "later"), ("b", "sv/u", "b"))))
    both = f"{first}:{tmp_path}/none:{second}"
    assert namespaces(both, None) == ["a", "b"]
    monkeypatch.setenv("KUBECONFIG", both)
    assert namespaces(None, None) == ["a", "b"]
    assert namespaces(str(first), "a") == ["a"]


def test_the_users_own_file_is_the_last_resort(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert namespaces(None, None) == []
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text(yaml.safe_dump(LOGIN))
    assert namespaces(None, None) == namespaces("~/.kube/config", None) == ["a", "b"]
