# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at before a library is made or changed, and the probe of a publisher."""

from __future__ import annotations

import uuid
from typing import Any

from aiohttp import web

from .errors import ApiError, missing, required
from .library_shapes import SUBSCRIPTION
from .library_sync import POLICY, Synchronizer
from .store import Store, new_id
from .subscription import ProbeFailed, valid_thumbprint
from .wcp_request import body as read_body
from .wcp_request import has

# What a subscription is trusted and reached by: a change of these is tried out before it is kept.
REACHED_BY = frozenset(
    {"subscription_url", "ssl_thumbprint", "ssl_certificate", "authentication_method", "user_name", "password"}
)


def library_of(request: web.Request, kind: str | None = None) -> dict[str, Any]:
    """The library of the path; INVALID_ELEMENT_TYPE when it is of the other kind."""
    identifier = request.match_info["library"]
    library: dict[str, Any] | None = request.app["store"]["libraries"].get(identifier)
    if library is None:
        raise missing("Library", identifier)
    if kind is not None and library["type"] != kind:
        raise ApiError("INVALID_ELEMENT_TYPE", f"The library {identifier} is not of type {kind}.", args=[identifier])
    return library


def client_token(request: web.Request) -> str:
    """What makes the repetition of a request harmless; a request without one is never a repetition."""
    token = request.headers.get("Client-Token")
    if token is None:
        return new_id()
    try:
        return str(uuid.UUID(token))
    except ValueError as error:
        raise ApiError("INVALID_ARGUMENT", f"The client token '{token}' is not a UUID.", args=[token]) from error


def made_with(records: dict[str, Any], token: str) -> str | None:
    """Identifier of the object that an earlier request of this token made."""
    return next((key for key, entry in records.items() if entry.get("client_token") == token), None)


def check_version(record: dict[str, Any], changes: dict[str, Any]) -> None:
    """CONCURRENT_CHANGE when somebody else has changed the object since the client read it."""
    if changes.get("version", record["version"]) != record["version"]:
        raise ApiError("CONCURRENT_CHANGE", f"'{record['name']}' is at version {record['version']}.")


async def check_model(request: web.Request, model: dict[str, Any], kind: str) -> None:
    """All that a new library needs."""
    required(model, "name", "storage_backings")
    if model.get("type", kind) != kind:
        raise ApiError("INVALID_ARGUMENT", f"The type of the library is not {kind}.")
    backings = model["storage_backings"]
    if len(backings) != 1:
        kind_of_error = "UNSUPPORTED" if backings else "INVALID_ARGUMENT"
        raise ApiError(kind_of_error, "A library has exactly one storage backing.")
    if backings[0].get("type", "DATASTORE") == "DATASTORE":
        required(backings[0], "datastore_id")
        datastore = backings[0]["datastore_id"]
        if datastore not in {entry["datastore"] for entry in await request.app["inventory"].datastores()}:
            raise ApiError("INVALID_ARGUMENT", f"The datastore '{datastore}' does not exist.", args=[datastore])
    check_policy(model)


def check_policy(model: dict[str, Any]) -> None:
    """INVALID_ARGUMENT for a security policy that there is not."""
    policy = model.get("security_policy_id")
    if policy is not None and policy != POLICY["policy"]:
        raise ApiError("INVALID_ARGUMENT", f"The security policy '{policy}' does not exist.", args=[policy])


def check_subscription(info: dict[str, Any]) -> None:
    """All that a subscription needs, before its publisher is asked."""
    required(info, "subscription_url", "authentication_method", "automatic_sync_enabled", "on_demand")
    if info["authentication_method"] == "BASIC" and not info.get("password"):
        raise ApiError("INVALID_ARGUMENT", "The authentication method BASIC needs a password that is not empty.")
    if info.get("ssl_thumbprint") and not valid_thumbprint(info["ssl_thumbprint"]):
        raise ApiError("INVALID_ARGUMENT", "The SSL thumbprint is neither SHA-256 nor SHA-1.")


async def check_publisher(request: web.Request, info: dict[str, Any]) -> None:
    """A library is not made for a publisher that cannot be reached or believed."""
    synchronizer: Synchronizer = request.app["synchronizer"]
    try:
        async with synchronizer.publisher(info).connected() as publisher:
            await publisher.library()
    except ProbeFailed as error:
        raise ApiError("RESOURCE_INACCESSIBLE", str(error), id="com.vmware.vdcs.cls-main.publisher") from error


async def probe(request: web.Request) -> web.Response:
    """Could this subscription work? Always 200; the status tells."""
    sent = await read_body(request, {"subscription_info*": SUBSCRIPTION}, "probe")
    info = sent["subscription_info"]
    required(info, "subscription_url")
    answer: dict[str, Any] = {"status": "SUCCESS", "error_messages": []}
    publisher = request.app["synchronizer"].publisher(info)
    try:
        async with publisher.connected():
            await publisher.library()
    except ProbeFailed as error:
        text = {"id": "com.vmware.vdcs.cls-main.probe", "default_message": str(error), "args": []}
        answer = {"status": error.status, "error_messages": [text]}
    if publisher.thumbprint:
        answer["ssl_thumbprint"] = publisher.thumbprint
    if publisher.certificate and has(request, "9.0"):
        answer["ssl_certificate"] = publisher.certificate
    return web.json_response(answer)


def users(store: Store, identifier: str) -> list[str]:
    """Namespaces that a library is given to."""
    return [
        name
        for name, record in store["namespaces"].items()
        if identifier in {entry["content_library"] for entry in record.get("libraries", [])}
    ]
