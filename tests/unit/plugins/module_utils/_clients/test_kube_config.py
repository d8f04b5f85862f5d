# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the options lead to, whose credentials are used, and when they are renewed."""

from __future__ import annotations

import base64
import glob
import json
import pathlib
import tempfile
import typing as t

import pytest
import yaml

from ansible_collections.vcf.ray.plugins.module_utils._clients import kube_config
from ansible_collections.vcf.ray.plugins.module_utils._clients.kube_config import Access, access_for
from ansible_collections.vcf.ray.plugins.module_utils._errors import MissingLibrary, RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task

BASE = "https://api.example.com:6443"
SUPERVISOR = {"hostname": "sv.example.com", "username": "u@d", "password": "p", "ca_path": None, "validate_certs": True}
REFUSED = RayError("The Supervisor refused user u@d.", code="AUTH")


NOW = 1_800_000_000.0


def jwt(exp: float, iat: float | None = NOW) -> str:
    claims = {"exp": int(exp), **({} if iat is None else {"iat": int(iat)})}
    return "e30." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".sig"


def kubeconfig(token: str = "planted", **user: str) -> dict:
    return {
        "clusters": [{"name": "c", "cluster": {"server": BASE, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "u", "user": {"token": token, **user}}],
        "contexts": [{"name": "ns", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "ns",
    }


class Logins:
    """Gives the tokens in order; an exception is raised."""

    def __init__(self, *answers: t.Any) -> None:
        self.answers, self.hidden, self.now = list(answers), [], NOW

    def __call__(self, options: dict) -> str:
        assert options == SUPERVISOR
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def access(self, **params: t.Any) -> Access:
        return Access({"supervisor": SUPERVISOR, **params}, self.hidden.extend, self, lambda: self.now)

    def asked(self, access: Access, seconds: float) -> str:
        """The token of a request so many seconds later, which is accepted."""
        self.now += seconds
        access.keep_up()
        access.confirm()
        return access.headers["Authorization"].removeprefix("Bearer ")


@pytest.fixture(autouse=True)
def _nobody_home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_single_options_overrule_the_kubeconfig() -> None:
    access = Access({"kubeconfig": kubeconfig()})
    assert (access.host, access.headers) == (BASE, {"Authorization": "Bearer planted"})
    access = Access({"kubeconfig": kubeconfig(), "host": "https://other:6443/", "api_key": "mine"})
    assert (access.host, access.headers) == ("https://other:6443", {"Authorization": "Bearer mine"})


def test_the_environment_counts_as_it_is_now(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not as it was when the library was imported, which may be another process of another task."""
    for name in ("one", "two"):
        (tmp_path / name).write_text(yaml.safe_dump(kubeconfig(token=name)))
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / name))
        assert Access({}).headers == {"Authorization": f"Bearer {name}"}


def test_secrets_of_a_kubeconfig_are_hidden_and_its_names_are_not() -> None:
    hidden: list = []
    config = kubeconfig(**{"client-key-data": "cGxhbnRlZA=="})
    with pytest.raises(RayError, match="No connection can be made"):
        access_for(Task({"kubeconfig": json.dumps(config), "context": "nope"}, hide=hidden.extend))
    assert sorted(hidden) == ["cGxhbnRlZA==", "planted"]


def test_files_that_are_not_there_are_named(tmp_path: pathlib.Path) -> None:
    for options, words in (({"kubeconfig": str(tmp_path / "none")}, "none: Invalid kube-config file. No configuration found."),
                           ({"host": "https://127.0.0.1:9", "api_key": "t", "ca_cert": str(tmp_path / "ca")}, "ca for the API server is not there.")):
        with pytest.raises(RayError) as caught:
            Access(options)
        assert caught.value.message.endswith(words)


def test_a_file_is_read_again_after_a_401_and_the_same_token_is_not_tried_again(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(kubeconfig("old")))
    access = Access({"kubeconfig": str(file)})
    assert not access.renew()
    file.write_text(yaml.safe_dump(kubeconfig("new")))
    assert access.renew() and access.headers == {"Authorization": "Bearer new"}
    file.write_text(yaml.safe_dump(kubeconfig("newer")))
    assert not access.renew(), "the new one was refused too"
    access.confirm()
    assert access.renew() and access.headers == {"Authorization": "Bearer newer"}


def test_keys_do_not_stay_in_files(tmp_path: pathlib.Path) -> None:
    config = kubeconfig()
    config["clusters"][0]["cluster"] = {"server": BASE, "certificate-authority-data": "cGxhbnRlZA=="}
    access = Access({"kubeconfig": config})
    assert access.trust == "the certificate authorities in the kubeconfig"
    assert [pathlib.Path(path).read_text() for path in glob.glob(str(tmp_path / "tmp*"))] == ["planted"]
    access.close()
    assert glob.glob(str(tmp_path / "tmp*")) == []


def test_a_supervisor_alone_is_logged_in_to_at_the_start() -> None:
    logins = Logins("one")
    access = logins.access()
    assert (access.host, access.headers, logins.hidden) == ("https://sv.example.com:6443", {"Authorization": "Bearer one"}, ["one"])
    assert not access.renew(), "a token that was never accepted is not replaced"


@pytest.mark.parametrize(("address", "host"), [("sv:8443", "sv"), ("https://sv:443/", "sv"), ("192.0.2.1", "192.0.2.1"), ("[fd00::1]:443", "[fd00::1]")])
def test_the_port_of_the_login_is_not_that_of_the_api(address: str, host: str) -> None:
    access = Access({"supervisor": {**SUPERVISOR, "hostname": address}}, login=lambda options: "one")
    assert access.host == f"https://{host}:6443"


def test_trust_comes_from_the_supervisor_unless_said_otherwise(tmp_path: pathlib.Path) -> None:
    missing = {**SUPERVISOR, "ca_path": str(tmp_path / "ca.pem")}
    access = Access({"supervisor": {**missing, "validate_certs": False}}, login=lambda options: "one")
    assert access.trust == missing["ca_path"] and access.pool.connection_pool_kw["cert_reqs"] == 0
    access = Access({"supervisor": {**missing, "validate_certs": False}, "validate_certs": True}, login=lambda options: "one")
    assert access.pool.connection_pool_kw["cert_reqs"] == 2


@pytest.mark.parametrize("own", [{"kubeconfig": kubeconfig("own")}, {"host": BASE, "api_key": "own"}])
def test_other_credentials_hold_until_they_are_refused(own: dict) -> None:
    logins = Logins("one", "two")
    access = logins.access(**own)
    assert (access.host, access.headers, logins.hidden) == (BASE, {"Authorization": "Bearer own"}, [])
    assert access.renew() and (access.host, access.headers) == (BASE, {"Authorization": "Bearer one"})
    assert not access.renew(), "refused twice in a row is an error"
    access.confirm()
    assert access.renew() and access.headers == {"Authorization": "Bearer two"}
    assert logins.hidden == ["one", "two"]


def test_a_refused_login_is_never_tried_again() -> None:
    logins = Logins(REFUSED)
    access = logins.access(host=BASE, api_key="own")
    for attempt in range(3):
        with pytest.raises(RayError, match="refused user u@d"):
            access.renew()
    with pytest.raises(RayError, match="refused user"):
        Logins(REFUSED).access()


def test_a_login_that_could_not_be_reached_may_be_tried_again() -> None:
    access = Logins(RayError("away", code="CONNECTION"), "one").access(host=BASE, api_key="own")
    with pytest.raises(RayError, match="away"):
        access.renew()
    assert access.renew()


def test_a_missing_library_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube_config, "HAS_KUBERNETES", False)
    with pytest.raises(MissingLibrary, match="kubernetes is missing"):
        Access({})


def test_a_token_is_renewed_before_it_ends_and_once_for_each_life() -> None:
    tokens = [jwt(NOW + life, NOW + life - 5) for life in (5, 9, 14)]
    logins = Logins(*tokens)
    access = logins.access()
    assert [logins.asked(access, 0.5) for request in range(7)] == [tokens[0]] * 7
    assert logins.asked(access, 0.5) == tokens[1], "four of five seconds are over"
    assert logins.asked(access, 3.5) == tokens[1]
    assert logins.asked(access, 60) == tokens[2], "nobody has asked for a minute, and nobody has renewed it for nothing"
    assert logins.answers == [] and logins.hidden == tokens


def test_a_long_life_is_renewed_a_minute_before_its_end() -> None:
    logins = Logins(jwt(NOW + 36000), jwt(NOW + 72000))
    access = logins.access()
    first = logins.asked(access, 35939)
    assert logins.asked(access, 2) != first


def test_a_clock_that_differs_from_the_supervisors_costs_no_logins() -> None:
    """The token is over when it comes, by our clock, or without a beginning; its length counts, and else nothing but a 401."""
    logins = Logins(jwt(NOW - 7200 + 5, NOW - 7200), jwt(NOW - 100, None))
    access = logins.access()
    first = logins.asked(access, 3)
    assert logins.asked(access, 0.9) == first
    second = logins.asked(access, 0.2)
    assert second != first and logins.asked(access, 10000) == second


@pytest.mark.parametrize("own", [jwt(NOW + 30, NOW - 36000), jwt(NOW - 30, NOW - 36000)])
def test_a_kubeconfigs_token_that_is_about_to_end_or_has_is_not_waited_for_to_be_refused(own: str) -> None:
    logins = Logins("one")
    access = logins.access(kubeconfig=kubeconfig(own))
    assert logins.asked(access, 0) == "one"
    assert logins.asked(access, 100000) == "one", "this one does not say when it ends"


def test_without_a_supervisor_nothing_is_renewed_before_a_401() -> None:
    access = Access({"kubeconfig": kubeconfig(jwt(NOW - 30))}, clock=lambda: NOW)
    access.keep_up()
    assert access.headers == {"Authorization": f"Bearer {jwt(NOW - 30)}"}


def test_a_login_service_that_is_away_is_asked_again_later_and_the_token_used_meanwhile() -> None:
    away = RayError("away", code="CONNECTION")
    own, new = jwt(NOW + 30, NOW - 36000), jwt(NOW + 36000)
    logins = Logins(away, new)
    access = logins.access(kubeconfig=kubeconfig(own))
    assert [logins.asked(access, 0), logins.asked(access, 9)] == [own, own]
    assert logins.asked(access, 2) == new


def test_a_login_that_was_refused_is_not_tried_again_and_told_when_the_token_is_over() -> None:
    own = jwt(NOW + 30, NOW - 36000)
    logins = Logins(REFUSED)
    access = logins.access(kubeconfig=kubeconfig(own))
    assert [logins.asked(access, seconds) for seconds in (0, 20, 20)] == [own] * 3
    with pytest.raises(RayError, match="refused user u@d"):
        access.renew()


def test_a_new_token_that_is_refused_is_an_error_and_not_another_login() -> None:
    logins = Logins(jwt(NOW + 36000))
    access = logins.access(kubeconfig=kubeconfig(jwt(NOW - 1, NOW - 2)))
    access.keep_up()
    assert not access.renew() and logins.answers == []


def test_the_login_goes_by_the_options_when_nothing_is_known_of_the_way() -> None:
    seen: list[dict] = []
    ways = {"proxy_host": "proxy.example.com", "proxy_port": 8080}
    access = Access({"supervisor": SUPERVISOR, **ways}, login=lambda options: seen.append(options) or "one")
    assert access.proxy == "http://proxy.example.com:8080" and seen == [{**SUPERVISOR, **ways}]
