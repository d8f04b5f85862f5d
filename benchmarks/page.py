# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/benchmarks.md out of results.json."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .prose import BEFORE, LIMITS, RUN, SECTIONS
from .targets import targets

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[1] / "docs/benchmarks.md"
BUNDLE = "ansible 12.3.0"


def render(found: dict[str, Any]) -> str:
    """The whole page; a measurement that was not made has no section."""
    parts = [BEFORE, surroundings(found["surroundings"]), promised(found), "![What a task costs](benchmarks.svg)"]
    for name, made in MADE.items():
        if name in found:
            parts.append(f"## {SECTIONS[name][0]}\n\n{SECTIONS[name][1]}\n\n{made(found)}")
    return "\n\n".join([*parts, LIMITS, RUN]) + "\n"


def table(head: list[str], rows: Iterable[list[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def number(value: float | None, digits: int = 0) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def spread(part: dict[str, Any] | None, digits: int = 0) -> list[str]:
    return [number((part or {}).get(key), digits) for key in ("median", "p10", "p90")]


def surroundings(s: dict[str, Any]) -> str:
    told = [f"{s['cores']} cores ({s['processor']})", f"Linux {s['kernel']}", f"Python {s['python']}", f"ansible-core {s['ansible-core']}",
            *(f"{name} {s[name]}" for name in ("kubernetes", "requests", "urllib3", "aiohttp", "passlib")), f"curl {s['curl']}"]
    neighbours = f"kubernetes.core {s['kubernetes.core']} and vmware.vmware_rest {s['vmware.vmware_rest']}"
    return f"Measured on {', '.join(told)}. The neighbours are {neighbours} of {BUNDLE}, in the same ansible-core as ours."


def promised(found: dict[str, Any]) -> str:
    return "## What was promised\n\n" + table(["promise", "seen", ""], ([t.text, t.seen, "met" if t.met else "**not met**"] for t in targets(found)))


def tasks(found: dict[str, Any]) -> str:
    seen = {row["key"]: row for row in found.get("traffic", {}).get("rows", [])}
    parts = []
    for group in found["tasks"]["groups"]:
        rows = [row for row in found["tasks"]["rows"] if row["group"] == group]
        n = max(row["ms"]["n"] for row in rows)
        lines = [[row["label"], *spread(row["ms"]), number(row.get("first", {}).get("median")), *counted(seen.get(row["key"]))] for row in rows]
        head = [f"{group}, ms ({n} runs)", "median", "p10", "p90", "first of a playbook", "requests", "connections", "sessions left open"]
        parts.append(table(head, lines))
    return "\n\n".join(parts)


def counted(row: dict[str, Any] | None) -> list[Any]:
    if row is None:
        return ["", "", ""]
    first = f" (first time {row['first_requests']})" if row["first_requests"] != row["requests"] else ""
    return [f"{row['requests']}{first}", sum(row["connections"].values()), row.get("sessions_left", "")]


def again(found: dict[str, Any]) -> str:
    a = found["again"]
    ours = sum(a["ours"].values())
    labels = {"site": "site.yml, nothing to change", "pings": f"a playbook of {ours} ping tasks", "site_modules": "site.yml, tasks as modules"}
    n = a["site"]["n"]
    whole = table([f"whole command, ms ({n} runs)", "median", "p10", "p90"], ([label, *spread(a[key])] for key, label in labels.items()))
    others = ", ".join(f"{count} {action.rsplit('.', 1)[-1]}" for action, count in a["others"].items())
    slow = table(["task of ours", "ms"], ([f"{t['name']} ({t['action'].rsplit('.', 1)[-1]})", number(t["ms"])] for t in a["slowest"]))
    told = f"It runs {ours} tasks of ours, and of others {others}. In one run ours took {number(a['ours_ms'])} ms, the others {number(a['others_ms'])} ms."
    return f"{whole}\n\n{told}\n\n{slow}"


def memory(found: dict[str, Any]) -> str:
    keys = ("worker_pss", "worker_uss", "module_pss", "module_uss", "pss", "uss")
    head = ["MB while it waits", "worker PSS", "worker USS", "module PSS", "module USS", "both PSS", "both USS"]
    return table(head, ([row["label"], *(number(row[key]["median"]) for key in keys)] for row in found["memory"]["rows"]))


def notice(found: dict[str, Any]) -> str:
    rows = found["notice"]["rows"]
    built = found["notice"]["built_s"]
    head = [f"seconds after the truth ({len(rows[0]['samples'])} runs)", "median", "least", "most"]
    told = f"From the start of the task to Ray with all its workers: {built['median']:.0f} s (median)."
    made = ([row["label"], number(row["s"]["median"], 2), number(min(row["samples"]), 2), number(max(row["samples"]), 2)] for row in rows)
    return f"{table(head, made)}\n\n{told}"


def many(found: dict[str, Any]) -> str:
    m = found["many"]
    loops = table([f"a loop over {m['clusters']} clusters", "runs", "median, s", "ms for each"],
                  ([row["label"], row["s"]["n"], number(row["s"]["median"], 1), number(row["ms_each"])] for row in m["loops"]))
    listed = table([f"a list of {m['objects']:,} clusters, ms ({m['lists'][0]['ms']['n']} runs)", "median", "p10", "p90"],
                   ([row["label"], *spread(row["ms"])] for row in m["lists"]))
    return f"{loops}\n\n{listed}"


MADE = {"tasks": tasks, "again": again, "notice": notice, "many": many, "memory": memory}


if __name__ == "__main__":
    PAGE.write_text(render(json.loads(RESULTS.read_text())))
