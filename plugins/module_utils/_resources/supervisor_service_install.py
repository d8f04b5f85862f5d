# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service installed on a Supervisor."""

from __future__ import annotations

import typing as t

from .._errors import RayError, UnknownYet
from .._names import missing
from .._ports import Json, VCenter
from .messages import Patience, joined, texts
from .service_catalogue import CARVEL, CARVEL_SINCE, not_registered, service_path
from .service_config import NOTHING, digest, encoded_config
from .service_inside import UNCHECKED, Inside
from .service_install import FIND, INSTALL, Installs, needing, ride_out, version_key
from .service_install_failures import next_step, without_values
from .service_precheck import precheck
from .supervisor import find_supervisor, supervisor_id

ERROR_PATIENCE = 300


class SupervisorServiceInstall:
    """One service on one Supervisor. Its configuration may hold secrets, so it is compared and shown as a digest."""

    noun = "supervisor_service_install"
    create_only = ("supervisor",)

    def __init__(self, client: VCenter, supervisor: str, service: str, config: Json | str | None = None, patience: float = 600,
                 inside: Inside | None = None) -> None:
        self._client, self._wanted, self._service, self._patience = client, supervisor, service, patience
        self.name, self.subject = f"of {service} on Supervisor {supervisor}", service
        self._config = encoded_config(config)
        self.inside = inside or Inside(service)
        self.prechecked = UNCHECKED
        self._errors = Patience(ERROR_PATIENCE)
        self._installs: Installs | None = None
        self._supervisor: str | None = None
        self._address: str | None = None
        self._version: str | None = None

    def read(self) -> Json | None:
        with needing(FIND, INSTALL):
            info = self._info()
        if info is None:
            return None
        found = {
            "supervisor": self._supervisor,
            "supervisor_service": self._service,
            "current_version": info.get("current_version"),
            "desired_version": info.get("desired_version"),
            "config_status": info.get("config_status"),
            "service_namespace": info.get("service_namespace"),
            **_shown("yaml_service_config", digest(info.get("yaml_service_config"))),
            "messages": [without_values(text) for text in texts(info.get("messages"))],
            "pod": UNCHECKED,
            "pods": [],
        }
        if self.inside.sees_pods and _configured(found):
            found["pod"], found["pods"] = self.inside.pods(self._address, found["service_namespace"])
        return found

    def _info(self) -> Json | None:
        """What vCenter tells of the install; the Supervisor is looked for until it is there."""
        if self._installs is None:
            found = find_supervisor(self._client, self._wanted)
            if found is None:
                return None
            self._supervisor, self._address = found["supervisor"], found.get("api_endpoint")
            self._installs = Installs(self._client, found["supervisor"])
        return self._installs.get(self._service)

    def resolve(self, before: Json | None, desired: Json) -> Json:
        """Before anything is written: the version is one that can be installed, and the Supervisor has what the service needs."""
        if self._supervisor is None:
            self._supervisor = supervisor_id(self._client, self._wanted)
            self._installs = Installs(self._client, self._supervisor)
        version = desired.get("desired_version") or (before or {}).get("desired_version")
        self._version = version if before and version == before["desired_version"] else self._installable(version)
        self._refuse_config_of_old(before)
        self.inside.refuse_missing_apis(self._address)
        return {
            "supervisor": self._supervisor,
            "supervisor_service": self._service,
            "desired_version": self._version,
            "yaml_service_config": self._asked_config(before),
        }

    def removable(self, before: Json) -> None:
        if before["config_status"] != "REMOVING":
            self.inside.refuse_living(self._address)

    def create(self, desired: Json) -> None:
        installs = self._ours()
        if installs.path is None:
            # The Supervisor has come since it was first looked for: the path is found by reading.
            installs.rows()
        self._precheck(desired["desired_version"])
        body = {"supervisor_service": self._service, "version": desired["desired_version"], **_sent(self._config)}
        self._ride_out(lambda: self._client.post(str(installs.path), body), "install", lambda: installs.get(self._service) is not None)

    def update(self, before: Json, desired: Json) -> None:
        """The configuration goes along in any case: without it vCenter drops the one that is set."""
        path, version = self._ours().path_of(self._service), desired["desired_version"]
        if version != before["desired_version"]:
            self._precheck(version)
        kept = (self._client.find(path) or {}).get("yaml_service_config") if self._config is None else self._config
        body = {"version": version, **_sent(kept)}

        def landed() -> bool:
            there = self._client.find(path) or {}
            return there.get("desired_version") == version and digest(there.get("yaml_service_config")) == digest(kept)

        self._ride_out(lambda: self._client.put(path, body), "change", landed)

    def delete(self, before: Json) -> None:
        if before["config_status"] == "REMOVING":
            return
        installs = self._ours()
        path = installs.path_of(self._service)
        self._ride_out(lambda: self._client.delete(path), "removal", lambda: (self._client.find(path) or {}).get("config_status") in (None, "REMOVING"))

    def ready(self, current: Json | None) -> bool:
        if current is None:
            return False
        status = current["config_status"]
        if status == "REMOVING":
            raise RayError(f"The install {self.name} is being removed.", code="FAILED", hint="Wait until it is gone, then run again.")
        if self._errors.lost(status == "ERROR"):
            raise RayError(f"The install {self.name} has stood in ERROR for {ERROR_PATIENCE} s. {_said(current)}{self._pods_say(current)}",
                           code="FAILED", hint=next_step(current["messages"]))
        return _configured(current) and current["desired_version"] == self._version and current["pod"] in ("running", UNCHECKED)

    def say(self, current: Json | None) -> str:
        if current is None:
            return "absent"
        words = f"{current['config_status']}, version {current['current_version'] or 'none yet'} of {current['desired_version']}"
        return words if current["pod"] in ("running", UNCHECKED) else f"{words}, pods: {current['pod']}"

    def diagnose(self) -> str:
        current = self.read()
        if current is None:
            return "vCenter does not list it."
        if current["pod"] not in ("running", UNCHECKED):
            trouble = self.inside.trouble(self._address, current["service_namespace"])
            return f"{trouble} {next_step([trouble])}"
        if current["config_status"] == "REMOVING":
            namespace = current["service_namespace"]
            return f"{_said(current)} What the service has made, or what holds it by a finalizer, may keep its namespace {namespace}."
        return f"{_said(current)}{self._pods_say(current)} {next_step(current['messages'])}"

    def _pods_say(self, current: Json) -> str:
        """Beside what vCenter says, when it does not get on; a Supervisor that does not answer must not hide that."""
        if not self.inside.sees_pods or not current["service_namespace"]:
            return ""
        try:
            return f" {self.inside.trouble(self._address, current['service_namespace'])}"
        except RayError as error:
            return f" (The Supervisor tells nothing: {error.message})"

    def _ours(self) -> Installs:
        if self._installs is None:
            raise UnknownYet(f"No Supervisor is called {self._wanted!r}.")
        return self._installs

    def _precheck(self, version: str) -> None:
        def overtaken() -> bool:
            return (self._ours().get(self._service) or {}).get("desired_version") == version

        self.prechecked = precheck(self._client, str(self._supervisor), self._service, version, self._patience, overtaken)

    def _ride_out(self, attempt: t.Callable[[], t.Any], what: str, landed: t.Callable[[], bool]) -> None:
        def allowed() -> None:
            with needing(INSTALL):
                attempt()

        ride_out(allowed, f"{what} {self.name} to be accepted", self._patience, landed=landed)

    def _asked_config(self, before: Json | None) -> str | None:
        """Its digest; values that are none matter only where there are some."""
        if self._config is None:
            return None
        return digest(self._config) or (NOTHING if before and before.get("yaml_service_config") else None)

    def _refuse_config_of_old(self, before: Json | None) -> None:
        if self._config is not None and (before is None or self._asked_config(before) not in (None, before.get("yaml_service_config"))):
            self._client.needs(CARVEL_SINCE, "A configuration of a Supervisor service as YAML")

    def _installable(self, wanted: str | None) -> str:
        """The version asked for, or the newest that may be installed."""
        if self._client.find(service_path(self._service)) is None:
            self._client.needs(CARVEL_SINCE, CARVEL)
            raise not_registered(self._client, self._service)
        rows = self._client.get(f"{service_path(self._service)}/versions") or []
        states: dict[str, str] = {row["version"]: row["state"] for row in rows}
        active = sorted((v for v, state in states.items() if state == "ACTIVATED"), key=version_key)
        if wanted is None and active:
            return active[-1]
        if wanted is None and states:
            raise RayError(f"No version of {self._service} is active, so none can be installed.", code="NOT_ALLOWED_IN_CURRENT_STATE",
                           hint=f"Activate the service with vcf.ray.supervisor_service; it has {', '.join(sorted(states, key=version_key))}.")
        if wanted is None or wanted not in states:
            raise missing(f"version of {self._service}", wanted or "the newest", sorted(states), UnknownYet)
        if wanted not in active:
            raise RayError(f"Version {wanted} of {self._service} is {states[wanted]} and cannot be installed.", code="NOT_ALLOWED_IN_CURRENT_STATE",
                           hint=f"Activate it, or install one of {', '.join(active) or 'none that is active'}.")
        return wanted


def _said(found: Json) -> str:
    """vCenter's words as a sentence that another can follow."""
    return f"{joined(found['messages']).rstrip(' .')}."


def _configured(found: Json) -> bool:
    """Where vCenter's own part is done: at the version that is to run, in a namespace that is there."""
    return found["config_status"] == "CONFIGURED" and found["current_version"] == found["desired_version"] and bool(found["service_namespace"])


def _shown(name: str, value: str | None) -> Json:
    return {} if value is None else {name: value}


def _sent(config: str | None) -> Json:
    return _shown("yaml_service_config", config)
