# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session: one login, the header on each call, one logout in every exit; one that is handed in, and one that ends in mid-wait."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import vcenter as module
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import MISSING, Conversation, refusal

PARAMS = {"hostname": "vc", "username": "me@vsphere.local", "password": "secret", "port": 443, "validate_certs": True, "ca_path": None}
LOGIN = ("POST", "/api/session", None, (201, "token-1"))
LOGOUT = ("DELETE", "/api/session", None, (204, None))
HANDED_IN = {**PARAMS, "username": None, "password": None, "session_id": "theirs"}
ENDED = refusal(401, "UNAUTHENTICATED", "Authentication required.")
AGAIN = (*LOGIN[:3], (201, "token-2"))
READ = ("GET", "/api/x", None, {"state": "RUNNING"})


def talk(monkeypatch: pytest.MonkeyPatch, *script: tuple) -> Conversation:
    http = Conversation(*script)
    monkeypatch.setattr(module, "open_http", lambda params: http)
    return http


def sessions(http: Conversation) -> list[str | None]:
    """The session that each request came with."""
    return [headers.get("vmware-api-session-id") for headers in http.headers]


def test_the_session_goes_with_each_call_and_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    http = talk(monkeypatch, LOGIN, ("GET", "/api/vcenter/cluster?names=c1", None, []), LOGOUT)
    with module.connect(Task(PARAMS)) as client:
        assert client.get("/api/vcenter/cluster", query={"names": ["c1"]}) == []
    http.done()
    assert http.closed
    assert sessions(http) == [None, "token-1", "token-1"]


def test_a_refused_login_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    http = talk(monkeypatch, (*LOGIN[:3], refusal(401, "UNAUTHENTICATED", "Authentication required.")))
    with pytest.raises(RayError) as caught, module.connect(Task(PARAMS)):
        pass
    http.done()
    assert caught.value.code == "AUTH"
    assert "me@vsphere.local" in caught.value.message and "Authentication required" in caught.value.message
    assert "secret" not in str(caught.value) and "lock" in caught.value.hint
    assert http.closed


def test_the_first_error_is_not_hidden_by_the_logout(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    http = talk(monkeypatch, LOGIN, ("GET", "/api/x", None, refusal(403, "UNAUTHORIZED", "No.")), (*LOGOUT[:3], refusal(503, "SERVICE_UNAVAILABLE", "Later.")))
    with pytest.raises(RayError) as caught, module.connect(Task(PARAMS, warn=warned.append)) as client:
        client.get("/api/x")
    http.done()
    assert caught.value.code == "UNAUTHORIZED" and "privilege" in caught.value.hint
    assert "x.refused" in caught.value.message
    assert len(warned) == 1 and "Later" in warned[0]


def test_an_answer_that_is_no_session_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    http = talk(monkeypatch, (*LOGIN[:3], {"value": "x"}))
    with pytest.raises(RayError, match="no session"), module.connect(Task(PARAMS)):
        pass
    http.done()


def test_a_session_that_is_handed_in_is_used_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for params in (HANDED_IN, {**PARAMS, "session_id": "theirs"}):
        http = talk(monkeypatch, READ)
        with module.connect(Task(params)) as client:
            assert client.get("/api/x") == {"state": "RUNNING"}
        http.done()
        assert http.closed and sessions(http) == ["theirs"]


def test_a_session_that_is_handed_in_is_left_alone_after_an_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    http = talk(monkeypatch, (*READ[:3], refusal(403, "UNAUTHORIZED", "No.")))
    with pytest.raises(RayError, match="No"), module.connect(Task(HANDED_IN)) as client:
        client.get("/api/x")
    http.done()


def test_a_session_that_was_handed_in_and_has_ended_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    http = talk(monkeypatch, (*READ[:3], ENDED))
    with pytest.raises(RayError) as caught, module.connect(Task(HANDED_IN)) as client:
        client.get("/api/x")
    http.done()
    assert caught.value.code == "UNAUTHENTICATED"
    assert caught.value.message == "The session that was handed in as session_id has ended at vCenter vc: Authentication required."
    assert "vcenter_session" in caught.value.hint and "theirs" not in str(caught.value)


def test_with_a_login_beside_it_a_task_goes_on_in_a_session_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    http = talk(monkeypatch, (*READ[:3], ENDED), LOGIN, READ, READ, LOGOUT)
    with module.connect(Task({**PARAMS, "session_id": "theirs"})) as client:
        assert client.get("/api/x") == client.get("/api/x") == {"state": "RUNNING"}
    http.done()
    assert sessions(http) == ["theirs", None, "token-1", "token-1", "token-1"]


def test_an_empty_session_id_is_one_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    http = talk(monkeypatch, (*READ[:3], ENDED), LOGIN, READ, LOGOUT)
    with module.connect(Task({**PARAMS, "session_id": ""})) as client:
        client.get("/api/x")
    http.done()


@pytest.mark.parametrize("call", [
    ("POST", "/api/x?action=enable", {"name": "a"}), ("PUT", "/api/x", {"name": "a"}), ("PATCH", "/api/x", {"name": "a"}), ("DELETE", "/api/x", None),
], ids=lambda call: call[0])
def test_a_session_that_ends_in_mid_wait_is_renewed_and_the_call_sent_once_more(monkeypatch: pytest.MonkeyPatch, call: tuple) -> None:
    http = talk(monkeypatch, LOGIN, READ, (*call, ENDED), AGAIN, (*call, (204, None)), READ, LOGOUT)
    method, path, body = call
    with module.connect(Task(PARAMS)) as client:
        client.get("/api/x")
        getattr(client, method.lower())(path.split("?")[0], *[body] if body else [], query={"action": "enable"} if "?" in path else None)
        client.get("/api/x")
    http.done()
    assert sessions(http) == [None, "token-1", "token-1", None, "token-2", "token-2", "token-2"]


def test_the_headers_of_a_call_go_with_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    http = talk(monkeypatch, LOGIN, READ, ("POST", "/api/x", None, ENDED), AGAIN, ("POST", "/api/x", None, (201, "new")), LOGOUT)
    with module.connect(Task(PARAMS)) as client:
        client.get("/api/x")
        assert client.post("/api/x", headers={"Client-Token": "c"}) == "new"
    http.done()
    assert [headers.get("Client-Token") for headers in http.headers] == [None, None, "c", None, "c", None]


def test_each_end_of_a_session_is_one_login(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = ("GET", "/api/y", None, MISSING)
    http = talk(monkeypatch, LOGIN, gone, (*gone[:3], ENDED), AGAIN, gone, (*gone[:3], ENDED), LOGIN, gone, LOGOUT)
    with module.connect(Task(PARAMS)) as client:
        assert [client.find("/api/y") for call in range(3)] == [None] * 3
    http.done()


def test_a_call_that_is_refused_right_after_the_login_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for script in ([LOGIN, (*READ[:3], ENDED)], [LOGIN, READ, (*READ[:3], ENDED), AGAIN, (*READ[:3], ENDED)]):
        http = talk(monkeypatch, *script, LOGOUT)
        with pytest.raises(RayError) as caught, module.connect(Task(PARAMS)) as client:
            client.get("/api/x")
            client.get("/api/x")
        http.done()
        assert "accepted just before" in caught.value.hint


def test_another_try_after_that_is_no_new_login(monkeypatch: pytest.MonkeyPatch) -> None:
    http = talk(monkeypatch, LOGIN, (*READ[:3], ENDED), (*READ[:3], ENDED), LOGOUT)
    with module.connect(Task(PARAMS)) as client:
        for call in range(2):
            with pytest.raises(RayError, match="Authentication required"):
                client.get("/api/x")
    http.done()


def test_a_refused_renewal_is_not_tried_again_and_nothing_is_left_to_close(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = (*LOGIN[:3], refusal(401, "UNAUTHENTICATED", "The account is locked."))
    http = talk(monkeypatch, LOGIN, READ, (*READ[:3], ENDED), refused, (*READ[:3], ENDED))
    with module.connect(Task(PARAMS)) as client:
        client.get("/api/x")
        with pytest.raises(RayError) as caught:
            client.get("/api/x")
        with pytest.raises(RayError, match="has ended"):
            client.get("/api/x")
    http.done()
    assert caught.value.code == "AUTH" and "The account is locked" in caught.value.message
    assert not any(secret in str(caught.value) for secret in ("secret", "token-1"))


def test_a_session_that_has_ended_before_the_logout_is_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    http = talk(monkeypatch, LOGIN, READ, (*LOGOUT[:3], ENDED))
    with module.connect(Task(PARAMS, warn=warned.append)) as client:
        client.get("/api/x")
    http.done()
    assert warned == []


@pytest.mark.parametrize(("given", "words"), [
    ({}, "username and password are not given"),
    ({"username": "me"}, "password is not given"),
    ({"password": "secret"}, "username is not given"),
    ({"username": "me", "password": ""}, "password is not given"),
])
def test_without_a_login_or_a_session_nothing_is_sent(monkeypatch: pytest.MonkeyPatch, given: dict, words: str) -> None:
    talk(monkeypatch)
    with pytest.raises(RayError) as caught, module.connect(Task({**PARAMS, "username": None, "password": None, **given})):
        pass
    assert caught.value.code == "INPUT" and caught.value.message == f"No login at vCenter vc: {words}."
    assert all(word in caught.value.hint for word in ("VMWARE_USER", "VMWARE_PASSWORD", "session_id", "vcf.ray.vcenter_session"))
    assert "secret" not in str(caught.value) and "theirs" not in str(caught.value)


def test_the_environment_gives_no_session() -> None:
    assert "fallback" not in module.ARGSPEC["session_id"] and module.ARGSPEC["session_id"]["no_log"]


VERSIONS = "/sdk/vimServiceVersions.xml"


def versions(text: str) -> tuple:
    return ("GET", VERSIONS, None, f"<namespaces><namespace><name>urn:vim25</name> <version>{text}</version></namespace></namespaces>")


def test_the_version_is_asked_for_once_and_only_when_wanted() -> None:
    http = Conversation(versions("8.0.3.0"))
    client = module.VCenter(http, "s")
    client.needs("8.0.3", "A precheck")
    assert str(client.version) == "8.0.3"
    with pytest.raises(RayError) as caught:
        client.needs("9.0", "A namespace in zones")
    assert caught.value.message == "A namespace in zones needs vCenter 9.0; vc is 8.0.3."
    assert (caught.value.code, caught.value.details) == ("UNSUPPORTED", {"needs": "9.0", "version": "8.0.3"})
    http.done()


@pytest.mark.parametrize(("sent", "shown"), [("9.1.0.0", "9.1"), ("9.0.0.0", "9.0"), ("7.0.3.0", "7.0.3"), ("8.0.1.0", "8.0.1"), ("9.1.0.1", "9.1.0.1")])
def test_versions_read_as_people_write_them_and_compare_by_number(sent: str, shown: str) -> None:
    client = module.VCenter(Conversation(versions(sent)), "s")
    assert str(client.version) == shown
    assert module.Version.of("7.0.2") < client.version < module.Version.of("10.0")


def test_a_server_that_is_no_vcenter_tells_no_version() -> None:
    client = module.VCenter(Conversation(("GET", VERSIONS, None, "<html>hello</html>")), "s")
    with pytest.raises(RayError, match="vCenter vc does not tell its version"):
        client.needs("8.0", "x")


def test_a_page_instead_of_an_answer_is_not_taken_for_an_empty_list() -> None:
    class Page(Conversation):
        def request(self, *args, **kwargs):
            reply = super().request(*args, **kwargs)
            reply.text, reply.json = "<html>Sign in</html>", None
            return reply

    for call in ("get", "find"):
        with pytest.raises(RayError, match=r"answered GET /api/x with something that is no answer of its API: '<html>Sign in</html>'"):
            getattr(module.VCenter(Page(READ), "s"), call)("/api/x")


@pytest.mark.parametrize(("answer", "code", "hint"), [
    (refusal(401, "UNAUTHENTICATED", "User account is locked. Please contact your administrator."), "AUTH", "unlocks it after some minutes"),
    (refusal(401, "UNAUTHENTICATED", "Invalid credentials."), "AUTH", "Check username and password"),
    ((503, {"error_type": "SERVICE_UNAVAILABLE", "messages": [
        {"id": "com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached", "default_message": "User session count is limited to 550.", "args": []}]}),
     "SERVICE_UNAVAILABLE", "Let tasks share one"),
    (refusal(503, "SERVICE_UNAVAILABLE", "Starting."), "SERVICE_UNAVAILABLE", "is starting or stopped"),
])
def test_a_login_that_fails_says_what_to_do(answer, code: str, hint: str) -> None:
    http = Conversation(("POST", "/api/session", None, answer))
    with pytest.raises(RayError) as caught:
        module.VCenter(http, credentials=("me", "secret")).login()
    assert caught.value.code == code and hint in caught.value.hint
    http.done()
