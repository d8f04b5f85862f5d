# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the text of a package comes from, and what is stopped before vCenter hears of it."""

from __future__ import annotations

import hashlib
import io
import pathlib
import typing as t

import pytest
import requests
import urllib3

from ansible_collections.vcf.ray.plugins.module_utils._clients import service_package
from ansible_collections.vcf.ray.plugins.module_utils._clients.service_package import package_of
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError

TEXT = "kind: Package\n"
SUM = "sha256:" + hashlib.sha256(TEXT.encode()).hexdigest()
URL = "https://files.example.com/ray.yaml?a=1"


class Server(requests.adapters.BaseAdapter):
    """The wire of ``requests`` by a script: address -> (status, body, headers) or an exception."""

    def __init__(self, *script: tuple) -> None:
        super().__init__()
        self.script, self.verified = list(script), []

    def send(self, request: t.Any, stream: bool = False, timeout: t.Any = None, verify: t.Any = True, cert: t.Any = None,
             proxies: t.Any = None) -> requests.Response:
        url, answer = self.script.pop(0)
        assert (request.url, stream, request.headers["Accept-Encoding"]) == (url, True, "identity")
        self.verified.append(verify)
        if isinstance(answer, Exception):
            raise answer
        status, body, headers = answer
        raw = urllib3.HTTPResponse(io.BytesIO(body), status=status, headers=headers, preload_content=False)
        return requests.adapters.HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(name="serve")
def fixture_serve(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., Server]:
    def serve(*script: tuple) -> Server:
        server = Server(*script)
        monkeypatch.setattr(requests.Session, "get_adapter", lambda session, url: server)
        return server

    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return serve


def package_text(options: dict) -> str | None:
    found = package_of(options)
    return found and found.text


def fetched(**options: t.Any) -> str | None:
    return package_text({"url": URL, "checksum": SUM, **options})


def refused(**options: t.Any) -> RayError:
    with pytest.raises(RayError) as caught:
        package_text(options)
    assert caught.value.code == "INPUT"
    return caught.value


def test_no_source_is_no_text() -> None:
    assert package_text({"package": None, "content": None, "url": None, "checksum": None}) is None


def test_a_file_is_read_as_it_is(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert package_of({"package": str(path)}) == (TEXT, f"package {path}")


@pytest.mark.parametrize(("content", "words"), [
    (b"", "is empty"), (b"  \n<!DOCTYPE html><title>Sign in", "is a web page"), (b"\x1f\x8b\x08\x00", "a compressed file"),
    (b"\xff\xfea", "not written in UTF-8"),
])
def test_what_is_plainly_no_package_is_told_with_its_path(tmp_path: pathlib.Path, content: bytes, words: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(content)
    error = refused(package=str(path))
    assert words in error.message and str(path) in error.message


def test_a_file_that_is_not_there() -> None:
    assert "/nowhere/p.yaml cannot be read: No such file or directory." in refused(package="/nowhere/p.yaml").message


@pytest.mark.parametrize("option", ["package", "content"])
def test_a_checksum_holds_for_every_source(tmp_path: pathlib.Path, option: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(TEXT)
    given = {option: str(path) if option == "package" else TEXT}
    assert package_text({**given, "checksum": SUM.upper().replace("SHA256", "sha256")}) == TEXT
    assert SUM in refused(**given, checksum="sha256:" + "0" * 64).message


@pytest.mark.parametrize("checksum", ["abc", "md5:" + "0" * 32, "sha256:" + "0" * 63, "sha256:https://x"])
def test_a_checksum_has_one_form(checksum: str) -> None:
    assert "sha256sum" in (refused(url=URL, checksum=checksum).hint or "")


def test_the_file_of_a_server(serve: t.Callable[..., Server]) -> None:
    server = serve((URL, (200, TEXT.encode(), {"Content-Type": "text/plain"})))
    assert fetched() == TEXT
    assert server.script == [] and server.verified == [True]


def test_a_lost_answer_is_asked_for_again(serve: t.Callable[..., Server]) -> None:
    serve((URL, requests.exceptions.ConnectionError("gone")), (URL, (200, TEXT.encode(), {})))
    assert fetched() == TEXT


def test_a_redirect_is_followed_and_only_to_https(serve: t.Callable[..., Server]) -> None:
    serve((URL, (302, b"", {"Location": "/b.yaml"})), ("https://files.example.com/b.yaml", (200, TEXT.encode(), {})))
    assert fetched() == TEXT
    serve((URL, (302, b"", {"Location": "http://plain.example.com/b.yaml"})))
    assert "cannot be used" in refused(url=URL, checksum=SUM).message
    serve(*[(URL, (302, b"", {"Location": URL}))] * 5)
    assert "from one address to the next" in refused(url=URL, checksum=SUM).message


def test_another_file_is_not_passed_on(serve: t.Callable[..., Server]) -> None:
    serve((URL, (200, b"other", {})))
    error = refused(url=URL, checksum=SUM)
    assert "nothing was sent to vCenter" in error.message and error.details["checksum"].startswith("sha256:")


def test_no_more_is_taken_than_a_package_may_be_long(serve: t.Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_package, "LIMIT", 10)
    serve((URL, (200, b"x" * 100, {})))
    assert "longer than 10 bytes" in refused(url=URL, checksum=SUM).message


@pytest.mark.parametrize("url", ["http://files.example.com/r.yaml", "https://me:secret@files.example.com/r.yaml", "files.example.com/r.yaml", "https:///r",
                                 "https://[x/r", "https://x:y/r"])
def test_an_address_without_tls_or_with_a_login_is_not_used(url: str) -> None:
    error = refused(url=url, checksum=SUM)
    assert "secret" not in str(error) and "https://" in str(error)


def test_the_servers_refusals_are_told(serve: t.Callable[..., Server]) -> None:
    serve((URL, (404, b"<html>no</html>", {})))
    with pytest.raises(RayError, match="the server files.example.com refused GET /ray.yaml: an HTML page") as caught:
        fetched()
    assert URL in (caught.value.hint or "")
    serve((URL, requests.exceptions.SSLError("unable to get local issuer")))
    with pytest.raises(RayError, match="unknown CA") as caught:
        fetched()
    assert "url_ca_path" in (caught.value.hint or "")
    with pytest.raises(RayError, match="/nowhere.pem .* is not there") as caught:
        fetched(url_ca_path="/nowhere.pem")
    assert "url_ca_path" in (caught.value.hint or "")
