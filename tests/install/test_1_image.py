# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-builder makes of the definition in the repository and of those on the page; no image is built."""

from __future__ import annotations

import ast
import re
import shutil
import sys
import typing as t
from pathlib import Path

import environments
import pytest
import yaml
from environments import ROOT, bounds, required, run

PAGE = ROOT / "docs/execution-environment.md"
# How those packages are called in an import that are not called so in the index.
IMPORTED_AS = {"PyYAML": "yaml"}


def definitions() -> dict[str, str]:
    """The one of the repository, and each that the page shows."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    shown = [block for block in blocks if "base_image" in block]
    return {"repository": (ROOT / "execution-environment.yml").read_text(encoding="utf-8"), **{f"page {n}": text for n, text in enumerate(shown, 1)}}


@pytest.fixture(scope="module", name="builder")
def fixture_builder() -> Path:
    return environments.tools() / "ansible-builder"


@pytest.fixture(scope="module", name="seen")
def fixture_seen(builder: Path, installed: t.Any) -> dict:
    """What the image would get because the collection is in it."""
    return yaml.safe_load(run(builder, "introspect", installed.path))


def test_the_collection_wants_its_requirements_and_no_package_of_the_system(seen: dict) -> None:
    wanted = bounds("\n".join(line.split("  #")[0] for line in seen["python"]))
    # ansible-builder leaves out what comes with Ansible itself.
    assert wanted == {name: version for name, version in required().items() if name != "PyYAML"}
    assert not seen.get("system")


def test_nothing_in_the_collection_asks_for_another_collection(installed: t.Any) -> None:
    assert yaml.safe_load((installed.root / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]["dependencies"] == {}


def test_the_requirements_are_what_the_plugins_import() -> None:
    known = {*sys.stdlib_module_names, "ansible", "__future__"}
    imported = set()
    for path in (ROOT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(str(node.module).split(".")[0])
    assert imported - known == {IMPORTED_AS.get(name, name) for name in required()}


@pytest.mark.parametrize("name", definitions())
def test_a_definition_becomes_a_context(builder: Path, tarball: Path, tmp_path: Path, name: str) -> None:
    definition = definitions()[name]
    (tmp_path / "execution-environment.yml").write_text(definition, encoding="utf-8")
    for file in yaml.safe_load(definition).get("additional_build_files", []):
        shutil.copy(tarball, tmp_path / file["src"])
    run(builder, "create", "--output-filename", "Containerfile", cwd=tmp_path)
    build = tmp_path / "context/_build"
    image = (tmp_path / "context/Containerfile").read_text(encoding="utf-8")
    assert f'ARG EE_BASE_IMAGE="{yaml.safe_load(definition)["images"]["base_image"]["name"]}"' in image
    asked = yaml.safe_load((build / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    assert len(asked) == 1
    if asked[0].get("type") == "file":
        assert (build / Path(asked[0]["name"]).relative_to("/build")).read_bytes() == tarball.read_bytes()
    else:
        assert asked[0]["name"] == "vcf.ray"


def test_the_page_shows_a_definition_for_the_index_and_one_for_a_tarball() -> None:
    kinds = [yaml.safe_load(text)["dependencies"]["galaxy"]["collections"][0].get("type", "galaxy") for text in definitions().values()]
    assert sorted(set(kinds)) == ["file", "galaxy"]
