# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a registry asks with a 401, and how it is answered: the login itself, or a token that another server gives for it."""

from __future__ import annotations

import base64
import re
import typing as t
from urllib.parse import urlsplit

from .._errors import RayError
from .._http import Http, Reply, vendor_text

FIELD = re.compile(r'([a-zA-Z]+)="([^"]*)"')


def header(reply: Reply, host: str, repository: str, login: tuple[str, str] | None, opened: t.Callable[[str], Http],
           refused: t.Callable[[Reply], RayError]) -> dict[str, str]:
    """The header that answers the challenge of ``reply``.

    Args:
        opened: gives a connection to the server of the tokens.
        refused: gives the error for an answer that is a refusal.
    """
    challenge = reply.headers.get("WWW-Authenticate") or ""
    kind = challenge.split(" ", 1)[0].lower()
    if kind == "bearer":
        fields = {name.lower(): value for name, value in FIELD.findall(challenge)}
        return {"Authorization": f"Bearer {_token(fields, host, repository, login, opened, refused)}"}
    if login is None or kind != "basic":
        raise refused(reply)
    return {"Authorization": f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"}


def _token(fields: dict[str, str], host: str, repository: str, login: tuple[str, str] | None, opened: t.Callable[[str], Http],
           refused: t.Callable[[Reply], RayError]) -> str:
    realm = urlsplit(fields.get("realm", ""))
    if realm.scheme not in ("https", "http") or not realm.hostname:
        raise RayError(f"Registry {host} does not say where its tokens are had: {fields.get('realm', '')!r}.", code="FAILED",
                       hint="Its own address is part of a registry's configuration; tell who runs it.")
    http = opened(f"{realm.scheme}://{realm.netloc}")
    query = {"service": fields.get("service"), "scope": fields.get("scope") or f"repository:{repository}:pull"}
    try:
        answer = http.request("GET", realm.path or "/", query={name: value for name, value in query.items() if value}, auth=login, accept=(401, 403))
    finally:
        http.close()
    body = answer.json if isinstance(answer.json, dict) else {}
    token = body.get("token") or body.get("access_token")
    if answer.status >= 400 or not token:
        raise refused(answer)
    return str(token)


def denied(host: str, reply: Reply, login: tuple[str, str] | None, prefix: str) -> RayError:
    """The error for an answer that is a refusal of a login (401), or of what an account may do (403)."""
    text = vendor_text(reply)[1]
    said = "" if text == "no reason given" else f": {text}"
    details = {"status": reply.status}
    if reply.status == 403:
        who = f"the account {login[0]}" if login else "who has not logged in"
        return RayError(f"Registry {host} does not allow this to {who}{said}.", code="AUTH", details=details,
                        hint="Ask who runs the registry for the right to the repository.")
    if login is None:
        return RayError(f"Registry {host} wants a login{said}.", code="AUTH", details=details,
                        hint=f"Give {prefix}username and {prefix}password, or log in with docker or podman before.")
    return RayError(f"Registry {host} refuses the login of {login[0]}{said}.", code="AUTH", details=details,
                    hint=f"Check {prefix}username and {prefix}password. The login was sent once, and is not tried again.")
