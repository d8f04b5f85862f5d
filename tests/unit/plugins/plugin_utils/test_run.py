# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.vcf.ray.plugins.plugin_utils import _run


def test_a_python_is_the_same_by_another_name(tmp_path: pathlib.Path) -> None:
    """Two virtual environments are two, though both link to the same file."""
    file = tmp_path / "python3.11"
    file.touch()
    for name in ("one/python", "one/python3", "two/python"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(file)
    (tmp_path / "also-one").symlink_to(tmp_path / "one")
    one = _run._python(f"{tmp_path}/one/python")
    assert one == _run._python(f"{tmp_path}/one/python3") == _run._python(f"{tmp_path}/also-one/python")
    assert one not in (_run._python(f"{tmp_path}/two/python"), _run._python("python"))


@pytest.mark.parametrize(("result", "sealed"), [
    ({"session_id": "b00d"}, True), ({"kubeconfig": {"users": []}}, True), ({"kubeconfig": None}, False), ({"namespaces": []}, False),
])
def test_a_result_that_is_a_secret_is_shown_to_nobody(result: dict, sealed: bool) -> None:
    assert _run._sealed(result).get("_ansible_no_log", False) is sealed


def test_the_environment_of_a_task_is_gone_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMWARE_USER", "before")
    with pytest.raises(KeyError), _run._surroundings({"VMWARE_USER": "task", "VMWARE_PORT": 443}):
        assert (os.environ["VMWARE_USER"], os.environ["VMWARE_PORT"]) == ("task", "443")
        raise KeyError
    assert os.environ["VMWARE_USER"] == "before" and "VMWARE_PORT" not in os.environ
