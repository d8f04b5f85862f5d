# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs a Makefile calls, and which of them are the ones that it means."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import build_tools
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError

GOOD = {
    "make": "echo GNU Make 4.3",
    "kustomize": "exit 1",
    "yq": "echo 'yq (https://github.com/mikefarah/yq/) version v4.44.3'",
    "sed": "echo 'sed (GNU sed) 4.9'",
    "docker": "echo 27.0.1",
}
ALL = ["kustomize", "yq", "sed", "docker"]


@pytest.fixture(name="programs")
def fixture_programs(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., pathlib.Path]:
    """Nothing on the PATH but what is asked for, each a script of one line."""

    def programs(**scripts: str | None) -> pathlib.Path:
        for name, script in {**GOOD, **scripts}.items():
            if script is not None:
                (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
                (tmp_path / name).chmod(0o755)
        return tmp_path

    monkeypatch.setenv("PATH", str(tmp_path))
    return programs


@pytest.mark.parametrize(("text", "names"), [
    ("a:\n\tkustomize build x > y\n\tyq eval-all .\n", ["kustomize", "yq"]),
    ("SED ?= gsed\na:\n\tdocker build .\n", ["sed", "docker"]),
    ("CONTAINER_TOOL ?= $(DOCKER)\n", ["docker"]),
    ("# docker is not needed, nor yq\na:\n\t# sed\n\ttrue\n", []),
    ("a:\n\tused $(PARSED) myyq\n", []),
])
def test_what_a_makefile_names(text: str, names: list[str]) -> None:
    assert build_tools.named_in(text) == names


def test_all_is_there(programs: t.Callable[..., pathlib.Path]) -> None:
    folder = programs()
    assert build_tools.checked(ALL, "").path == str(folder / "make")


def faults(names: list[str], makefile: str = "", make_path: str | None = None) -> RayError:
    with pytest.raises(RayError) as caught:
        build_tools.checked(names, makefile, make_path)
    assert caught.value.code == "INPUT"
    return caught.value


def test_all_that_is_wrong_is_told_at_once_with_where_to_get_it(programs: t.Callable[..., pathlib.Path]) -> None:
    folder = programs(kustomize=None, yq="echo yq 3.1.0", sed="exit 1", docker="echo 'Cannot connect to the Docker daemon. Is it running?' >&2; exit 1")
    error = faults(ALL)
    assert error.message == (f"The build needs what is not here: no kustomize is on the PATH; {folder}/yq is not Mike Farah's yq 4 (it says 'yq 3.1.0'); "
                             f"{folder}/sed is not GNU sed; docker's daemon does not answer: Cannot connect to the Docker daemon. Is it running.")
    assert error.details == {"missing": ALL}
    for word in ("Get kustomize from", "mikefarah/yq", "GNU sed", "Start docker"):
        assert word in (error.hint or "")


@pytest.mark.parametrize("said", ["yq (https://github.com/mikefarah/yq/) version 3.4.1", "yq version 3.4.1", "yq 4.0.0"])
def test_another_yq_or_an_old_one_will_not_do(programs: t.Callable[..., pathlib.Path], said: str) -> None:
    programs(yq=f"echo '{said}'")
    assert faults(["yq"]).details == {"missing": ["yq"]}
    programs(yq="echo yq version 4.9.3")
    build_tools.checked(["yq"], "")


def test_gnu_sed_under_its_other_name_where_the_makefile_takes_it(programs: t.Callable[..., pathlib.Path]) -> None:
    programs(sed="exit 1", gsed=GOOD["sed"])
    build_tools.checked(["sed"], "SED := $(shell command -v gsed || command -v sed)")
    assert "is not GNU sed" in faults(["sed"], "\tsed -i x").message


def test_a_make_of_the_option(programs: t.Callable[..., pathlib.Path]) -> None:
    folder = programs(make="exit 2", gmake=GOOD["make"])
    assert build_tools.checked([], "", str(folder / "gmake")).path == str(folder / "gmake")
    assert "is not GNU make" in faults([]).message
    assert "/nowhere/make is no file that can be run" in faults([], "", "/nowhere/make").message


def test_another_program_has_only_to_be_there(programs: t.Callable[..., pathlib.Path]) -> None:
    programs(go="exit 3")
    build_tools.checked(["go", "make"], "")
    assert faults(["go", "tool-of-ours"]).message == "The build needs what is not here: no tool-of-ours is on the PATH."
