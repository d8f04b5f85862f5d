# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only HTTP of the collection: TLS, CA, one kept-alive connection, retry of safe calls, errors in one sentence."""

from __future__ import annotations

import json as jsonlib
import os
import re
import ssl
import time
import typing as t

from ._errors import MissingLibrary, RayError
from ._ports import Json
from ._trust import SystemTrust

try:
    import requests
    import urllib3

    HAS_REQUESTS = True
except ImportError:
    HAS_REQUESTS = False

SAFE = ("GET", "HEAD")
TRIES = 3
# How http.client ends a CONNECT that was answered with anything but 200.
TUNNEL = re.compile(r"Tunnel connection failed: (\d{3}) ?([^'\")]*)")
# How OpenSSL calls an answer that is none of TLS.
NO_TLS = ("wrong version number", "record layer failure")
# What a proxy answers that could not reach the server itself.
BEHIND = ("502", "503", "504")
CODES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "UNAUTHORIZED", 404: "NOT_FOUND", 409: "CONFLICT", 503: "SERVICE_UNAVAILABLE"}


class Reply:
    """One answer: ``status`` (int), ``text`` (str), ``json`` (decoded body, or None when the body is no JSON), ``headers``."""

    def __init__(self, status: int, text: str, headers: t.Mapping[str, str]) -> None:
        self.status, self.text, self.headers = status, text, headers
        try:
            self.json = jsonlib.loads(text) if text else None
        except ValueError:
            self.json = None


class Http:
    """One kept-alive connection to one server.

    Args:
        base_url: ``https://host[:port]``, without a path.
        ca_path: PEM file with the certificate authorities to trust; None means those of the system.
        validate_certs: False switches verification off, for this server only.
        timeout: seconds that one answer may take, or a pair: seconds to connect, and to answer.
        tries: how often a safe call is made at the most; 1 for a caller that comes again anyway.
        proxy: URL of the HTTP proxy to go through; those of the environment are never used.
        what: the name of the server in messages, such as ``vCenter vcenter.example.com``.
    Raises:
        RayError: from every method; code ``CONNECTION``, ``TLS``, ``PROXY``, ``INPUT`` or what the server answered.
    """

    def __init__(
        self,
        base_url: str,
        *,
        ca_path: str | None = None,
        validate_certs: bool = True,
        timeout: float | tuple[float, float] = 60,
        tries: int = TRIES,
        headers: Json | None = None,
        proxy: str | None = None,
        what: str = "the server",
    ) -> None:
        if not HAS_REQUESTS:
            raise MissingLibrary("requests")
        if ca_path and validate_certs:
            check_ca(ca_path, what)
        self.base_url, self.what, self.timeout, self.tries, self.ca_path, self.proxy = base_url, what, timeout, tries, ca_path, proxy
        self.session = requests.Session()
        # Environment variables would overrule verify= and add credentials of .netrc.
        self.session.trust_env = False
        self.session.verify = (ca_path or True) if validate_certs else False
        if not ca_path and validate_certs and self.base_url.startswith("https:"):
            self.session.mount("https://", SystemTrust())
        if not validate_certs:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self.session.headers.update(headers or {})
        if proxy:
            self.session.proxies = {"http": proxy, "https": proxy}

    def close(self) -> None:
        self.session.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        json: t.Any = None,
        data: str | bytes | None = None,
        query: Json | None = None,
        headers: Json | None = None,
        auth: tuple[str, str] | None = None,
        ok404: bool = False,
        accept: t.Container[int] = (),
        safe: bool = False,
        into: t.Callable[[bytes], t.Any] | None = None,
    ) -> Reply:
        """Send one request; one that only reads (a GET, or ``safe``) is tried again after a lost connection or a 503.

        Returns the Reply for 2xx, for 404 when ``ok404``, and for a status in ``accept`` (SOAP faults come as 500 with a
        body that the caller must read); every other status raises RayError.
        ``into`` takes the body of a 200 piece by piece, as it is; the Reply has no text then.
        """
        login = requests.auth.HTTPBasicAuth(auth[0].encode(), auth[1].encode()) if auth else None
        sent = {"json": json, "data": data, "params": query, "headers": headers, "stream": True if into else None, "auth": login}
        answer = self._send(method, path, sent, safe=safe or method in SAFE)
        if into and answer.status_code == 200:
            self._pour(answer, into)
            return Reply(200, "", answer.headers)
        reply = Reply(answer.status_code, answer.text, answer.headers)
        if reply.status < 300 or (ok404 and reply.status == 404) or reply.status in accept:
            return reply
        raise self._refused(method, path, reply)

    def _send(self, method: str, path: str, sent: Json, safe: bool) -> requests.Response:
        """The answer of the first try that is neither lost nor a 503, or of the last one."""
        for left in range((self.tries if safe else 1) - 1, -1, -1):
            try:
                answer = self.session.request(method, self.base_url + path, timeout=self.timeout, allow_redirects=False, **sent)
            except requests.exceptions.RequestException as error:
                reason = self._unreachable(error)
                if left and reason.code not in ("TLS", "PROXY"):
                    time.sleep(0.2 * (self.tries - left))
                    continue
                raise reason from error
            if answer.status_code != 503 or not left:
                return answer
            time.sleep(retry_after(answer.headers))
        raise AssertionError("the last try returns or raises")

    def _pour(self, answer: requests.Response, into: t.Callable[[bytes], t.Any]) -> None:
        """Not tried again when it breaks off, as what has been poured cannot be taken back."""
        try:
            for piece in answer.iter_content(65536):
                into(piece)
        except requests.exceptions.RequestException as error:
            raise self._unreachable(error) from error
        finally:
            answer.close()

    def _unreachable(self, error: Exception) -> RayError:
        if fault := proxy_fault(error, self.proxy, f"{self.what} at {self.base_url}"):
            return fault
        if speaks_no_tls(error):
            return RayError(f"{self.what} at {self.base_url} does not speak TLS on this port.", code="TLS", details={"speaks_tls": False},
                            hint="Check the port; an address that begins with http:// is asked without TLS.")
        # Who drops the connection in the middle of a handshake says nothing about trust: a balancer whose servers are away does it.
        if isinstance(error, requests.exceptions.SSLError) and "EOF occurred" not in str(error):
            return RayError(
                f"{self.what} at {self.base_url} cannot be trusted: {_tls_reason(error)}.",
                code="TLS",
                hint=f"Verified against {self.ca_path or 'the certificate authorities of this system'}; name the right CA file with ca_path.",
            )
        reason = "no answer in time" if isinstance(error, requests.exceptions.Timeout) else _innermost(error)
        return RayError(f"{self.what} at {self.base_url} cannot be reached: {reason}.", code="CONNECTION",
                        hint="Check the name, the port, and that it can be reached from here.")

    def _refused(self, method: str, path: str, reply: Reply) -> RayError:
        if reply.status == 407 and self.proxy:
            # Without TLS a proxy answers in the server's place.
            return _proxy_refusal("407", "", self.proxy, f"{self.what} at {self.base_url}")
        code, text = vendor_text(reply)
        ids = vendor_ids(reply)
        return RayError(
            f"{self.what} refused {method} {path.split('?', maxsplit=1)[0]}: {text} ({', '.join([f'{reply.status} {code}', *ids])}).",
            code=code,
            details={"status": reply.status, "vendor": text, "vendor_ids": ids,
                     **({"retry_after": retry_after(reply.headers)} if reply.status == 503 else {})},
        )


def proxy_fault(error: Exception, proxy: str | None, what: str) -> RayError | None:
    """The error of a request that ended at the proxy, so that nobody looks for it at the server; None when it did not.

    Args:
        error: of requests or urllib3, with all that it is made of in its text.
        what: the server with its address, for the beginning of the sentence.
    """
    if not proxy:
        return None
    if tunnel := TUNNEL.search(str(error)):
        return _proxy_refusal(tunnel[1], tunnel[2], proxy, what)
    if "ProxyError" not in (type(error).__name__, type(getattr(error, "reason", None)).__name__):
        return None
    name, reason = plain_proxy(proxy), _innermost(error).rstrip("'\")")
    return RayError(f"The proxy {name}, which leads to {what}, cannot be reached: {reason}.", code="CONNECTION", details={"proxy": name},
                    hint="Check name and port of the proxy. The server itself was not asked.")


def _proxy_refusal(status: str, words: str, proxy: str, what: str) -> RayError:
    name, answer = plain_proxy(proxy), f"{status} {words}".strip()
    if status in BEHIND:
        return RayError(f"The proxy {name} answers, and cannot reach {what}: {answer}.", code="CONNECTION", details={"proxy": name},
                        hint="Check the address of the server, whether it is up, and whether the proxy can reach and resolve it.")
    if status == "407":
        return RayError(f"The proxy {name} asks for a login before it leads to {what} ({answer}).", code="PROXY", details={"proxy": name},
                        hint="The options of a proxy carry no login: ask its administrator to let this host through, or name another proxy.")
    return RayError(f"The proxy {name} refuses the way to {what}: {answer}.", code="PROXY", details={"proxy": name},
                    hint="Ask its administrator to allow CONNECT to this address and port; many allow port 443 only.")


def plain_proxy(proxy: str) -> str:
    """The URL of a proxy without a login that stands in it."""
    scheme, separator, rest = proxy.rpartition("://")
    return scheme + separator + rest.rpartition("@")[2]


def vendor_text(reply: Reply) -> tuple[str, str]:
    """The vendor's error code and sentence out of a body of vCenter, Kubernetes, Ray or a repository; else the code that fits the status."""
    code, body = CODES.get(reply.status, "ERROR"), reply.json
    if isinstance(body, dict) and isinstance(body.get("errors"), list):
        return _listed(body["errors"], code)
    if isinstance(body, dict):
        texts = [m.get("localized") or m.get("default_message") or "" for m in body.get("messages") or [] if isinstance(m, dict)]
        text = " ".join(x for x in texts if x) or body.get("message") or body.get("msg") or ""
        return body.get("error_type") or body.get("reason") or code, text.strip().rstrip(".") or "no reason given"
    text = " ".join((reply.text or "").split())
    if "Traceback (most recent call last)" in text:
        # Ray answers with one; its last line that says something is the reason.
        text = [line.strip() for line in reply.text.splitlines() if line.strip(" .")][-1]
    if text.startswith("<"):
        text = "an HTML page instead of an answer of the API"
    return code, text[:300].rstrip(".") or "no reason given"


def _listed(errors: list[t.Any], code: str) -> tuple[str, str]:
    """Code and sentence of the errors of a repository: Artifactory has ``status`` and ``message`` in each, an OCI registry ``code`` and ``message``."""
    rows = [row for row in errors if isinstance(row, dict)]
    text = "; ".join(str(row["message"]).strip().rstrip(".") for row in rows if row.get("message"))
    return next((str(row["code"]) for row in rows if row.get("code")), code), text or "no reason given"


def vendor_ids(reply: Reply) -> list[str]:
    """The ids of vCenter's messages: what its knowledge base and other people's reports are searched by."""
    messages = reply.json.get("messages") if isinstance(reply.json, dict) else None
    return [m["id"] for m in messages or [] if isinstance(m, dict) and m.get("id")]


def check_ca(path: str, what: str, option: str = "ca_path") -> None:
    """Say that a CA file is unusable before anything is sent; requests says it only as OSError at the first call."""
    if not os.path.isfile(path):
        raise RayError(f"The CA file {path} for {what} is not there.", code="TLS", hint=f"Name a PEM file with {option}.")
    try:
        ssl.create_default_context(cafile=path)
    except (ssl.SSLError, OSError) as error:
        raise RayError(
            f"The CA file {path} for {what} holds no certificate that can be used: {error}.",
            code="TLS",
            hint="It must be PEM; an HTML or DER file will not do.",
        ) from error


def speaks_no_tls(error: BaseException) -> bool:
    """Whether TLS failed as it does with a server that answers in plain text."""
    return any(sign in str(error).replace("_", " ").lower() for sign in NO_TLS)


def _innermost(error: BaseException) -> str:
    """The last words of a chain of wrapped exceptions: those that name the cause."""
    inner = error.args[0] if error.args else None
    if isinstance(inner, Exception) and len(inner.args) == 2 and isinstance(inner.args[1], OSError):
        # A connection that was cut: ('Connection aborted.', the cause).
        return str(inner.args[1]).rstrip(".")
    reason = getattr(inner, "reason", None)
    return str(reason or error).split(": ", 1)[-1].rstrip(".")


def _tls_reason(error: Exception) -> str:
    text = str(error)
    for sign, reason in (
        ("self-signed", "its certificate comes from an unknown CA"),
        ("unable to get local issuer", "its certificate comes from an unknown CA"),
        ("doesn't match", "its certificate is for another name"),
        ("mismatch", "its certificate is for another name"),
        ("expired", "its certificate has expired"),
    ):
        if sign in text:
            return reason
    return _innermost(error)


def retry_after(headers: t.Mapping[str, str]) -> float:
    """Seconds until a server that answered 503 wants to be asked again; at most 10, and half a second if it does not say."""
    try:
        return min(float(headers.get("Retry-After", 0.5)), 10.0)
    except ValueError:
        return 0.5
