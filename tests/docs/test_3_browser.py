# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page of the site in a real browser, as wide as a desk's and as narrow as a phone's."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

WIDTHS = (1200, 400)


def names(site: pathlib.Path) -> list[str]:
    return sorted(str(path.relative_to(site)) for path in site.rglob("*.html") if "_static" not in path.parts)


class View:
    """A tab of one width, with all that it fetched and complained of."""

    def __init__(self, browser: t.Any, width: int, **given: t.Any) -> None:
        self.page = browser.new_page(viewport={"width": width, "height": 900}, **given)
        self.said: list[str] = []
        self.fetched: list[str] = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("requestfailed", lambda request: self.said.append(f"{request.url} failed"))
        self.page.on("response", lambda answer: self.said.extend([f"{answer.url}: {answer.status}"] if answer.status >= 400 else []))
        self.page.on("request", lambda request: self.fetched.append(request.url))

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.page.wait_for_function("[...document.querySelectorAll('pre.mermaid')].every((place) => place.dataset.processed)")


@pytest.mark.parametrize("width", WIDTHS)
def test_all_pages_open_without_a_complaint_and_fit(chromium: t.Any, site: pathlib.Path, address: str, width: int) -> None:
    wrong = {}
    view = View(chromium, width)
    for name in names(site):
        view.said.clear()
        view.open(address + name)
        said = list(view.said)
        wide = view.page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            said.append(f"the page is {wide} wide")
        if not view.page.title().strip() or view.page.locator("article h1, article .search-page, #search-results").count() == 0:
            said.append("there is nothing on it")
        if said:
            wrong[name] = said
    view.page.close()
    assert wrong == {}
    assert {url for url in view.fetched if not url.startswith((address, "data:"))} == set()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_are_drawn_and_can_be_read(chromium: t.Any, site: pathlib.Path, address: str, width: int, scheme: str) -> None:
    drawn = 0
    view = View(chromium, width, color_scheme=scheme)
    for name in names(site):
        if 'class="mermaid"' in (site / name).read_text(encoding="utf-8"):
            view.open(address + name)
            places = view.page.locator("pre.mermaid")
            assert places.locator("svg").count() == places.count(), name
            assert "Syntax error" not in "".join(places.all_inner_texts()), name
            heights = view.page.eval_on_selector_all("pre.mermaid .nodeLabel", "(all) => all.map((el) => el.getBoundingClientRect().height)")
            assert min(heights) >= 10, f"{name}: the words of a picture are {min(heights)} px high"
            drawn += places.count()
    view.page.close()
    assert drawn, "no page has a picture"


def test_search_finds_a_module(chromium: t.Any, address: str) -> None:
    view = View(chromium, 1200)
    view.page.goto(f"{address}search.html?q=vmray_cluster")
    view.page.wait_for_selector("#search-results li a")
    assert any("vmray_cluster" in text for text in view.page.locator("#search-results li a").all_inner_texts())
    assert view.said == []
    view.page.close()
