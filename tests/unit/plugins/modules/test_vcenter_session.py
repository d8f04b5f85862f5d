# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vcenter_session: what is sent, that the session outlives the task, and that nothing is left after a failure."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import vcenter
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task
from ansible_collections.vcf.ray.plugins.modules import vcenter_session
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import Conversation, refusal

LOGIN = ("POST", "/api/session", None, (201, "token-1"))
WHO = ("GET", "/api/session", None, {"user": "Me@VSPHERE.LOCAL", "created_time": "2026-01-31T20:00:00.000Z", "last_accessed_time": "2026-01-31T20:00:00.001Z"})
LOGOUT = ("DELETE", "/api/session", None, (204, None))
ENDED = refusal(401, "UNAUTHENTICATED", "Authentication required.")
FOUND = {"changed": False, "username": "Me@VSPHERE.LOCAL", "created_time": "2026-01-31T20:00:00.000Z"}
USER = {"username": "me@vsphere.local", "password": "secret"}


@pytest.fixture(name="run")
def fixture_run(monkeypatch: pytest.MonkeyPatch):
    """The task as ``main`` runs it, client included; ``run.headers`` are those that were sent."""

    def run(*script: tuple, check_mode: bool = False, state: str = "present", **options: str) -> dict:
        run.warnings = []
        http = Conversation(*script)
        monkeypatch.setattr(vcenter, "open_http", lambda params: http)
        params = {"hostname": "vc", "username": None, "password": None, "session_id": None, "state": state, **options}
        task = Task(params, check_mode=check_mode, warn=run.warnings.append)
        try:
            with vcenter.connect(task) as client:
                return vcenter_session.ensure(task, client)
        finally:
            run.headers = [headers.get("vmware-api-session-id") for headers in http.headers]
            http.done()
            assert http.closed

    return run


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_login_is_two_requests_and_stays_open(run, check_mode: bool) -> None:
    assert run(LOGIN, WHO, check_mode=check_mode, **USER) == {**FOUND, "opened": True, "session_id": "token-1"}
    assert run.headers == [None, "token-1"]


@pytest.mark.parametrize("login", [{}, USER])
def test_a_session_that_lives_is_one_request_and_not_told_again(run, login: dict) -> None:
    assert run(WHO, session_id="theirs", **login) == {**FOUND, "opened": False}
    assert run.headers == ["theirs"]


def test_a_session_that_has_ended_makes_room_for_a_new_one(run) -> None:
    assert run((*WHO[:3], ENDED), LOGIN, WHO, session_id="theirs", **USER) == {**FOUND, "opened": True, "session_id": "token-1"}
    assert run.headers == ["theirs", None, "token-1"]


def test_a_session_that_has_ended_is_an_error_without_a_login(run) -> None:
    with pytest.raises(RayError, match="has ended"):
        run((*WHO[:3], ENDED), session_id="theirs")


def test_a_session_that_cannot_be_read_is_ended(run) -> None:
    with pytest.raises(RayError, match="Later"):
        run(LOGIN, (*WHO[:3], refusal(503, "SERVICE_UNAVAILABLE", "Later.")), LOGOUT, **USER)


def test_a_refused_login_is_one_request(run) -> None:
    with pytest.raises(RayError) as caught:
        run((*LOGIN[:3], ENDED), **USER)
    assert caught.value.code == "AUTH" and "secret" not in str(caught.value)


@pytest.mark.parametrize(("answer", "login", "check_mode"), [((204, None), {}, False), ((204, None), USER, True), (ENDED, USER, False)])
def test_the_end_is_one_request_whether_it_still_lives_or_not(run, answer: tuple, login: dict, check_mode: bool) -> None:
    assert run((*LOGOUT[:3], answer), state="absent", session_id="theirs", check_mode=check_mode, **login) == {"changed": False, "ended": True}
    assert run.headers == ["theirs"]


def test_an_end_that_is_refused_is_said_and_does_not_fail_what_was_done_before(run) -> None:
    refused = (*LOGOUT[:3], refusal(503, "SERVICE_UNAVAILABLE", "Later."))
    assert run(refused, state="absent", session_id="theirs") == {"changed": False, "ended": False}
    assert len(run.warnings) == 1 and "Later" in run.warnings[0]
