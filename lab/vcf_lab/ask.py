# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Short HTTP calls of the lab to its own parts, by the standard library only.

They run in every `lab status`, so that they must not cost an import of aiohttp.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from .settings import Lab


class Unanswered(Exception):
    """A sentence: who did not answer what was asked, and how."""


def tls(lab: Lab, *, admin: bool = False) -> ssl.SSLContext:
    """Trust the lab's CA alone; as the cluster's administrator when asked for."""
    context = ssl.create_default_context(cafile=str(lab.ca_cert))
    if admin:
        folder = lab.ca_cert.parent
        context.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    return context


def status(
    url: str,
    *,
    context: ssl.SSLContext | None = None,
    timeout: float = 5.0,
    method: str = "GET",
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Status and body of any answer; `Unanswered` when there is none. A `body` is sent as JSON."""
    parts = urlsplit(url)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, path or "/", content, headers={"Accept": "application/json", **(headers or {})})
        reply = connection.getresponse()
        return reply.status, reply.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unanswered(f"{method} {url}: {error or type(error).__name__}") from error
    finally:
        connection.close()


def get(url: str, *, method: str = "GET", **more: Any) -> bytes:
    """Body of a 2xx answer; `Unanswered` for everything else."""
    code, answer = status(url, method=method, **more)
    if not 200 <= code < 300:
        raise Unanswered(f"{method} {url}: {code} {answer[:500].decode(errors='replace').strip()}")
    return answer


def basic(user: str, password: str) -> dict[str, str]:
    """Header of a login by name and password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def get_json(url: str, *, timeout: float = 30.0, **more: Any) -> Any:
    return json.loads(get(url, timeout=timeout, **more))


def told(action: Callable[[], int]) -> int:
    """Run a command's main; a part that does not answer is a sentence, not a traceback."""
    try:
        return action()
    except Unanswered as error:
        print(f"lab: {error} (see `lab status`)", file=sys.stderr)
        return 1
