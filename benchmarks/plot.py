# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/benchmarks.svg out of results.json; run in the environment of the neighbours, which has matplotlib."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

HERE = Path(__file__).parent
# To be read on white and on nearly black alike, so there is no background and every colour lies between.
INK, OURS, THEIRS, BARE = "#7a7a7a", "#2f8f5b", "#c2703d", "#4a7fc1"
SECTIONS = {"VMRayCluster": "VMRayCluster, nothing to change", "content library": "content library, nothing to change", "any task": "any task"}


def bars(found: dict[str, Any]) -> list[tuple[str, list[tuple[str, dict[str, float], str]]]]:
    """Sections of label, figures in ms, colour."""
    made = []
    for group in found["tasks"]["groups"]:
        rows = sorted((r for r in found["tasks"]["rows"] if r["group"] == group), key=lambda r: r["ms"]["median"])
        made.append((SECTIONS[group], [(r["label"], r["ms"], colour(r["key"])) for r in rows]))
    if "again" in found:
        again = found["again"]
        labels = {"site": "site.yml again", "pings": f"{sum(again['ours'].values())} pings", "site_modules": "site.yml again, as modules"}
        made.append(("whole command", [(labels[key], again[key], colour(key)) for key in sorted(labels, key=lambda k: again[k]["median"])]))
    return made


def colour(key: str) -> str:
    if key.startswith(("cluster", "library", "site")):
        return OURS
    return BARE if key.startswith("curl") else THEIRS


def draw(found: dict[str, Any], path: Path) -> None:
    sections = bars(found)
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "vcf.ray", "font.family": "sans-serif", "font.size": 9, "text.color": INK,
                         "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.edgecolor": INK})
    figure, axes = plt.subplots(len(sections), 1, sharex=True, figsize=(9, 0.34 * sum(len(rows) + 1.6 for _, rows in sections)),
                                gridspec_kw={"height_ratios": [len(rows) for _, rows in sections]}, layout="constrained")
    for axis, (title, rows) in zip(axes, sections, strict=True):
        panel(axis, title, rows)
    figure.supxlabel("ms, logarithmic: median, whiskers p10 and p90. Green: ours, blue: curl, orange: others", fontsize=9)
    figure.savefig(path, transparent=True, metadata={"Date": None})


def panel(axis: Any, title: str, rows: list[tuple[str, dict[str, float], str]]) -> None:
    medians = [ms["median"] for _, ms, _ in rows]
    errors = [[ms["median"] - ms["p10"] for _, ms, _ in rows], [ms["p90"] - ms["median"] for _, ms, _ in rows]]
    axis.barh(range(len(rows)), medians, color=[c for _, _, c in rows], height=0.62, xerr=errors, error_kw={"ecolor": INK, "capsize": 2})
    axis.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.set_xlim(4, 40000)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_title(title, loc="left", fontsize=9, fontweight="bold")
    axis.grid(axis="x", color=INK, alpha=0.25)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    for place, (_, ms, _) in enumerate(rows):
        axis.text(ms["p90"] * 1.12, place, f"{ms['median']:,.0f}", va="center", fontsize=8)


if __name__ == "__main__":
    draw(json.loads((HERE / "results.json").read_text()), HERE.parent / "docs/benchmarks.svg")
