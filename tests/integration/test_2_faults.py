# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the platform that can meet every module: each is survived, and leaves what was asked for and nothing twice."""

from __future__ import annotations

import pytest
import world
from cases import ABOVE, CASES, VERSIONS, Case, play, task, unobserved

VERSION = VERSIONS[-1]
WRITING = "^(?!.*action=(find|probe|checkContent|check-compatibility))(?!/api/session)(?!/sts/)"
METHODS = ("POST", "PUT", "PATCH", "DELETE")
# What each fault is called in the table, and what arms it for the writes of one task.
ON_WRITES = {
    "503": [{"name": "unavailable", "times": 2, "path": WRITING, "method": method} for method in METHODS],
    "503 with Retry-After": [{"name": "unavailable", "retry_after": 1, "path": WRITING, "method": method} for method in METHODS],
    "answer lost": [{"name": "cut", "path": WRITING}],
    "conflict": [{"name": "conflict"}],
    "another client was faster": [{"name": "changed-meanwhile"}],
}
ON_READS = {
    "503 at a read": [{"name": "unavailable", "method": "GET", "path": "^/api/(?!session)"},
                      {"name": "unavailable", "method": "POST", "path": "^/sso-adminserver/"}],
    "another order, case and defaults": [{"name": "reordered", "times": 0}],
    "session expired": [{"name": "session-expired", "path": "^/api/(?!session)"}],
}
STATE = [case for case in CASES if case.create and case.remove and case.runs_on(VERSION) and case.idle is not None]


def put_through(case: Case) -> list[dict]:
    """Made under each fault, then looked at again; removed under each but the last."""
    tasks = list(unobserved(case.prepare))
    faults = [name for name in ON_WRITES if name not in case.spared]
    for name in faults:
        tasks += [task(case, f"create, {name}", case.create, arm=ON_WRITES[name]), task(case, f"again after {name}", case.create)]
        if name != faults[-1]:
            tasks += [task(case, f"remove, {name}", case.remove, arm=ON_WRITES[name]), task(case, f"gone after {name}", case.remove)]
    reads = [name for name in ON_READS if name not in case.spared]
    tasks += [task(case, f"again, {name}", case.create, arm=ON_READS[name]) for name in reads]
    # The last one has ended the session of the play.
    return [*tasks, *unobserved([{"vcf.ray.vcenter_session": {}, "register": "session"}] if "session expired" in reads else [])]


@pytest.fixture(scope="session", name="seen")
def fixture_seen(bench):
    """One play for all; removed at the end under the last fault."""
    below, above = ([case for case in STATE if (case.order >= ABOVE) is high] for high in (False, True))
    up = [*(t for case in below for t in put_through(case)), *unobserved(world.UP), *(t for case in above for t in put_through(case))]
    last = list(ON_WRITES)[-1]

    def down(some: list[Case]) -> list[dict]:
        return [t for case in reversed(some) for t in [task(case, f"remove, {last}", case.remove, arm=ON_WRITES[last]), *unobserved(case.cleanup)]]

    return bench.run(VERSION, play([*up, *down(above), *unobserved(world.DOWN), *down(below)]))


def struck(record) -> int:
    return sum(fault["struck"] for fault in record.faults)


@pytest.mark.parametrize("fault", ON_WRITES)
@pytest.mark.parametrize("case", STATE, ids=lambda case: case.module)
def test_a_fault_at_a_write_is_survived(seen, case, fault) -> None:
    if fault in case.spared:
        pytest.skip(case.spared[fault])
    made, again = seen.of(case, f"create, {fault}"), seen.of(case, f"again after {fault}")
    assert struck(made), f"the fault did not strike\n{made}"
    assert not made.failed and made.result["changed"], made
    assert again.result["changed"] is False and again.writes == [], again


@pytest.mark.parametrize("fault", ON_WRITES)
@pytest.mark.parametrize("case", STATE, ids=lambda case: case.module)
def test_a_fault_at_a_removal_is_survived(seen, case, fault) -> None:
    if fault in case.spared:
        pytest.skip(case.spared[fault])
    removed, gone = seen.of(case, f"remove, {fault}"), seen.of(case, f"gone after {fault}")
    if removed is None:
        pytest.skip("removed under the last fault only")
    assert struck(removed), f"the fault did not strike\n{removed}"
    assert not removed.failed and removed.result["changed"], removed
    assert gone is None or (gone.result["changed"] is False and gone.writes == []), gone


@pytest.mark.parametrize("fault", ON_READS)
@pytest.mark.parametrize("case", STATE, ids=lambda case: case.module)
def test_a_fault_at_a_read_changes_nothing(seen, case, fault) -> None:
    if fault in case.spared:
        pytest.skip(case.spared[fault])
    record = seen.of(case, f"again, {fault}")
    assert struck(record), f"the fault did not strike\n{record}"
    assert not record.failed, record
    assert record.result["changed"] is False and record.writes == [], record


def test_nothing_is_left(seen, bench) -> None:
    assert not seen.left, seen.left
    assert bench.lab.ask("/sessions") == {"rest": [], "sso": []}
