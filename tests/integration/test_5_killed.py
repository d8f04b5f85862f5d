# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml that is killed after each of its writes to vCenter in turn.

Each run goes on where the one before was killed, and is killed after its own first write, so that every point between two
writes is met once. (``killed.py`` begins each time from nothing.)
"""

from __future__ import annotations

import pytest
from cases import VERSIONS
from killed import differing, killed_after, lasting, teardown, vcenter
from labs import Play

ENOUGH = 60


@pytest.fixture(name="lab")
def fixture_lab(bench):
    return bench.at(VERSIONS[-1])


def test_killed_after_each_write_it_ends_in_the_same_state(lab) -> None:
    start = lab.whole()
    lab.ask("/requests", "DELETE")
    whole = Play(lab.playbook("vcf.ray.site"))
    assert whole.rc == 0, whole.text
    right, writes = vcenter(lab), lasting(lab)
    teardown(lab)
    assert lab.whole() == start
    met: list[str] = []
    while (write := killed_after(lab, 1)) and len(met) < ENOUGH:
        met.append(write)
    assert len(met) >= len(writes), f"killed after {met}\nwritten without being killed {writes}"
    left = differing(right, vcenter(lab))
    assert not left, left
    again = Play(lab.playbook("vcf.ray.site"))
    assert again.rc == 0 and again.counts["changed"] == 0, again.text
    assert [s["user"] for s in lab.ask("/sessions")["rest"]] == [], "those of the killed runs were closed"
    teardown(lab)
    assert lab.whole() == start
