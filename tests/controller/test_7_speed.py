# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task costs a fraction in the controller's process; figures are in docs/benchmarks.md, here is only the ratio."""

from __future__ import annotations

import itertools
import json
import statistics
import typing as t
from collections import defaultdict
from pathlib import Path

from running import ROOT, Run


def test_a_task_here_takes_less_than_half_of_one_as_a_module(play: t.Callable[..., Run], tmp_path: Path) -> None:
    events = tmp_path / "events"
    run = play("speed.yml", env={"ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "benchmarks/callback_plugins"), "ANSIBLE_CALLBACKS_ENABLED": "stopwatch",
                                 "STOPWATCH_FILE": str(events)})
    assert run.rc == 0, run.text
    times, told = defaultdict(list), [json.loads(line) for line in events.read_text().splitlines()]
    for start, end in itertools.pairwise(told):
        if start["event"] == "start":
            times[start["name"]].append(end["at"] - start["at"])
    assert [len(times[way]) for way in ("Here", "Module")] == [5, 5]
    assert statistics.median(times["Here"]) < statistics.median(times["Module"]) / 2, times
