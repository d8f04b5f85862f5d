# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site as files: what is linked is there, nothing is loaded from elsewhere, and all of the collection is on it."""

from __future__ import annotations

import functools
import html.parser
import pathlib
import re
import urllib.parse

import pytest
from reading import ROOT, pages

EXTERNAL = ROOT / "tests/docs/external_links.txt"
# Attributes by which a page fetches something when it is opened.
ELSEWHERE = re.compile(r"(?:url\(|@import )['\"]?((?:https?:)?//[^'\")]+)")
FETCHED = {"src", "srcset", "data", "poster", "background"}


class Page(html.parser.HTMLParser):
    """What a page links to, fetches, and can be linked at."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.ids: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif "href" in given and given.get("rel") not in ("canonical", "index", "search", "next", "prev"):
            self.fetched.append(given["href"])
        self.fetched += [given[name] for name in FETCHED & set(given)]


@functools.cache
def page(path: pathlib.Path) -> Page:
    return Page(path)


def html_pages(site: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)


def is_external(link: str) -> bool:
    return bool(re.match(r"[a-z][a-z+.-]*:|//", link))


def broken(path: pathlib.Path) -> list[str]:
    wrong = []
    for link in page(path).links + page(path).fetched:
        if is_external(link):
            continue
        where, _, anchor = link.partition("#")
        target = (path.parent / urllib.parse.unquote(where.partition("?")[0])).resolve() if where else path
        if not target.is_file():
            wrong.append(f"{link}: no such file")
        elif anchor and target.suffix == ".html" and urllib.parse.unquote(anchor) not in page(target).ids:
            wrong.append(f"{link}: no such place in the page")
    return wrong


def test_every_link_inside_the_site_leads_to_a_page_and_a_place_in_it(site: pathlib.Path) -> None:
    assert len(html_pages(site)) > len(pages())
    wrong = {str(path.relative_to(site)): broken(path) for path in html_pages(site)}
    assert {name: links for name, links in wrong.items() if links} == {}


def test_no_page_or_style_fetches_anything_from_elsewhere(site: pathlib.Path) -> None:
    fetched = {link for path in html_pages(site) for link in page(path).fetched if is_external(link) and not link.startswith("data:")}
    styles = {url for path in site.rglob("*.css") for url in ELSEWHERE.findall(path.read_text(encoding="utf-8"))}
    assert fetched | styles == set()


def test_every_link_to_elsewhere_is_one_that_somebody_has_looked_at(site: pathlib.Path) -> None:
    """They are listed, not fetched. A new one belongs into the list, when it has been opened once."""
    listed = [line for line in EXTERNAL.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    found = {link.partition("#")[0] for path in html_pages(site) for link in page(path).links if is_external(link)}
    assert listed == sorted(set(listed))
    assert sorted(found - set(listed)) == [], "links that the list does not have"
    assert sorted(set(listed) - found) == [], "links of the list that no page has"


def test_every_module_role_and_plugin_has_a_page(site: pathlib.Path) -> None:
    wanted = {f"{path.stem}_module" for path in (ROOT / "plugins/modules").glob("*.py")}
    wanted |= {f"{path.stem}_inventory" for path in (ROOT / "plugins/inventory").glob("[!_]*.py")}
    wanted |= {f"{path.name}_role" for path in (ROOT / "roles").iterdir() if path.is_dir()}
    linked = {pathlib.Path(link.partition("#")[0]).stem for link in page(site / "reference/index.html").links}
    assert sorted(wanted - linked) == []


def read_by_the_code() -> set[str]:
    """Names of the environment variables that plugins and roles read."""
    patterns = (r'env_fallback, \["(\w+)"\]', r'environ\.get\("(\w+)"', r"lookup\('(?:ansible\.builtin\.)?env', *'(\w+)'", r'"(RAY_AUTH_\w+)"')
    files = [path for folder in ("plugins", "roles") for ending in ("py", "yml") for path in (ROOT / folder).rglob(f"*.{ending}")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    return {name for text in texts for pattern in patterns for name in re.findall(pattern, text)}


def test_the_page_of_environment_variables_has_all_that_the_code_reads(site: pathlib.Path) -> None:
    there = {name.removeprefix("envvar-") for name in page(site / "reference/environment_variables.html").ids if name.startswith("envvar-")}
    read = read_by_the_code()
    assert {"VMWARE_HOST", "RAY_AUTH_TOKEN", "K8S_AUTH_KUBECONFIG", "TAIGA_SVC_ACCOUNT_USER"} <= read
    assert sorted((read | {"VCF_RAY_IN_PROCESS", "VCF_RAY_PROGRESS"}) - there) == []


@pytest.mark.parametrize(("name", "link"), [
    ("vcf.ray.supervisor_service_install", "../reference/supervisor_service_install_module.html"),
    ("vcf.ray.vi_admin", "../reference/vi_admin_role.html"),
    ("vi_admin_registries", "../reference/vi_admin_role.html"),
])
def test_names_in_the_text_lead_to_the_reference(site: pathlib.Path, name: str, link: str) -> None:
    assert [found for found in page(site / "docs/vi-admin.html").links if found.startswith(link + "#")], name


def test_the_release_and_the_changelog_are_those_of_the_collection(site: pathlib.Path) -> None:
    version = re.search(r"^version: (.+)$", (ROOT / "galaxy.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"vcf.ray {version[1]}" in (site / "index.html").read_text(encoding="utf-8")
    assert "Release Notes" in (site / "CHANGELOG.html").read_text(encoding="utf-8")
