# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the layers hand each other, by what is used of it: a resource names no client, and a client no door to Ansible."""

from __future__ import annotations

import typing as t

# An object as it stands in JSON or YAML: what a server answers, what it is sent, the options of a task.
Json = dict[str, t.Any]


class Task(t.Protocol):
    """What a client is made from: the options of a task, and who keeps secrets out of all that is shown, or tells the user."""

    @property
    def params(self) -> Json:
        ...

    @property
    def hide(self) -> t.Callable[[t.Iterable[str]], None]:
        ...

    @property
    def warn(self) -> t.Callable[[str], None]:
        ...


class Inventory(t.Protocol):
    """Takes the name of an object of vCenter and gives its id."""

    def cluster(self, wanted: str | None) -> str | None:
        ...

    def datastore(self, wanted: str | None) -> str | None:
        ...

    def network(self, wanted: str | None) -> str | None:
        ...

    def distributed_switch(self, wanted: str | None) -> str | None:
        ...

    def policy(self, wanted: str | None) -> str | None:
        ...

    def security_policy(self, wanted: str | None) -> str | None:
        ...


class VCenter(t.Protocol):
    """The REST API of vCenter; answers are decoded JSON of any shape."""

    @property
    def inventory(self) -> Inventory:
        ...

    @property
    def version(self) -> tuple[int, ...]:
        ...

    def needs(self, release: str, what: str) -> None:
        ...

    def get(self, path: str, query: Json | None = None) -> t.Any:
        ...

    def find(self, path: str) -> t.Any:
        ...

    def ask(self, path: str, body: t.Any = None, query: Json | None = None) -> t.Any:
        ...

    def post(self, path: str, body: t.Any = None, query: Json | None = None, headers: Json | None = None) -> t.Any:
        ...

    def patch(self, path: str, body: t.Any = None, query: Json | None = None) -> t.Any:
        ...

    def put(self, path: str, body: t.Any, query: Json | None = None) -> t.Any:
        ...

    def delete(self, path: str, query: Json | None = None) -> None:
        ...


class Sso(t.Protocol):
    """The SOAP service for users and groups."""

    def call(self, method: str, service: str, params: Json) -> t.Any:
        ...

    def find_all(self, method: str, service: str, params: Json) -> list[Json]:
        ...


class Watch(t.Protocol):
    """One object of Kubernetes as it changes."""

    def get(self) -> Json | None:
        ...

    def wait(self, seconds: float, least: float = 0.0) -> None:
        ...


class Kube(t.Protocol):
    """A Kubernetes API server."""

    @property
    def address(self) -> str:
        ...

    def get(self, kind: str, name: str, namespace: str | None = None) -> Json | None:
        ...

    def names(self, kind: str, namespace: str | None = None) -> list[str]:
        ...

    def apis(self) -> set[str]:
        ...

    def everywhere(self, resource: str) -> list[Json]:
        ...

    def create(self, kind: str, body: Json, *, dry_run: bool = False) -> Json:
        ...

    def merge(self, kind: str, name: str, namespace: str | None, patch: Json, *, dry_run: bool = False) -> Json:
        ...

    def delete(self, kind: str, name: str, namespace: str | None = None) -> None:
        ...

    def watch(self, kind: str, name: str, namespace: str | None = None) -> t.ContextManager[Watch]:
        ...

    def list(self, kind: str, namespace: str | None = None, labels: Json | None = None) -> list[Json]:
        ...


class Ray(t.Protocol):
    """The dashboard of a Ray cluster."""

    @property
    def url(self) -> str:
        ...

    def close(self) -> None:
        ...

    def version(self) -> Json:
        ...

    def open(self) -> bool:
        ...

    def live_nodes(self) -> list[Json]:
        ...

    def resources(self) -> Json:
        ...

    def jobs(self) -> list[Json]:
        ...

    def job(self, submission_id: str) -> Json | None:
        ...

    def submit(self, body: Json) -> None:
        ...

    def stop(self, submission_id: str) -> None:
        ...

    def delete(self, submission_id: str) -> None:
        ...

    def upload(self, uri: str, opened: t.Callable[[], t.ContextManager[t.IO[bytes]]]) -> bool:
        ...

    def log(self, submission_id: str) -> str:
        ...

    def file(self, node_id: str, name: str, into: t.Callable[[bytes], t.Any], lines: int = -1) -> None:
        ...

    def clean(self, text: str) -> str:
        ...


class RayPackage(t.Protocol):
    """Code of a job, packed: its address in the cluster and its contents."""

    @property
    def uri(self) -> str:
        ...

    def check(self) -> None:
        ...

    def opened(self) -> t.ContextManager[t.IO[bytes]]:
        ...


class Reference(t.Protocol):
    """The name of an image in a registry."""

    @property
    def registry(self) -> str:
        ...

    @property
    def digest(self) -> str | None:
        ...

    def at(self, digest: str) -> Reference:
        ...

    def tagged(self, tag: str) -> Reference:
        ...


class TextFile(t.Protocol):
    """A file of text on this machine."""

    @property
    def path(self) -> str:
        ...

    def check(self) -> None:
        ...

    def read(self) -> str | None:
        ...

    def write(self, text: str) -> None:
        ...
