# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of recorded sites, written by the role itself and opened in a real browser without a window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from chromium import launched
from situations import SITUATIONS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# What measures the page from outside; the page has no script of its own.
EYES = (HERE / "eyes.js").read_text(encoding="utf-8")


def play(name: str, *args: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"), "ANSIBLE_LOCALHOST_WARNING": "False", "NO_COLOR": "1",
           "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False", "ANSIBLE_LOCAL_TEMP": os.environ.get("ANSIBLE_LOCAL_TEMP", "~/.ansible/tmp")}
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(HERE / "plays" / name), *args]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=180, check=False)


class Pages:
    """A folder with what was recorded and the pages of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def record(self, name: str, found: dict) -> None:
        (self.folder / f"{name}.json").write_text(json.dumps(found))

    def write(self, *names: str, title: str = "Ray at the site", args: t.Sequence[str] = ()) -> str:
        """Run the role for these; the recap comes back."""
        given = json.dumps({"folder": str(self.folder), "site_report_title": title})
        done = play("page.yml", "-i", ",".join([*names, ""]), "-e", given, *args)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.html"

    def text(self, name: str) -> str:
        return self.path(name).read_text(encoding="utf-8")


@pytest.fixture(scope="session", name="pages")
def fixture_pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """The pages of all situations, by one run of the role."""
    pages = Pages(tmp_path_factory.mktemp("pages"))
    for name, found in SITUATIONS.items():
        pages.record(name, found())
    pages.write(*SITUATIONS)
    return pages


@pytest.fixture(name="own")
def fixture_own(tmp_path: Path) -> Pages:
    return Pages(tmp_path)


@pytest.fixture(scope="session", name="chromium")
def fixture_chromium() -> t.Iterator[t.Any]:
    with launched() as browser:
        yield browser


class View:
    """A page in the browser, with what the browser had to say about it."""

    def __init__(self, page: t.Any) -> None:
        self.page = page
        self.console: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.console.append(message.text))
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def ask(self, expression: str) -> t.Any:
        """The value of an expression over what ``eyes.js`` has to offer."""
        return self.page.evaluate(f"() => {{ {EYES}\nreturn {expression}; }}")


@pytest.fixture(name="see")
def fixture_see(chromium: t.Any, pages: Pages) -> t.Iterator[t.Callable[..., View]]:
    contexts = []

    def see(name: str, width: int = 1280, scheme: str = "light", media: str = "screen") -> View:
        contexts.append(chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme))
        view = View(contexts[-1].new_page())
        view.page.emulate_media(media=media, color_scheme=scheme)
        view.page.goto(pages.path(name).as_uri())
        return view

    yield see
    for context in contexts:
        context.close()
