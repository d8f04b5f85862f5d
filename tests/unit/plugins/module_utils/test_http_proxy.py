# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Http through a real proxy: TLS is verified to its end, and whose fault it was is told."""

from __future__ import annotations

import socket

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._http import Http, plain_proxy
from ansible_collections.vcf.ray.tests.unit.plugins.tunnel import Authority, proxy, tls_server


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def fault(client: Http) -> RayError:
    with pytest.raises(RayError) as raised:
        client.request("GET", "/a", auth=("user", "secret"))
    client.close()
    assert "secret" not in str(raised.value)
    return raised.value


def test_tls_goes_through_untouched_and_is_verified_to_its_end(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with tls_server(tmp_path, {"/a": {"b": 1}}) as server, proxy() as way:
        via = f"http://127.0.0.1:{way.port}"
        client = Http(f"https://{server.address}", ca_path=server.ca, proxy=via, what="vCenter")
        assert client.request("GET", "/a", auth=("user", "secret")).json == {"b": 1}
        client.close()
        assert way.log == [("CONNECT", server.address, None)]
        other = Authority(tmp_path / "other").path
        error = fault(Http(f"https://{server.address}", ca_path=str(other), proxy=via, what="vCenter"))
        assert error.code == "TLS" and "unknown CA" in error.message
        assert len(server.log) == 1, "nothing was sent to a server that is not trusted"


@pytest.mark.parametrize("proxied", [False, True])
def test_the_authorities_of_the_system_are_trusted_unless_others_are_named(tmp_path, monkeypatch, proxied) -> None:
    """As a company's own CA is put among them, and never among those that requests brings along."""
    with tls_server(tmp_path, {"/a": {"b": 1}}) as server, proxy() as way:
        other = Authority(tmp_path / "other").path
        ways = {"proxy": f"http://127.0.0.1:{way.port}" if proxied else None, "what": "vCenter"}
        assert fault(Http(f"https://{server.address}", **ways)).code == "TLS"
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca))
        client = Http(f"https://{server.address}", **ways)
        assert client.request("GET", "/a").json == {"b": 1}
        client.close()
        assert fault(Http(f"https://{server.address}", ca_path=str(other), **ways)).code == "TLS"
        assert len(way.log) == (3 if proxied else 0)


@pytest.mark.parametrize(("answer", "code", "words", "asked"), [
    ("407 Proxy Authentication Required", "PROXY", "asks for a login before it leads to vCenter at https://127.0.0.1:9 (407 Proxy Auth", 1),
    ("403 Forbidden", "PROXY", "refuses the way to vCenter at https://127.0.0.1:9: 403 Forbidden.", 1),
    ("502 Bad Gateway", "CONNECTION", "answers, and cannot reach vCenter at https://127.0.0.1:9: 502 Bad Gateway.", 3),
    ("504", "CONNECTION", "answers, and cannot reach vCenter at https://127.0.0.1:9: 504.", 3),
])
def test_a_proxy_that_refuses_is_told_from_one_that_finds_nobody(answer, code, words, asked) -> None:
    with proxy(answer) as way:
        error = fault(Http("https://127.0.0.1:9", proxy=f"http://me:hidden@127.0.0.1:{way.port}", what="vCenter"))
        assert error.code == code and f"The proxy http://127.0.0.1:{way.port} {words}" in error.message
        assert error.details == {"proxy": f"http://127.0.0.1:{way.port}"}
        assert len(way.log) == asked


def test_a_proxy_that_is_away_is_not_taken_for_the_server() -> None:
    port = free_port()
    error = fault(Http("https://127.0.0.1:9", proxy=f"http://127.0.0.1:{port}", what="vCenter", tries=1))
    assert error.message.startswith(f"The proxy http://127.0.0.1:{port}, which leads to vCenter at https://127.0.0.1:9, cannot be reached: ")
    assert error.message.endswith(" Connection refused.")
    assert (error.code, error.details) == ("CONNECTION", {"proxy": f"http://127.0.0.1:{port}"})


def test_a_server_without_tls_is_asked_through_the_proxy_too() -> None:
    with proxy("407 Proxy Authentication Required") as way:
        error = fault(Http("http://127.0.0.1:9", proxy=f"http://127.0.0.1:{way.port}", what="Ray"))
        assert error.code == "PROXY" and way.log[0][:2] == ("GET", "http://127.0.0.1:9/a")


@pytest.mark.parametrize(("url", "plain"), [("http://a:1", "http://a:1"), ("http://me:p%40@a:1", "http://a:1"), ("me:p@a:1", "a:1"), ("a", "a")])
def test_a_login_in_the_address_of_a_proxy_is_not_shown(url, plain) -> None:
    assert plain_proxy(url) == plain
