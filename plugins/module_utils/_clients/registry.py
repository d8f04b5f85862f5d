# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OCI registries: what digest a reference has, and what is behind a digest. They are only read here; the tools write."""

from __future__ import annotations

import hashlib
import json as jsonlib
import typing as t
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

from ansible.module_utils.basic import env_fallback

from .._errors import MissingLibrary, RayError
from .._http import HAS_REQUESTS, Http, Reply
from .._ports import Json, Task
from . import proxy, registry_challenge, registry_login
from .reference import Reference

ARGSPEC = {
    "registry_username": {"type": "str", "fallback": (env_fallback, ["VCF_RAY_REGISTRY_USERNAME"])},
    "registry_password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["VCF_RAY_REGISTRY_PASSWORD"])},
    "registry_ca_path": {"type": "path", "fallback": (env_fallback, ["VCF_RAY_REGISTRY_CA_PATH"])},
    "registry_validate_certs": {"type": "bool", "default": True},
    **{f"registry_{name}": option for name, option in proxy.ARGSPEC.items()},
}
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
             "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
REDIRECTS, MOST_REDIRECTS = (301, 302, 303, 307, 308), 5
# A manifest or a configuration is some thousand bytes, the layer of a bundle at most some millions.
LIMIT = 64 * 1024 * 1024


class Registry:
    """One registry, read over one connection; a login is sent when the registry asks for one, and a refused one never again."""

    def __init__(self, host: str, login: tuple[str, str] | None = None, *, ca_path: str | None = None, validate_certs: bool = True,
                 prefix: str = "registry_", proxy_url: str | None = None) -> None:
        self.host, self._login, self._prefix = host, login, prefix
        self._way: dict[str, t.Any] = {"ca_path": ca_path, "validate_certs": validate_certs, "proxy": proxy_url}
        self._http = self._opened(f"https://{'registry-1.docker.io' if host in registry_login.DOCKER_HUB else host}")
        # The header that was good last time, by scope; and what is raised without another try.
        self._headers: dict[str, Json] = {}
        self._refusal: RayError | None = None

    def close(self) -> None:
        self._http.close()

    @property
    def plain(self) -> bool:
        """Whether it has been found to speak no TLS."""
        return self._http.base_url.startswith("http:")

    def digest(self, ref: Reference) -> str | None:
        """The digest of what the reference names now, or None when there is nothing."""
        path = _manifest_path(ref)
        reply, _body = self._read("HEAD", path, ref.repository)
        if reply.status == 404:
            return None
        told = reply.headers.get("Docker-Content-Digest")
        return told or _digest(self._read("GET", path, ref.repository)[1])

    def manifest(self, ref: Reference) -> Json | None:
        """The manifest, or index, that the reference names, with its ``digest`` beside what it holds; None when there is nothing."""
        reply, body = self._read("GET", _manifest_path(ref), ref.repository)
        if reply.status == 404:
            return None
        _same(ref, ref.digest, body)
        return {**self._decoded(body, ref), "digest": _digest(body)}

    def has(self, ref: Reference, digest: str) -> bool:
        """Whether the repository of the reference holds the manifest with this digest."""
        return self._read("HEAD", _manifest_path(ref.at(digest)), ref.repository)[0].status != 404

    def blob(self, ref: Reference, digest: str) -> bytes:
        """A blob of the repository, which is what its digest says."""
        reply, body = self._read("GET", f"/v2/{ref.repository}/blobs/{digest}", ref.repository)
        if reply.status == 404:
            raise RayError(f"{ref.name} has no blob {digest}.", code="NOT_FOUND", hint="Push or copy what it belongs to again.")
        _same(ref, digest, body)
        return body

    def _decoded(self, body: bytes, ref: Reference) -> Json:
        try:
            content = jsonlib.loads(body)
        except ValueError:
            content = None
        if not isinstance(content, dict) or "schemaVersion" not in content:
            raise RayError(f"{self.host} does not answer as a registry does: what it gives for {ref} is no manifest.", code="FAILED",
                           hint="Is the host that of the registry, with its port?")
        return content

    def _read(self, method: str, path: str, repository: str) -> tuple[Reply, bytes]:
        """The answer and its body; logs in when it is asked to."""
        if self._refusal:
            raise self._refusal
        reply, body = self._sent(method, path, self._headers.get(repository))
        if reply.status == 401:
            try:
                self._headers[repository] = self._answered(reply, repository)
                reply, body = self._sent(method, path, self._headers[repository])
                if reply.status == 401:
                    raise self._denied(reply)
            except RayError as error:
                if error.code == "AUTH":
                    self._refusal = error
                raise
        if reply.status == 403:
            raise self._denied(reply)
        return reply, body

    def _answered(self, reply: Reply, repository: str) -> Json:
        """The header that answers a challenge."""
        return registry_challenge.header(reply, self.host, repository, self._login, self._token_server, self._denied)

    def _token_server(self, base_url: str) -> Http:
        if base_url.startswith("http:") and self._http.base_url.startswith("https:"):
            raise RayError(f"Registry {self.host} wants the login to be sent to {base_url}, where nothing protects it.", code="TLS",
                           hint="Its realm has to begin with https://; tell who runs the registry.")
        return self._opened(base_url)

    def _denied(self, reply: Reply) -> RayError:
        return registry_challenge.denied(self.host, reply, self._login, self._prefix)

    def _opened(self, base_url: str) -> Http:
        try:
            return Http(base_url, **self._way, what=f"Registry {self.host}")
        except RayError as error:
            raise self._named(error) from None

    def _named(self, error: RayError) -> RayError:
        """The hint names the option as the module calls it."""
        error.hint = error.hint and error.hint.replace("with ca_path", f"with {self._prefix}ca_path")
        return error

    def _sent(self, method: str, path: str, headers: Json | None) -> tuple[Reply, bytes]:
        try:
            return self._followed(method, path, headers)
        except RayError as error:
            if not self._may_be_plain(error):
                raise self._named(error) from None
        # What the tools do too: a registry of this very machine need not speak TLS.
        self._http.close()
        self._http = self._opened(f"http://{self.host}")
        return self._followed(method, path, headers)

    def _may_be_plain(self, error: RayError) -> bool:
        """Whether TLS failed as it does with a server that speaks none; a login goes unprotected only by the user's own word."""
        host = urlsplit(f"//{self.host}").hostname
        unspoken = error.details.get("speaks_tls") is False
        return unspoken and self._http.base_url.startswith("https:") and (host in LOOPBACK or not self._way["validate_certs"])

    def _followed(self, method: str, path: str, headers: Json | None) -> tuple[Reply, bytes]:
        """Blobs often lie on a server of their own, which must not get the login."""
        http, opened = self._http, []
        try:
            for turn in range(MOST_REDIRECTS):
                body = _Body(self.host)
                reply = http.request(method, path, headers={"Accept": MANIFESTS, **(headers or {})}, ok404=True, accept=(401, 403, *REDIRECTS),
                                     into=body.take if method == "GET" else None)
                if reply.status not in REDIRECTS:
                    return reply, body.content
                parts = urlsplit(urljoin(http.base_url + path, reply.headers.get("Location") or ""))
                if parts.scheme != "https" and http.base_url.startswith("https:"):
                    raise RayError(f"Registry {self.host} sends from TLS to {parts.scheme}://{parts.netloc}, where nothing protects what comes.",
                                   code="TLS", hint="Check the proxy before the registry, and the address that it knows itself by.")
                http, headers = self._opened(f"{parts.scheme}://{parts.netloc}"), None
                opened.append(http)
                path = parts.path + (f"?{parts.query}" if parts.query else "")
        finally:
            for other in opened:
                other.close()
        raise RayError(f"Registry {self.host} sends from one address to the next for {path}.", code="FAILED", hint="Check the proxy before the registry.")


class Registries:
    """All registries of a task. The login of its options goes to those alone that it was meant for (``login_at``); no other goes unverified."""

    def __init__(self, username: str | None = None, password: str | None = None, ca_path: str | None = None, validate_certs: bool = True,
                 prefix: str = "registry_", proxy_url: str | None = None) -> None:
        self._login = (username, password or "") if username else None
        self.ca_path, self.validate_certs, self._prefix, self.proxy_url = ca_path, validate_certs, prefix, proxy_url
        self._meant: list[str] = []
        self._stored: dict[str, tuple[str, str] | None] = {}
        self._open: dict[str, Registry] = {}

    def login_at(self, registry: str) -> None:
        """Use the login of the options at this registry too. At all others the user's own is used, by docker or podman."""
        if registry not in self._meant:
            self._meant.append(registry)

    def at(self, registry: str) -> Registry:
        if registry not in self._open:
            self._open[registry] = Registry(registry, self._login_of(registry), ca_path=self.ca_path, prefix=self._prefix, proxy_url=self.proxy_url,
                                            validate_certs=self.validate_certs or registry not in self._meant)
        return self._open[registry]

    def digest(self, ref: Reference) -> str | None:
        return self.at(ref.registry).digest(ref)

    def manifest(self, ref: Reference) -> Json | None:
        return self.at(ref.registry).manifest(ref)

    def has(self, ref: Reference, digest: str) -> bool:
        return self.at(ref.registry).has(ref, digest)

    def blob(self, ref: Reference, digest: str) -> bytes:
        return self.at(ref.registry).blob(ref, digest)

    def _login_of(self, registry: str) -> tuple[str, str] | None:
        if self._login and registry in self._meant:
            return self._login
        if registry not in self._stored:
            self._stored[registry] = registry_login.stored(registry)
        return self._stored[registry]

    def entries(self) -> list[tuple[str, str, str]]:
        """What ``logins`` takes. The user's own are among them, as not every tool looks for these in all the places that they can be in."""
        return [(registry, *login) for registry in self._meant if (login := self._login_of(registry))]

    def environment(self) -> t.ContextManager[dict[str, str | None]]:
        """What the tools find the same logins and authorities by; a folder that is removed at the end."""
        return registry_login.logins(self.entries(), [self.ca_path], proxy_url=self.proxy_url)

    def close(self) -> None:
        for registry in self._open.values():
            registry.close()


def registries(params: Json, prefix: str = "registry_") -> Registries:
    """The registries for the options with this prefix."""
    if not HAS_REQUESTS:
        raise MissingLibrary("requests")
    username, password, ca_path, validate_certs = (params.get(f"{prefix}{name}") for name in ("username", "password", "ca_path", "validate_certs"))
    # One for all registries of a task: it says where the task runs, not what it is for.
    way = proxy.url({name: params.get(f"registry_{name}") for name in proxy.ARGSPEC})
    return Registries(username, password, ca_path, validate_certs=validate_certs is not False, prefix=prefix, proxy_url=way)


@contextmanager
def connect(task: Task) -> t.Iterator[Registries]:
    """Registries for the options of ARGSPEC."""
    opened = registries(task.params)
    try:
        yield opened
    finally:
        opened.close()


class _Body:
    """Takes an answer piece by piece, and no more than LIMIT."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.content = b""

    def take(self, piece: bytes) -> None:
        self.content += piece
        if len(self.content) > LIMIT:
            raise RayError(f"What registry {self._host} sends is longer than {LIMIT} bytes.", code="FAILED", hint="It is nothing of a package.")


def _manifest_path(ref: Reference) -> str:
    return f"/v2/{ref.repository}/manifests/{ref.digest or ref.tag or 'latest'}"


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _same(ref: Reference, digest: str | None, body: bytes) -> None:
    if digest and _digest(body) != digest:
        raise RayError(f"What {ref.registry} gives for {digest} of {ref.name} has the digest {_digest(body)}.", code="FAILED",
                       hint="Something on the way changes what it carries; look at the registry and at proxies.")
