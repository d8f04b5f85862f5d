# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was promised, and whether the numbers keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """`text` is what is promised, `seen` what was measured."""

    text: str
    seen: str
    met: bool


def medians(found: dict[str, Any]) -> dict[str, float]:
    return {row["key"]: row["ms"]["median"] for row in found["tasks"]["rows"]}


def targets(found: dict[str, Any]) -> list[Target]:
    """Only those whose measurement is there."""
    made = []
    if "tasks" in found:
        made += _tasks(medians(found))
    if "again" in found:
        site, pings = found["again"]["site"]["median"], found["again"]["pings"]["median"]
        made.append(Target(f"The second `site.yml` takes less time than {sum(found['again']['ours'].values())} `ping` tasks",
                           f"{site:,.0f} ms against {pings:,.0f} ms", site < pings))
    if "notice" in found:
        late = next(row for row in found["notice"]["rows"] if row["key"] == "ours")["samples"]
        made.append(Target("A cluster that is ready is noticed within 1 s", f"at most {max(late):.2f} s in {len(late)} runs", max(late) <= 1))
    return made


def _tasks(ms: dict[str, float]) -> list[Target]:
    return [
        _tenth("vmray_cluster (wait: false)", "kubernetes.core.k8s", ms["cluster"], ms["k8s"]),
        _tenth("content_library (session_id) with the options of vmware_rest's task", "that task", ms["library_least"], ms["rest"]),
        _tenth("content_library (session_id)", "vmware_rest's two tasks, the second for an item", ms["library"], ms["rest_items"]),
        _near("vmray_cluster (wait: false)", ms["cluster"], ms["curl_cluster"]),
        _near("content_library (session_id)", ms["library"], ms["curl_library"]),
    ]


def _tenth(ours: str, theirs: str, ms: float, other: float) -> Target:
    return Target(f"{ours} takes at most a tenth of {theirs}", f"{ms:.0f} ms against {other:.0f} ms, {other / ms:.1f} times", ms <= other / 10)


def _near(ours: str, ms: float, bare: float) -> Target:
    return Target(f"{ours} is within 60 ms of the bare calls", f"{ms:.0f} ms against {bare:.0f} ms", ms - bare <= 60)
