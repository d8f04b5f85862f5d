# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples to a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def percentile(samples: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the samples lie, between two neighbours by straight line."""
    if not samples:
        raise ValueError("no samples")
    ordered = sorted(samples)
    place = (len(ordered) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def summary(samples: Sequence[float], digits: int = 1) -> dict[str, Any]:
    """How many samples, their median, p10 and p90."""
    found = {name: round(percentile(samples, percent), digits) for name, percent in (("p10", 10), ("median", 50), ("p90", 90))}
    return {"n": len(samples), **found}
