# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection that follows a script of HTTP calls: one more, one less, or another than written fails."""

from __future__ import annotations

import json as jsonlib
import typing as t
from urllib.parse import urlencode

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.vcf.ray.plugins.module_utils import _wait
from ansible_collections.vcf.ray.plugins.module_utils._clients.vcenter import VCenter
from ansible_collections.vcf.ray.plugins.module_utils._http import Http, Reply
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task

MISSING = 404, {"error_type": "NOT_FOUND", "messages": [{"id": "x.not_found", "default_message": "Not there.", "args": []}]}


def refusal(status: int, code: str, text: str) -> tuple[int, dict]:
    """An answer as vCenter refuses with."""
    return status, {"error_type": code, "messages": [{"id": "x.refused", "default_message": text, "args": []}]}


class Conversation(Http):
    """Http with the wire taken out: what is refused is told by the real code.

    The script is a list of ``(method, path with query, body, answer)``; an answer is a decoded body, or a pair of status and
    body. An exception as answer is raised; a body of ``...`` matches any.
    """

    def __init__(self, *script: tuple[str, str, t.Any, t.Any]) -> None:
        self.what, self.base_url, self.ca_path = "vCenter vc", "https://vc", None
        self.script = list(script)
        self.headers: list[dict] = []
        self.closed = False

    def request(self, method: str, path: str, *, json: t.Any = None, data: t.Any = None, query: dict | None = None,
                headers: dict | None = None, auth: t.Any = None, ok404: bool = False, accept: t.Container[int] = (),
                safe: bool = False, into: t.Any = None) -> Reply:
        got = (method, path + (f"?{urlencode(query, doseq=True)}" if query else ""), json if data is None else data)
        assert self.script, f"one call too many: {got}"
        *wanted, answer = self.script.pop(0)
        assert got[:2] == tuple(wanted[:2]) and wanted[2] in (got[2], ...), f"{got} instead of {wanted}"
        self.headers.append(headers or {})
        if isinstance(answer, Exception):
            raise answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        reply = Reply(status, body if data is not None else jsonlib.dumps(body) if body is not None else "", {})
        if status < 300 or (ok404 and status == 404) or status in accept:
            return reply
        raise self._refused(method, path, reply)

    def close(self) -> None:
        self.closed = True

    def done(self) -> None:
        assert not self.script, f"never called: {self.script}"


def vcenter(*script: tuple[str, str, t.Any, t.Any]) -> tuple[VCenter, Conversation]:
    """A client without a session, and its conversation."""
    http = Conversation(*script)
    return VCenter(http), http


def task_for(module: t.Any, check_mode: bool = False, **options: t.Any) -> Task:
    """A task with the options as Ansible would hand them over, defaults filled in; it does not wait long."""
    result = ArgumentSpecValidator({**_wait.ARGSPEC, **module.SPEC}).validate({"wait_timeout": 0, **options})
    assert not result.error_messages, result.error_messages
    return Task(result.validated_parameters, check_mode=check_mode, diff_mode=True)


def run(module: t.Any, *script: tuple[str, str, t.Any, t.Any], check_mode: bool = False, **options: t.Any) -> dict:
    """What the module does in this conversation, which has to be held to its end; also when it raises."""
    client, http = vcenter(*script)
    try:
        return module.ensure(task_for(module, check_mode, **options), client)
    finally:
        http.done()
