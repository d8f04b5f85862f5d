# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""repository_file against a real server on the loopback: every request it makes, and what it says of each refusal."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import pathlib
import threading
import types
import typing as t

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients.file_repository import ARGSPEC, FileRepository, connect
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._http import Http
from ansible_collections.vcf.ray.plugins.modules import repository_file
from ansible_collections.vcf.ray.tests.unit.plugins.conversation import task_for

MODULE = types.SimpleNamespace(SPEC={**ARGSPEC, **repository_file.SPEC})
CONTENT, OTHER = b"kind: Package\n\xff\x00", b"other"
PATH = "/artifactory/ray/carvel-package-1.0.3.yaml"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


SUM = f"sha256:{digest(CONTENT)}"
THERE = (200, b"", {"X-Checksum-Sha256": digest(CONTENT).upper(), "Content-Length": str(len(CONTENT))})
OTHER_THERE = (200, b"", {"X-Checksum-Sha256": digest(OTHER), "Content-Length": str(len(OTHER))})
MISSING = (404, b"", {})
FILE = {"checksum": SUM, "size": len(CONTENT)}


def refusal(status: int, text: str) -> tuple[int, bytes, dict]:
    """As Artifactory refuses."""
    return status, json.dumps({"errors": [{"status": status, "message": text}]}).encode(), {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.log.append((self.command, self.path, body, dict(self.headers)))
        status, content, headers = self.server.script.pop(0)
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_DELETE = answer

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


class Site:
    """A server by a script, and the module run against it."""

    def __init__(self, server: t.Any, folder: pathlib.Path) -> None:
        self.server, self.src = server, folder / "package.yaml"
        self.src.write_bytes(CONTENT)

    def run(self, *script: tuple, login: tuple[str, str] | None = ("me", "s3cret"), check_mode: bool = False, **options: t.Any) -> dict:
        self.server.script, self.server.log[:] = list(script), []
        client = FileRepository(Http(self.url[:-len(PATH)], what="The repository files"), self.url, login)
        try:
            return repository_file.ensure(task_for(MODULE, check_mode, url=self.url, **{"src": str(self.src), **options}), client)
        finally:
            client._http.close()
            assert not self.server.script, f"never asked for: {self.server.script}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}{PATH}"

    @property
    def methods(self) -> list[str]:
        assert {path for _method, path, _body, _headers in self.server.log} <= {PATH}
        return [entry[0] for entry in self.server.log]

    def refused(self, *script: tuple, **options: t.Any) -> RayError:
        with pytest.raises(RayError) as caught:
            self.run(*script, **options)
        assert "s3cret" not in str(caught.value)
        return caught.value


@pytest.fixture(name="site")
def fixture_site(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Site]:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.log, server.script, server.daemon_threads = [], [], True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield Site(server, tmp_path)
    server.shutdown()
    server.server_close()


def test_upload(site: Site) -> None:
    created = (201, json.dumps({"checksums": {"sha256": digest(CONTENT)}}).encode(), {})
    result = site.run(MISSING, created, THERE)
    assert result == {"changed": True, "repository_file": {"url": site.url, **FILE}, "diff": {"before": {}, "after": {"url": site.url, **FILE}}}
    assert site.methods == ["HEAD", "PUT", "HEAD"]
    _method, _path, body, headers = site.server.log[1]
    assert body == CONTENT and headers["X-Checksum-Sha256"] == digest(CONTENT)
    assert all(entry[3]["Authorization"] == "Basic " + base64.b64encode(b"me:s3cret").decode() for entry in site.server.log)
    foretold = site.run(MISSING, check_mode=True)
    assert foretold == result and site.methods == ["HEAD"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_the_same_content_is_left_alone(site: Site, check_mode: bool) -> None:
    result = site.run(THERE, check_mode=check_mode)
    assert not result["changed"] and result["repository_file"] == {"url": site.url, **FILE} and site.methods == ["HEAD"]


@pytest.mark.parametrize("told", [(200, b"", {"Content-Length": "99"}), (405, b"", {}), (501, b"", {})])
def test_a_server_that_tells_no_checksum_is_asked_for_the_file(site: Site, told: tuple) -> None:
    assert not site.run(told, (200, CONTENT, {}))["changed"]
    assert site.methods == ["HEAD", "GET"] and site.server.log[1][3]["Accept-Encoding"] == "identity"
    assert site.run((405, b"", {}), MISSING, check_mode=True)["changed"]


def test_a_redirect_that_tells_the_checksum_will_do(site: Site) -> None:
    told = (302, b"", {"X-Checksum-Sha256": digest(CONTENT), "Location": "https://storage.example.com/x?signature=s3cret"})
    assert not site.run(told)["changed"] and site.methods == ["HEAD"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_other_content_is_refused_with_both_checksums(site: Site, check_mode: bool) -> None:
    error = site.refused(OTHER_THERE, check_mode=check_mode)
    assert error.code == "INPUT" and SUM in error.message and digest(OTHER) in error.message and "overwrite" in (error.hint or "")
    assert site.methods == ["HEAD"]


def test_other_content_is_replaced_when_it_may_be(site: Site) -> None:
    result = site.run(OTHER_THERE, (201, b"", {}), THERE, overwrite=True)
    assert result["changed"] and site.methods == ["HEAD", "PUT", "HEAD"]
    assert result["diff"] == {"before": {"url": site.url, "checksum": f"sha256:{digest(OTHER)}", "size": 5}, "after": {"url": site.url, **FILE}}
    assert site.run(OTHER_THERE, check_mode=True, overwrite=True)["diff"] == result["diff"]


def test_a_lost_answer_is_settled_by_a_look(site: Site) -> None:
    assert site.run(MISSING, (None, b"", {}), THERE, THERE)["changed"]
    assert site.methods == ["HEAD", "PUT", "HEAD", "HEAD"]
    site.run(MISSING, (None, b"", {}), MISSING, (201, b"", {}), THERE)
    assert site.methods == ["HEAD", "PUT", "HEAD", "PUT", "HEAD"]


def test_what_another_client_has_put_there_meanwhile_is_not_replaced(site: Site) -> None:
    assert "other content" in site.refused(MISSING, (None, b"", {}), OTHER_THERE).message
    assert site.methods == ["HEAD", "PUT", "HEAD"]


def test_remove(site: Site) -> None:
    result = site.run(OTHER_THERE, (204, b"", {}), MISSING, state="absent", src=None)
    assert result["changed"] and result["repository_file"] is None and site.methods == ["HEAD", "DELETE", "HEAD"]
    assert site.run(OTHER_THERE, state="absent", check_mode=True)["changed"] and site.methods == ["HEAD"]
    assert not site.run(MISSING, state="absent")["changed"] and site.methods == ["HEAD"]


def test_a_file_that_an_earlier_task_makes_is_unknown_in_check_mode(site: Site) -> None:
    site.src.unlink()
    result = site.run(MISSING, check_mode=True)
    assert result["changed"] and str(site.src) in result["unknown"][0]
    result = site.run(OTHER_THERE, check_mode=True)
    assert result["repository_file"] == {"url": site.url} and result["diff"]["after"] == {"url": site.url} and result["diff"]["before"]["size"] == 5
    assert "is not there" in site.refused(MISSING).message
    assert "Is a directory" in site.refused(MISSING, src=str(site.src.parent), check_mode=True).message


@pytest.mark.parametrize(("status", "text", "code", "step"), [
    (400, "Repository does not allow updating assets", "INPUT", "settings"),
    (403, "Not enough permissions to overwrite artifact", "UNAUTHORIZED", "right to delete"),
    (404, "Could not find repository", "NOT_FOUND", "name of the repository"),
    (405, "No default deployment repository", "UNSUPPORTED", "virtual"),
    (409, "A folder is there", "INPUT", "another path"),
    (413, "Too large", "FAILED", "administrator"),
    (507, "No space left on the storage", "FAILED", "full"),
])
def test_a_refused_upload_is_told_in_the_servers_words_with_a_next_step(site: Site, status: int, text: str, code: str, step: str) -> None:
    error = site.refused(MISSING, refusal(status, f"{text}."))
    assert error.message.startswith(f"The repository files refused PUT {PATH}: {text} ({status} ")
    assert (error.code, error.details["status"]) == (code, status) and step in (error.hint or "")
    assert site.methods == ["HEAD", "PUT"]


def test_a_refused_login_is_sent_once(site: Site) -> None:
    error = site.refused((401, b"", {}))
    assert error.message == "The repository files refuses the login of me (401)."
    assert error.code == "AUTH" and "sent once" in (error.hint or "") and site.methods == ["HEAD"]
    error = site.refused(MISSING, refusal(401, "Bad credentials"))
    assert error.message.endswith(": The repository files refuses the login of me: Bad credentials (401).") and site.methods == ["HEAD", "PUT"]
    assert site.refused((401, b"", {}), login=None).hint == "Set username and password."
    assert "Authorization" not in site.server.log[0][3]


def test_a_refused_look_is_told_with_the_words_that_a_head_lacks(site: Site) -> None:
    assert "you may not read" in site.refused((403, b"", {}), refusal(403, "you may not read")).message
    assert site.methods == ["HEAD", "GET"]


@pytest.mark.parametrize(("script", "methods"), [
    ([(302, b"", {}), (302, b"", {"Location": "https://login.example.com/?back=s3cret"})], ["HEAD", "GET"]),
    ([MISSING, (307, b"", {"Location": "https://login.example.com/?back=s3cret"})], ["HEAD", "PUT"]),
])
def test_no_redirect_is_followed(site: Site, script: list, methods: list[str]) -> None:
    error = site.refused(*script)
    assert "another address, https://login.example.com/ (30" in error.message and "login would go there" in (error.hint or "")
    assert site.methods == methods


def test_a_file_that_arrived_as_another_is_told(site: Site) -> None:
    error = site.refused(MISSING, (201, json.dumps({"checksums": {"sha256": digest(OTHER)}}).encode(), {}))
    assert SUM in error.message and digest(OTHER) in error.message


@pytest.mark.parametrize(("url", "words"), [
    ("http://files.example.com/r/f", "does not begin with https://"), ("files.example.com/r/f", "does not begin with https://"),
    ("https://me:s3cret@files.example.com/r/f", "carries a login for files.example.com"), ("https://files.example.com/r/f?token=s3cret", "has a ?"),
    ("https://files.example.com/r/", "does not end with the name of a file"), ("https://files.example.com", "does not end with the name"),
    ("https://files.example.com/r/../f", "does not end with the name"), ("https://[x/r", "is no address"), ("https://x:y/r", "is no address"),
])
def test_an_address_that_cannot_be_used_is_told_before_anything_is_sent(url: str, words: str) -> None:
    with pytest.raises(RayError) as caught, connect(task_for(MODULE, url=url, src="/x")):
        pass
    assert words in caught.value.message and "s3cret" not in str(caught.value) and caught.value.code == "INPUT"


def test_the_client_of_the_options() -> None:
    with connect(task_for(MODULE, url="https://files.example.com:8443/r/a b.yaml", username="me", password="s3cret")) as client:
        assert (client.name, client._http.base_url) == ("a b.yaml", "https://files.example.com:8443")
