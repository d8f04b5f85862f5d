# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Supervisor service in the catalogue of vCenter, with its versions."""

from __future__ import annotations

from .._errors import RayError, UnknownYet
from .._names import missing
from .._ports import Json, VCenter
from .service_catalogue import (
    BASE,
    CARVEL,
    CARVEL_SINCE,
    MANAGE,
    READ,
    check,
    described,
    encoded,
    explained,
    in_order,
    not_registered,
    same_content,
    service_path,
    version_path,
)
from .service_install import installs, needing, ride_out

ON, OFF = "ACTIVATED", "DEACTIVATED"
STATES = {"activate": ON, "deactivate": OFF}


class SupervisorService:
    """One service: by its id, or by a package, of which vCenter itself says what id and version it has.

    With a version, by name or by the package, it is about this version; ``active`` is of the version then, else of the service.
    For its removal (``removing``) a package only tells the id, and a version has to be named.
    """

    noun = "supervisor_service"

    def __init__(self, client: VCenter, service: str | None, content: str | None = None, version: str | None = None, patience: float = 600,
                 active: bool = True, removing: bool = False, source: str = "package") -> None:
        self._client, self._content, self._patience, self._removing = client, content, patience, removing
        self._wanted = ON if active else OFF
        self._package = {} if content is None else check(client, content, source)
        self.warnings: list[str] = self._package.get("warnings") or []
        for what, given, key in (("service", service, "supervisor_service"), ("version", version, "version")):
            if self._package and given not in (None, self._package[key]):
                raise RayError(f"The {source} is of the {what} {self._package[key]}, not {given}.", code="INPUT",
                               hint=f"Leave {what} out: the package says it.")
        self.name = service or self._package.get("supervisor_service") or ""
        self.version = version or self._package.get("version")
        self._only_version = version

    def read(self) -> Json | None:
        found = described(self._client, self.name)
        states = states_of(found)
        if found is None or (self._removing and self._only_version and self._only_version not in states):
            return None
        return {
            **found,
            "version": self.version if self.version in states else None,
            "version_state": states.get(self.version) if self.version else None,
        }

    def resolve(self, before: Json | None, desired: Json) -> Json:
        """What will be there. A version that is registered with other content is refused: it can never be replaced in place."""
        states, state = states_of(before), before["state"] if before else ON
        if self.version is not None and self.version not in states:
            self._refuse_unregistrable(before)
            states[self.version] = ON
        elif before and self._content is not None:
            self._refuse_other_content()
        elif before is None:
            raise not_registered(self._client, self.name)
        if self._wanted == ON and state == OFF:
            states = dict.fromkeys(states, ON)
        if self.version is None:
            states = states if state == self._wanted else dict.fromkeys(states, self._wanted)
        else:
            self._refuse_last(states, state)
            states[self.version] = self._wanted
        state = self._wanted if self._wanted == ON or self.version is None else state
        shown = {} if before else {"display_name": self._package.get("display_name"), "description": self._package.get("description") or ""}
        return {**shown, "supervisor_service": self.name, "state": state, "versions": in_order(states), "version": self.version,
                "version_state": states.get(self.version) if self.version else None}

    def removable(self, before: Json) -> None:
        """Before the first write: a removal that stops half way leaves the service deactivated."""
        if self._only_version:
            self._refuse_last_removal(before, states_of(before))
        self._refuse_installed()

    def create(self, desired: Json) -> None:
        self._register(BASE, {"carvel_spec": {"version_spec": {"content": encoded(self._content or "")}}})

    def update(self, before: Json, desired: Json) -> None:
        """Step by step from what is there, so that what a cut run has begun is brought to its end."""
        path, states = service_path(self.name), states_of(before)
        if self._wanted == ON and before["state"] == OFF:
            # Activates all its versions.
            self._switch(path, "activate")
            states = dict.fromkeys(states, ON)
        if self.version is None:
            if self._wanted == OFF and before["state"] == ON:
                self._switch(path, "deactivate")
            return
        if self.version not in states:
            self._register(f"{path}/versions", {"carvel_spec": {"content": encoded(self._content or "")}})
            states[self.version] = ON
        if states[self.version] != self._wanted:
            self._switch(version_path(self.name, self.version), "activate" if self._wanted == ON else "deactivate")

    def delete(self, before: Json) -> None:
        """In the order that vCenter wants: out of every Supervisor, deactivated, versions, service."""
        states = states_of(before)
        if self._only_version:
            if states[self._only_version] == ON:
                self._switch(version_path(self.name, self._only_version), "deactivate")
            return self._delete(version_path(self.name, self._only_version))
        if before["state"] == ON:
            self._switch(service_path(self.name), "deactivate")
        for version in states:
            self._delete(version_path(self.name, version))
        self._delete(service_path(self.name))

    def ready(self, current: Json | None) -> bool:
        if current is None:
            return False
        return bool((current["version_state"] if self.version else current["state"]) == self._wanted)

    def say(self, current: Json | None) -> str:
        if current is None:
            return "absent"
        version = f", version {self.version} {current['version_state'] or 'absent'}" if self.version else ""
        return f"{current['state']}{version}"

    def diagnose(self) -> str:
        return f"Last state: {self.say(self.read())}."

    def _switch(self, path: str, action: str) -> None:
        """vCenter refuses to do what is done already, by another client or by a try whose answer was lost."""
        try:
            with needing(MANAGE):
                self._client.patch(path, query={"action": action})
        except RayError as error:
            if error.code != "NOT_ALLOWED_IN_CURRENT_STATE" or (self._client.find(path) or {}).get("state") != STATES[action]:
                raise

    def _delete(self, path: str) -> None:
        with needing(MANAGE):
            self._client.delete(path)

    def _register(self, path: str, body: Json) -> None:
        def attempt() -> None:
            try:
                with needing(MANAGE):
                    self._client.post(path, body)
            except RayError as error:
                explained(error, self.name)
                raise

        ride_out(attempt, f"version {self.version} of service {self.name} to be registered", self._patience,
                 landed=lambda: self.version in states_of(described(self._client, self.name)))

    def _refuse_unregistrable(self, before: Json | None) -> None:
        """Before the first write: a version that is not registered comes with a package, to a vCenter that takes such."""
        if self._content is None:
            if before is None:
                raise not_registered(self._client, self.name)
            raise missing(f"version of {self.name}", str(self.version), list(states_of(before)), UnknownYet)
        self._client.needs(CARVEL_SINCE, CARVEL)
        if self._wanted == OFF and (before is None or before["state"] == OFF):
            why = "is not registered yet, and its first version starts activated" if before is None else "is deactivated, and takes no version"
            raise RayError(f"Version {self.version} of {self.name} cannot be registered deactivated: the service {why}.", code="INPUT",
                           hint="Register it with active: true, and deactivate the version or the whole service (without package) after it.")

    def _refuse_other_content(self) -> None:
        with needing(READ):
            there = self._client.get(version_path(self.name, str(self.version))) or {}
        if not same_content(there.get("content"), self._content or ""):
            raise RayError(f"Version {self.version} of {self.name} is registered with other content.", code="INPUT",
                           hint="Give the package a new version; a registered version cannot be replaced.")

    def _refuse_last(self, states: Json, state: str) -> None:
        """An active service keeps at least one active version."""
        if self._wanted == OFF and state == ON and [v for v in states if states[v] == ON] == [self.version]:
            raise RayError(f"Version {self.version} is the last active one of {self.name}, which is active itself; vCenter does not deactivate it.",
                           code="NOT_ALLOWED_IN_CURRENT_STATE", hint="Activate another version first, or deactivate the service, without a version.")

    def _refuse_last_removal(self, before: Json, states: Json) -> None:
        if list(states) == [self._only_version]:
            raise UnknownYet(f"Version {self._only_version} is the only one of {self.name}; a service is removed as a whole.",
                             code="NOT_ALLOWED_IN_CURRENT_STATE", hint="Leave version out, to remove the service with it.")
        if before["state"] == ON and [v for v in states if states[v] == ON] == [self._only_version]:
            raise UnknownYet(f"Version {self._only_version} is the last active one of {self.name}, which is active itself, so it cannot be removed.",
                             code="NOT_ALLOWED_IN_CURRENT_STATE", hint="Activate another version first, or remove the whole service.")

    def _refuse_installed(self) -> None:
        places = [f"{place['name']} (version {place['version']})" for place in installs(self._client)
                  if place["supervisor_service"] == self.name and self._only_version in (None, *place["versions"])]
        if places:
            raise UnknownYet(f"Service {self.name} is installed on Supervisor {', '.join(places)}.", code="RESOURCE_IN_USE",
                             hint="Remove it there first, with supervisor_service_install and state absent.")


def states_of(service: Json | None) -> dict[str, str]:
    """Version to state."""
    return {row["version"]: row["state"] for row in service["versions"]} if service else {}
