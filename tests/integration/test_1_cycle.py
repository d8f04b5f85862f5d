# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module from nothing to nothing, on each version: check mode, change, again; what it asked vCenter for."""

from __future__ import annotations

import json

import pytest
from cases import CASES, MODULES, Case
from world import normal

SESSION = "/api/session"


def shown(value) -> str:
    """As the loop compares: an absent key, None and an empty list or dict are the same."""
    return normal(json.dumps(full(value), sort_keys=True))


def full(value):
    if isinstance(value, dict):
        return {k: full(v) for k, v in value.items() if v not in (None, [], {})}
    return [full(entry) for entry in value] if isinstance(value, list) else value


def without(value, keys: tuple[str, ...]):
    return {k: v for k, v in value.items() if k not in keys} if isinstance(value, dict) else value


@pytest.fixture(name="case", params=CASES, ids=lambda case: case.module)
def fixture_case(request, cycle) -> Case:
    if not request.param.runs_on(cycle.version):
        pytest.skip(f"{request.param.module} does not run on {cycle.version}")
    return request.param


def test_every_module_has_a_case() -> None:
    assert sorted(case.module for case in CASES) == MODULES


@pytest.mark.parametrize("doing", ["create", "change", "remove"])
def test_check_mode_says_what_the_real_run_does(cycle, case, doing) -> None:
    check, real = cycle.of(case, f"check {doing}"), cycle.of(case, doing)
    if real is None:
        pytest.skip(f"{case.module} has nothing to {doing}")
    assert not check.failed, check
    assert not real.failed, real
    assert real.result["changed"] is True, real
    assert check.result["changed"] is True, check
    if "unknown" in check.result:
        assert all(check.result["unknown"]), check
        return
    hidden = (*case.server_set, "tls_verified")
    for side in ("before", "after"):
        expected, said = (without(record.result["diff"][side], hidden) for record in (real, check))
        assert shown(said) == shown(expected), f"{side}\n{check}\n{real}"


@pytest.mark.parametrize("step", ["check create", "again in check mode", "check change", "check remove"])
def test_check_mode_writes_nothing(cycle, case, step) -> None:
    record = cycle.of(case, step)
    if record is None:
        pytest.skip(f"{case.module} has no step {step}")
    assert record.writes == [], record
    assert record.before == record.after, record


def test_check_mode_of_all_modules_leaves_the_whole_lab_as_it_was(cycle) -> None:
    """vCenter, its inventory, and every object of Kubernetes."""
    sweep = [(case, record) for case in CASES for step, record in cycle.records[case.module].items() if step.startswith("sweep ")]
    assert len({case.module for case, record in sweep}) > 5
    for case, record in sweep:
        assert not record.failed and record.writes == [], f"{case.module}: {record}"
    assert sweep[0][1].before == sweep[-1][1].after


@pytest.mark.parametrize("step", ["again", "again in check mode", "alone", "changed again", "removed again"])
def test_the_second_run_changes_nothing(cycle, case, step) -> None:
    record = cycle.of(case, step)
    if record is None:
        pytest.skip(f"{case.module} has no step {step}")
    assert not record.failed, record
    assert record.result["changed"] is False, record
    assert record.writes == [], record
    if "diff" in record.result:
        assert record.result["diff"]["before"] == record.result["diff"]["after"], record


def test_the_requests_when_nothing_changes(cycle, case) -> None:
    record = cycle.of(case, "again")
    if record is None or case.idle is None:
        pytest.skip(f"{case.module} asks vCenter for nothing in its cycle")
    assert len(record.requests) == case.idle_on(cycle.version), record
    assert SESSION not in [r["path"] for r in record.requests], "the session was handed in"


def test_one_login_one_connection_one_logout(cycle, case) -> None:
    record = cycle.of(case, "alone")
    if record is None or case.idle is None:
        pytest.skip(f"{case.module} asks vCenter for nothing in its cycle")
    logins = [r for r in record.requests if (r["method"] == "POST" and r["path"] == SESSION) or r.get("operation") in ("RequestSecurityToken", "Issue")]
    logouts = [r for r in record.requests if (r["method"] == "DELETE" and r["path"] == SESSION) or r.get("operation") == "Logout"]
    assert len(logins) == len(logouts) == 1, record
    assert len({r["connection"] for r in record.requests}) == 1, record


def test_reading_changes_nothing(cycle, case) -> None:
    if not case.read:
        pytest.skip(f"{case.module} does more than read")
    for number in range(len(case.read)):
        record = cycle.of(case, f"read {number}")
        assert not record.failed, record
        assert record.result["changed"] is False, record
        assert record.writes == [], record
        assert record.before == record.after, record
        if case.idle is not None and number == 0:
            assert len(record.requests) == case.idle_on(cycle.version), record


@pytest.mark.parametrize("case", [case for case in CASES if case.needs], ids=lambda case: case.module)
def test_an_older_vcenter_is_refused_before_any_write(cycle, case) -> None:
    if not case.refused_on(cycle.version):
        pytest.skip(f"{cycle.version} has it")
    record = cycle.of(case, "refused")
    assert record.failed, record
    assert record.result["error_code"] == "UNSUPPORTED", record
    assert f"needs vCenter {case.needs}" in record.result["msg"] and cycle.version in record.result["msg"], record
    assert record.writes == [], record
    assert record.before == record.after, record


def test_the_end_is_the_beginning(cycle) -> None:
    """What was made and removed has left nothing behind, in the whole lab."""
    assert not cycle.left, cycle.left


def test_no_session_is_left_open(cycle, bench) -> None:
    assert bench.lab.ask("/sessions") == {"rest": [], "sso": []}
