# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a person sees it: on a phone and on a screen, light and dark, on paper, and through a screen reader."""

from __future__ import annotations

import pytest
from situations import HOSTILE, SITUATIONS

EACH = pytest.mark.parametrize("name", SITUATIONS)
WIDTHS = pytest.mark.parametrize("width", [360, 1280])


@EACH
@WIDTHS
def test_nothing_is_cut_or_covered(see, name, width) -> None:
    view = see(name, width)
    assert view.ask("document.documentElement.scrollWidth") <= width
    for wrong in ("cut()", "outside()", "overlapping()", "crossing()", "tiny()"):
        assert view.ask(wrong) == [], wrong
    assert bool(view.ask("drawn.length")) == (name != "nothing")


@EACH
def test_it_asks_for_nothing_and_the_browser_has_nothing_to_say(see, pages, name) -> None:
    view = see(name)
    view.page.wait_for_timeout(100)
    assert [url for url in view.requests if not url.startswith("data:")] == [pages.path(name).as_uri()]
    assert view.console == []
    assert view.ask("alive()") == []
    assert view.page.title() == "Ray at the site"
    assert pages.path(name).stat().st_size < 150_000


@EACH
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_by_day_and_by_night(see, name, scheme) -> None:
    view = see(name, scheme=scheme)
    assert view.ask("faint()") == []
    assert view.ask("light(rgb(getComputedStyle(document.body).backgroundColor)) > 0.5") == (scheme == "light")


@EACH
def test_a_screen_reader_finds_its_way(see, name) -> None:
    view = see(name)
    for wrong in ("unnamed()", "skipped()", "twice()"):
        assert view.ask(wrong) == [], wrong
    assert view.ask("['header', 'main', 'footer', 'h1'].map((tag) => document.querySelectorAll(tag).length)") == [1, 1, 1, 1]
    assert view.ask("document.documentElement.lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_gets_the_broad_picture_and_dark_text(see, scheme) -> None:
    view = see("healthy", 700, scheme, media="print")
    assert view.ask("svg.classList.contains('broad')")
    assert view.ask("light(rgb(getComputedStyle(document.body).color)) < 0.1")
    assert len(view.page.pdf(format="A4")) > 10_000
    assert see("healthy", 360).ask("svg.classList.contains('narrow')")


@WIDTHS
def test_forty_workers_are_all_there(see, width) -> None:
    view = see("many", width)
    assert view.ask("drawn.filter((t) => t.text.startsWith('big-ray-w-')).length") == 41
    assert view.ask("document.querySelectorAll('tbody tr').length") == 43
    assert "ray.worker.gpu on ray-large-gpu" in view.ask("drawn.map((t) => t.text)")


def test_every_state_has_a_word_and_a_shape(see) -> None:
    view = see("failing")
    texts = view.ask("drawn.map((t) => t.text)")
    for words in ("live in Ray", "not live in Ray", "VM failure", "VM pending", "VM runs, Ray silent", "Ray answers, workers are missing",
                  "refused by its operator",
                  "Ray does not answer", "FAILED in 1 min 13 s", "RUNNING", "no address", "10.244.1.2, RUNNING, Kubernetes ERROR", "Namespace other"):
        assert words in texts, words
    assert view.ask("new Set([...svg.querySelectorAll('g[class^=k-]')].map((g) => g.firstElementChild.outerHTML.replace(/ transform.*/, ''))).size") == 4


def test_problems_stand_at_the_top(see) -> None:
    view = see("failing")
    found = view.ask("[...document.querySelectorAll('.problems li')].map((el) => el.textContent.trim())")
    faults, warnings = [text for text in found if text.startswith("Fault.")], [text for text in found if text.startswith("Warning.")]
    assert found == faults + warnings
    for words in ("Supervisor ray-supervisor is not ready: No connection to its control plane.",
                  "Image ray-node-ubuntu-24.04 in deploy-ray is not ready: The item has",
                  "Namespace other could not be read whole", "1 of at least 2 workers are live", "not live in Ray: test-ray-w-00000002",
                  "InvalidVirtualMachineImage",
                  "Ray does not answer at http://10.244.102.3:8265", "Job broken on test-ray has failed: Job entrypoint command failed with exit code 1."):
        assert sum(words in text for text in faults) == 1, words
    for words in ("the token of its head ends at 2020-01-02T03:04:05Z", "certificates end at 2020-02-03T04:05:06Z", "answers without a token",
                  "test-ray-h-0badc0de"):
        assert sum(words in text for text in warnings) == 1, words
    assert len(found) == 12
    assert view.ask("document.querySelector('main > section').id") == "problems"


def test_jobs_tell_how_they_ended(see) -> None:
    jobs = see("healthy").ask("[...document.querySelectorAll('.jobs > li')].map((el) => el.innerText)")
    assert [text.split("\n")[0] for text in jobs] == ["sweep", "nightly", "hello-ray", "train-1"]
    for words in ("SUCCEEDED in 1 min 13 s", "Begun 2026-11-22 23:14:01 UTC, ended 2026-11-22 23:15:14 UTC", "python train.py --epochs 3", "loss 0.012"):
        assert words in jobs[2]
    assert "RUNNING" in jobs[0] and "ended" not in jobs[0]


def test_what_was_not_asked_is_said(see) -> None:
    text = see("scientist").ask("document.body.innerText")
    for words in ("vCenter (Supervisor, namespaces): not asked", "Kubernetes of the Supervisor (clusters, machines, images): not asked",
                  "2 of 2 dashboards asked for jobs",
                  "closed, Ray could not be asked: Ray at http://192.0.2.10:8265 wants a token."):
        assert words in text
    assert "Supervisor: not asked" in see("scientist").ask("drawn.map((t) => t.text)")
    assert "machines live" not in text
    # The namespace that was forbidden is not called empty.
    drawn = see("failing").ask("drawn.map((t) => t.text)")
    assert "clusters: could not be read" in drawn and "no Ray cluster" not in drawn
    assert "There is no Supervisor" in see("nothing").ask("document.body.innerText")


@WIDTHS
def test_hostile_text_stays_text(see, width) -> None:
    view = see("hostile", width)
    text = view.ask("document.body.textContent")
    for hostile in HOSTILE[:5]:
        assert hostile in text
    assert "49" not in view.ask("[...document.querySelectorAll('pre, dd, h4')].map((el) => el.textContent)")
    assert view.ask("[...document.querySelectorAll('h1')].map((el) => el.textContent)") == ["Ray at the site"]
    # What turns text around, or steers a terminal, is a question mark.
    assert "?gnp.exe??[31m" in text and "\u202e" not in text and "\u001b" not in text
    assert view.ask("[...document.querySelectorAll('a[href]')].map((el) => el.getAttribute('href')).filter((url) => !/^(https?:|#)/.test(url))") == []
