# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins at registries: those that the user has by docker or podman, and those that tools find in a folder of this task alone."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import tempfile
import typing as t
from contextlib import contextmanager

from .._errors import RayError
from .._ports import Json
from . import programs

# Docker's own registry answers under another name, and is known to logins by an address of old.
DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")
DOCKER_HUB_KEY = "https://index.docker.io/v1/"
# Logins in the environment, which imgpkg and kbld would take before those in their files.
IN_ENVIRONMENT = re.compile(r"(IMGPKG|KBLD)_(REGISTRY_|USERNAME|PASSWORD|TOKEN|ANON)")


def stored(registry: str) -> tuple[str, str] | None:
    """Name and password that the user's own login at this registry has left, or None."""
    for path in (_docker_file(), *_podman_files()):
        config = _read(path)
        helper = (config.get("credHelpers") or {}).get(_key(registry), config.get("credsStore"))
        login = _asked(helper, registry) if helper else _written(config, registry)
        if login:
            return login
    return None


@contextmanager
def logins(entries: t.Iterable[tuple[str, str | None, str | None]], ca_paths: t.Iterable[str | None] = (), *,
           proxy_url: str | None = None) -> t.Iterator[dict[str, str | None]]:
    """An environment in which docker, podman, crane, imgpkg and kbld have these logins, and trust these authorities too.

    Variables that hold other logins are None in it.

    Args:
        entries: (registry, username, password); one without username leaves the user's own login in place.
        ca_paths: PEM files. Programs written in Go heed them on Linux, by SSL_CERT_FILE.
        proxy_url: the proxy in place of those of the environment; a registry of this machine is reached without it by programs in Go.
    """
    own = {_key(registry): _auth(username, password or "") for registry, username, password in entries if username}
    texts = [_text(path) for path in ca_paths if path]
    environment: dict[str, str | None] = {name: None for name in os.environ if IN_ENVIRONMENT.match(name)}
    if proxy_url:
        environment.update({"HTTPS_PROXY": proxy_url, "https_proxy": proxy_url, **dict.fromkeys(("HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"))})
    if not own and not texts:
        yield environment
        return
    # 0700, and removed in every exit, as a signal is an exception first.
    with tempfile.TemporaryDirectory(prefix="vcf-ray-") as folder:
        environment.update(_with_logins(folder, own) if own else {})
        if texts:
            environment["SSL_CERT_FILE"] = _write(folder, "ca.pem", "\n".join(texts))
        yield environment


def _with_logins(folder: str, own: dict[str, Json]) -> dict[str, str]:
    """The user's configuration with these logins in it, once as docker reads it and once as podman does."""
    config = _read(_docker_file())
    auths = {**(config.get("auths") or {}), **own}
    # An empty helper is the file itself; else a store of the whole configuration would be asked and not know them.
    helpers = {**(config.get("credHelpers") or {}), **({} if "credsStore" not in config and "credHelpers" not in config else dict.fromkeys(own, ""))}
    _write(folder, "config.json", json.dumps({**config, "auths": auths, **({"credHelpers": helpers} if helpers else {})}))
    contexts = os.path.join(os.path.dirname(_docker_file()), "contexts")
    if os.path.isdir(contexts):
        # Where the user's docker finds its daemon.
        os.symlink(os.path.abspath(contexts), os.path.join(folder, "contexts"))
    podman: Json = next((found for found in map(_read, _podman_files()) if found), {})
    path = _write(folder, "auth.json", json.dumps({"auths": {**(podman.get("auths") or {}), **own}}))
    return {"DOCKER_CONFIG": folder, "REGISTRY_AUTH_FILE": path}


def _docker_file() -> str:
    return os.path.join(os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker"), "config.json")


def _podman_files() -> list[str]:
    named = os.environ.get("REGISTRY_AUTH_FILE")
    if named:
        return [named]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return [os.path.join(runtime, "containers/auth.json")] if runtime else []


def _read(path: str) -> Json:
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise RayError(f"The login file {path} cannot be read: {error}.", code="INPUT",
                       hint="It is what docker login or podman login has written; log in again, or remove it.") from error
    return content if isinstance(content, dict) else {}


def _key(registry: str) -> str:
    return DOCKER_HUB_KEY if registry in DOCKER_HUB else registry


def _written(config: Json, registry: str) -> tuple[str, str] | None:
    """The login that stands in the file itself; one of an older docker has the address with a scheme."""
    auths = config.get("auths") or {}
    names = (_key(registry), f"https://{registry}", f"https://{registry}/v2/", f"https://{registry}/v1/")
    entry: Json = next((auths[name] for name in names if name in auths), {})
    if entry.get("username") and entry.get("password"):
        return entry["username"], entry["password"]
    try:
        name, colon, password = base64.b64decode(entry.get("auth") or "").decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if name and colon else None


def _asked(helper: str, registry: str) -> tuple[str, str] | None:
    """The login out of the keychain that docker keeps it in; a helper that knows none fails, and is no fault."""
    there = programs.found(f"docker-credential-{helper}")
    try:
        answer = json.loads(there.run(["get"], input=_key(registry), timeout=60)) if there else {}
    except (RayError, ValueError):
        return None
    name, password = answer.get("Username"), answer.get("Secret")
    # A token in place of a name is none that Basic can carry.
    return (name, password) if name and password and name != "<token>" else None


def _auth(username: str, password: str) -> Json:
    return {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise RayError(f"The CA file {path} cannot be read: {error}.", code="TLS", hint="Name a PEM file.") from error


def _write(folder: str, name: str, text: str) -> str:
    path = os.path.join(folder, name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path
