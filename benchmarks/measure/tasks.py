# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that finds nothing to change: ours both ways, the neighbours, uri by hand and bare curl, in turns."""

from __future__ import annotations

import random
from typing import Any

from .. import curl
from ..counting import Call, calls, counted
from ..plays import Timed, play
from ..rows import BASE, KUBE, OURS, VCENTER, Row, by_hand, count, rows
from ..stats import summary
from ..world import SESSION_HEADER, World

TITLE = "A task with nothing to change"
BUDGET = 300
PARTS = 4
ROUNDS = 5  # of each part; PARTS * ROUNDS are counted


def run(world: World) -> dict[str, Any]:
    session = world.session()
    written = rows(world, session)
    bare = bare_calls(world, {row.key: row for row in written})
    written += by_hand(world, session, bare)
    samples: dict[str, list[float]] = {row.key: [] for row in written}
    first: dict[str, list[float]] = {row.key: [] for row in written}
    headers = {KUBE: f"Authorization: Bearer {world.kube_login()[1]}", VCENTER: f"{SESSION_HEADER}: {session}"}
    curls: dict[str, list[float]] = {KUBE: [], VCENTER: []}
    for part in range(PARTS):
        for group, found in curls.items():
            found += [curl.timed(world, bare[group], headers[group]) for _ in range(ROUNDS)]
        sort(play(world, f"tasks_{part}", in_turns(written, ROUNDS + 1, seed=part)), first, samples)
    told = [{"key": row.key, "group": row.group, "label": row.label, "ms": summary(samples[row.key]), "first": summary(first[row.key]),
             "samples": [round(s, 1) for s in samples[row.key]]} for row in written]
    told += [{"key": f"curl_{OURS[group]}", "group": group, "label": f"curl, the same {count(bare[group])}, one connection", "ms": summary(found),
              "samples": [round(s, 1) for s in found]} for group, found in curls.items()]
    return {"calls": {OURS[group]: len(found) for group, found in bare.items()}, "rows": told, "groups": [KUBE, VCENTER, BASE]}


def bare_calls(world: World, named: dict[str, Row]) -> dict[str, list[Call]]:
    """The requests that our own tasks make, so that the calls by hand are the same ones."""
    server = world.kube_login()[0]
    servers = {server.split("//")[1].split(":")[0]: server, world.variables["vcenter_hostname"]: world.vcenter}
    return {group: calls(counted(world, key, named[key].tasks), servers) for group, key in OURS.items()}


def in_turns(written: list[Row], rounds: int, seed: int) -> list[dict[str, Any]]:
    """All rows once in each round, each round in another order: nobody always follows the same neighbour."""
    order = random.Random(seed)
    turns = [(row, number) for number in range(rounds) for row in order.sample(written, len(written))]
    return [{"name": f"{row.key} {number}", **task} for row, number in turns for task in row.tasks]


def sort(done: list[Timed], first: dict[str, list[float]], samples: dict[str, list[float]]) -> None:
    """Tasks of one name belong to one turn. The first round pays for imports and caches, and is told apart."""
    turns: dict[str, float] = {}
    for task in done:
        turns[task.name] = turns.get(task.name, 0.0) + task.ms
    for name, ms in turns.items():
        key, number = name.split()
        (first if number == "0" else samples)[key].append(ms)
