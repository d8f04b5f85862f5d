# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs whose connection fails: known by their status, never handed in twice, no line of a log lost or doubled."""

from __future__ import annotations

import re
import time

import pytest

NAME = "jobs"
COUNTING = "python -u -c 'import time\nfor number in range({count}):\n    print(\"line\", number)\n    time.sleep({pause})'"


@pytest.fixture(scope="module", name="url")
def fixture_url(site):
    yield site.run(site.cluster(NAME)).ok["vmray_cluster"]["dashboard_url"]
    site.gone(NAME)


def job(url: str, name: str, **options) -> dict:
    return {"ray_job": {"dashboard_url": url, "submission_id": name, "wait_timeout": 120, **options}}


def ids(site, url: str) -> list[str]:
    return [each["submission_id"] for each in site.rays(url, "/api/jobs/")]


def counted(text: str) -> list[int]:
    """The numbers of the job's lines, in the order in which they were told."""
    return [int(number) for number in re.findall(r"\bline ([0-9]+)\b", text)]


def test_a_log_that_is_cut_is_told_whole_and_once(site, url) -> None:
    with site.fault("log-cut", times=4):
        done = site.run(job(url, "followed", entrypoint=COUNTING.format(count=40, pause=0.2), follow_logs=True))
        assert done.ok["ray_job"]["status"] == "SUCCEEDED"
    told = counted("\n".join(line for line in done.play.text.splitlines() if "followed" in line or "line " in line))
    assert told == list(range(40)), done.play.text


def test_an_answer_that_is_lost_makes_no_second_job(site, url) -> None:
    before = ids(site, url)
    with site.fault("answer-lost", method="POST", path="/api/jobs/$"):
        done = site.run(job(url, "lost", entrypoint="python -c 'print(7)'"))
    assert done.ok["changed"] is True and done.ok["ray_job"]["status"] == "SUCCEEDED"
    assert sorted(ids(site, url)) == sorted([*before, "lost"])
    assert site.run(job(url, "lost", entrypoint="python -c 'print(7)'")).ok["changed"] is False


def test_a_dashboard_that_closes_after_the_hand_in_is_waited_for(site, url) -> None:
    with site.fault("dashboard-closed", after="submit"):
        text = site.run(job(url, "unseen", entrypoint=COUNTING.format(count=5, pause=0.2), wait_timeout=15)).refused
        assert "unseen" in text and ("cannot be reached" in text or "no answer" in text), text
    # The same task again adopts what runs, or what has ended meanwhile.
    again = site.run(job(url, "unseen", entrypoint=COUNTING.format(count=5, pause=0.2))).ok
    assert again["changed"] is False and again["ray_job"]["status"] == "SUCCEEDED"
    assert ids(site, url).count("unseen") == 1


def test_a_job_that_fails_says_so_with_its_last_lines(site, url) -> None:
    wrong = job(url, "wrong", entrypoint="python -c 'print(\"before the end\"); raise SystemExit(3)'")
    text = site.run(wrong).refused
    assert "FAILED" in text and "before the end" in text, text
    assert "FAILED" in site.run(wrong).refused
    assert ids(site, url).count("wrong") == 1


def test_a_runtime_environment_that_cannot_be_is_readable(site, url) -> None:
    text = site.run(job(url, "env", entrypoint="true", runtime_env={"working_dir": "https://files.lab/nowhere.zip"})).refused
    assert "runtime_env" in text or "Runtime env" in text, text
    assert "nowhere.zip" in text or "working_dir" in text, text


def test_a_working_directory_goes_along(site, url, tmp_path) -> None:
    (tmp_path / "told.py").write_text("import part\nprint('told by', part.NAME)\n")
    (tmp_path / "part.py").write_text("NAME = 'a file of mine'\n")
    task = {"ray_job": {"dashboard_url": url, "entrypoint": "python told.py", "working_dir": str(tmp_path), "wait_timeout": 120}}
    first = site.run(task).ok
    assert first["changed"] is True and "told by a file of mine" in first["ray_job"]["log_tail"]
    again = site.run(task).ok
    assert again["changed"] is False and again["ray_job"]["submission_id"] == first["ray_job"]["submission_id"]
    (tmp_path / "part.py").write_text("NAME = 'another one'\n")
    other = site.run(task).ok
    assert other["changed"] is True and "told by another one" in other["ray_job"]["log_tail"]


def test_a_job_of_another_run_is_adopted_and_stopped(site, url) -> None:
    long = job(url, "long", entrypoint=COUNTING.format(count=600, pause=0.2))
    assert site.run(job(url, "long", entrypoint=long["ray_job"]["entrypoint"], wait=False)).ok["changed"] is True
    assert site.run(job(url, "long", entrypoint=long["ray_job"]["entrypoint"], wait=False)).ok["changed"] is False
    deadline = time.monotonic() + 60
    while "line" not in site.rays(url, "/api/jobs/long/logs")["logs"] and time.monotonic() < deadline:
        time.sleep(1)
    late = site.run(job(url, "long", entrypoint=long["ray_job"]["entrypoint"], wait_timeout=3)).refused
    assert "line" in late, late
    begin = time.monotonic()
    assert site.run(job(url, "long", state="stopped")).ok["changed"] is True
    assert time.monotonic() - begin < 90
    assert next(j for j in site.rays(url, "/api/jobs/") if j["submission_id"] == "long")["status"] == "STOPPED"
    assert site.run(job(url, "long", state="absent")).ok["changed"] is True
    assert "long" not in ids(site, url)
