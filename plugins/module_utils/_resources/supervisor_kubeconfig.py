# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One kubeconfig file with the contexts that a login at a Supervisor gives; named as kubectl's vSphere plugin names them."""

from __future__ import annotations

import base64
import time
import typing as t
from datetime import datetime, timezone

from .._errors import RayError
from .._jwt import expiry
from .._ports import Json
from . import kubeconfig_entries as entries

API_PORT = 6443


class Login(t.Protocol):
    """The login service of one Supervisor, for one user."""

    @property
    def hostname(self) -> str:
        ...

    @property
    def username(self) -> str:
        ...

    @property
    def validate_certs(self) -> bool:
        ...

    @property
    def proxy_url(self) -> str | None:
        ...

    def login(self) -> str:
        ...

    def guest_login(self, cluster: str, namespace: str) -> Json:
        ...

    def workloads(self) -> list[Json]:
        ...

    def ca_pem(self) -> str | None:
        ...


class Store(t.Protocol):
    """A kubeconfig file."""

    @property
    def path(self) -> str:
        ...

    @property
    def private(self) -> bool:
        ...

    def load(self) -> Json:
        ...

    def change(self, edit: t.Callable[[Json], Json]) -> None:
        ...


class SupervisorKubeconfig:
    """The entries of one user at one Supervisor.

    Args:
        supervisor: client of the login service.
        store: reads and changes the file, or None to keep all in memory.
        namespace: whose context becomes the current one; None for that of the Supervisor itself.
        prefix: stands before the name of every context.
        make_current: whether the file's current context becomes ours; one that has none gets it in any case.
    """

    noun = "supervisor_kubeconfig"

    def __init__(self, supervisor: Login, store: Store | None, *, namespace: str | None = None, min_validity: int, prefix: str = "",
                 make_current: bool = True, clock: t.Callable[[], float] = time.time) -> None:
        self._supervisor, self._store, self._namespace, self._prefix, self._clock = supervisor, store, namespace, prefix, clock
        self._min_validity, self._make_current = min_validity, make_current
        self.name = supervisor.hostname
        self._cluster = supervisor.hostname
        self._user = f"wcp:{supervisor.hostname}:{supervisor.username}"
        self._document: Json = {}

    def read(self) -> Json | None:
        """What the file says of this user here; None when it says nothing, or no file is used."""
        if self._store is None:
            return None
        self._document = self._store.load()
        user, cluster = entries.entry(self._document, "users", self._user), entries.entry(self._document, "clusters", self._cluster)
        if not user or not cluster:
            return None
        names = sorted(name for name, context in entries.contexts(self._document).items() if context.get("user") == self._user)
        exp = expiry(user.get("token") or "")
        return {"server": cluster.get("server"), "cluster": self._cluster, "user": self._user, "contexts": names,
                "current_context": self._document.get("current-context"), "certificate_authority": cluster.get("certificate-authority-data"),
                "verified": not cluster.get("insecure-skip-tls-verify"), "proxy_url": cluster.get("proxy-url") or "",
                "fresh": exp is not None and exp - self._clock() > self._min_validity, "private": self._store.private,
                "expires_at": _stamp(exp), "path": self._store.path}

    def resolve(self, before: Json | None, desired: Json) -> Json:
        """Ask the Supervisor which namespaces the user may enter; the rest follows from the options."""
        workloads = self._supervisor.workloads()
        names = sorted(w["namespace"] for w in workloads)
        if self._namespace and self._namespace not in names:
            raise RayError(f"User {self._supervisor.username} has no namespace {self._namespace} on Supervisor {self.name}; there are: "
                           f"{', '.join(names) or 'none'}.", code="NOT_FOUND",
                           hint="Give the user a role on it (vcf.ray.namespace_access), then log in again.")
        port = next((w["control_plane_api_server_port"] for w in workloads if w.get("control_plane_api_server_port")), API_PORT)
        pem = self._supervisor.ca_pem()
        authority = base64.b64encode(pem.encode()).decode() if pem else ""
        return self._wanted(f"https://{self.name}:{port}", {self.name, *names}, self._namespace or self.name, authority)

    def create(self, desired: Json) -> None:
        self._write(desired, desired)

    def update(self, before: Json, desired: Json) -> None:
        """Write the entries anew; a token that is still good for long enough is kept."""
        old = entries.entry(self._document, "users", before["user"]) or {}
        self._write(desired, before, old.get("token") if before["fresh"] else None)

    def delete(self, before: Json) -> None:
        self._change(lambda document: entries.without(document, before["user"], before["cluster"]))

    def ready(self, current: Json | None) -> bool:
        return True

    def diagnose(self) -> str:
        return ""

    def kubeconfig(self, desired: Json, token: str | None = None) -> Json:
        """A whole kubeconfig for this user; logs in unless a token is handed in."""
        cluster: dict[str, t.Any] = {"server": desired["server"]}
        if desired["certificate_authority"]:
            cluster["certificate-authority-data"] = desired["certificate_authority"]
        if not desired["verified"]:
            cluster["insecure-skip-tls-verify"] = True
        if desired["proxy_url"]:
            cluster["proxy-url"] = desired["proxy_url"]
        contexts = [{"name": name, "context": {"cluster": self._cluster, "user": self._user, **self._about(name.removeprefix(self._prefix))}}
                    for name in desired["contexts"]]
        return {"apiVersion": "v1", "kind": "Config", "preferences": {}, "clusters": [{"name": self._cluster, "cluster": cluster}],
                "users": [{"name": self._user, "user": {"token": token or self._token()}}], "contexts": contexts,
                "current-context": desired["current_context"]}

    def _wanted(self, server: str, names: t.Iterable[str], current: str, authority: str) -> Json:
        contexts = sorted(self._prefix + name for name in names)
        self._refuse_others(contexts)
        kept = None if self._make_current else self._document.get("current-context")
        return {"server": server, "cluster": self._cluster, "user": self._user, "contexts": contexts, "current_context": kept or self._prefix + current,
                "verified": self._supervisor.validate_certs, "fresh": True, "private": True, "certificate_authority": authority,
                "proxy_url": self._supervisor.proxy_url or ""}

    def _refuse_others(self, names: list[str]) -> None:
        """Whoever uses a context by its name would be led elsewhere from now on."""
        known = entries.contexts(self._document)
        for name in names:
            other = known.get(name, {}).get("cluster")
            if other and other != self._cluster and not self._is_ours(known[name]):
                file = self._store.path if self._store else "the kubeconfig"
                raise RayError(f"In {file} the context {name} leads to {other} already, and not to {self.name}.", code="CONFLICT",
                               hint="Name another path, or a prefix for the names of these contexts. Nothing was changed.")

    def _is_ours(self, context: Json) -> bool:
        return False

    def _about(self, name: str) -> Json:
        """What a context has beside cluster and user."""
        return {"namespace": name} if name != self.name else {}

    def _token(self) -> str:
        return self._supervisor.login()

    def _write(self, desired: Json, before: Json, token: str | None = None) -> None:
        # Before the file is locked: nobody is to wait for a login.
        ours = self.kubeconfig(desired, token)
        self._change(lambda document: entries.merged(entries.without(document, before["user"], before["cluster"]), ours))

    def _change(self, edit: t.Callable[[Json], Json]) -> None:
        if self._store is None:
            raise AssertionError("what is kept in memory is not written")
        self._store.change(edit)


class GuestKubeconfig(SupervisorKubeconfig):
    """The entries of one user at a cluster that runs in a namespace of the Supervisor.

    Its address is known by a login only, or by what an earlier one has left in the file, which is found by a mark in the context:
    the name of the cluster alone is not unique.

    Args:
        cluster, namespace: name of the cluster, and where it runs.
    """

    MARK = "vcf.ray"

    def __init__(self, supervisor: Login, store: Store | None, *, cluster: str, namespace: str, **kwargs: t.Any) -> None:
        super().__init__(supervisor, store, **kwargs)
        self._guest = cluster
        self._answer: Json = {}
        self._where = {"supervisor": supervisor.hostname, "namespace": namespace, "cluster": cluster}
        self.name = cluster
        self._cluster = ""

    def read(self) -> Json | None:
        if self._store is None:
            return None
        known = entries.contexts(self._store.load())
        found = next((context for context in known.values() if self._is_ours(context)), {})
        self._cluster, self._user = found.get("cluster") or "", found.get("user") or ""
        return super().read()

    def resolve(self, before: Json | None, desired: Json) -> Json:
        """Log in, also in check mode, unless the file has all that is to be known."""
        if before and before["fresh"] and before["verified"] == self._supervisor.validate_certs:
            return self._wanted(before["server"], [self._guest], self._guest, before["certificate_authority"] or "")
        self._answer = self._supervisor.guest_login(self._guest, self._where["namespace"])
        host = self._answer["server"]
        self._cluster, self._user = host, f"wcp:{host}:{self._supervisor.username}"
        return self._wanted(f"https://{host}:{API_PORT}", [self._guest], self._guest, self._answer["ca"] if self._supervisor.validate_certs else "")

    def _is_ours(self, context: Json) -> bool:
        marks = [row.get("extension") for row in context.get("extensions") or [] if isinstance(row, dict) and row.get("name") == self.MARK]
        return marks == [self._where] and str(context.get("user")).endswith(f":{self._supervisor.username}")

    def _about(self, name: str) -> Json:
        return {"extensions": [{"name": self.MARK, "extension": self._where}]}

    def _token(self) -> str:
        token: str = self._answer["token"]
        return token


def expires_at(kubeconfig: Json) -> str | None:
    """When the token of a kubeconfig of ours ends."""
    return _stamp(expiry(kubeconfig["users"][0]["user"]["token"]))


def _stamp(exp: int | None) -> str | None:
    return None if exp is None else datetime.fromtimestamp(exp, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
