# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session: one login, the header on each call, one logout in every exit."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import vcenter as module
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import Conversation, refusal

PARAMS = {"hostname": "vc", "username": "me@vsphere.local", "password": "secret", "port": 443, "validate_certs": True, "ca_path": None}
LOGIN = ("POST", "/api/session", None, (201, "token-1"))
LOGOUT = ("DELETE", "/api/session", None, (204, None))


def talk(monkeypatch: pytest.MonkeyPatch, *script: tuple) -> Conversation:
    http = Conversation(*script)
    monkeypatch.setattr(module, "open_http", lambda params: http)
    return http


def test_the_session_goes_with_each_call_and_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    http = talk(monkeypatch, LOGIN, ("GET", "/api/vcenter/cluster?names=c1", None, []), LOGOUT)
    with module.connect(Task(PARAMS)) as client:
        assert client.get("/api/vcenter/cluster", query={"names": ["c1"]}) == []
    http.done()
    assert http.closed
    assert [h.get("vmware-api-session-id") for h in http.headers] == [None, "token-1", "token-1"]


def test_a_refused_login_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    http = talk(monkeypatch, (*LOGIN[:3], refusal(401, "UNAUTHENTICATED", "Authentication required.")))
    with pytest.raises(RayError) as caught:
        with module.connect(Task(PARAMS)):
            pass
    http.done()
    assert caught.value.code == "AUTH"
    assert "me@vsphere.local" in caught.value.message and "Authentication required" in caught.value.message
    assert "secret" not in str(caught.value) and "lock" in caught.value.hint
    assert http.closed


def test_the_first_error_is_not_hidden_by_the_logout(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    http = talk(monkeypatch, LOGIN, ("GET", "/api/x", None, refusal(403, "UNAUTHORIZED", "No.")), (*LOGOUT[:3], refusal(503, "SERVICE_UNAVAILABLE", "Later.")))
    with pytest.raises(RayError) as caught:
        with module.connect(Task(PARAMS, warn=warned.append)) as client:
            client.get("/api/x")
    http.done()
    assert caught.value.code == "UNAUTHORIZED" and "privilege" in caught.value.hint
    assert "x.refused" in caught.value.message
    assert len(warned) == 1 and "Later" in warned[0]


def test_an_answer_that_is_no_session_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    http = talk(monkeypatch, (*LOGIN[:3], {"value": "x"}))
    with pytest.raises(RayError, match="no session"):
        with module.connect(Task(PARAMS)):
            pass
    http.done()
