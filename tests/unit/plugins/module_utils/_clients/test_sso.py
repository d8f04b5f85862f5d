# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SSO client: token, login, calls, and faults in the server's words."""

from __future__ import annotations

import contextlib

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import sso as module
from ansible_collections.vcf.ray.plugins.module_utils._clients.sso import Sso
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import Conversation

ADMIN, STS = "/sso-adminserver/sdk/vsphere.local", "/sts/STSService/vsphere.local"
ASSERTION = '<saml2:Assertion  xmlns:saml2="urn:x" ID="_1"><saml2:Subject/></saml2:Assertion>'


def soap(body: str) -> str:
    return f'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>'


def fault(kind: str, text: str, code: str = "ServerFaultCode") -> tuple[int, str]:
    detail = f'<detail><{kind} xmlns="urn:sso"/></detail>' if kind else ""
    return 500, soap(f"<soapenv:Fault><faultcode>ns0:{code}</faultcode><faultstring>{text}</faultstring>{detail}</soapenv:Fault>")


INSTANCE = soap(
    '<SsoAdminServiceInstanceResponse xmlns="urn:sso"><returnval><sessionManager type="SsoSessionManager">sessions-7</sessionManager>'
    '<principalDiscoveryService type="SsoAdminPrincipalDiscoveryService">discovery-7</principalDiscoveryService></returnval></SsoAdminServiceInstanceResponse>'
)
DISCOVER = ("POST", ADMIN, ..., INSTANCE)
ISSUE = ("POST", STS, ..., soap(f"<RequestedSecurityToken>{ASSERTION}</RequestedSecurityToken>"))


class Recorded(Conversation):
    """Keeps the envelopes, which hold times and so cannot be written in a script."""

    def __init__(self, *script: tuple) -> None:
        super().__init__(*script)
        self.sent: list[str] = []
        self.safe: list[bool] = []

    def request(self, method: str, path: str, **kwargs: object):  # type: ignore[no-untyped-def, override]
        self.sent.append(kwargs["data"].decode())  # type: ignore[attr-defined]
        self.safe.append(bool(kwargs.get("safe")))
        return super().request(method, path, **kwargs)  # type: ignore[arg-type]


def test_login_sends_the_assertion_as_it_came_to_the_service_that_the_server_names() -> None:
    http = Recorded(DISCOVER, ISSUE, ("POST", ADMIN, ..., soap("<LoginResponse/>")), ("POST", ADMIN, ..., soap("<LogoutResponse/>")))
    client = Sso(http, "vsphere.local")
    client.login("a&b@vsphere.local", "p<w")
    client.logout()
    http.done()
    assert "<o:Username>a&amp;b@vsphere.local</o:Username><o:Password>p&lt;w</o:Password>" in http.sent[1]
    assert ASSERTION in http.sent[2] and ">sessions-7</_this>" in http.sent[2]
    assert "Assertion" not in http.sent[3]
    assert http.safe == [True, False, False, False]


def test_wrong_credentials_are_tried_once() -> None:
    http = Recorded(DISCOVER, ("POST", STS, ..., fault("", "Invalid credentials", "FailedAuthentication")))
    with pytest.raises(RayError) as caught:
        Sso(http, "vsphere.local").login("me", "secret")
    http.done()
    assert caught.value.code == "AUTH" and "'me'" in caught.value.message and "secret" not in str(caught.value)


def test_a_call_gives_a_structure_and_an_empty_answer_none() -> None:
    found = soap("<R><returnval><id><name>ray-dev</name></id><locked>false</locked></returnval></R>")
    http = Recorded(("POST", ADMIN, ..., found), ("POST", ADMIN, ..., soap("<R/>")))
    client = Sso(http, "vsphere.local")
    params = {"userId": {"name": "ray-dev", "domain": "vsphere.local"}, "none": None}
    assert client.call("FindPersonUser", "principalDiscoveryService", params) == {"id": {"name": "ray-dev"}, "locked": "false"}
    assert client.call("FindPersonUser", "principalDiscoveryService", params) is None
    assert http.sent[0].endswith("<userId><name>ray-dev</name><domain>vsphere.local</domain></userId></FindPersonUser></S:Body></S:Envelope>")


def test_a_fault_has_the_words_and_the_type_of_the_server() -> None:
    http = Recorded(("POST", ADMIN, ..., fault("SsoFaultNoPermissionFault", "No permission.")))
    with pytest.raises(module.SoapFault) as caught:
        Sso(http, "vsphere.local").call("DeleteLocalPrincipal", "principalManagementService", {"principalName": "x"})
    assert caught.value.type == "SsoFaultNoPermissionFault"
    assert caught.value.message == "vCenter vc refused DeleteLocalPrincipal: No permission (SsoFaultNoPermissionFault)."
    assert "Administrators" in caught.value.hint


def test_an_answer_that_is_not_xml_is_said() -> None:
    http = Recorded(("POST", ADMIN, ..., "<html><br></html>"))
    with pytest.raises(RayError, match="not XML"):
        Sso(http, "vsphere.local").call("FindPersonUser", "principalDiscoveryService", {})


def test_a_login_is_needed_and_a_session_of_rest_is_no_option() -> None:
    assert "session_id" not in module.ARGSPEC
    assert module.ARGSPEC["username"]["required"] and module.ARGSPEC["password"]["required"] and module.ARGSPEC["password"]["no_log"]


@pytest.mark.parametrize("last", [soap("<R/>"), fault("SsoFaultNoPermissionFault", "No permission.")], ids=["success", "failure"])
def test_a_task_logs_in_once_and_out_in_every_exit(monkeypatch: pytest.MonkeyPatch, last: object) -> None:
    http = Recorded(DISCOVER, ISSUE, ("POST", ADMIN, ..., soap("<LoginResponse/>")), ("POST", ADMIN, ..., last),
                    ("POST", ADMIN, ..., soap("<LogoutResponse/>")))
    monkeypatch.setattr(module, "open_http", lambda params: http)
    with contextlib.suppress(RayError), module.connect(Task({"username": "me", "password": "secret", "domain": "vsphere.local"})) as client:
        client.call("DeleteLocalPrincipal", "principalManagementService", {"principalName": "x"})
    http.done()
    assert http.closed and "<Logout " in http.sent[-1]


def test_only_reads_are_tried_again() -> None:
    http = Recorded(("POST", ADMIN, ..., soap("<R/>")), ("POST", ADMIN, ..., soap("<R/>")))
    client = Sso(http, "vsphere.local")
    client.call("FindGroup", "principalDiscoveryService", {})
    client.call("CreateLocalGroup", "principalManagementService", {})
    assert http.safe == [True, False]


def test_a_list_is_given_whole() -> None:
    two = soap("<R><returnval><id><name>a</name></id></returnval><returnval><id><name>b</name></id></returnval></R>")
    http = Recorded(("POST", ADMIN, ..., two), ("POST", ADMIN, ..., soap("<R/>")))
    client = Sso(http, "vsphere.local")
    assert [row["id"]["name"] for row in client.find_all("FindGroupsInGroup", "principalDiscoveryService", {})] == ["a", "b"]
    assert client.find_all("FindGroupsInGroup", "principalDiscoveryService", {}) == []


@pytest.mark.parametrize("answer", [fault("SsoFaultInvalidPrincipalFault", "Unknown tenant"), (404, "<html>no</html>")], ids=["fault", "404"])
def test_a_domain_of_another_identity_source_is_refused_before_the_login(answer: object) -> None:
    http = Recorded(("POST", "/sso-adminserver/sdk/corp.example", ..., answer))
    with pytest.raises(RayError, match="vCenter vc has no SSO domain 'corp.example' of its own") as caught:
        Sso(http, "corp.example").login("me", "secret")
    http.done()
    assert caught.value.code == "INPUT" and "made there" in caught.value.hint
