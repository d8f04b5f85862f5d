# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks compute; what they measure needs a lab."""

from __future__ import annotations

import json

import pytest

from benchmarks import counting, curl, objects, page, plays, stats, targets
from benchmarks.measure import again, memory, tasks

RESULTS = page.RESULTS


@pytest.mark.parametrize(("samples", "percent", "value"), [([3], 90, 3), ([1, 2], 50, 1.5), ([5, 1, 3], 50, 3), (range(11), 10, 1), (range(11), 90, 9)])
def test_percentiles_lie_between_neighbours(samples, percent, value):
    assert stats.percentile(list(samples), percent) == value


def test_no_samples_are_an_error():
    with pytest.raises(ValueError, match="no samples"):
        stats.summary([])


def events(*lines):
    return [json.dumps(line) for line in lines]


def ended(kind="ok", **more):
    return {"event": kind, "at": 0, "changed": False, "failed": False, "skipped": kind == "skipped", **more}


def test_a_task_lasts_until_the_next_one_begins():
    done = plays.records(events({"event": "start", "at": 10.0, "name": "a", "action": "x.y.z"}, ended(),
                                {"event": "start", "at": 10.25, "name": "b", "action": "w"}, ended("skipped"), {"event": "end", "at": 12.0}))
    assert [(t.name, t.ms, t.skipped) for t in done] == [("a", 250.0, False), ("b", 1750.0, True)]


def test_ours_are_counted_apart_and_skipped_ones_not_at_all():
    def task(action, **more):
        return plays.Timed("t", action, 1.0, [ended(**more)])

    ran = [task("vcf.ray.supervisor"), task("vcf.ray.supervisor"), task("ansible.builtin.assert")]
    ours, others = again.kinds([*ran, task("vcf.ray.ray_job", kind="skipped")])
    assert (ours, others) == ({"vcf.ray.supervisor": 2}, {"ansible.builtin.assert": 1})


def test_the_first_turn_is_told_apart_and_tasks_of_one_turn_are_added():
    done = [plays.Timed(name, "x", ms) for name, ms in (("a 0", 9.0), ("b 0", 5.0), ("a 1", 1.0), ("b 1", 2.0), ("b 1", 3.0))]
    first, samples = {"a": [], "b": []}, {"a": [], "b": []}
    tasks.sort(done, first, samples)
    assert (first, samples) == ({"a": [9.0], "b": [5.0]}, {"a": [1.0], "b": [5.0]})


def test_traffic_is_requests_with_bodies_and_connections_without_the_resolver():
    seen = counting.traffic(events({"pid": 1, "connect": "10.0.0.53:53"}, {"pid": 1, "connect": "10.0.0.2:443"},
                                   {"pid": 1, "request": "GET", "host": "vc", "path": "/x?y=1"}, {"pid": 1, "request": "POST", "host": "vc", "path": "/z"},
                                   {"pid": 1, "body": {"name": "n"}}, {"pid": 2, "connect": "10.0.0.2:443"}))
    assert seen.requests == (counting.Request("GET", "vc", "/x?y=1"), counting.Request("POST", "vc", "/z", {"name": "n"}))
    assert seen.connections == {"10.0.0.2:443": 2}
    assert counting.calls(seen, {"vc": "https://vc"})[1] == counting.Call("POST", "https://vc/z", {"name": "n"})


def test_curl_gets_one_part_for_each_call_and_quotes_bodies():
    text = curl.config([counting.Call("GET", "https://vc/a"), counting.Call("POST", "https://vc/b", {"name": 'a "b"'})], "X: t", "/ca")
    first, second = text.split("\nnext\n")
    assert 'url = "https://vc/a"' in first and "data" not in first and 'cacert = "/ca"' in first and 'header = "X: t"' in second
    assert r'data = "{\"name\": \"a \\\"b\\\"\"}"' in second


def test_a_copy_of_a_cluster_has_machines_of_its_own():
    model = {"metadata": {"name": "real", "labels": {"l": "v"}, "uid": "u", "finalizers": ["f"]}, "status": {"current_workers": {"real-w-1": {"ip": "x"}}}}
    made = objects.named(model, 7)
    assert made["metadata"] == {"name": "bench-many-0007", "namespace": "deploy-ray", "labels": {"l": "v"}}
    assert list(made["status"]["current_workers"]) == ["bench-many-0007-w-1"]


def test_memory_of_a_process_that_is_gone_is_none():
    assert memory.memory([2**22 + 1]) == (0, 0)


@pytest.mark.parametrize(("ms", "bare", "met"), [(60.0, 0.0, True), (61.0, 0.0, False), (70.0, 20.0, True)])
def test_within_sixty_of_the_bare_calls(ms, bare, met):
    assert targets._near("ours", ms, bare).met is met


@pytest.mark.parametrize(("ms", "other", "met"), [(10.0, 100.0, True), (10.1, 100.0, False)])
def test_a_tenth(ms, other, met):
    assert targets._tenth("ours", "theirs", ms, other).met is met


@pytest.mark.skipif(not RESULTS.exists(), reason="nothing was measured yet")
def test_the_page_is_what_the_results_say():
    found = json.loads(RESULTS.read_text())
    assert page.render(found) == page.PAGE.read_text()


@pytest.mark.skipif(not RESULTS.exists(), reason="nothing was measured yet")
def test_times_and_requests_are_of_the_same_code():
    found = json.loads(RESULTS.read_text())
    requests = {row["key"]: row["requests"] for row in found["traffic"]["rows"]}
    assert {key: requests[key] for key in found["tasks"]["calls"]} == found["tasks"]["calls"]
