# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web application: which routes there are and what happens around each request."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from vcf_lab import pki
from vcf_lab.kube import Kube
from vcf_lab.settings import Lab

from . import (
    certificates,
    faults,
    inventory,
    lab_port,
    legacy_session,
    library,
    library_items,
    proxy,
    service_versions,
    sessions,
    sso,
    sso_domains,
    sts,
    wcp,
)
from .directory import Directory
from .errors import ApiError
from .faults import Faults
from .library_sync import Synchronizer
from .privileges import Grants, check
from .sessions import HEADER, Sessions, unauthenticated
from .store import Store
from .vim import Vcsim
from .writes import is_write

LOG = logging.getLogger(__name__)
REMEMBERED_REQUESTS = 20_000
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LazyKube:
    """Connects at first use: the API server's kubeconfig may be written after we start."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig
        self._kube: Kube | None = None

    def __getattr__(self, name: str) -> Any:
        if self._kube is None:
            self._kube = Kube.connect(self._kubeconfig)
        return getattr(self._kube, name)

    async def close(self) -> None:
        """Close only what was opened."""
        if self._kube is not None:
            await self._kube.close()


def make_app(
    lab: Lab, *, simulator: inventory.Simulator | None = None, kube: Kube | LazyKube | None = None, idle_limit: float | None = None
) -> web.Application:
    """The application; tests hand in their own simulator and Kubernetes client."""
    app = web.Application(middlewares=[log_request, faults.strike, translate_errors, check_session], client_max_size=64 * 1024**2)
    folder = lab.state / "vcenter"
    app["lab"] = lab
    app["store"] = Store(folder / "state.json")
    app["kube"] = kube or LazyKube(lab.kubeconfig)
    app["simulator"] = simulator or Vcsim(lab)
    app["inventory"] = inventory.Inventory(app["simulator"])
    app["directory"] = Directory(app["store"])
    app["directory"].bootstrap(lab.password)
    sso_domains.seed(app["directory"], lab.password)
    app["sessions"] = Sessions(idle_limit) if idle_limit is not None else Sessions()
    app["faults"], app["grants"] = Faults(), Grants()
    app["sso_sessions"] = {}
    app["library_tokens"] = {}  # Client-Token to the library that it made
    app["clients"] = {}  # HTTP clients that are made when first needed
    app["sts_key"] = pki.rsa_key(folder / "sts.key")
    app["synchronizer"] = Synchronizer(app, folder / "contentlib")
    app["requests"] = deque(maxlen=REMEMBERED_REQUESTS)
    app.add_routes([*service_versions.routes])  # before the proxy, whose pattern fits it too
    for part in (sessions, legacy_session, sso, sts, inventory, library_items, library, certificates, proxy, wcp):
        app.add_routes(part.routes)
    app.on_startup.append(_start)
    app.on_shutdown.append(faults.release)
    app.on_cleanup.append(_stop)
    return app


def make_lab_app(app: web.Application) -> web.Application:
    """The plain side door for the lab itself."""
    side = web.Application()
    side["front"] = app
    side.add_routes([*lab_port.routes, *lab_port.routes_of_faults])
    side.add_routes(wcp.side_routes)
    return side


async def _start(app: web.Application) -> None:
    await wcp.start(app)


async def _stop(app: web.Application) -> None:
    await wcp.stop(app)
    await app["synchronizer"].close()
    await proxy.close(app)
    await app["kube"].close()


@web.middleware
async def log_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Remember method, path, status and connection of every request; SOAP also by operation."""
    status = 500
    connection = _connection(request)
    request["faults"], request["privileges"] = [], []  # filled on the way
    try:
        response = await handler(request)
        status = response.status
        return response
    finally:
        entry: dict[str, Any] = {"method": request.method, "path": request.path_qs, "status": status, "connection": connection}
        operation = request.get("operation", "")
        entry["write"] = is_write(request.method, request.path_qs, operation)
        entry |= {name: request[name] for name in ("operation", "privileges", "faults") if request.get(name)}
        request.app["requests"].append(entry)
        LOG.info("%s %s %s", request.method, request.path_qs, status)


def _connection(request: web.Request) -> str:
    """Address and port of the client: what tells its connections apart."""
    host, port = ((request.transport and request.transport.get_extra_info("peername")) or ("-", 0))[:2]
    return f"{host}:{port}"


@web.middleware
async def translate_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure of the REST side has the vendor's body."""
    try:
        return await handler(request)
    except ApiError as error:
        if request.path.startswith("/rest"):
            return legacy_session.in_older_form(error)
        return web.json_response(error.body(), status=error.status)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        unknown = ApiError("OPERATION_NOT_FOUND", f"No operation {request.method} {request.path}", id="vapi.method.unknown")
        return web.json_response(unknown.body(), status=unknown.status)
    except web.HTTPException:
        raise
    except ValueError as error:  # a body that is not JSON
        if not request.path.startswith("/api"):
            raise
        LOG.exception("%s %s", request.method, request.path_qs)
        refused = ApiError("INVALID_ARGUMENT", f"The request cannot be read: {error}", id="vapi.data.invalid")
        return web.json_response(refused.body(), status=refused.status)
    except Exception as error:  # the lab's own fault: seen in the log, told to the client
        LOG.exception("%s %s", request.method, request.path_qs)
        broken = ApiError("INTERNAL_SERVER_ERROR", f"{type(error).__name__}: {error}", id="vcenter.internal")
        return web.json_response(broken.body(), status=500)


@web.middleware
async def check_session(request: web.Request, handler: Handler) -> web.StreamResponse:
    """REST needs a session, and its user the privileges of the call."""
    login = (request.method, request.path) == ("POST", "/api/session") or request.path == legacy_session.PATH
    if login or not request.path.startswith(("/api", "/rest")):
        return await handler(request)
    session = request.app["sessions"].touch(request.headers.get(HEADER, ""))
    if session is None:
        raise unauthenticated()
    directory: Directory = request.app["directory"]
    user = directory.find(session.user)
    if user is None:
        raise unauthenticated("The user of this session does not exist any more.")
    request["session"], request["user"] = session, session.user
    check(request, directory, user)
    return await handler(request)
