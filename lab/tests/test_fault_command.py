# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab fault` on the command line."""

from __future__ import annotations

import pytest

from vcf_lab import cli, fault


def test_names_needs_no_lab(capsys, tmp_path) -> None:
    options = cli.parser().parse_args(["fault", "--state", str(tmp_path / "none"), "names"])
    assert cli.dispatch(options) == 0
    said = capsys.readouterr().out
    assert all(name in said for _, _, part in fault.PARTS for name in part.kinds) and "times=" in said


def test_words_become_options() -> None:
    assert fault.asked("html", ["times=2", "path=a=b"]) == {"name": "html", "times": "2", "path": "a=b"}


@pytest.mark.parametrize(
    ("words", "said"),
    [(["html", "twice"], "twice is not KEY=VALUE"), (["nope"], "There is no fault 'nope'"), ([], "There are: unavailable, cut")],
)
def test_mistakes_are_one_sentence(capsys, words: list[str], said: str) -> None:
    assert fault.add(*words) == 1
    error = capsys.readouterr().err
    assert said in error and len(error.splitlines()) == 1


def test_a_name_that_nobody_knows_cannot_be_cleared(capsys) -> None:
    assert fault.clear("nope") == 1
    assert "There is no fault 'nope'" in capsys.readouterr().err


def test_a_fault_is_one_line() -> None:
    shown = {"name": "error-state", "times": 2, "object": "install", "polls": 2, "struck": 1, "over": False}
    assert fault.line(shown).split() == ["error-state", "armed", "struck", "1", "times=2", "object=install", "polls=2"]
