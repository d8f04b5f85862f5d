# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vCenter trusts and what it asks clients to trust."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from vcf_lab.settings import Lab

from .errors import ApiError, missing
from .store import Store
from .wcp_request import body as read_body

CHAINS = "/api/vcenter/certificate-management/vcenter/trusted-root-chains"
CONTENT = "/api/content/trusted-certificates"

routes = web.RouteTableDef()


def roots(app: web.Application) -> dict[str, str]:
    """Trusted roots, identifier to PEM: the lab's CA and what was added."""
    lab: Lab = app["lab"]
    store: Store = app["store"]
    own = lab.ca_cert.read_text()
    added = {key: entry["pem"] for key, entry in store["trusted"].items() if entry["use"] == "root"}
    return {identifier(own): own, **added}


def signers(app: web.Application) -> list[str]:
    """Certificates that may vouch for the content of a library item."""
    store: Store = app["store"]
    added = [entry["pem"] for entry in store["trusted"].values() if entry["use"] == "content"]
    return [*roots(app).values(), *added]


def identifier(pem: str) -> str:
    """Derived from the certificate, so the same one never has two."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise ApiError("INVALID_ARGUMENT", "The certificate cannot be read.", id="vcenter.certificate.invalid") from error
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - a name, not a proof


@routes.get("/certs/download.zip")
async def download(request: web.Request) -> web.Response:
    """The roots for clients of three systems; no login, as they cannot trust us yet."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for pem in roots(request.app).values():
            name = hashlib.sha256(pem.encode()).hexdigest()[:8]
            for folder, ending in (("lin", "0"), ("mac", "0"), ("win", "0.crt")):
                archive.writestr(f"certs/{folder}/{name}.{ending}", pem)
    return web.Response(body=buffer.getvalue(), content_type="application/zip")


@routes.get(CHAINS)
async def list_chains(request: web.Request) -> web.Response:
    """All trusted roots."""
    return web.json_response([{"chain": key} for key in roots(request.app)])


@routes.get(CHAINS + "/{chain}")
async def show_chain(request: web.Request) -> web.Response:
    """One root."""
    found = roots(request.app).get(request.match_info["chain"])
    if found is None:
        raise missing("Trusted root chain", request.match_info["chain"])
    return web.json_response({"cert_chain": {"cert_chain": [found]}})


@routes.post(CHAINS)
async def add_chain(request: web.Request) -> web.Response:
    """Trust one more root."""
    shape = {"spec*": {"cert_chain*": {"cert_chain*": [str]}, "chain": str}}
    sent = (await read_body(request, shape, "trusted_root_chain"))["spec"]
    if not sent["cert_chain"]["cert_chain"]:
        raise ApiError("INVALID_ARGUMENT", "The chain is empty.", id="vcenter.certificate.invalid")
    return web.json_response(_add(request, sent["cert_chain"]["cert_chain"][0], "root"), status=201)


@routes.delete(CHAINS + "/{chain}")
async def remove_chain(request: web.Request) -> web.Response:
    """Trust a root no more."""
    return _remove(request, request.match_info["chain"], "root")


@routes.get(CONTENT)
async def list_certificates(request: web.Request) -> web.Response:
    """Certificates that vouch for library content."""
    entries = _content(request)
    listed = [{"certificate": key, "cert_text": entry["pem"]} for key, entry in entries.items()]
    return web.json_response({"certificates": listed})


@routes.get(CONTENT + "/{certificate}")
async def show_certificate(request: web.Request) -> web.Response:
    """One of them."""
    found = _content(request).get(request.match_info["certificate"])
    if found is None:
        raise missing("Trusted certificate", request.match_info["certificate"])
    return web.json_response({"cert_text": found["pem"]})


@routes.post(CONTENT)
async def add_certificate(request: web.Request) -> web.Response:
    """Add one; the same certificate keeps its identifier."""
    sent = await read_body(request, {"cert_text*": str}, "trusted_certificate")
    return web.json_response(_add(request, sent["cert_text"], "content"), status=201)


@routes.delete(CONTENT + "/{certificate}")
async def remove_certificate(request: web.Request) -> web.Response:
    """Remove one."""
    return _remove(request, request.match_info["certificate"], "content")


def _content(request: web.Request) -> dict[str, Any]:
    return {key: entry for key, entry in request.app["store"]["trusted"].items() if entry["use"] == "content"}


def _add(request: web.Request, pem: str, use: str) -> str:
    store: Store = request.app["store"]
    key = identifier(pem)
    store["trusted"][key] = {"use": use, "pem": pem}
    store.changed()
    return key


def _remove(request: web.Request, key: str, use: str) -> web.Response:
    store: Store = request.app["store"]
    if store["trusted"].get(key, {}).get("use") != use:
        raise missing("Certificate", key)
    del store["trusted"][key]
    store.changed()
    return web.Response(status=204)
