# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One address in a repository of files that takes PUT, such as a generic one of Artifactory or a raw one of Nexus."""

from __future__ import annotations

import contextlib
import hashlib
import typing as t
from urllib.parse import urlsplit

from ansible.module_utils.basic import env_fallback

from .._errors import RayError
from .._http import Http, Reply
from .._ports import Json, Task
from . import proxy

ARGSPEC = {
    "url": {"type": "str", "required": True},
    "username": {"type": "str", "fallback": (env_fallback, ["VCF_RAY_REPOSITORY_USERNAME"])},
    "password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["VCF_RAY_REPOSITORY_PASSWORD"])},
    "ca_path": {"type": "path", "fallback": (env_fallback, ["VCF_RAY_REPOSITORY_CA_PATH"])},
    "validate_certs": {"type": "bool", "default": True},
    **proxy.ARGSPEC,
}
# The checksum is that of the file as it is, so no server may compress it on the way.
HEADERS = {"Accept-Encoding": "identity"}
CHECKSUM = "X-Checksum-Sha256"
REDIRECTS = range(300, 400)
# A HEAD has no body to tell a reason by, so a GET is asked after it; but never one more with a login that was refused.
ASK_AGAIN = frozenset(range(300, 600)) - {401}
# Seconds to connect, and for a server to take a large file in and check it.
TIMEOUT = (30, 300)
# By the status of a refusal: our code for it, and the next step. 409 is no CONFLICT of two clients that a second try could settle.
REFUSALS = {
    400: ("INPUT", "The repository may not allow what was asked, such as to replace a file; look at its settings."),
    401: ("AUTH", "Check username and password. They were sent once, as a server may lock an account after a few refused logins."),
    403: ("UNAUTHORIZED", "The account needs the right to write there; to replace or remove a file, also the right to delete."),
    404: ("NOT_FOUND", "Check the name of the repository in url. Servers also answer so when the account has no right to write or delete."),
    405: ("UNSUPPORTED", "url must be the address of a file in a repository that takes files: a local (hosted) one, not a remote or virtual one."),
    409: ("INPUT", "A folder is at that path, or a file where it needs a folder, or this file is not taken there; choose another path in url."),
    413: ("FAILED", "The server, or a proxy before it, limits how long a file may be; ask its administrator for more."),
    507: ("FAILED", "The repository is full; remove old files from it, or ask its administrator for more room, then run again."),
}


class FileRepository:
    """The file at ``url``, and the server that keeps it.

    Args:
        http: connection to the server of the address.
        url: the address as the user gave it.
        login: user and password, which go along with every request; None for a server that asks for none.
    """

    def __init__(self, http: Http, url: str, login: tuple[str, str] | None = None) -> None:
        self.url, self._http, self._login = url, http, login
        self._path = urlsplit(url).path

    @property
    def name(self) -> str:
        return self._path.rsplit("/", 1)[-1]

    def find(self) -> Json | None:
        """``url``, ``checksum`` and ``size`` of the file that is there, or None. A server that tells no checksum is asked for the whole file."""
        told = self._asked("HEAD", accept=ASK_AGAIN)
        checksum, length = told.headers.get(CHECKSUM), told.headers.get("Content-Length") or ""
        if told.status == 404:
            return None
        if checksum and told.status < 400:
            return {"url": self.url, "checksum": f"sha256:{checksum.lower()}", "size": int(length) if length.isdigit() and told.status == 200 else None}
        digest, sizes = hashlib.sha256(), [0]

        def take(piece: bytes) -> None:
            digest.update(piece)
            sizes.append(len(piece))

        if self._asked("GET", into=take, ok404=True, headers=HEADERS).status == 404:
            return None
        return {"url": self.url, "checksum": f"sha256:{digest.hexdigest()}", "size": sum(sizes)}

    def put(self, content: bytes, checksum: str) -> None:
        """Upload; a server that knows the header refuses a file that arrives as another one."""
        headers = {"Content-Type": "application/octet-stream", CHECKSUM: checksum.removeprefix("sha256:")}
        reply = self._asked("PUT", data=content, headers=headers)
        sums = reply.json.get("checksums") if isinstance(reply.json, dict) else None
        found = sums.get("sha256") if isinstance(sums, dict) else None
        if found and f"sha256:{found}" != checksum:
            raise RayError(f"{self.url} was uploaded with {checksum}, and the server has it with sha256:{found}.", code="FAILED",
                           hint="What stands there is not the file. Look what is between here and the server, and run again with overwrite.")

    def remove(self) -> None:
        self._asked("DELETE", ok404=True)

    def _asked(self, method: str, accept: t.Container[int] = (), **kwargs: t.Any) -> Reply:
        try:
            reply = self._http.request(method, self._path, auth=self._login, accept=accept or REDIRECTS, **kwargs)
        except RayError as error:
            raise self._explained(error) from error
        if reply.status in REDIRECTS and not accept:
            raise self._elsewhere(method, reply)
        return reply

    def _explained(self, error: RayError) -> RayError:
        """The same error with what the user can do about it."""
        status = error.details.get("status")
        if status in REFUSALS:
            error.code, error.hint = REFUSALS[status]
        if status == 401:
            # A HEAD is refused without words.
            words = f": {error.details['vendor']}" if error.details["vendor"] != "no reason given" else ""
            who = f"the login of {self._login[0]}" if self._login else "a request without a login"
            error.message = f"{self._http.what} refuses {who}{words} (401)."
            error.hint = error.hint if self._login else "Set username and password."
        return error

    def _elsewhere(self, method: str, reply: Reply) -> RayError:
        """A redirect is not followed, as the login would go along. What is behind ``?`` in its address may be a secret."""
        target = (reply.headers.get("Location") or "nowhere").split("?")[0]
        return RayError(f"{self._http.what} answers {method} {self._path} with another address, {target} ({reply.status}), which was not followed.",
                        code="FAILED", hint="The login would go there too. If that is the repository, give its address as url; a page to log in is not.")


def _parts(url: str) -> t.Any:
    """The parts of an address that can be used. One that cannot is not repeated whole, as a login may stand in it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _unusable("it is no address") from None
    if parts.scheme != "https" or not host or port == 0:
        raise _unusable("it does not begin with https:// and a name, and the login may not go over a connection that others can read")
    if "@" in parts.netloc:
        raise _unusable(f"it carries a login for {host}, and results show it; that belongs into username and password")
    if parts.query or parts.fragment:
        raise _unusable(f"it has a ? or # behind {host}{parts.path}, and what is behind it may be a secret, which results would show")
    if parts.path.rsplit("/", 1)[-1] in ("", ".", "..") or {".", ".."} & set(parts.path.split("/")):
        raise _unusable(f"{host}{parts.path} does not end with the name of a file")
    return parts


def _unusable(why: str) -> RayError:
    return RayError(f"The address in url cannot be used: {why}.", code="INPUT", hint="Write it like https://files.example.com/REPOSITORY/FOLDER/FILE.")


@contextlib.contextmanager
def connect(task: Task) -> t.Iterator[FileRepository]:
    """A FileRepository for the options of ARGSPEC."""
    p = task.params
    host = _parts(p["url"]).netloc
    http = Http(f"https://{host}", ca_path=p["ca_path"], validate_certs=p["validate_certs"], timeout=TIMEOUT, proxy=proxy.url(p),
                what=f"The repository {host}")
    try:
        yield FileRepository(http, p["url"], (p["username"], p["password"]) if p["username"] else None)
    finally:
        http.close()
