# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Supervisor service in the catalogue of vCenter, with its versions."""

from __future__ import annotations

import base64
import typing as t
from urllib.parse import quote

from .._errors import RayError
from .service_install import installed_on, ride_out

BASE = "/api/vcenter/namespace-management/supervisor-services"


def service_path(service: str) -> str:
    return f"{BASE}/{quote(service, safe='')}"


def read_package(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise RayError(f"The package {path} cannot be read: {error}.", code="INPUT", hint="Name the YAML file of the package.") from error


def list_services(client: t.Any) -> list[str]:
    return sorted(row["supervisor_service"] for row in client.get(BASE) or [])


def described(client: t.Any, service: str) -> dict | None:
    """One service with its versions, or None."""
    info = client.find(service_path(service))
    if info is None:
        return None
    rows = client.get(f"{service_path(service)}/versions") or []
    return {
        "supervisor_service": service,
        "display_name": info.get("display_name"),
        "description": info.get("description") or "",
        "state": info["state"],
        "versions": sorted(({"version": r["version"], "state": r["state"]} for r in rows), key=lambda r: r["version"]),
    }


class SupervisorService:
    """One service: by its id, or by a package, of which vCenter itself says what id and version it has.

    With ``version`` the object is that version alone, for its removal.
    """

    noun = "supervisor_service"

    def __init__(self, client: t.Any, service: str | None, content: str | None = None, version: str | None = None, patience: float = 600) -> None:
        self._client = client
        self._content = content
        self._patience = patience
        checked = None if content is None else self._check(content)
        self.name = service or (checked["supervisor_service"] if checked else "")
        self.version = checked["version"] if checked else version
        self._only_version = version
        if checked and service and service != checked["supervisor_service"]:
            raise RayError(f"The package is of the service {checked['supervisor_service']}, not {service}.", code="INPUT",
                           hint="Leave service out: the package says it.")

    def read(self) -> dict | None:
        found = described(self._client, self.name)
        states = {v["version"]: v["state"] for v in found["versions"]} if found else {}
        if found is None or (self._only_version and self._only_version not in states):
            return None
        return {
            **found,
            "version": self.version if self.version in states else None,
            "version_state": states.get(self.version) if self.version else None,
        }

    def resolve(self, before: dict | None, desired: dict) -> dict:
        """A version that is registered with other content is refused: it can never be replaced in place."""
        if before and before["version"]:
            there = self._client.get(f"{service_path(self.name)}/versions/{quote(before['version'], safe='')}") or {}
            if there.get("content") and lines(decoded(there["content"])) != lines(self._content or ""):
                raise RayError(f"Version {before['version']} of {self.name} is registered with other content.", code="INPUT",
                               hint="Give the package a new version; a registered version cannot be replaced.")
        return {**desired, "supervisor_service": self.name, "version": self.version}

    def create(self, desired: dict) -> None:
        body = {"carvel_spec": {"version_spec": {"content": encoded(self._content or "")}}}
        ride_out(lambda: self._register(BASE, body), f"service {self.name} to be registered", self._patience)

    def update(self, before: dict, desired: dict) -> None:
        path = service_path(self.name)
        if before["state"] != "ACTIVATED":
            self._client.patch(path, query={"action": "activate"})
        if before["version"] is None:
            self._register(f"{path}/versions", {"carvel_spec": {"content": encoded(self._content or "")}})
        # Activating the service has activated all its versions.
        elif before["version_state"] != "ACTIVATED" and before["state"] == "ACTIVATED":
            self._client.patch(f"{path}/versions/{quote(before['version'], safe='')}", query={"action": "activate"})

    def delete(self, before: dict) -> None:
        """In the order that vCenter wants: out of every Supervisor, deactivated, versions, service."""
        self._refuse_installed()
        path = service_path(self.name)
        doomed = [v for v in before["versions"] if self._only_version in (None, v["version"])]
        if len(doomed) < len(before["versions"]):
            return self._delete_versions(doomed)
        if before["state"] == "ACTIVATED":
            self._client.patch(path, query={"action": "deactivate"})
        for version in doomed:
            self._client.delete(f"{path}/versions/{quote(version['version'], safe='')}")
        self._client.delete(path)

    def ready(self, current: dict | None) -> bool:
        return current is not None and current["state"] == "ACTIVATED" and current["version_state"] == "ACTIVATED"

    def say(self, current: dict | None) -> str:
        if current is None:
            return "absent"
        return f"{current['state']}, version {self.version} {current['version_state'] or 'absent'}"

    def diagnose(self) -> str:
        return f"Last state: {self.say(self.read())}."

    def _check(self, content: str) -> dict:
        """What vCenter says about the package; it writes nothing."""
        answer = self._client.ask(BASE, {"spec": {"content": encoded(content)}}, query={"action": "checkContent"}) or {}
        if answer.get("status") == "INVALID":
            raise RayError(f"vCenter does not accept the package: {sentences(answer.get('error_messages'))}", code="INPUT",
                           hint="Build it again; it must hold a PackageMetadata and a Package.")
        result = answer.get("carvel_apps_check_result")
        if not result:
            raise RayError(f"The package is of type {answer.get('content_type')}, and only Carvel packages can be registered here.",
                           code="INPUT", hint="Give a YAML file with a PackageMetadata and a Package.")
        return result

    def _register(self, path: str, body: dict) -> None:
        try:
            self._client.post(path, body)
        except RayError as error:
            if "allow-list" in error.message or "allowed service" in error.message.lower():
                error.hint = (f"Ask the administrator of vCenter to add {self.name} to the allow-list file that the message names, "
                              "and to restart the workload control plane service.")
            raise

    def _delete_versions(self, doomed: list[dict]) -> None:
        for version in doomed:
            path = f"{service_path(self.name)}/versions/{quote(version['version'], safe='')}"
            if version["state"] == "ACTIVATED":
                self._client.patch(path, query={"action": "deactivate"})
            self._client.delete(path)

    def _refuse_installed(self) -> None:
        """Before the first write: a removal that stops half way leaves the service deactivated."""
        places = [f"{place['name']} (version {place['version']})" for place in installed_on(self._client, self.name)
                  if self._only_version in (None, place["version"])]
        if places:
            raise RayError(f"Service {self.name} is installed on Supervisor {', '.join(places)}.", code="RESOURCE_IN_USE",
                           hint="Remove it there first, with supervisor_service_install and state absent.")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")


def lines(text: str) -> list[str]:
    """Line ends and blank lines at the end do not make another package."""
    return [line.rstrip() for line in text.strip().splitlines()]


def sentences(messages: list | None) -> str:
    said = [m if isinstance(m, str) else m.get("localized") or m.get("default_message") or m.get("id") or "" for m in messages or []]
    return " ".join(text for text in said if text) or "no reason given."
