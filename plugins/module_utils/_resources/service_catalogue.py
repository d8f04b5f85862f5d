# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of Supervisor services of a vCenter: what is in it, and what vCenter says of a package."""

from __future__ import annotations

import base64
import re
import typing as t
from urllib.parse import quote

from .._errors import RayError, UnknownYet
from .._names import missing
from .._ports import Json, VCenter
from .service_install import installs, needing, version_key

BASE = "/api/vcenter/namespace-management/supervisor-services"
CARVEL_SINCE, CARVEL = "8.0.1", "A Carvel package as a Supervisor service"
READ, MANAGE = "System.Read", "SupervisorServices.Manage"
ALLOW_LIST = re.compile(r"/\S*allow-?list[^\s,'\"]*?(?=[.,'\"]*(?:\s|$))")
GUIDES_ID = "ray-on-vcf.vmware.com"


def service_path(service: str) -> str:
    return f"{BASE}/{quote(service, safe='')}"


def version_path(service: str, version: str) -> str:
    return f"{service_path(service)}/versions/{quote(version, safe='')}"


def list_services(client: VCenter) -> list[str]:
    with needing(READ):
        return sorted(row["supervisor_service"] for row in client.get(BASE) or [])


def not_registered(client: VCenter, service: str) -> RayError:
    """The error for a service that is not in the catalogue."""
    error = missing("Supervisor service", service, list_services(client), UnknownYet)
    error.hint = "Check the spelling, or register its package with vcf.ray.supervisor_service."
    return error


def described(client: VCenter, service: str) -> Json | None:
    """One service with its versions, oldest first, or None."""
    with needing(READ):
        info = client.find(service_path(service))
        if info is None:
            return None
        rows = client.get(f"{service_path(service)}/versions") or []
    return {
        "supervisor_service": service,
        "display_name": info.get("display_name"),
        "description": info.get("description") or "",
        "state": info["state"],
        "versions": in_order({row["version"]: row["state"] for row in rows}),
    }


def in_order(states: dict[str, str]) -> list[Json]:
    return [{"version": version, "state": states[version]} for version in sorted(states, key=version_key)]


def detailed(client: VCenter, services: list[Json]) -> list[Json]:
    """The services with what vCenter tells of each version, and with the Supervisors that have them."""
    places = installs(client) if services else []
    return [{**service, "versions": [_version(client, service["supervisor_service"], row) for row in service["versions"]],
             "installed_on": [{key: place[key] for key in ("supervisor", "name", "version", "config_status")}
                              for place in places if place["supervisor_service"] == service["supervisor_service"]]}
            for service in services]


def _version(client: VCenter, service: str, row: Json) -> Json:
    with needing(READ):
        info = client.find(version_path(service, row["version"])) or {}
    return {**row, "display_name": info.get("display_name"), "description": info.get("description") or "",
            "content_type": info.get("content_type"), "trust_verified": info.get("trust_verified")}


def check(client: VCenter, content: str, what: str = "package") -> Json:
    """What vCenter says about a package, ``supervisor_service`` and ``version`` among it; it writes nothing."""
    try:
        with needing(READ):
            answer = client.ask(BASE, {"spec": {"content": encoded(content)}}, query={"action": "checkContent"}) or {}
    except RayError as error:
        if error.details.get("status") in (400, 404):
            client.needs(CARVEL_SINCE, CARVEL)
        raise
    if answer.get("status") == "INVALID":
        raise RayError(f"vCenter does not accept the {what}: {sentences(answer.get('error_messages'))}", code="INPUT",
                       hint="Build it again; it must hold a PackageMetadata and a Package.")
    result = answer.get("carvel_apps_check_result")
    if not result:
        client.needs(CARVEL_SINCE, CARVEL)
        raise RayError(f"The {what} is of type {answer.get('content_type')}, and only Carvel packages can be registered here.",
                       code="INPUT", hint="Give a YAML file with a PackageMetadata and a Package.")
    return {**result, "warnings": [sentences([message]) for message in answer.get("warning_messages") or []]}


def same_content(there: str | None, content: str) -> bool:
    """Whether a version's content, as vCenter gives it back, is this package. One that it does not give back cannot be told apart."""
    return not there or lines(base64.b64decode(there).decode(errors="replace")) == lines(content)


def explained(error: RayError, service: str) -> None:
    """The refusal by the list of services that vCenter lets in, with the id that it looked for there."""
    if "allow-list" not in error.message and "allowed service" not in error.message.lower():
        return
    found = ALLOW_LIST.search(error.message)
    file = f"allow-list file {found[0]}" if found else "allow-list file"
    error.hint = (f"vCenter derived the id {service} from the package, so it is this id that has to be on the list. Ask the administrator of "
                  f"vCenter to add {service} to the {file} on vCenter, and to restart the workload control plane there (vmon-cli -r wcp).")
    if service.startswith("ray-on-vcf.") and service != GUIDES_ID:
        error.hint += (f" The guide of Ray on VCF says {GUIDES_ID} in this place: an entry of that name does not let this package in, "
                       f"as its own name is {service}.")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def lines(text: str) -> list[str]:
    """Line ends and blank lines at the end do not make another package."""
    return [line.rstrip() for line in text.strip().splitlines()]


def sentences(messages: list[t.Any] | None) -> str:
    said = [m if isinstance(m, str) else m.get("localized") or m.get("default_message") or m.get("id") or "" for m in messages or []]
    # Some of vCenter's sentences are of many lines, with the places of a parser in them.
    texts = [" ".join(text.split()).rstrip(".") + "." for text in said if text]
    return " ".join(texts) or "no reason given."
