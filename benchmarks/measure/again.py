# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml with nothing to change, against a playbook of as many `ping` tasks as site.yml runs tasks of the collection."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from ..plays import Timed, environment, playbook, write
from ..stats import summary
from ..world import BIN, World, elapsed_ms

TITLE = "site.yml again, against as many ping tasks"
BUDGET = 180
ROUNDS = 6


def run(world: World) -> dict[str, Any]:
    variables = ("-e", f"@{world.state}/vars.yml")
    done = playbook(world, "vcf.ray.site", *variables)
    ours, others = kinds(done)
    pings = str(write(world, "pings", [{"name": f"ping {n}", "ansible.builtin.ping": {}} for n in range(sum(ours.values()))]))
    wholes: dict[str, list[float]] = {"site": [], "site_modules": [], "pings": []}
    for _ in range(ROUNDS):
        wholes["site"].append(whole(world, "vcf.ray.site", *variables))
        wholes["pings"].append(whole(world, pings))
        wholes["site_modules"].append(whole(world, "vcf.ray.site", *variables, "-e", '{"vcf_ray_in_process": false}'))
    slowest = sorted((t for t in done if t.action.startswith("vcf.ray.") and not t.skipped), key=lambda t: -t.ms)
    return {"changed": sorted(t.name for t in done if t.changed), "ours": ours, "others": others,
            "ours_ms": round(sum(t.ms for t in slowest)), "others_ms": round(sum(t.ms for t in done) - sum(t.ms for t in slowest)),
            "slowest": [{"name": t.name, "action": t.action, "ms": round(t.ms)} for t in slowest],
            **{name: {**summary(found, 0), "samples": [round(s) for s in found]} for name, found in wholes.items()}}


def kinds(done: list[Timed]) -> tuple[dict[str, int], dict[str, int]]:
    """How many tasks of ours have run, and how many of others (includes, assertions, debug); skipped ones are none."""
    ran = Counter(t.action for t in done if not t.skipped)
    ours = {action: n for action, n in sorted(ran.items()) if action.startswith("vcf.ray.")}
    return ours, {action: n for action, n in sorted(ran.items()) if action not in ours}


def whole(world: World, *args: str) -> float:
    """Milliseconds from the start of ansible-playbook to its end."""
    start = time.monotonic()
    world.run(BIN / "ansible-playbook", *args, env=environment(world, world.work / "whole.times"))
    return elapsed_ms(start)
