# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for all tests of this folder, which run in the order of their files and lines: from empty back to empty.

All of it twice, each time with a lab of its own: in the controller's process, and as modules. What the tasks of the
second run return is compared with the first.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from labs import RANDOM, ROOT, Lab, Play

# Known differences between two runs with two labs, and nothing of the way in which a task ran: random names, times, what is dealt out in turn.
KNOWN = RANDOM + [(re.compile(pattern), word) for pattern, word in (
    (r"\b[0-9a-f]{56}\b", "NODE"),
    (r'"(start_time|end_time)": [0-9]+', r'"\1": 0'),
    (r"\b(vmray-controller-manager-[0-9a-f]+)-[a-z0-9]{5}\b", r"\1-NAME"),
    (r"/[^\" ]*/pytest-[^/]*/(popen-gw[0-9]+/)?[^/\" ]*", "FOLDER"),
    (r"-----BEGIN CERTIFICATE-----[^\"]*-----END CERTIFICATE-----", "CERTIFICATE"),
    (r'"certificate-authority-data": "[^"]*"', '"certificate-authority-data": "CERTIFICATE"'),
    (r"\beyJ[\w-]+\.[\w-]+\.[\w-]+", "TOKEN"),
    (r'"size": [0-9]+', '"size": 0'),
    (r"\b10\.244\.[0-9]+\.[0-9]+\b", "ADDRESS"),
    (r"4026[0-9]{6}", "NETNS"),
    (r"\b[0-9.]+ s\b", "SECONDS"),
    (r"\([0-9]+ reads\)", "READS"),
)]

# Where the way in which a task runs makes no difference that other tests do not see.
ONCE = ("test_3_doctor", "test_5_inventory", "test_5_registry", "test_6_package")

# The end of a job's log, in which Ray has more or fewer lines of its own; and what ansible-core adds to a module's failure that is gathered.
KNOWN_KEYS = {"log_tail", "failed_when_suppressed_exception"}


def known(value: dict) -> dict:
    return {key: item for key, item in value.items() if key not in KNOWN_KEYS}


class WatchedLab(Lab):
    """A lab in which the results of each play are held against those of the same play in the first run.

    ``first`` is what the tasks returned in the run before this one: play -> results.
    """

    def __init__(self, state: pathlib.Path, way: str, first: dict[str, list[list[str]]]) -> None:
        self.results = state.with_name(f"{state.name}.results")
        super().__init__(state, way, ANSIBLE_CALLBACK_PLUGINS=str(ROOT / "tests/e2e/callback_plugins"), ANSIBLE_CALLBACKS_ENABLED="results",
                         TEST_RESULTS=str(self.results))
        self.first = first
        self.start = ""
        self.empty: list[str] = []
        self.plays: dict[str, int] = {}

    def play(self, playbook: str, *args: str, timeout: float = 900) -> Play:
        self.results.write_text("")
        done = self.playbook(playbook, *args, timeout=timeout)
        self.compare(self.results.read_text(), done.stdout + done.stderr)
        return Play(done)

    def compare(self, results: str, shown: str) -> None:
        """Keep the results of a play, or hold them against those of the same play in the first run."""
        for pattern, word in KNOWN:
            results = pattern.sub(word, results)
        test = os.environ["PYTEST_CURRENT_TEST"].replace(self.way, "WAY")
        self.plays[test] = self.plays.get(test, 0) + 1
        play = f"{test} play {self.plays[test]}"
        now = [json.dumps(json.loads(line, object_hook=known), indent=1, sort_keys=True).splitlines() for line in results.splitlines()]
        for before, after in zip(self.first.setdefault(play, now), now, strict=True):
            assert before == after, f"{play}\n{shown}"

    def kubectl(self, *args: str) -> subprocess.CompletedProcess:
        """kubectl of the lab with the kubeconfig that site.yml made for the DevOps user."""
        return self.exec("kubectl", "--kubeconfig", str(self.state / "kubeconfig"), *args)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items) -> None:
    """For several workers, and before pytest-xdist looks: these tests go one after the other in one of them, those of the lab file by file."""
    twice = [item for item in items if item.path.stem in ONCE and getattr(item, "callspec", None) and item.callspec.params.get("lab") == "module"]
    config.hook.pytest_deselected(items=twice)
    items[:] = [item for item in items if item not in twice]
    for item in items:
        item.add_marker(pytest.mark.xdist_group("e2e" if item.path.parent == pathlib.Path(__file__).parent else item.path.stem))


@pytest.fixture(scope="session", name="first")
def fixture_first() -> dict[str, list[list[str]]]:
    return {}


@pytest.fixture(scope="session", name="lab", params=["in_process", "module"])
def fixture_lab(tmp_path_factory, request, first):
    lab = WatchedLab(pathlib.Path(os.environ.get("LAB_TEST_STATE") or tmp_path_factory.mktemp("lab") / "state"), request.param, first)
    lab.up()
    lab.start, lab.empty = lab.digest(), lab.whole()
    yield lab
    if not os.environ.get("LAB_TEST_STATE"):
        lab.down()


@pytest.fixture(scope="session", name="start")
def fixture_start(lab: WatchedLab) -> str:
    """The digest of the empty lab."""
    return lab.start
