# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom and core objects of a Kubernetes API server, by fixed paths: no discovery, one round trip for each call.

The requests are ours and not those of the ``kubernetes`` package, whose generated calls change from release to release.
"""

from __future__ import annotations

import contextlib
import json
import typing as t
from urllib.parse import quote, urlencode, urlsplit

from .._errors import RayError, UnknownYet
from .._http import proxy_fault, speaks_no_tls
from .._ports import Json, Task
from . import kube_config
from .kube_config import Access, access_for
from .kube_watch import STREAM_SECONDS, Watch

try:
    import urllib3
except ImportError:
    # Access says that it is missing, with the package that brings it.
    pass

ARGSPEC = kube_config.ARGSPEC
_VM = "/apis/vmoperator.vmware.com/v1alpha2"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
# kind: path of its group and version, plural, whether it lives in a namespace
KINDS = {
    "Event": ("/api/v1", "events", True),
    "Namespace": ("/api/v1", "namespaces", False),
    "Pod": ("/api/v1", "pods", True),
    "ResourceQuota": ("/api/v1", "resourcequotas", True),
    "Secret": ("/api/v1", "secrets", True),
    "ServiceAccount": ("/api/v1", "serviceaccounts", True),
    "Role": (_RBAC, "roles", True),
    "RoleBinding": (_RBAC, "rolebindings", True),
    "StorageClass": ("/apis/storage.k8s.io/v1", "storageclasses", False),
    "VirtualMachine": (_VM, "virtualmachines", True),
    "VirtualMachineClass": (_VM, "virtualmachineclasses", True),
    "VirtualMachineImage": (_VM, "virtualmachineimages", True),
    "VirtualMachineService": (_VM, "virtualmachineservices", True),
    "VMRayCluster": ("/apis/vmray.broadcom.com/v1alpha1", "vmrayclusters", True),
}
CODES = {"NotFound": "NOT_FOUND", "AlreadyExists": "ALREADY_EXISTS", "Unauthorized": "AUTH", "Forbidden": "FORBIDDEN",
         "Invalid": "INVALID", "BadRequest": "INVALID", "Conflict": "CONFLICT", "InternalError": "INTERNAL", "ServiceUnavailable": "SERVICE_UNAVAILABLE"}
NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
TRIES = 5
TIMEOUT = 30.0
# For what is asked again anyway.
SHORT_TIMEOUT = 10.0


class Kube:
    """One API server."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def address(self) -> str:
        """``host:port`` of the API server, as the connection uses it."""
        return urlsplit(self._access.host).netloc

    def close(self) -> None:
        self._access.close()

    def get(self, kind: str, name: str, namespace: str | None = None) -> Json | None:
        """The object, or None when only the object is missing; a missing kind raises UnknownYet."""
        status, body = self._send("GET", self._path(kind, namespace, name))
        if status == 404:
            _refuse_unknown_kind(kind, body, self.address)
            return None
        return self._answer(status, body, f"reading {_label(kind, name, namespace)}")

    def names(self, kind: str, namespace: str | None = None) -> list[str]:
        """Names only: contents (of secrets) stay on the server."""
        return sorted(item["metadata"]["name"] for item in self._list(kind, namespace, NAMES_ONLY))

    def apis(self) -> set[str]:
        """The APIs that are served, each as ``GROUP/VERSION``."""
        status, body = self._send("GET", "/apis")
        groups = self._answer(status, body, "telling its APIs").get("groups") or []
        return {version["groupVersion"] for group in groups for version in group.get("versions") or []}

    def everywhere(self, resource: str) -> list[Json]:
        """What there is of ``GROUP/VERSION/PLURAL`` in all namespaces, each without its contents; nothing where the kind is unknown."""
        status, body = self._send("GET", f"/apis/{resource}", accept=NAMES_ONLY)
        return [] if status == 404 else self._answer(status, body, f"listing {resource} of all namespaces").get("items") or []

    def create(self, kind: str, body: Json, *, dry_run: bool = False) -> Json:
        """POST the object; fields that the kind does not have are refused instead of dropped."""
        meta = body["metadata"]
        query = {"fieldValidation": "Strict", **_dry(dry_run)}
        status, answer = self._send("POST", self._path(kind, meta.get("namespace")), body=body, query=query)
        label = _label(kind, meta["name"], meta.get("namespace"))
        if status == 404:
            _refuse_unknown_kind(kind, answer, self.address)
        return self._answer(status, answer, f"creating {label}")

    def merge(self, kind: str, name: str, namespace: str | None, patch: Json, *, dry_run: bool = False) -> Json:
        """Merge-patch: what the patch does not name stays as it is."""
        query = {"fieldValidation": "Strict", **_dry(dry_run)}
        status, answer = self._send("PATCH", self._path(kind, namespace, name), body=patch, query=query,
                                    content_type="application/merge-patch+json")
        return self._answer(status, answer, f"changing {_label(kind, name, namespace)}")

    def delete(self, kind: str, name: str, namespace: str | None = None) -> None:
        """Ask for the removal; an object that is already gone is fine."""
        status, answer = self._send("DELETE", self._path(kind, namespace, name))
        if status != 404:
            self._answer(status, answer, f"removing {_label(kind, name, namespace)}")

    def watch(self, kind: str, name: str, namespace: str | None = None) -> Watch:
        """The object as it changes, over a connection of its own; nothing is sent before the first ``get``."""
        only = {"fieldSelector": f"metadata.name={name}"}
        path, label = self._path(kind, namespace), _label(kind, name, namespace)

        def listed(patient: bool) -> tuple[Json | None, str]:
            status, body = self._send("GET", path, query=only, tries=TRIES if patient else 1)
            if status == 404:
                _refuse_unknown_kind(kind, body, self.address)
            page = self._answer(status, body, f"listing {label}")
            return next(iter(page.get("items") or []), None), (page.get("metadata") or {}).get("resourceVersion", "")

        def opened(version: str) -> t.Any:
            query = {**only, "watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": STREAM_SECONDS}
            reply = self._authorized("GET", path, query=query, tries=1, stream=True)
            if reply.status != 200:
                self._answer(reply.status, _decoded(reply), f"watching {label}")
            return reply

        return Watch(listed, opened, lambda: self.get(kind, name, namespace))

    def _list(self, kind: str, namespace: str | None, accept: str, query: Json | None = None) -> list[Json]:
        status, body = self._send("GET", self._path(kind, namespace), accept=accept, query=query)
        if status == 404:
            _refuse_unknown_kind(kind, body, self.address)
        return self._answer(status, body, f"listing {kind} objects in {namespace or 'the cluster'}").get("items") or []

    @staticmethod
    def _path(kind: str, namespace: str | None, name: str | None = None) -> str:
        base, plural, namespaced = KINDS[kind]
        path = f"{base}/namespaces/{quote(namespace or '', safe='')}/{plural}" if namespaced else f"{base}/{plural}"
        return f"{path}/{quote(name, safe='')}" if name else path

    def _send(self, method: str, path: str, **kwargs: t.Any) -> tuple[int, t.Any]:
        """Status and decoded body of one request."""
        reply = self._authorized(method, path, **kwargs)
        return reply.status, _decoded(reply)

    def _authorized(self, method: str, path: str, **kwargs: t.Any) -> t.Any:
        """The answer of urllib3; a 401 is met by renewing the credentials and asking once more, if there are others."""
        self._access.keep_up()
        reply = self._once(method, path, **kwargs)
        if reply.status == 401 and self._access.renew():
            reply = self._once(method, path, **kwargs)
        if reply.status != 401 and reply.status < 500:
            self._access.confirm()
        return reply

    def _once(self, method: str, path: str, *, body: Json | None = None, query: Json | None = None, accept: str = "application/json",
              content_type: str = "application/json", tries: int = TRIES, stream: bool = False) -> t.Any:
        access = self._access
        headers = {"Accept": accept, "Content-Type": content_type, "User-Agent": "vcf.ray", **access.headers}
        url = f"{access.host}{path}" + (f"?{urlencode(query)}" if query else "")
        # Only reads are tried again: a write whose answer was lost may have been done. Trust (among "other") does not come with time.
        retries = urllib3.Retry(total=tries - 1, other=1, backoff_factor=0.3, status_forcelist=[429, 503], allowed_methods=["GET"], raise_on_status=False)
        try:
            reply = access.pool.request(
                method, url, body=None if body is None else json.dumps(body).encode(), headers=headers, preload_content=not stream,
                timeout=urllib3.Timeout(TIMEOUT if tries > 1 else SHORT_TIMEOUT), retries=retries if method == "GET" and tries > 1 else False)
            if stream and reply.status != 200:
                # A refusal is no stream; read to its end, it leaves the connection to the next request.
                reply.read(cache_content=True)
            return reply
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(access, error) from error

    def _answer(self, status: int, body: t.Any, doing: str) -> Json:
        if 200 <= status < 300 and isinstance(body, dict):
            return body
        reason = body.get("reason") if isinstance(body, dict) else None
        text = body.get("message") if isinstance(body, dict) else " ".join(str(body).split())[:300]
        code = CODES.get(reason or "", {401: "AUTH", 403: "FORBIDDEN", 404: "NOT_FOUND"}.get(status, "ERROR"))
        raise RayError(f"The API server {self.address} refused {doing}: {text or 'no reason given'} ({status}{' ' + reason if reason else ''}).",
                       code=code, hint=self._access.remedy if code == "AUTH" else _hint(code, text or ""), details={"status": status, "vendor": text})

    # The last one: from here on ``list`` means this method.
    def list(self, kind: str, namespace: str | None = None, labels: Json | None = None) -> list[Json]:
        """The objects, or only those that carry all of ``labels``."""
        selector = ",".join(f"{name}={value}" for name, value in sorted((labels or {}).items()))
        return self._list(kind, namespace, "application/json", {"labelSelector": selector} if selector else None)


@contextlib.contextmanager
def connect(task: Task) -> t.Iterator[Kube]:
    """A Kube for the options of ARGSPEC; secrets that no option holds are kept out of everything that the task shows."""
    kube = Kube(access_for(task))
    try:
        yield kube
    finally:
        kube.close()


def _decoded(reply: t.Any) -> t.Any:
    """The body as JSON, or as text when it is none."""
    text = reply.data.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


def _dry(dry_run: bool) -> Json:
    return {"dryRun": "All"} if dry_run else {}


def _label(kind: str, name: str, namespace: str | None) -> str:
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def _refuse_unknown_kind(kind: str, body: t.Any, address: str) -> None:
    """A 404 that names no object is about the path: the kind is not served here."""
    if isinstance(body, dict) and (body.get("details") or {}).get("name"):
        return
    if kind == "VMRayCluster":
        raise UnknownYet(f"The kind VMRayCluster is unknown to the API server {address}: the Ray service is not installed on this Supervisor.",
                         hint="A VI admin installs it with vcf.ray.supervisor_service_install; look at its config_status.")
    raise UnknownYet(f"The kind {kind} is unknown to the API server {address}.", hint="Is it a Supervisor of a release that has it?")


def _hint(code: str, text: str) -> str | None:
    if code == "FORBIDDEN" and "is forbidden: User" in text:
        return ("The user has no role on the namespace (see vcf.ray.namespace_access), the namespace does not exist, the role was granted "
                "after the login, or the service that brings the kind is not installed.")
    if "failed calling webhook" in text:
        return "The operator behind this kind is not serving; a VI admin looks at its pods in the namespace of the service."
    return None


def _unreachable(access: Access, error: Exception) -> RayError:
    cause = getattr(error, "reason", None) or error
    fault = proxy_fault(cause, access.proxy, f"the API server {access.host}")
    if fault:
        return fault
    if speaks_no_tls(cause):
        return RayError(f"The API server {access.host} does not speak TLS on this port.", code="TLS",
                        hint="Check the address; a Supervisor's port is 6443.")
    # A balancer whose servers are away takes the connection and drops it: that says nothing about trust.
    if isinstance(cause, urllib3.exceptions.SSLError) and "EOF occurred" not in str(cause):
        return RayError(f"The API server {access.host} cannot be trusted: {cause}.", code="TLS",
                        hint=f"Verified against {access.trust}; name the right CA file with ca_cert.")
    return RayError(f"The API server {access.host} cannot be reached: {str(cause).split(': ', 1)[-1]}.", code="CONNECTION",
                    hint="Check the address, and that it can be reached from here.")
