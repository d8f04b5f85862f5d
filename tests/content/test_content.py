# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages say of the code is so: messages, names, variables, versions."""

from __future__ import annotations

import pathlib
import re
import sys

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from written import PAGES, ROLES, ROOT, facts, is_said, names, options, quoted

sys.path.insert(0, str(ROOT / "tests/docs"))
from reading import blocks

VARIABLE = re.compile(rf"\b({'|'.join(ROLES)})_[a-z_]+\b")
QUOTES = sorted({(path.name, piece) for path in PAGES for piece in quoted(path.read_text(encoding="utf-8"))})


def test_the_pages_quote_what_is_said() -> None:
    """Else nothing below would be looked at."""
    assert len([1 for page, _piece in QUOTES if page == "troubleshooting.md"]) > 80
    assert {page for page, _piece in QUOTES} >= {"troubleshooting.md", "carvel.md"}


@pytest.mark.parametrize(("page", "piece"), QUOTES)
def test_a_quoted_message_is_one_of_the_code(page: str, piece: str) -> None:
    assert is_said(piece), f"{page}: nobody says {piece!r}"


@pytest.mark.parametrize(("piece", "known", "said"), [
    (" cannot be reached", "server cannot be reached: ", True),
    (" cannot be touched", "server cannot be reached: ", False),
    ("cannot be trusted: its certificate has expired", "x cannot be trusted: \x00its certificate has expired", True),
    ("cannot be trusted: its certificate has grown old", "x cannot be trusted: \x00its certificate has expired", False),
    ("cannot be reachedx", "server cannot be reached: x", False),
    ("a text of three pieces in a row", "a text of \x00three pieces\x00 in a row", False),
])
def test_how_a_message_is_known(piece: str, known: str, said: bool) -> None:
    assert is_said(piece, known) is said


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_every_name_of_the_collection_exists(path: pathlib.Path) -> None:
    told = set(re.findall(r"\bvcf\.ray\.([a-z_]+)", path.read_text(encoding="utf-8")))
    assert told <= names(), f"{path.name}: {sorted(told - names())}"


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_every_variable_is_one_of_a_role(path: pathlib.Path) -> None:
    known = set().union(*(options(role) for role in ROLES)) | facts()
    # The names of playbooks, and of roles themselves.
    told = {match[0] for match in VARIABLE.finditer(path.read_text(encoding="utf-8"))} - names()
    assert told <= known, f"{path.name}: {sorted(told - known)}"


def shown() -> list[tuple[str, str, dict]]:
    """The variables of each role that stand in a block of a page."""
    found = []
    for path in PAGES:
        fenced = [block for block in blocks(str(path.relative_to(ROOT))) if block.language == "yaml"]
        for document in (document for block in fenced for document in block.parsed() if isinstance(document, dict)):
            for role in ROLES:
                values = {name: value for name, value in document.items() if name in options(role)}
                if values:
                    found.append((path.name, role, values))
    return found


def test_the_pages_show_variables_of_every_role_that_has_to_be_told_something() -> None:
    assert {role for _page, role, _values in shown()} >= {"carvel_package", "vi_admin", "devops_user", "data_scientist"}


@pytest.mark.parametrize(("page", "role", "values"), [pytest.param(*case, id=f"{case[0]}-{case[1]}-{n}") for n, case in enumerate(shown())])
def test_variables_are_accepted_as_they_are_shown(page: str, role: str, values: dict) -> None:
    """Not whether all that is needed is there: a page may show a part."""
    spec = {name: {**options(role)[name], "required": False} for name in values}
    assert ArgumentSpecValidator(_without_docs(spec)).validate(values).error_messages == []


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_no_variable_begins_in_the_folder_of_a_playbook(path: pathlib.Path) -> None:
    """That of vcf.ray.site and the others is inside of the installed collection; a lookup of a file begins there too."""
    text = path.read_text(encoding="utf-8")
    assert "playbook_dir" not in text
    assert [name for name in re.findall(r"lookup\('ansible\.builtin\.file', '([^']+)'", text) if not name.startswith("/")] == []


def _without_docs(spec: dict) -> dict:
    """The specification of a role as one of a module."""
    told = ("description", "version_added")
    return {name: {key: _without_docs(value) if key == "options" else value for key, value in option.items() if key not in told}
            for name, option in spec.items()}


def test_the_versions_are_those_of_the_tree() -> None:
    page = (ROOT / "docs/versions.md").read_text(encoding="utf-8")
    floor = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["requires_ansible"].removeprefix(">=")
    lab = re.search(r'^VERSIONS = \((.*)\)', (ROOT / "lab/vcf_lab/settings.py").read_text(encoding="utf-8"), re.MULTILINE)
    ray = re.search(r"ray\[default\]==([\d.]+)", (ROOT / "lab/pyproject.toml").read_text(encoding="utf-8"))
    image = (ROOT / "plugins/module_utils/_resources/vmray_image.py").read_text(encoding="utf-8")
    least, quiet = (".".join(re.search(rf"{name} = \((\d+), (\d+)\)", image).groups()) for name in ("FIRST_WITH_PROVIDER", "FIRST_WITHOUT_DELETE"))
    kube = re.search(r"k8s.io/kubernetes v(\d+\.\d+)", (ROOT / "lab/vcf_lab/go/kubernetes/go.mod").read_text(encoding="utf-8"))
    python = yaml.safe_load((ROOT / "tests/config.yml").read_text(encoding="utf-8"))["modules"]["python_requires"].removeprefix(">=")
    for row in (f"| ansible-core | {'.'.join(floor.split('.')[:2])} and later |",
                f"| Python of the controller | {python} and later |",
                f"| {lab[1].replace(chr(34), '')}, each as the",
                f"| Ray | {least} and later; {quiet} and later without a warning | {ray[1]} |",
                f"| {kube[1]}, a real API server |"):
        assert row in page, row


def test_the_tools_are_those_of_the_lab() -> None:
    page = (ROOT / "docs/versions.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| ytt, kbld, imgpkg, crane |"))
    mods = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "lab/vcf_lab/go").glob("*/go.mod"))
    wanted = [re.search(rf"^require {re.escape(module)} v([\d.]+)|^\s{re.escape(module)} v([\d.]+)", mods, re.MULTILINE) for module in (
        "carvel.dev/ytt", "carvel.dev/kbld", "carvel.dev/imgpkg", "github.com/google/go-containerregistry")]
    assert ", ".join(found[1] or found[2] for found in wanted) in row


def test_the_stages_that_are_explained_are_those_of_the_tests() -> None:
    told = re.findall(r"^\| `(\w+)`(?: \(long\))? \|", (ROOT / "docs/contributing.md").read_text(encoding="utf-8"), re.MULTILINE)
    there = set(re.findall(r"^ *(?:stage|long) (\w+) \d+$", (ROOT / "tests/run").read_text(encoding="utf-8"), re.MULTILINE))
    assert len(told) > 5
    assert set(told) <= there


@pytest.mark.parametrize(("page", "steps"), [("carvel", 5), ("vi-admin", 15), ("devops-user", 7)])
def test_every_step_of_the_manual_guide_has_its_row(page: str, steps: int) -> None:
    rows = re.findall(r"^\| ([^|]*) \| [^|]+ \|$", (ROOT / f"docs/{page}.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {int(number) for row in rows for number in re.findall(r"\b(\d+)\. ", row)} == set(range(1, steps + 1))
