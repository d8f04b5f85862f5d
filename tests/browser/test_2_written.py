# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a file: when it is written, when that is a change, who may read it, and what never stands in it. No browser is needed."""

from __future__ import annotations

import json
import re
import stat
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import situations
from conftest import play


class Jobs(BaseHTTPRequestHandler):
    """Ray's dashboard, as far as it lists seven jobs, the oldest first."""

    def do_GET(self) -> None:
        jobs = [situations.job(f"job-{i}", start_time=situations.START + i, driver_exit_code=0, type="SUBMISSION") for i in range(7)]
        one = [job for job in jobs if self.path == f"/api/jobs/{job['submission_id']}"]
        body = json.dumps(one[0] if one else jobs).encode()
        self.server.tokens.add(self.headers.get("Authorization"))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_second_run_leaves_the_file_as_it_is(own) -> None:
    own.record("a", situations.healthy())
    assert "changed=1" in own.write("a", args=["--check"])
    assert not own.path("a").exists()
    assert "changed=1" in own.write("a")
    assert mode(own.path("a")) == 0o600
    before = own.path("a").stat()
    assert "changed=0" in own.write("a", args=["--check"])
    assert "changed=0" in own.write("a")
    after = own.path("a").stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert "changed=1" in own.write("a", args=["-e", "site_report_mode=0644"])
    assert mode(own.path("a")) == 0o644


def test_live_states_are_shown_and_are_no_change(own) -> None:
    found = situations.healthy()
    own.record("a", found)
    own.write("a")
    first = own.text("a")
    third = "test-ray-w-00000003"
    found["clusters"][0]["spec"]["autoscaler_desired_workers"][third] = "ray.worker.default"
    found["clusters"][0]["machines"].append(situations.machine(third, "worker", "10.244.1.13"))
    found["clusters"][0]["nodes"].append({"node_id": "f", "node_ip": "10.244.1.13", "is_head": False})
    own.record("a", found)
    assert "changed=0" in own.write("a")
    assert third in own.text("a") and third not in first
    found["clusters"][0]["spec"]["common_node_config"]["max_workers"] = 9
    own.record("a", found)
    assert "changed=1" in own.write("a")


def test_a_job_that_ended_is_a_change(own) -> None:
    found = situations.healthy()
    own.record("a", found)
    own.write("a")
    found["dashboards"][0]["jobs"][2].update(status="SUCCEEDED", end_time=situations.START + 200000)
    own.record("a", found)
    assert "changed=1" in own.write("a")


def test_no_secret_stands_on_the_page(pages) -> None:
    for name in situations.SITUATIONS:
        assert situations.SECRET not in pages.text(name)


def test_without_a_path_nothing_is_asked_or_written(tmp_path) -> None:
    done = play("role.yml", "-e", json.dumps({"site_report_vcenter": True}))
    assert done.returncode == 0 and "changed=0" in done.stdout, done.stdout + done.stderr
    assert "Log in" not in done.stdout


def test_a_relative_path_begins_where_the_command_was_started(tmp_path) -> None:
    """And not beside the playbook, which may be inside of the installed collection."""
    given = json.dumps({"site_report_path": "report.html", "site_report_dashboards": [{"name": "ours", "url": "http://127.0.0.1:9"}]})
    for changed in ("changed=1", "changed=0"):
        done = play("role.yml", "-e", given, cwd=tmp_path)
        assert done.returncode == 0 and changed in done.stdout, done.stdout + done.stderr
    assert (tmp_path / "report.html").is_file()


def test_what_cannot_be_read_is_told_and_fails_nothing(tmp_path) -> None:
    """A vCenter, a Supervisor and a Ray that are not there; the secrets that were given for them are shown nowhere."""
    path = tmp_path / "report.html"
    gone = "127.0.0.1"
    given = {"site_report_path": str(path), "site_report_vcenter": True, "site_report_namespaces": ["deploy-ray"],
             "site_report_login": {"hostname": f"{gone}:9", "username": "ray-dev", "password": "planted-Pa55word"},
             "site_report_dashboards": [{"name": "ours", "url": f"http://{gone}:9", "token": "planted-t0ken"}]}
    (tmp_path / "given.json").write_text(json.dumps(given))
    done = play("role.yml", "-vvv", "-e", f"@{tmp_path}/given.json", "-e", f"site_report_title='{gone} & Ray'")
    assert done.returncode == 0 and "changed=1" in done.stdout, done.stdout + done.stderr
    text = path.read_text()
    for words in ("vCenter could not be read: ", "The namespaces could not be read: ", "Cluster ours, Ray could not be asked: "):
        assert text.count(words) == 1, words
    assert "127.0.0.1 &amp; Ray" in text
    for shown in (text, done.stdout, done.stderr):
        assert "planted" not in shown


def test_the_newest_jobs_of_a_dashboard_come_first(tmp_path) -> None:
    path = tmp_path / "report.html"
    with HTTPServer(("127.0.0.1", 0), Jobs) as server:
        server.tokens = set()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ways = [{"name": "ours", "url": f"http://127.0.0.1:{server.server_address[1]}"}]
        given = {"site_report_path": str(path), "site_report_dashboards": ways, "site_report_token": "planted-t0ken", "site_report_jobs": 3}
        done = play("role.yml", "-e", json.dumps(given))
        server.shutdown()
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall("<h4>([^<]*)", path.read_text()) == ["job-6", "job-5", "job-4"]
    assert "and 4 older jobs" in path.read_text()
    assert server.tokens == {"Bearer planted-t0ken"}
