# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to one API server: its address, the verified connection, and credentials that can be renewed.

The ``kubernetes`` package reads the kubeconfig (exec plugins and client certificates included); nothing else of it is used.
"""

from __future__ import annotations

import json
import time
import types
import typing as t
from urllib.parse import unquote, urlsplit

from ansible.module_utils.basic import env_fallback

from .._errors import MissingLibrary, RayError
from .._http import check_ca, plain_proxy
from .._jwt import renewal
from .._ports import Json, Task
from . import kube_contexts, proxy
from . import supervisor as supervisor_client
from .kubeconfig_file import default_path

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
    "supervisor": {"type": "dict", "options": supervisor_client.ARGSPEC},
    **proxy.ARGSPEC,
}
# Seconds until a login service that did not answer is asked again, while the token is still good.
AGAIN = 10.0


class Access:
    """How requests reach one API server and prove whose they are.

    When the options of a Supervisor are given, credentials are renewed by a login there: shortly before they end, as far as
    they tell, and after a 401. Else they are renewed after a 401 only, by reading the kubeconfig again, which another program
    may have renewed in the meantime.

    Args:
        params: options of ARGSPEC.
        hide: takes tokens that no option holds, to keep them out of all that is shown.
        login: gives a fresh token for the options ``supervisor``.
        clock: seconds since 1970.
    """

    def __init__(self, params: Json, hide: t.Callable[[t.Iterable[str]], None] = lambda values: None,
                 login: t.Callable[[Json], str] | None = None, clock: t.Callable[[], float] = time.time) -> None:
        if not HAS_KUBERNETES:
            raise MissingLibrary("kubernetes")
        self._params, self._hide, self._login, self._clock = params, hide, login or _logged_in, clock
        self._refusal: RayError | None = None
        self._settings: t.Any = None
        self._credential: str | None = None
        self._due: float | None = None
        token = None if _has_own_credentials(params) else self._token()
        # Fresh credentials that no answer has confirmed yet: when these are refused, fresher ones would not help.
        self._unproven = bool(token)
        self._open(token)

    @property
    def host(self) -> str:
        """``https://host:port`` of the API server."""
        host: str = self._settings.host
        return host.rstrip("/")

    @property
    def trust(self) -> str:
        """What the server's certificate is verified against, in words."""
        if self._settings.ssl_ca_cert in k8s_config.kube_config._temp_files.values():
            return "the certificate authorities in the kubeconfig"
        return self._settings.ssl_ca_cert or "the certificate authorities of this system"

    @property
    def proxy(self) -> str | None:
        """The proxy that requests go through; without its login."""
        url: str | None = self._settings.proxy
        return url

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self._credential} if self._credential else {}

    @property
    def remedy(self) -> str:
        """What the user can do when the credentials are refused."""
        if self._params.get("supervisor"):
            return "A fresh token of the Supervisor was refused: is this the API server of that Supervisor, and is its clock right?"
        return ("The token has expired or is not of this Supervisor; renew it with vcf.ray.supervisor_kubeconfig, or give the option supervisor, "
                "which renews it by itself.")

    def keep_up(self) -> None:
        """Before a request: another token in place of one that is about to end; at most one login for each token's life."""
        if self._due is None or self._clock() < self._due or not self._params.get("supervisor"):
            return
        try:
            token = self._token()
        except RayError as error:
            # The token may still be good. If it is not, the 401 leads here again, and then the reason is told.
            self._due = None if error.code == "AUTH" else self._clock() + AGAIN
            return
        self.close()
        self._open(token)
        self._unproven = True

    def confirm(self) -> None:
        """The server has accepted the credentials."""
        self._unproven = False

    def renew(self) -> bool:
        """Other credentials after a 401; False when there are none, or when those just renewed were refused."""
        if self._unproven:
            return False
        refused = self._credential
        token = self._token() if self._params.get("supervisor") else None
        self.close()
        self._open(token)
        others = self._credential != refused
        self._unproven = bool(token) or others
        return others

    def close(self) -> None:
        self.pool.clear()
        # The package keeps keys and authorities of the kubeconfig in files until the process ends, which a forked one does
        # without looking back. The next reader of a kubeconfig makes them anew.
        k8s_config.kube_config._cleanup_temp_files()

    def _open(self, token: str | None) -> None:
        self._settings = _settings(self._params, token)
        # The package has renamed the key.
        self._credential = self._settings.api_key.get("BearerToken") or self._settings.api_key.get("authorization")
        self._due = renewal((self._credential or "").removeprefix("Bearer "), self._clock(), new=bool(token))
        try:
            self.pool = k8s_client.ApiClient(self._settings).rest_client.pool_manager
        except (OSError, ValueError) as error:
            raise RayError(f"The CA file {self._settings.ssl_ca_cert} cannot be used: {error}.", code="TLS",
                           hint="Name a PEM file with ca_cert.") from error

    def _token(self) -> str:
        """A fresh token; a refused login is not tried again, because SSO locks an account after a few."""
        if self._refusal:
            raise self._refusal
        try:
            token = self._login(_login_options(self._params, self._settings))
        except RayError as error:
            if error.code == "AUTH":
                self._refusal = error
            raise
        self._hide([token])
        return token


def access_for(task: Task) -> Access:
    """The Access for the options of ARGSPEC; the kubeconfig's secrets are kept out of everything that the task shows."""
    config = task.params.get("kubeconfig")
    if isinstance(config, str) and config.lstrip().startswith("{"):
        config = _parsed(config)
    if isinstance(config, dict):
        task.hide(_secrets(config))
    return Access({**task.params, "kubeconfig": config}, task.hide)


def _logged_in(options: Json) -> str:
    with supervisor_client.connect(types.SimpleNamespace(params=options)) as supervisor:
        return supervisor.login()


def uses_kubeconfig(params: Json) -> bool:
    """Asked for by name, or the only source that is left."""
    if params.get("kubeconfig"):
        return True
    return not params.get("host") and bool(params.get("context") or not params.get("supervisor"))


def _has_own_credentials(params: Json) -> bool:
    return bool(not params.get("supervisor") or params.get("api_key") or uses_kubeconfig(params))


def _settings(params: Json, token: str | None) -> t.Any:
    settings = k8s_client.Configuration()
    supervisor = params.get("supervisor")
    if uses_kubeconfig(params):
        _load_kubeconfig(settings, params.get("kubeconfig"), params.get("context"))
        # It would put the kubeconfig's address and token back at every look. Credentials are renewed in one way, after a 401.
        settings.refresh_api_key_hook = None
    elif supervisor:
        settings.host = f"https://{supervisor_client.host_of(supervisor['hostname'])}:{supervisor_client.API_PORT}"
        settings.ssl_ca_cert, settings.verify_ssl = supervisor.get("ca_path"), supervisor.get("validate_certs") is not False
    if params.get("host"):
        settings.host = params["host"].rstrip("/")
    if token or params.get("api_key"):
        settings.api_key = {"BearerToken": f"Bearer {token or params['api_key']}"}
        settings.cert_file = settings.key_file = None
    if params.get("ca_cert"):
        if params.get("validate_certs") is not False:
            check_ca(params["ca_cert"], "the API server", option="ca_cert")
        settings.ssl_ca_cert = params["ca_cert"]
    if params.get("validate_certs") is not None:
        settings.verify_ssl = params["validate_certs"]
    _go_through(settings, _proxy_of(params))
    if not settings.verify_ssl:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return settings


def _proxy_of(params: Json) -> str | None:
    """The options come first, then the kubeconfig, then the Supervisor's when it stands for both."""
    url = proxy.url(params)
    if url or not uses_kubeconfig(params):
        return url or proxy.url(params.get("supervisor") or {})
    return kube_contexts.proxy_url(params.get("kubeconfig"), params.get("context"))


def _go_through(settings: t.Any, url: str | None) -> None:
    """Use this proxy or none; left alone, the package takes those of the environment."""
    settings.proxy, settings.no_proxy, settings.proxy_headers = (plain_proxy(url) if url else None), "", None
    parts = urlsplit(url or "")
    if url and parts.scheme not in ("http", "https"):
        raise RayError(f"The proxy-url {plain_proxy(url)} of the kubeconfig is none that can be used.", code="INPUT", hint="It has to begin with http://.")
    if parts.username:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        settings.proxy_headers = urllib3.make_headers(proxy_basic_auth=login)


def _login_options(params: Json, settings: t.Any) -> Json:
    """The options of the login. What they leave open of the way there is that of the API server, as long as it is the same host."""
    options: Json = params["supervisor"]
    if not options.get("proxy_host") and params.get("proxy_host"):
        options = {**options, **{name: params.get(name) for name in proxy.ARGSPEC}}
    if settings is None or supervisor_client.host_of(options["hostname"]) != supervisor_client.host_of(settings.host):
        return options
    if not options.get("proxy_host") and _proxy_of(params):
        options = {**options, "proxy_url": _proxy_of(params)}
    if not options.get("ca_path") and settings.verify_ssl and settings.ssl_ca_cert:
        options = {**options, "ca_path": settings.ssl_ca_cert}
    return options


def _load_kubeconfig(settings: t.Any, kubeconfig: t.Any, context: str | None) -> None:
    kubeconfig = kubeconfig or default_path()
    named = kubeconfig if isinstance(kubeconfig, str) else "the given kubeconfig"
    try:
        if isinstance(kubeconfig, dict):
            k8s_config.load_kube_config_from_dict(kubeconfig, context=context, client_configuration=settings, persist_config=False)
        else:
            k8s_config.load_kube_config(config_file=kubeconfig, context=context, client_configuration=settings, persist_config=False)
    except (k8s_config.ConfigException, OSError, ValueError, TypeError) as error:
        raise RayError(f"No connection can be made from {named}: {str(error).rstrip('.')}.", code="INPUT",
                       hint="Make it with vcf.ray.supervisor_kubeconfig, or name another with kubeconfig and context.") from error


def _parsed(text: str) -> Json:
    """A dict that was templated into an option of type raw may arrive as its JSON text."""
    try:
        config: Json = json.loads(text)
        return config
    except ValueError as error:
        raise RayError("kubeconfig looks like JSON and is none.", code="INPUT", hint="Give a path or a dict.") from error


def _secrets(config: Json) -> list[str]:
    users = [u.get("user") or {} for u in config.get("users") or [] if isinstance(u, dict)]
    clusters = [c.get("cluster") or {} for c in config.get("clusters") or [] if isinstance(c, dict)]
    proxies = [urlsplit(str(c["proxy-url"])).password for c in clusters if c.get("proxy-url")]
    return [u[key] for u in users for key in ("token", "password", "client-key-data") if u.get(key)] + [password for password in proxies if password]
