# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of a controller's API as the modules of awx.awx need to make its objects: kept, found by name, changed, linked. It judges nothing."""

from __future__ import annotations

import http.server
import itertools
import json
import re
import threading
import typing as t
from urllib.parse import parse_qsl, urlsplit

PREFIX = "/api/v2/"
# Lists that belong to an object, by which others are linked to it.
LINKS = ("credentials", "success_nodes", "failure_nodes", "always_nodes", "instance_groups", "labels")


class Controller(http.server.ThreadingHTTPServer):
    """``objects``: kind -> id -> object. ``writes``: method and path of each request that was no read."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ids = itertools.count(1)
        self.objects: dict[str, dict[int, dict]] = {}
        self.links: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[tuple[str, int], dict] = {}
        self.writes: list[str] = []
        self.add("organizations", {"name": "Default"})
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def add(self, kind: str, about: dict) -> dict:
        number = next(self.ids)
        url = f"{PREFIX}{kind}/{number}/"
        # A project is there after its first update.
        kept = {"scm_revision": "1", "status": "successful", **about, "id": number, "type": kind.rstrip("s"), "url": url,
                "related": {"survey_spec": f"{url}survey_spec/"}, "summary_fields": {}}
        self.objects.setdefault(kind, {})[number] = kept
        return kept

    def named(self, kind: str) -> dict[str, dict]:
        return {item.get("name", item.get("identifier")): item for item in self.objects[kind].values()}

    def found(self, kind: str, query: dict[str, str]) -> list[dict]:
        """Those of a kind that have these values, where they have such a field at all; the unified kind has two."""
        kinds = ("job_templates", "workflow_approval_templates") if kind == "unified_job_templates" else (kind,)
        items = [item for one in kinds for item in self.objects.get(one, {}).values()]
        wanted = {name.removeprefix("or__"): value for name, value in query.items() if name not in ("type", "page_size", "or__id")}
        return [item for item in items if all(str(item.get(name, "")) == value for name, value in wanted.items())]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Controller
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: t.Any) -> None:
        """Nothing: the tests look at ``writes``."""

    def answer(self, code: int, body: t.Any = None) -> None:
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def parts(self) -> tuple[str, int | None, str]:
        """Kind, id and what of the object is meant."""
        match = re.fullmatch(rf"{PREFIX}(\w+)/(?:(\d+)/)?(?:(\w+)/)?", urlsplit(self.path).path)
        assert match, self.path
        return match[1], int(match[2]) if match[2] else None, match[3] or ""

    def do_GET(self) -> None:
        kind, number, part = self.parts()
        if number is None:
            found = self.server.found(kind, dict(parse_qsl(urlsplit(self.path).query)))
            self.answer(200, {"count": len(found), "results": found, "next": None})
        elif part == "survey_spec":
            self.answer(200, self.server.surveys.get((kind, number), {}))
        elif part in LINKS:
            linked = [{"id": one} for one in self.server.links.get((kind, number, part), [])]
            self.answer(200, {"count": len(linked), "results": linked, "next": None})
        else:
            self.answer(200, self.server.objects[kind][number])

    def do_POST(self) -> None:
        kind, number, part = self.parts()
        body = self.body()
        self.server.writes.append(f"POST {self.path}")
        if number is None:
            self.answer(201, self.server.add(kind, body))
        elif part == "survey_spec":
            self.server.surveys[kind, number] = body
            self.answer(200, {})
        elif part == "create_approval_template":
            approval = self.server.add("workflow_approval_templates", body)
            self.server.objects[kind][number]["unified_job_template"] = approval["id"]
            self.server.objects[kind][number]["related"]["unified_job_template"] = approval["url"]
            self.answer(201, approval)
        else:
            assert part in LINKS, self.path
            self.server.links.setdefault((kind, number, part), []).append(body["id"])
            self.answer(204)

    def do_PATCH(self) -> None:
        kind, number, _part = self.parts()
        self.server.writes.append(f"PATCH {self.path}")
        self.server.objects[kind][number or 0] |= self.body()
        self.answer(200, self.server.objects[kind][number or 0])

    def body(self) -> dict:
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
