# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a package: given, out of a file, or from a server; what is not the file that was meant goes no further."""

from __future__ import annotations

import hashlib
import io
import re
import typing as t
from urllib.parse import urljoin, urlsplit

from .._errors import RayError
from .._http import Http, Reply
from .._ports import Json
from . import proxy

ARGSPEC = {
    "package": {"type": "path"},
    "content": {"type": "str"},
    "url": {"type": "str"},
    "checksum": {"type": "str"},
    "url_ca_path": {"type": "path"},
    **{f"url_{name}": option for name, option in proxy.ARGSPEC.items()},
}
SOURCES = ("package", "content", "url")
CHECKSUM = re.compile(r"sha256:[0-9a-fA-F]{64}$")
# A package is some ten thousand bytes; etcd, where it ends, takes no more than a million and a half.
LIMIT = 4 * 1024 * 1024
REDIRECTS, MOST_REDIRECTS = (301, 302, 303, 307, 308), 5


class Package(t.NamedTuple):
    """The text of a package, and in words where it is from."""

    text: str
    what: str


def package_of(params: Json) -> Package | None:
    """The package that the options of ARGSPEC name, or None when they name none.

    Raises:
        RayError: ``INPUT`` when it is not there, not text, a web page, or has another checksum.
    """
    source = next((name for name in SOURCES if params.get(name) is not None), None)
    checksum = params.get("checksum")
    if checksum and not CHECKSUM.match(checksum):
        raise RayError(f"The checksum {checksum!r} is none that can be used.", code="INPUT",
                       hint="Write sha256: and the 64 digits that sha256sum tells of the file.")
    if source is None:
        return None
    if source == "url":
        what, content = f"package at {params['url']}", _fetched(params["url"], params.get("url_ca_path"), _way(params))
    elif source == "package":
        what, content = f"package {params['package']}", _read(params["package"])
    else:
        what, content = "package in the option content", params["content"].encode()
    if checksum:
        _compare(f"The {what}", content, checksum)
    return Package(_as_text(f"The {what}", content), what)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(LIMIT + 1)
    except OSError as error:
        raise RayError(f"The package {path} cannot be read: {error.strerror}.", code="INPUT",
                       hint="Name the YAML file of the package with package, a path where the task runs.") from error


def _way(params: Json) -> str | None:
    return proxy.url({name: params.get(f"url_{name}") for name in proxy.ARGSPEC})


def _fetched(url: str, ca_path: str | None, way: str | None) -> bytes:
    """The bytes at ``url``, by TLS that is verified at every step."""
    for turn in range(MOST_REDIRECTS):
        try:
            reply, content = _taken(url, ca_path, way)
        except RayError as error:
            # Two servers, two files of authorities: this one's option has another name.
            error.hint = (error.hint or f"Look at {url} with a browser.").replace("with ca_path", "with url_ca_path")
            raise
        if reply.status not in REDIRECTS:
            return content
        url = urljoin(url, reply.headers.get("Location") or "")
    raise RayError(f"The server sends from one address to the next, lastly to {url}.", code="INPUT", hint="Give the address where the file is.")


def _taken(url: str, ca_path: str | None, way: str | None) -> tuple[Reply, bytes]:
    """One answer, over a connection of its own."""
    parts = _parts(url)
    http = Http(f"https://{parts.netloc}", ca_path=ca_path, proxy=way, what=f"the server {parts.netloc}", headers={"Accept-Encoding": "identity"})
    taken = _Bounded(url)
    http.session.hooks["response"].append(taken)
    http.session.stream = True
    try:
        reply = http.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), accept=REDIRECTS)
    finally:
        http.close()
    return reply, taken.content


def _parts(url: str) -> t.Any:
    """The parts of an address that can be used. One that cannot is not repeated whole, as a login may stand in it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _unusable("") from None
    if parts.scheme != "https" or not host or "@" in parts.netloc or port == 0:
        raise _unusable(f" {parts.scheme or ''}://{host or ''}")
    return parts


def _unusable(address: str) -> RayError:
    return RayError(f"The address{address} in url cannot be used for a package.", code="INPUT",
                    hint="It has to begin with https:// and to carry no login. Else fetch the file by other means, and name it with package.")


class _Bounded:
    """A hook for answers: takes one as it comes, and no further than LIMIT."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.content = b""

    def __call__(self, answer: t.Any, **_kwargs: t.Any) -> t.Any:
        self.content = b""
        for chunk in answer.iter_content(65536):
            self.content += chunk
            if len(self.content) > LIMIT:
                answer.close()
                raise RayError(f"The file at {self._url} is longer than {LIMIT} bytes, so it is no package.", code="INPUT",
                               hint="Give the address of the YAML file with PackageMetadata and Package.")
        answer.close()
        # An answer that was taken cannot be read again: one with the same content stands in for it.
        whole = type(answer)()
        whole.status_code, whole.headers, whole.url, whole.request = answer.status_code, answer.headers, answer.url, answer.request
        whole.encoding, whole.raw = "utf-8", io.BytesIO(self.content)
        return whole


def _compare(what: str, content: bytes, checksum: str) -> None:
    found = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if found != checksum.lower():
        raise RayError(f"{what} has the checksum {found}, not {checksum.lower()}; nothing was sent to vCenter.", code="INPUT",
                       hint="It is another file than the one that was meant. Find out why before the checksum is changed.",
                       details={"checksum": found})


def _as_text(what: str, content: bytes) -> str:
    """What is plainly no YAML of a package is told here, in words that name the file; the rest is for vCenter to judge."""
    hint = "Give the YAML file with a PackageMetadata and a Package, as the build of the package writes it."
    if len(content) > LIMIT:
        raise RayError(f"{what} is longer than {LIMIT} bytes, so it is none.", code="INPUT", hint=hint)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RayError(f"{what} is no text: {_kind_of(content)}.", code="INPUT", hint=hint) from error
    start = text.lstrip()[:200].lower()
    if not start:
        raise RayError(f"{what} is empty.", code="INPUT", hint=hint)
    if start.startswith(("<!doctype html", "<html", "<?xml")):
        raise RayError(f"{what} is a web page, not a package: perhaps that of a login or of an error, which was saved in its place.",
                       code="INPUT", hint=f"Look at it with a browser. {hint}")
    return text


def _kind_of(content: bytes) -> str:
    if content.startswith(b"\x1f\x8b"):
        return "it is a compressed file, perhaps that of an image or of the whole bundle"
    return "it is not written in UTF-8"
