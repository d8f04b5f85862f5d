# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module against the lab of every version: one play per version, whose records the tests look at."""

from __future__ import annotations

import collections
import dataclasses
import difflib
import json
import os
import pathlib
import sys

import pytest
import yaml

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import cases  # noqa: E402
import world  # noqa: E402
from labs import Lab, is_write  # noqa: E402

# As modules the cycle runs against one version only: what differs between versions does not depend on the way.
RUNS = [*((version, "in_process") for version in cases.VERSIONS), (cases.VERSIONS[-1], "module")]


@dataclasses.dataclass
class Record:
    """What one step did: result, requests to vCenter, faults that struck, digests of the state before and after."""

    failed: bool
    result: dict
    requests: list[dict]
    faults: list[dict]
    before: str
    after: str

    @property
    def writes(self) -> list[str]:
        return [f"{r['method']} {r.get('operation') or r['path']}" for r in self.requests if is_write(r)]

    def __str__(self) -> str:
        asked = "\n".join(f"  {r['method']} {r['path']} {r.get('operation', '')} -> {r['status']}" for r in self.requests)
        return f"{json.dumps(self.result, indent=1)}\n{asked}"


class Observed:
    """The records of one play, by module and step."""

    def __init__(self, version: str, way: str, text: str, lines: list[str], start: list[str], end: list[str]) -> None:
        self.version, self.way, self.text, self.start, self.end = version, way, text, start, end
        self.records: dict[str, dict[str, Record]] = collections.defaultdict(dict)
        for line in map(json.loads, lines):
            (module, step), record = line.pop("observe"), Record(**line)
            self.records[module][step] = record

    @property
    def left(self) -> str:
        """What differs between the whole lab before and after; empty when nothing does."""
        return "\n".join(difflib.unified_diff(self.start, self.end, "before", "after", lineterm="", n=12))

    def of(self, case: cases.Case, step: str) -> Record | None:
        return self.records[case.module].get(step)


class Bench:
    """One lab at a time, of the version that is asked for; plays in it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self.version = ""
        self.lab: Lab | None = None

    def at(self, version: str) -> Lab:
        if self.version != version:
            self.close()
            self.version = version
            self.lab = Lab(self._folder / version, ANSIBLE_CALLBACK_PLUGINS=str(HERE / "callback_plugins"), ANSIBLE_CALLBACKS_ENABLED="observer",
                           OBSERVED=str(self._folder / "observed"))
            self.lab.up("--version", version)
        assert self.lab
        return self.lab

    def close(self) -> None:
        if self.lab:
            self.lab.down()
        self.lab, self.version = None, ""

    def run(self, version: str, play: list[dict], way: str = "in_process") -> Observed:
        """The records of a play, which must not fail but where its tasks are allowed to."""
        lab = self.at(version)
        lab.way = way
        observed = pathlib.Path(lab.env["OBSERVED"])
        observed.write_text("")
        file = self._folder / "play.yml"
        file.write_text(yaml.safe_dump(play, sort_keys=False, width=200))
        extra = self._folder / "world.json"
        extra.write_text(json.dumps(world.variables(lab, version)))
        start = lab.whole()
        done = lab.playbook(str(file), "-e", f"@{extra}", timeout=1500)
        text = done.stdout + done.stderr
        assert done.returncode == 0, text[-6000:]
        return Observed(version, way, text, observed.read_text().splitlines(), start, lab.whole())


@pytest.fixture(scope="session", name="bench")
def fixture_bench(tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("integration"))
    yield bench
    bench.close()


@pytest.fixture(scope="session", name="cycle", params=RUNS, ids="-".join)
def fixture_cycle(request, bench) -> Observed:
    """All cases of one version, up and down."""
    version, way = request.param
    lab = bench.at(version)
    world.begin(lab, version)
    return bench.run(version, cases.cycle(version, world.UP, world.DOWN), way)


OUTCOMES: list[dict] = []
# What takes longest goes first, so that no worker is alone with it at the end.
LONGEST = ("test_5_killed", "test_2_faults", "9.1-module")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items) -> None:
    """Before pytest-xdist looks: what needs one lab stays together when several workers share the tests; each worker has a lab of its own."""
    for item in items:
        run = item.callspec.params.get("cycle") if hasattr(item, "callspec") else None
        item.add_marker(pytest.mark.xdist_group("-".join(run) if run else item.path.stem))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group").args[0] not in LONGEST)


def pytest_runtest_setup(item) -> None:
    """What table.py needs to know of each test, beside its outcome."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    case, run = params.get("case"), params.get("cycle")
    item.user_properties.append(("test", {
        "test": item.originalname, "module": getattr(case, "module", None), "version": run[0] if run else None, "way": run[1] if run else None,
        "fault": params.get("fault"), "name": params.get("name")}))


def pytest_runtest_logreport(report) -> None:
    """Heard where the tests are gathered, whichever worker has run them."""
    if report.when == "call" or report.outcome != "passed":
        OUTCOMES.extend({**value, "outcome": report.outcome} for key, value in report.user_properties if key == "test")


def pytest_sessionfinish(session) -> None:
    target = os.environ.get("INTEGRATION_OUTCOMES")
    if target and not hasattr(session.config, "workerinput"):
        pathlib.Path(target).write_text(json.dumps(OUTCOMES))
