# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages as they lie in the repository: their links, and the YAML that they show."""

from __future__ import annotations

import os
import pathlib
import re
import sys
import typing as t

import pytest
import yaml
from labs import BIN
from reading import ROOT, anchors, blocks, links, pages, slug

sys.path.insert(0, str(ROOT / "docs/docsite"))
from environment import documentation
from staging import BadPage, relinked

LINKING = [*pages(), *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("roles/*/README.md")))]
YAML = [block for page in pages() for block in blocks(page) if block.language == "yaml"]
PLAYBOOKS = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}


def broken(page: str) -> t.Iterator[str]:
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if not (ROOT / target).is_file():
            yield f"{link}: no such file"
        elif anchor and anchor not in anchors(target):
            yield f"{link}: no such heading; there are {', '.join(sorted(anchors(target)))}"


@pytest.mark.parametrize("page", LINKING)
def test_each_link_leads_to_a_file_and_a_heading_that_are_there(page: str) -> None:
    assert list(broken(page)) == []


@pytest.mark.parametrize("page", pages())
def test_no_page_names_a_file_of_another_folder_with_an_absolute_path_of_this_machine(page: str) -> None:
    assert [link for link in links(page) if link.startswith(("/", "file:"))] == []


def test_the_site_shows_each_page_once() -> None:
    parts = yaml.safe_load((ROOT / "docs/docsite/contents.yml").read_text(encoding="utf-8"))
    shown = [f"docs/{page}.md" for part in parts for page in part["pages"]]
    assert sorted(shown) == sorted(page for page in pages() if page != "README.md")


@pytest.mark.parametrize("block", YAML, ids=str)
def test_the_yaml_of_the_pages_can_be_read(block) -> None:
    assert [document for document in block.parsed() if not isinstance(document, (dict, list))] == []


def test_a_reason_for_not_running_stands_at_a_playbook_and_nowhere_else() -> None:
    needless = [str(block) for page in pages() for block in blocks(page) if block.reason is not None and not block.is_playbook()]
    assert needless == []


def ours(value: t.Any) -> t.Iterator[tuple[str, dict]]:
    """Name and options of everything in a piece of YAML that is a task with a module of this collection."""
    if isinstance(value, list):
        for item in value:
            yield from ours(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if re.fullmatch(r"vcf\.ray\.\w+", str(key)):
                yield key, item or {}
            else:
                yield from ours(item)


def unknown(given: t.Any, options: dict, where: str) -> t.Iterator[str]:
    """What is given and no option, or no choice of it."""
    if not isinstance(given, dict):
        return
    by_name = {name: option for name, about in options.items() for name, option in ((alias, about) for alias in (name, *about.get("aliases", [])))}
    for name, value in given.items():
        option = by_name.get(name)
        if option is None:
            yield f"{where}.{name}"
            continue
        for item in value if isinstance(value, list) else [value]:
            literal = not isinstance(item, (dict, list)) and "{{" not in str(item)
            if literal and option.get("choices") and item not in option["choices"]:
                yield f"{where}.{name}: {item}"
            if option.get("suboptions"):
                yield from unknown(item, option["suboptions"], f"{where}.{name}")


def is_needed(option: str, about: dict, given: dict) -> bool:
    """Whether an option must be given and is not; one with an environment variable may come from there, or from module_defaults."""
    return bool(about.get("required")) and not {option, *about.get("aliases", [])} & set(given) and "E(" not in str(about["description"])


def mistakes(documents: t.Any, documented: dict) -> list[str]:
    found = []
    for name, given in ours(documents):
        if name not in documented:
            found.append(f"{name}: no such module")
            continue
        options = documented[name]["doc"]["options"]
        found += unknown(given, options, name)
        found += [f"{name}: {option} is missing" for option, about in options.items() if is_needed(option, about, given)]
    return found


@pytest.mark.parametrize("block", YAML, ids=str)
def test_the_tasks_of_the_pages_use_options_that_are_there(block, documented) -> None:
    assert mistakes(block.parsed(), documented) == []


@pytest.mark.parametrize("block", YAML, ids=str)
def test_the_playbooks_and_roles_that_the_pages_name_are_there(block) -> None:
    named = re.findall(r"import_playbook: vcf\.ray\.(\w+)", block.text)
    roles = re.findall(r"(?:role: |name: |- )vcf\.ray\.(\w+)$", block.text, re.MULTILINE)
    assert set(named) <= PLAYBOOKS
    assert {name for name in roles if not (ROOT / "roles" / name).is_dir()} == set()


def test_the_examples_of_modules_use_options_that_are_there(documented) -> None:
    found = {}
    for name, entry in documented.items():
        examples = yaml.safe_load(entry["examples"])
        assert [task for task, _ in ours(examples) if task == name], f"{name} is in none of its own examples"
        found[name] = mistakes(examples, documented)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_the_examples_of_the_inventory_plugin_use_options_that_are_there() -> None:
    found = documentation("inventory", BIN, str(ROOT / "build/collections"), ROOT)
    assert list(found) == ["vcf.ray.vmray_cluster"]
    for name, entry in found.items():
        example = yaml.safe_load(entry["examples"])
        assert example["plugin"] == name
        assert list(unknown(example, entry["doc"]["options"], name)) == []


def test_a_mistake_in_an_example_would_be_seen(documented) -> None:
    task = {"vcf.ray.namespace_access": {"namespace": "n", "subject": "s", "role": "BOSS", "colour": "red"}, "name": "wrong"}
    assert mistakes([task], documented) == ["vcf.ray.namespace_access.role: BOSS", "vcf.ray.namespace_access.colour"]
    assert mistakes([{"vcf.ray.no_such": None}], documented) == ["vcf.ray.no_such: no such module"]


def test_links_are_rewritten_for_the_site_and_code_is_not() -> None:
    text = "[a](../README.md) `[b](../README.md)`\n```md\n[c](../README.md)\n```\n[`r`](../roles/vi_admin/README.md#x) [d](https://example.com/README.md)"
    page, files = relinked(ROOT, ROOT.joinpath("docs/x.md").relative_to(ROOT), text)
    assert page.splitlines() == ["[a](../index.md) `[b](../README.md)`", "```md", "[c](../README.md)", "```",
                                 "[`r`](../reference/vi_admin_role.rst#x) [d](https://example.com/README.md)"]
    assert files == {"index.md", "reference/vi_admin_role.rst"}


@pytest.mark.parametrize("target", ["nowhere.md", "../roles", "../../outside.md"])
def test_a_link_that_cannot_hold_on_the_site_stops_its_making(target: str) -> None:
    with pytest.raises(BadPage, match=re.escape(target)):
        relinked(ROOT, ROOT.joinpath("docs/x.md").relative_to(ROOT), f"[a]({target})")


def test_anchors_are_those_of_headings_with_code_and_twins(tmp_path: pathlib.Path) -> None:
    assert slug("6. Find `x_y`, or not?") == "6-find-x_y-or-not"
    page = tmp_path / "page.md"
    page.write_text("# The role `vcf.ray.vi_admin`\n\n## Steps\n\n```sh\n# no heading\n```\n\n## Steps\n")
    assert anchors(str(page)) == {"the-role-vcfrayvi_admin", "steps", "steps-1"}
