# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom and core objects of a Kubernetes API server, by fixed paths: no discovery, one round trip for each call.

The ``kubernetes`` package reads the kubeconfig (exec plugins and client certificates included) and gives the
verified connection; the requests themselves are ours, because its generated calls change from release to release.
"""

from __future__ import annotations

import contextlib
import json
import typing as t
from urllib.parse import quote, urlencode, urlsplit

from ansible.module_utils.basic import env_fallback

from .._errors import RayError, UnknownYet

try:
    import urllib3
    from kubernetes import client as k8s_client
    from kubernetes import config as k8s_config

    HAS_KUBERNETES = True
except ImportError:
    HAS_KUBERNETES = False

ARGSPEC = {
    "kubeconfig": {"type": "raw", "no_log": False, "fallback": (env_fallback, ["K8S_AUTH_KUBECONFIG"])},
    "context": {"type": "str", "fallback": (env_fallback, ["K8S_AUTH_CONTEXT"])},
    "host": {"type": "str", "fallback": (env_fallback, ["K8S_AUTH_HOST"])},
    "api_key": {"type": "str", "no_log": True, "fallback": (env_fallback, ["K8S_AUTH_API_KEY"])},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"], "fallback": (env_fallback, ["K8S_AUTH_SSL_CA_CERT"])},
    "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
}

_VM = "/apis/vmoperator.vmware.com/v1alpha2"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
# kind: path of its group and version, plural, whether it lives in a namespace
KINDS = {
    "Namespace": ("/api/v1", "namespaces", False),
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
TIMEOUT = 30.0


class Kube:
    """One API server.

    Args:
        load: gives an ``ApiClient`` with address, trust and credentials; called again after a 401, because
            another program may have renewed the kubeconfig in the meantime.
    """

    def __init__(self, load: t.Callable[[], t.Any]) -> None:
        self._load = load
        self._api = load()

    @property
    def address(self) -> str:
        """``host:port`` of the API server, as the connection uses it."""
        return urlsplit(self._api.configuration.host).netloc

    def close(self) -> None:
        self._api.rest_client.pool_manager.clear()

    def get(self, kind: str, name: str, namespace: str | None = None) -> dict | None:
        """The object, or None when only the object is missing; a missing kind raises UnknownYet."""
        status, body = self._send("GET", self._path(kind, namespace, name))
        if status == 404:
            _refuse_unknown_kind(kind, body, self.address)
            return None
        return self._answer(status, body, f"reading {_label(kind, name, namespace)}")

    def list(self, kind: str, namespace: str | None = None) -> list[dict]:
        return self._list(kind, namespace, "application/json")

    def names(self, kind: str, namespace: str | None = None) -> list[str]:
        """Names only: contents (of secrets) stay on the server."""
        return sorted(item["metadata"]["name"] for item in self._list(kind, namespace, NAMES_ONLY))

    def create(self, kind: str, body: dict, *, dry_run: bool = False) -> dict:
        """POST the object; fields that the kind does not have are refused instead of dropped."""
        meta = body["metadata"]
        query = {"fieldValidation": "Strict", **_dry(dry_run)}
        status, answer = self._send("POST", self._path(kind, meta.get("namespace")), body=body, query=query)
        label = _label(kind, meta["name"], meta.get("namespace"))
        if status == 404:
            _refuse_unknown_kind(kind, answer, self.address)
        return self._answer(status, answer, f"creating {label}")

    def merge(self, kind: str, name: str, namespace: str | None, patch: dict, *, dry_run: bool = False) -> dict:
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

    def _list(self, kind: str, namespace: str | None, accept: str) -> list[dict]:
        status, body = self._send("GET", self._path(kind, namespace), accept=accept)
        if status == 404:
            _refuse_unknown_kind(kind, body, self.address)
        return self._answer(status, body, f"listing {kind} objects in {namespace or 'the cluster'}").get("items") or []

    @staticmethod
    def _path(kind: str, namespace: str | None, name: str | None = None) -> str:
        base, plural, namespaced = KINDS[kind]
        path = f"{base}/namespaces/{quote(namespace or '', safe='')}/{plural}" if namespaced else f"{base}/{plural}"
        return f"{path}/{quote(name, safe='')}" if name else path

    def _send(self, method: str, path: str, *, body: dict | None = None, query: dict | None = None, accept: str = "application/json",
              content_type: str = "application/json") -> tuple[int, t.Any]:
        """One request; a 401 is answered by reading the credentials again and one second try with them, if they are others."""
        status, answer = self._once(method, path, body, query, accept, content_type)
        if status == 401:
            old = _credential(self._api)
            self._api = self._load()
            if _credential(self._api) != old:
                status, answer = self._once(method, path, body, query, accept, content_type)
        return status, answer

    def _once(self, method: str, path: str, body: dict | None, query: dict | None, accept: str, content_type: str) -> tuple[int, t.Any]:
        config = self._api.configuration
        headers = {"Accept": accept, "Content-Type": content_type, "User-Agent": "vcf.ray"}
        token = _credential(self._api)
        if token:
            headers["Authorization"] = token
        url = f"{config.host.rstrip('/')}{path}" + (f"?{urlencode(query)}" if query else "")
        # Only reads are tried again: a write whose answer was lost may have been done.
        retries = urllib3.Retry(total=4, backoff_factor=0.3, status_forcelist=[429, 503], allowed_methods=["GET"], raise_on_status=False)
        try:
            reply = self._api.rest_client.pool_manager.request(
                method, url, body=None if body is None else json.dumps(body).encode(), headers=headers,
                timeout=urllib3.Timeout(TIMEOUT), retries=retries if method == "GET" else False)
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(config, error) from error
        text = reply.data.decode("utf-8", "replace")
        try:
            return reply.status, json.loads(text)
        except ValueError:
            return reply.status, text

    def _answer(self, status: int, body: t.Any, doing: str) -> dict:
        if 200 <= status < 300 and isinstance(body, dict):
            return body
        reason = body.get("reason") if isinstance(body, dict) else None
        text = body.get("message") if isinstance(body, dict) else " ".join(str(body).split())[:300]
        code = CODES.get(reason or "", {401: "AUTH", 403: "FORBIDDEN", 404: "NOT_FOUND"}.get(status, "ERROR"))
        raise RayError(f"The API server {self.address} refused {doing}: {text or 'no reason given'} ({status}{' ' + reason if reason else ''}).",
                       code=code, hint=_hint(code, text or ""), details={"status": status, "vendor": text})


@contextlib.contextmanager
def connect(task: t.Any) -> t.Iterator[Kube]:
    """A Kube for the options of ARGSPEC; the kubeconfig's secrets are kept out of everything that the task shows."""
    params = task.params
    config = params.get("kubeconfig")
    if isinstance(config, str) and config.lstrip().startswith("{"):
        config = _parsed(config)
    if isinstance(config, dict):
        task.hide(_secrets(config))
    kube = Kube(lambda: _api_client({**params, "kubeconfig": config}))
    try:
        yield kube
    finally:
        kube.close()


def _api_client(params: dict) -> t.Any:
    if not HAS_KUBERNETES:
        raise RayError("The Python library kubernetes is missing.", code="INPUT", hint="Install it: pip install kubernetes.")
    settings = k8s_client.Configuration()
    kubeconfig = params.get("kubeconfig")
    if kubeconfig or not params.get("host"):
        _load_kubeconfig(settings, kubeconfig, params.get("context"))
    if params.get("host"):
        settings.host = params["host"].rstrip("/")
    if params.get("api_key"):
        settings.api_key = {"authorization": f"Bearer {params['api_key']}"}
    if params.get("ca_cert"):
        settings.ssl_ca_cert = params["ca_cert"]
    if params.get("validate_certs") is not None:
        settings.verify_ssl = params["validate_certs"]
    if not settings.verify_ssl:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    try:
        return k8s_client.ApiClient(settings)
    except (OSError, ValueError) as error:
        raise RayError(f"The CA file {settings.ssl_ca_cert} cannot be used: {error}.", code="TLS", hint="Name a PEM file with ca_cert.") from error


def _load_kubeconfig(settings: t.Any, kubeconfig: t.Any, context: str | None) -> None:
    named = kubeconfig if isinstance(kubeconfig, str) else ("the given kubeconfig" if kubeconfig else "~/.kube/config")
    try:
        if isinstance(kubeconfig, dict):
            k8s_config.load_kube_config_from_dict(kubeconfig, context=context, client_configuration=settings, persist_config=False)
        else:
            k8s_config.load_kube_config(config_file=kubeconfig, context=context, client_configuration=settings, persist_config=False)
    except (k8s_config.ConfigException, OSError, ValueError, TypeError) as error:
        raise RayError(f"No connection can be made from {named}: {error}.", code="INPUT",
                       hint="Make it with vcf.ray.supervisor_kubeconfig, or name another with kubeconfig and context.") from error


def _parsed(text: str) -> dict:
    """A dict that was templated into an option of type raw may arrive as its JSON text."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise RayError("kubeconfig looks like JSON and is none.", code="INPUT", hint="Give a path or a dict.") from error


def _secrets(config: dict) -> list[str]:
    users = [u.get("user") or {} for u in config.get("users") or [] if isinstance(u, dict)]
    return [u[key] for u in users for key in ("token", "password", "client-key-data") if u.get(key)]


def _credential(api: t.Any) -> str | None:
    return api.configuration.get_api_key_with_prefix("BearerToken", alias="authorization")


def _dry(dry_run: bool) -> dict:
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
    if code == "AUTH":
        return "The token has expired or is not of this Supervisor; renew it with vcf.ray.supervisor_kubeconfig."
    if code == "FORBIDDEN" and "is forbidden: User" in text:
        return ("The user has no role on the namespace (see vcf.ray.namespace_access), the namespace does not exist, the role was granted "
                "after the login, or the service that brings the kind is not installed.")
    if "failed calling webhook" in text:
        return "The operator behind this kind is not serving; a VI admin looks at its pods in the namespace of the service."
    return None


def _unreachable(config: t.Any, error: Exception) -> RayError:
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, urllib3.exceptions.SSLError):
        trust = config.ssl_ca_cert or "the certificate authorities of this system"
        return RayError(f"The API server {config.host} cannot be trusted: {cause}.", code="TLS",
                        hint=f"Verified against {trust}; name the right CA file with ca_cert.")
    return RayError(f"The API server {config.host} cannot be reached: {str(cause).split(': ', 1)[-1]}.", code="CONNECTION",
                    hint="Check the address, and that it can be reached from here.")
