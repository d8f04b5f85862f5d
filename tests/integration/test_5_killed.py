# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml that is killed after each of its writes in turn: to vCenter, to the Supervisor's Kubernetes, to Ray.

Each run goes on where the one before was killed, and is killed after its own first write, so that every point between two
writes is met once. (``killed.py`` begins each time from nothing.)
"""

from __future__ import annotations

import pytest
from cases import VERSIONS
from killed import clusters, differing, jobs, killed_after, killed_when, lasting, teardown, vcenter
from labs import Play


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
    while len(met) < len(writes) and (write := killed_after(lab, 1)):
        met.append(write)
    # Nothing is left to write to vCenter: the next write is the cluster, the one after it the job.
    assert clusters(lab) == []
    killed_when(lab, lambda: bool(clusters(lab)))
    one = clusters(lab)[0]["metadata"]["uid"]
    killed_when(lab, lambda: bool(jobs(lab)))
    again = Play(lab.playbook("vcf.ray.site"))
    assert again.rc == 0, again.text
    assert [c["metadata"]["uid"] for c in clusters(lab)] == [one] and [j["submission_id"] for j in jobs(lab)] == ["hello-ray"]
    assert len(met) >= len(writes), f"killed after {met}\nwritten without being killed {writes}"
    left = differing(right, vcenter(lab))
    assert not left, left
    again = Play(lab.playbook("vcf.ray.site"))
    assert again.rc == 0 and again.counts["changed"] == 0, again.text
    assert [s["user"] for s in lab.ask("/sessions")["rest"]] == [], "those of the killed runs were closed"
    teardown(lab)
    assert lab.whole() == start
