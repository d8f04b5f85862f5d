# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A watch against a real server on this machine: what it asks for, what it makes of the stream, and how it ends."""

from __future__ import annotations

import json
import queue
import signal
import socket
import threading
import time
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._clients import kube_watch
from ansible_collections.vcf.ray.plugins.module_utils._clients.kube import Kube
from ansible_collections.vcf.ray.plugins.module_utils._clients.kube_config import Access
from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError

SUPERVISOR = {"hostname": "sv", "username": "u", "password": "p", "ca_path": None, "validate_certs": True}
END = object()


def thing(step: int) -> dict:
    return {"metadata": {"name": "c", "resourceVersion": str(step)}, "step": step}


def event(kind: str, what: t.Any) -> bytes:
    return json.dumps({"type": kind, "object": what}).encode() + b"\n"


def refusal(code: int, reason: str) -> dict:
    return {"kind": "Status", "code": code, "reason": reason, "message": f"no: {reason}"}


class Server(ThreadingHTTPServer):
    """Tells ``now`` to lists and reads; each watch sends the pieces put into ``pieces`` until END.

    ``refuse`` maps ``list``, ``watch`` or ``get`` to answers that are given first, in order, as ``(status, body)``; a body of
    None drops the connection. ``tokens`` are those accepted; None accepts all.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.now: dict | None = thing(1)
        self.pieces: queue.Queue = queue.Queue()
        self.refuse: dict[str, list] = {}
        self.tokens: set | None = None
        self.asked: list[str] = []
        self.queries: list[dict] = []
        self.connections: set = set()
        self.gone = threading.Event()
        self.chunked = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *args: t.Any) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        kind = "watch" if "watch" in query else "list" if query else "get"
        self.server.asked.append(kind)
        self.server.queries.append(query)
        self.server.connections.add(self.client_address)
        if self.server.tokens is not None and self.headers.get("Authorization", "")[7:] not in self.server.tokens:
            return self.answer(401, refusal(401, "Unauthorized"))
        if self.server.refuse.get(kind):
            return self.answer(*self.server.refuse[kind].pop(0))
        if kind == "watch":
            return self.stream()
        found = self.server.now
        if kind == "list":
            return self.answer(200, {"metadata": {"resourceVersion": "77"}, "items": [found] if found else []})
        return self.answer(200, found) if found else self.answer(404, {**refusal(404, "NotFound"), "details": {"name": "c"}})

    def answer(self, status: int, body: dict | None) -> None:
        if body is None:
            self.close_connection = True
            return
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def stream(self) -> None:
        self.send_response(200)
        self.send_header(*(("Transfer-Encoding", "chunked") if self.server.chunked else ("Connection", "close")))
        self.end_headers()
        self.wfile.flush()
        threading.Thread(target=self.notice_end, daemon=True).start()
        while True:
            piece = self.server.pieces.get()
            if piece is END:
                self.close_connection = True
                return
            try:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            except OSError:
                return

    def notice_end(self) -> None:
        """The client sends nothing while it watches: what can be read is the end of its connection."""
        try:
            if not self.connection.recv(1, socket.MSG_PEEK):
                self.server.gone.set()
        except OSError:
            pass


@pytest.fixture(name="server")
def _server(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Server]:
    monkeypatch.setattr(kube_watch, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(kube_watch, "LONGEST_PAUSE", 0.2)
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.pieces.put(END)
    server.shutdown()
    server.server_close()
    assert not [x for x in threading.enumerate() if x.name == "watch"], "a thread was left behind"


def access(server: Server, *logins: str) -> Access:
    tokens = list(logins)
    return Access({"host": server.url, "api_key": "first", **({"supervisor": SUPERVISOR} if logins else {})}, login=lambda options: tokens.pop(0))


def watching(server: Server, *logins: str) -> kube_watch.Watch:
    return Kube(access(server, *logins)).watch("VMRayCluster", "c", "ns")


def until(watch: kube_watch.Watch, wanted: t.Any, patience: float = 5) -> t.Any:
    """Look as a waiting task does, until it sees what is wanted."""
    end = time.monotonic() + patience
    while (found := watch.get()) != wanted:
        assert time.monotonic() < end, f"still {found}"
        watch.wait(1)
    return found


def test_it_lists_then_watches_from_there_and_asks_nothing_more(server: Server) -> None:
    with watching(server) as watch:
        assert server.asked == []
        assert watch.get() == thing(1)
        for step in range(2, 6):
            server.pieces.put(event("MODIFIED", thing(step)))
            until(watch, thing(step))
        server.pieces.put(event("DELETED", thing(6)))
        until(watch, None)
        server.pieces.put(event("ADDED", thing(7)))
        until(watch, thing(7))
    assert server.asked == ["list", "watch"]
    assert server.queries[0] == {"fieldSelector": ["metadata.name=c"]}
    assert server.queries[1] == {"fieldSelector": ["metadata.name=c"], "watch": ["true"], "resourceVersion": ["77"],
                                 "allowWatchBookmarks": ["true"], "timeoutSeconds": ["240"]}


def test_an_absent_object_is_none_and_its_coming_is_told(server: Server) -> None:
    server.now = None
    with watching(server) as watch:
        assert watch.get() is None
        server.pieces.put(event("ADDED", thing(1)))
        until(watch, thing(1))


def test_wait_returns_with_the_change_and_else_after_its_time(server: Server) -> None:
    with watching(server) as watch:
        watch.get()
        start = time.monotonic()
        watch.wait(0.2)
        assert 0.15 < time.monotonic() - start < 1
        threading.Timer(0.2, server.pieces.put, [event("MODIFIED", thing(2))]).start()
        start = time.monotonic()
        watch.wait(30)
        assert 0.15 < time.monotonic() - start < 1
        assert watch.get() == thing(2)


def test_a_change_cannot_cut_the_least_short_and_is_not_forgotten(server: Server) -> None:
    with watching(server) as watch:
        watch.get()
        server.pieces.put(event("MODIFIED", thing(2)))
        start = time.monotonic()
        watch.wait(30, 0.3)
        assert 0.25 < time.monotonic() - start < 1
        assert watch.get() == thing(2)


def test_a_bookmark_is_no_change(server: Server) -> None:
    with watching(server) as watch:
        watch.get()
        server.pieces.put(event("BOOKMARK", {"metadata": {"resourceVersion": "99"}}))
        start = time.monotonic()
        watch.wait(0.3)
        assert time.monotonic() - start > 0.25
        assert watch.get() == thing(1)


def test_events_come_in_pieces_and_in_heaps(server: Server) -> None:
    with watching(server) as watch:
        watch.get()
        line = event("MODIFIED", thing(2))
        for start in range(0, len(line), 7):
            server.pieces.put(line[start:start + 7])
        until(watch, thing(2))
        server.pieces.put(event("MODIFIED", thing(3)) + event("MODIFIED", thing(4)) + line[:9])
        until(watch, thing(4))
        server.pieces.put(line[9:])
        until(watch, thing(2))
    assert server.asked == ["list", "watch"]


def test_after_a_drop_it_lists_and_watches_anew_with_a_growing_pause(server: Server) -> None:
    with watching(server) as watch:
        watch.get()
        server.now = thing(2)
        for drop in range(4):
            server.pieces.put(END)
        start = time.monotonic()
        until(watch, thing(2))
        server.pieces.put(event("MODIFIED", thing(3)))
        until(watch, thing(3))
        assert time.monotonic() - start > 0.05 + 0.1 + 0.2 + 0.2 - 0.05
    assert server.asked == ["list", "watch"] * 5


@pytest.mark.parametrize("how", ["status", "event", "no JSON", "no event"])
def test_a_version_that_is_too_old_leads_back_to_the_list(server: Server, how: str) -> None:
    if how == "status":
        server.refuse["watch"] = [(410, refusal(410, "Expired"))]
    else:
        server.pieces.put({"event": event("ERROR", refusal(410, "Expired")), "no JSON": b"oops\n", "no event": b"3\n"}[how])
    with watching(server) as watch:
        assert watch.get() == thing(1)
        server.now = thing(2)
        until(watch, thing(2))
    assert server.asked == ["list", "watch"] * 2


def test_an_old_stream_is_given_up_for_a_fresh_list(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube_watch, "RESYNC", 0.2)
    with watching(server) as watch:
        watch.get()
        server.now = thing(2)
        until(watch, thing(2))
    assert server.asked[:4] == ["list", "watch"] * 2


def test_a_refused_token_is_renewed_for_the_list_and_for_the_watch(server: Server) -> None:
    server.tokens = {"one"}
    with watching(server, "one", "two") as watch:
        watch.get()
        server.tokens, server.now = {"two"}, thing(2)
        server.pieces.put(END)
        until(watch, thing(2))
        server.pieces.put(event("MODIFIED", thing(3)))
        until(watch, thing(3))
    assert server.asked == ["list", "list", "watch", "list", "list", "watch"]


def test_a_token_that_ends_between_list_and_watch_is_renewed_too(server: Server) -> None:
    server.refuse["watch"] = [(401, refusal(401, "Unauthorized"))]
    with watching(server, "one") as watch:
        watch.get()
        server.pieces.put(event("MODIFIED", thing(3)))
        until(watch, thing(3))
    assert server.asked == ["list", "watch", "watch"]


def test_credentials_that_no_one_can_renew_are_told_where_it_is_waited(server: Server) -> None:
    with watching(server) as watch:
        watch.get()
        server.tokens = set()
        server.pieces.put(END)
        with pytest.raises(RayError) as caught:
            until(watch, None)
    assert caught.value.code == "AUTH" and server.asked == ["list", "watch", "list"]


def test_who_may_get_but_not_list_or_watch_reads_at_intervals(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube_watch, "PLAIN", 0.1)
    for kind, asked in (("watch", ["list", "watch"]), ("list", ["list"])):
        server.refuse, server.asked, server.now = {kind: [(403, refusal(403, "Forbidden"))]}, [], thing(1)
        with watching(server) as watch:
            for look in range(5):
                assert watch.get() == thing(1)
            assert server.asked == [*asked, "get"]
            server.now = None
            start = time.monotonic()
            watch.wait(5)
            assert 0.05 < time.monotonic() - start < 3, "nothing tells of a change, so it is looked for at intervals"
            assert watch.get() is None
        assert server.asked == [*asked, "get", "get"]


def test_who_may_not_even_get_is_told_so(server: Server) -> None:
    server.refuse = {kind: [(403, refusal(403, "Forbidden"))] for kind in ("list", "get")}
    with watching(server) as watch, pytest.raises(RayError) as caught:
        watch.get()
    assert caught.value.code == "FORBIDDEN"


def test_a_stream_that_is_held_back_on_its_way_is_not_waited_for(server: Server) -> None:
    server.chunked = False
    with watching(server) as watch:
        assert watch.get() == thing(1)
        assert watch._plain
    server.pieces.put(END)


def test_streams_that_never_begin_are_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy on the way may hold back even the head of the answer, while it lets lists pass."""
    monkeypatch.setattr(kube_watch, "OUTAGE", 0.2)
    monkeypatch.setattr(kube_watch, "PLAIN", 0.1)
    server.refuse["watch"] = [(0, None)] * 50
    with watching(server) as watch:
        watch.get()
        server.now = thing(2)
        until(watch, thing(2))
        while not watch._plain:
            watch.wait(1)
            watch.get()
        server.now = thing(3)
        until(watch, thing(3))
    assert server.asked.count("watch") == kube_watch.BLOCKED


def test_an_api_server_that_is_away_for_a_moment_is_waited_for(server: Server) -> None:
    with watching(server) as watch:
        watch.get()
        server.refuse["list"] = [(500, refusal(500, "InternalError")), (0, None), (503, refusal(503, "ServiceUnavailable"))]
        server.now = thing(2)
        server.pieces.put(END)
        until(watch, thing(2))
    assert server.asked == ["list", "watch", "list", "list", "list", "list", "watch"]


def test_one_that_stays_away_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube_watch, "OUTAGE", 0.3)
    with watching(server) as watch:
        watch.get()
        server.refuse["list"] = [(0, None)] * 50
        server.pieces.put(END)
        start = time.monotonic()
        with pytest.raises(RayError) as caught:
            until(watch, None)
        assert caught.value.code == "CONNECTION" and time.monotonic() - start > 0.25
    assert len(server.asked) < 10


def test_at_the_start_a_server_that_is_away_is_an_error_after_a_few_tries(server: Server) -> None:
    server.refuse["list"] = [(503, refusal(503, "ServiceUnavailable"))] * 2
    with watching(server) as watch:
        assert watch.get() == thing(1)
    assert server.asked == ["list"] * 3 + ["watch"]


def test_close_ends_a_read_that_blocks_with_its_thread_and_connection(server: Server) -> None:
    with watching(server) as watch:
        watch.get()
        assert [x.name for x in threading.enumerate()].count("watch") == 1
        assert len(server.connections) == 1
        start = time.monotonic()
    assert time.monotonic() - start < 0.5
    assert "watch" not in [x.name for x in threading.enumerate()]
    assert server.gone.wait(2), "the connection is still open"


def test_the_wait_can_be_broken_off_by_a_signal(server: Server) -> None:
    class Cancelled(BaseException):
        pass

    def cancel(*args: t.Any) -> None:
        raise Cancelled

    old = signal.signal(signal.SIGALRM, cancel)
    try:
        with pytest.raises(Cancelled), watching(server) as watch:
            watch.get()
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            watch.wait(30)
    finally:
        signal.signal(signal.SIGALRM, old)


def test_a_watch_and_other_requests_need_two_connections(server: Server) -> None:
    kube = Kube(access(server))
    with kube.watch("VMRayCluster", "c", "ns") as watch:
        for look in range(5):
            assert watch.get() == kube.get("VMRayCluster", "c", "ns") == thing(1)
    kube.close()
    assert len(server.connections) == 2


def test_trust_is_told_where_it_is_waited_and_not_asked_for_again(server: Server) -> None:
    access = Access({"host": server.url.replace("http", "https"), "api_key": "x"})
    start = time.monotonic()
    with Kube(access).watch("VMRayCluster", "c", "ns") as watch, pytest.raises(RayError) as caught:
        watch.get()
    assert caught.value.code == "TLS" and time.monotonic() - start < 2
