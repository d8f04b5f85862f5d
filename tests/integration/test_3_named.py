# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that have a name of their own: what the user is told, that nothing was written, that a second run heals."""

from __future__ import annotations

import subprocess

import pytest
from cases import VERSIONS, play, unobserved

VERSION = VERSIONS[-1]
POLICIES = [{"policy": "{{ world.policy }}"}]
NAMESPACE = {"name": "world", "supervisor": "{{ world.supervisor }}"}
ENABLE = {"name": "{{ world.supervisor }}", "cluster": "{{ world.spec.cluster }}", "storage_policy": "{{ world.spec.storage_policy }}",
          "control_plane": "{{ world.spec.control_plane }}", "workloads": "{{ world.spec.workloads }}", "load_balancer": "{{ world.spec.load_balancer }}"}
SERVICE = {"package": "{{ world.package }}"}
INSTALL = {"supervisor": "{{ world.supervisor }}", "service": "ray-on-vcf.broadcom.com"}
LOGIN = {"group/vcf.ray.vcenter": "{{ login }}"}


def step(name: str, module: str, options: dict, *, arm: tuple[dict, ...] = (), alone: bool = False, **login: str) -> dict:
    """An observed task under faults; ``login`` has expressions for options of the login, for which it logs in by itself."""
    others = ", ".join(f"'{option}': {expression}" for option, expression in login.items())
    defaults = {"group/vcf.ray.vcenter": "{{ login | combine({%s}) }}" % others}
    if not (alone or login):
        defaults["group/vcf.ray.session"] = {"session_id": "{{ session.session_id }}"}
    return {"name": name, f"vcf.ray.{module}": options, "ignore_errors": True, "module_defaults": defaults,
            "vars": {"observe": [module, name], "arm": list(arm)}}


def cleanup(module: str, **options: str) -> dict:
    return unobserved([{f"vcf.ray.{module}": options}])[0]


CLASS = {"name": "named", "cpus": 1, "memory_mib": 1024}
CLASS_GONE = cleanup("vm_class", name="named", state="absent")
SPACE = {**NAMESPACE, "name": "named", "storage_policies": POLICIES}
SPACE_GONE = cleanup("namespace", name="named", state="absent")
INSTALL_GONE = cleanup("supervisor_service_install", **INSTALL, state="absent")
# Logins: told in one try, nothing is written, and the next run does it.
LOGINS = {
    "refused login": (({"name": "login-refused"},), "AUTH", "The login was tried once only"),
    "locked login": (({"name": "login-locked"},), "AUTH", "locked"),
    "session limit": (({"name": "session-limit"},), "SERVICE_UNAVAILABLE", "User session count is limited"),
    "HTML instead of JSON": (({"name": "html"},), "CONNECTION", "hostname and port"),
}
ENDPOINTS = {
    "closed port": ({"port": "444"}, "CONNECTION", "cannot be reached"),
    "wrong host": ({"hostname": "'10.244.0.1'"}, "CONNECTION", "10.244.0.1"),
    "unknown name": ({"hostname": "'vcentre.lab'"}, "CONNECTION", "vcentre.lab"),
    # The address of vCenter in its short form, which resolves and is none of the names in the certificate.
    "name of another": ({"hostname": "'10.244.2'"}, "TLS", "its certificate is for another name"),
    "unknown CA": ({"ca_path": "world.folder ~ '/other.pem'"}, "TLS", "unknown CA"),
    "CA of the system": ({"ca_path": "''"}, "TLS", "unknown CA"),
    "no CA file": ({"ca_path": "'/nowhere.pem'"}, "TLS", "/nowhere.pem"),
    "HTML for a CA": ({"ca_path": "'/etc/hosts'"}, "TLS", "PEM"),
}
# Answers of an install that mean: not yet.
TRY_LATER = {f"try later: {text}": {"name": "try-later", "text": text, "times": 2} for text in ("service-account", "compatibility", "signature", "terminating")}


def tasks() -> list[dict]:
    steps = [step("ERROR that heals", "supervisor", ENABLE, arm=({"name": "error-state", "object": "supervisor", "polls": 2},)),
             step("ERROR that heals, again", "supervisor", {"name": "{{ world.supervisor }}"})]
    for name, (arm, _code, _words) in LOGINS.items():
        steps += [step(name, "vm_class", CLASS, arm=arm, alone=True), step(f"{name}, again", "vm_class", CLASS, alone=True), CLASS_GONE]
    for name, (options, _code, _words) in ENDPOINTS.items():
        steps += [step(name, "vm_class", CLASS, **options)]
    steps += [step("service not allowed", "supervisor_service", SERVICE, arm=({"name": "not-allowed-service"},)),
              step("service not allowed, again", "supervisor_service", SERVICE)]
    for name, arm in TRY_LATER.items():
        steps += [step(name, "supervisor_service_install", INSTALL, arm=(arm,)), step(f"{name}, again", "supervisor_service_install", INSTALL), INSTALL_GONE]
    steps += [
        step("refused but installed", "supervisor_service_install", INSTALL, arm=({"name": "installed-anyway"},)),
        step("refused but installed, again", "supervisor_service_install", INSTALL),
        step("install in ERROR for ever", "supervisor_service_install", {**INSTALL, "wait_timeout": 3},
             arm=({"name": "error-state", "object": "install", "polls": 0},)),
        step("install in ERROR for ever, again", "supervisor_service_install", INSTALL),
        INSTALL_GONE,
        step("namespace in ERROR for ever", "namespace", {**SPACE, "wait_timeout": 3}, arm=({"name": "error-state", "object": "namespace", "polls": 0},)),
        step("namespace in ERROR for ever, again", "namespace", SPACE),
        SPACE_GONE,
        step("namespace that is going", "namespace", SPACE, arm=({"name": "terminating-namespace", "polls": 3},)),
        step("namespace that is going, again", "namespace", SPACE),
        step("session that expires in mid-wait", "namespace", {**SPACE, "name": "midway"},
             arm=({"name": "session-expired", "skip": 3, "path": "^/api/vcenter/namespaces"},), alone=True),
        step("session that expires in mid-wait, again", "namespace", {**SPACE, "name": "midway"}),
        SPACE_GONE,
        cleanup("namespace", name="midway", state="absent"),
        cleanup("supervisor_service", service="ray-on-vcf.broadcom.com", state="absent"),
        cleanup("supervisor", name="{{ world.supervisor }}", state="absent"),
    ]
    return steps


@pytest.fixture(scope="session", name="seen")
def fixture_seen(bench):
    lab = bench.at(VERSION)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", "1", "-out", lab.state / "other.pem",
                    "-keyout", lab.state / "other.key"], check=True, capture_output=True)
    return bench.run(VERSION, play(tasks()))


def record(seen, name: str):
    return next(steps[name] for steps in seen.records.values() if name in steps)


@pytest.mark.parametrize("name", LOGINS)
def test_a_login_that_fails_is_told_and_not_repeated(seen, name) -> None:
    failed, again = record(seen, name), record(seen, f"{name}, again")
    _arm, code, words = LOGINS[name]
    assert failed.failed and failed.result["error_code"] == code, failed
    assert words in failed.result["msg"], failed
    assert len(failed.requests) == 1, "one try"
    assert failed.before == failed.after
    assert not again.failed and again.result["changed"], again


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_endpoint_that_is_not_trusted_gets_no_password(seen, name) -> None:
    failed = record(seen, name)
    _options, code, words = ENDPOINTS[name]
    assert failed.failed and failed.result["error_code"] == code, failed
    assert words in failed.result["msg"], failed
    assert failed.requests == [], failed


@pytest.mark.parametrize("name", ["ERROR that heals", "refused but installed", "session that expires in mid-wait", "namespace that is going", *TRY_LATER])
def test_what_heals_is_waited_for(seen, name) -> None:
    done, again = record(seen, name), record(seen, f"{name}, again")
    assert not done.failed and done.result["changed"], done
    assert sum(fault["struck"] for fault in done.faults), f"the fault did not strike\n{done}"
    assert not again.failed and not again.result["changed"] and again.writes == [], again


@pytest.mark.parametrize(("name", "words"), [("install in ERROR for ever", "ReconcileFailed"), ("namespace in ERROR for ever", "Failed to realize")])
def test_an_error_that_stays_is_told_with_what_vcenter_says_and_the_next_run_heals(seen, name, words) -> None:
    failed, again = record(seen, name), record(seen, f"{name}, again")
    assert failed.failed and failed.result["error_code"] in ("TIMEOUT", "FAILED"), failed
    assert words in failed.result["msg"] and "ERROR" in failed.result["msg"], failed
    assert not again.failed, again


@pytest.mark.parametrize("name", ["service not allowed"])
def test_a_service_that_is_not_allowed_is_explained(seen, name) -> None:
    failed, again = record(seen, name), record(seen, f"{name}, again")
    assert failed.failed, failed
    assert "allow-list" in failed.result["msg"] and "ray-on-vcf.broadcom.com" in failed.result["msg"], failed
    assert failed.before == failed.after
    assert not again.failed and again.result["changed"], again


def test_nothing_is_left(seen, bench) -> None:
    assert not seen.left, seen.left
    assert bench.lab.ask("/sessions") == {"rest": [], "sso": []}
