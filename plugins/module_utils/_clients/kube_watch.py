# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest state of one object, told by the API server as it changes.

A list gives the state, a stream the changes since then; when the stream ends, for whatever reason, both are asked for anew, so
that nothing has to be known of why. (kubernetes.io, API concepts, "Efficient detection of changes": a watch ends with its
timeout, with the connection, or with 410 when its version is too old.)
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import typing as t

from .._errors import RayError
from .._ports import Json

try:
    from urllib3.exceptions import HTTPError
except ImportError:
    HTTPError = OSError  # type: ignore[misc,assignment]  # beside OSError it catches nothing more then

# Seconds that the server is asked to keep a stream open; the list after it is the resync.
STREAM_SECONDS = 240
# A stream that is older is given up even if the server would go on, and so is one that is silent for longer.
RESYNC = 270.0
# A stream that lived shorter than this has failed, and the next one is put off for a growing pause.
CALM = 10.0
FIRST_PAUSE, GROWTH, LONGEST_PAUSE = 0.5, 2.0, 10.0
# How long an API server may be away during a wait; a Supervisor's address moves when one of its machines fails.
OUTAGE = 60.0
# Between two plain reads of somebody who may not watch.
PLAIN = 2.0
# Streams in a row that could not be opened though lists are answered; then something on the way keeps them back.
BLOCKED = 3
CLOSING = 2.0
# Keepalive notices a dead peer within a minute, also while no byte is due. Names that a system lacks are skipped.
KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


class Watch:
    """Used by one thread, which makes all requests: a thread of the watch's own does nothing but read the stream.

    Args:
        listed: gives the object (None when it is not there) and the version of the list; the argument says whether failures
            are to be tried again.
        opened: gives the open answer of urllib3 to a watch from that version on.
        read: gives the object by a plain read, for users who may not list or watch.
    """

    def __init__(self, listed: t.Callable[[bool], tuple[Json | None, str]], opened: t.Callable[[str], t.Any],
                 read: t.Callable[[], Json | None]) -> None:
        self._listed, self._opened, self._read = listed, opened, read
        self._changed = threading.Condition()
        self._object: Json | None = None
        self._known = self._news = self._plain = False
        self._stream: Stream | None = None
        self._due, self._pause, self._lost, self._blocked = 0.0, FIRST_PAUSE, 0.0, 0

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def get(self) -> Json | None:
        """The newest state that is known, None when the object is gone; no request while a stream tells.

        Raises:
            RayError: what cannot be mended by asking again; an API server that is away only after a while.
        """
        self._keep_up()
        with self._changed:
            self._news = False
            return self._object

    def wait(self, seconds: float, least: float = 0.0) -> None:
        """Return when something has changed since ``get``, but not before ``least`` and not after ``seconds``."""
        now = time.monotonic()
        # Without a stream nothing will be told: be back when the next one is due.
        end = now + seconds if self._stream or not self._known else min(now + seconds, self._due)
        with self._changed:
            self._changed.wait_for(lambda: False, min(least, seconds))
            self._changed.wait_for(self._stirred, max(0.0, end - time.monotonic()))

    def close(self) -> None:
        """End the stream, its connection and its thread."""
        if self._stream:
            self._stream.close()
            self._stream = None

    def _stirred(self) -> bool:
        return self._news or bool(self._stream and self._stream.over)

    def _keep_up(self) -> None:
        now = time.monotonic()
        if self._stream:
            age = now - self._stream.since
            if not self._stream.over and age < RESYNC:
                return
            self.close()
            if age < CALM:
                self._put_off(now)
            else:
                self._pause = FIRST_PAUSE
        if now >= self._due:
            self._ask(now)

    def _ask(self, now: float) -> None:
        try:
            self._ask_plainly() if self._plain else self._ask_and_stream()
        except RayError as error:
            if not self._known or not _may_pass(error):
                raise
            self._lost = self._lost or now
            if now - self._lost >= OUTAGE:
                raise
            self._put_off(now)
        else:
            self._lost = 0.0

    def _ask_and_stream(self) -> None:
        try:
            found, version = self._listed(not self._known)
            self._object, self._known, self._lost = found, True, 0.0
            if self._blocked == BLOCKED:
                self._go_plain()
                return
            self._blocked += 1
            answer = self._opened(version)
            self._blocked = 0
        except RayError as error:
            if error.code != "FORBIDDEN":
                raise
            self._plain = True
            self._ask_plainly()
            return
        if answer.chunked:
            self._stream = Stream(answer, self._changed, self._heard)
        else:
            # Something on the way keeps the events back until it has them all.
            answer.close()
            self._go_plain()

    def _go_plain(self) -> None:
        """From now on without streams; what the list gave holds for a while."""
        self._plain, self._due = True, time.monotonic() + PLAIN

    def _ask_plainly(self) -> None:
        self._object, self._known = self._read(), True
        self._due = time.monotonic() + PLAIN

    def _put_off(self, now: float) -> None:
        self._due = now + self._pause
        self._pause = min(self._pause * GROWTH, LONGEST_PAUSE)

    def _heard(self, event: Json) -> bool:
        """Take in one event; False when it is the last one. Runs in the stream's thread, which holds the lock."""
        kind, found = event.get("type"), event.get("object")
        if kind in ("ADDED", "MODIFIED", "DELETED") and found:
            self._object, self._news = None if kind == "DELETED" else found, True
        # Bookmarks tell nothing here; an ERROR (410 and others) ends what can be told.
        return kind != "ERROR"


class Stream:
    """One open answer, and the thread that reads it to its end.

    Args:
        answer: of urllib3, not read yet.
        changed: guards what ``heard`` changes, and is told of each event and of the end.
        heard: takes an event and says whether to go on.
    """

    def __init__(self, answer: t.Any, changed: threading.Condition, heard: t.Callable[[Json], bool]) -> None:
        self._answer, self._changed, self._heard = answer, changed, heard
        self.since, self.over, self._closed = time.monotonic(), False, False
        # A second handle of the connection's socket: whatever urllib3 does with its own, this one ends a read that blocks.
        self._socket = socket.socket(fileno=os.dup(answer.fileno()))
        self._keep_alive()
        self._thread = threading.Thread(target=self._pump, name="watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed = True
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The other side was faster.
            pass
        self._thread.join(CLOSING)
        self._socket.close()

    def _keep_alive(self) -> None:
        connection = getattr(self._answer, "connection", None)
        if connection is not None and getattr(connection, "sock", None) is not None:
            # Until the answer began, the timeout was that of any request.
            connection.sock.settimeout(RESYNC)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in KEEPALIVE.items():
                if hasattr(socket, name):
                    self._socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        except OSError:
            # A socket of another family, or one that is closed already: the read will tell.
            pass

    def _pump(self) -> None:
        try:
            self._read_events()
        except (HTTPError, OSError, ValueError):
            # Cut off, or no JSON: all that matters is that the stream is over.
            pass
        finally:
            self._answer.close()
            with self._changed:
                self.over = True
                self._changed.notify_all()

    def _read_events(self) -> None:
        rest = b""
        # One chunk after the other, as they come; an event is a line.
        for part in self._answer.stream(None):
            *lines, rest = (rest + part).split(b"\n")
            for line in filter(None, lines):
                event = json.loads(line)
                with self._changed:
                    if self._closed or not isinstance(event, dict) or not self._heard(event):
                        return
                    self._changed.notify_all()


def _may_pass(error: RayError) -> bool:
    """An API server that is away or overwhelmed, or a version that is too old; not trust, credentials or rights."""
    status = error.details.get("status") or 0
    return error.code == "CONNECTION" or status in (410, 429) or status >= 500
