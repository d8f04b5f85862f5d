# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One kubeconfig file with the contexts that a login at a Supervisor gives; named as kubectl's vSphere plugin names them."""

from __future__ import annotations

import base64
import binascii
import json
import time
import typing as t
from datetime import datetime, timezone

from .._errors import RayError

API_PORT = 6443


def expiry(token: str) -> int | None:
    """The ``exp`` of a JWT, in seconds since 1970; None when it states none. Nothing is verified: the server does that."""
    try:
        body = token.split(".")[1]
        value = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))).get("exp")
        return int(value) if value is not None else None
    except (IndexError, ValueError, AttributeError, TypeError, binascii.Error):
        return None


class SupervisorKubeconfig:
    """The entries of one user at one Supervisor.

    Args:
        supervisor: client of the login service.
        store: reads and writes the file (``load()``, ``save(dict)``, ``path``), or None to keep all in memory.
    """

    noun = "supervisor_kubeconfig"

    def __init__(self, supervisor: t.Any, store: t.Any | None, *, namespace: str | None, min_validity: int, clock: t.Callable[[], float] = time.time) -> None:
        self._supervisor, self._store, self._namespace, self._clock = supervisor, store, namespace, clock
        self._min_validity = min_validity
        self.name = supervisor.hostname
        self._user = f"wcp:{supervisor.hostname}:{supervisor.username}"
        self._document: dict = {}

    def read(self) -> dict | None:
        """What the file says of this user here; None when it says nothing, or no file is used."""
        if self._store is None:
            return None
        self._document = self._store.load()
        user = _entry(self._document, "users", "user", self._user)
        cluster = _entry(self._document, "clusters", "cluster", self.name)
        if not user or not cluster:
            return None
        names = sorted(c["name"] for c in _rows(self._document, "contexts") if (c.get("context") or {}).get("user") == self._user)
        exp = expiry(user.get("token") or "")
        return {"server": cluster.get("server"), "user": self._user, "contexts": names, "current_context": self._document.get("current-context"),
                "certificate_authority": cluster.get("certificate-authority-data"), "verified": not cluster.get("insecure-skip-tls-verify"),
                "fresh": exp is not None and exp - self._clock() > self._min_validity, "expires_at": _stamp(exp), "path": self._store.path}

    def resolve(self, before: dict | None, desired: dict) -> dict:
        """Ask the Supervisor which namespaces the user may enter; the rest follows from the options."""
        workloads = self._supervisor.workloads()
        names = sorted(w["namespace"] for w in workloads)
        if self._namespace and self._namespace not in names:
            raise RayError(f"User {self._supervisor.username} has no namespace {self._namespace} on Supervisor {self.name}; there are: "
                           f"{', '.join(names) or 'none'}.", code="NOT_FOUND", hint="Give the user a role on it (vcf.ray.namespace_access), then log in again.")
        port = next((w["control_plane_api_server_port"] for w in workloads if w.get("control_plane_api_server_port")), API_PORT)
        pem = self._supervisor.ca_pem()
        return {"server": f"https://{self.name}:{port}", "user": self._user, "contexts": sorted({self.name, *names}),
                "current_context": self._namespace or self.name, "verified": self._supervisor.validate_certs, "fresh": True,
                "certificate_authority": base64.b64encode(pem.encode()).decode() if pem else ""}

    def create(self, desired: dict) -> None:
        self._store.save(_merged(self._document, self.kubeconfig(desired)))

    def update(self, before: dict, desired: dict) -> None:
        """Write the entries anew; a token that is still good for long enough is kept."""
        token = (_entry(self._document, "users", "user", self._user) or {}).get("token") if before["fresh"] else None
        kept = _without(self._document, self._user, self.name)
        self._store.save(_merged(kept, self.kubeconfig(desired, token)))

    def delete(self, before: dict) -> None:
        self._store.save(_without(self._document, self._user, self.name))

    def ready(self, current: dict | None) -> bool:
        return True

    def diagnose(self) -> str:
        return ""

    def kubeconfig(self, desired: dict, token: str | None = None) -> dict:
        """A whole kubeconfig for this user; logs in unless a token is handed in."""
        cluster: dict[str, t.Any] = {"server": desired["server"]}
        if desired["certificate_authority"]:
            cluster["certificate-authority-data"] = desired["certificate_authority"]
        if not desired["verified"]:
            cluster["insecure-skip-tls-verify"] = True
        contexts = [{"name": n, "context": {"cluster": self.name, "user": self._user, **({"namespace": n} if n != self.name else {})}}
                    for n in desired["contexts"]]
        return {"apiVersion": "v1", "kind": "Config", "preferences": {}, "clusters": [{"name": self.name, "cluster": cluster}],
                "users": [{"name": self._user, "user": {"token": token or self._supervisor.login()}}], "contexts": contexts,
                "current-context": desired["current_context"]}


def token_of(kubeconfig: dict) -> str:
    return kubeconfig["users"][0]["user"]["token"]


def expires_at(kubeconfig: dict) -> str | None:
    return _stamp(expiry(token_of(kubeconfig)))


def _stamp(exp: int | None) -> str | None:
    return None if exp is None else datetime.fromtimestamp(exp, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _rows(document: dict, key: str) -> list[dict]:
    return [r for r in document.get(key) or [] if isinstance(r, dict) and r.get("name")]


def _entry(document: dict, rows: str, key: str, name: str) -> dict | None:
    return next((r.get(key) or {} for r in _rows(document, rows) if r["name"] == name), None)


def _without(document: dict, user: str, cluster: str) -> dict:
    """The document without this user's entries; the cluster stays while another user's context needs it."""
    contexts = [c for c in _rows(document, "contexts") if (c.get("context") or {}).get("user") != user]
    used = {(c.get("context") or {}).get("cluster") for c in contexts}
    gone = {c["name"] for c in _rows(document, "contexts")} - {c["name"] for c in contexts}
    return {**document, "contexts": contexts, "users": [u for u in _rows(document, "users") if u["name"] != user],
            "clusters": [c for c in _rows(document, "clusters") if c["name"] != cluster or cluster in used],
            "current-context": "" if document.get("current-context") in gone else document.get("current-context", "")}


def _merged(document: dict, ours: dict) -> dict:
    """Our entries in place of those of the same names; all others are kept."""
    merged = {**ours, **document, "current-context": ours["current-context"]}
    for key in ("clusters", "users", "contexts"):
        names = {r["name"] for r in ours[key]}
        merged[key] = [r for r in _rows(document, key) if r["name"] not in names] + ours[key]
    return merged
