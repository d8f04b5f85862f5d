# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service installed on a Supervisor."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t

from .._errors import RayError, UnknownYet
from .._names import missing
from .messages import Patience, joined, texts
from .service_install import Installs, ride_out
from .supervisor import find_supervisor, supervisor_id
from .supervisor_service import BASE as CATALOGUE
from .supervisor_service import service_path

ERROR_PATIENCE = 300


class SupervisorServiceInstall:
    """One service on one Supervisor. Its configuration may hold secrets, so it is compared and shown as a digest."""

    noun = "supervisor_service_install"
    create_only = ("supervisor",)

    def __init__(self, client: t.Any, supervisor: str, service: str, config: dict | None = None, patience: float = 600) -> None:
        self._client = client
        self._wanted = supervisor
        self._service = service
        self.name, self.subject = f"of {service} on Supervisor {supervisor}", service
        self._config = None if config is None else base64.b64encode(canonical(config).encode()).decode()
        self._patience = patience
        self._errors = Patience(ERROR_PATIENCE)
        self._installs: Installs | None = None
        self._supervisor: str | None = None

    def read(self) -> dict | None:
        if self._installs is None:
            found = find_supervisor(self._client, self._wanted)
            if found is None:
                return None
            self._supervisor = found["supervisor"]
            self._installs = Installs(self._client, self._supervisor)
        info = self._installs.get(self._service)
        if info is None:
            return None
        return {
            "supervisor": self._supervisor,
            "supervisor_service": self._service,
            "current_version": info.get("current_version"),
            "desired_version": info.get("desired_version"),
            "config_status": info.get("config_status"),
            "service_namespace": info.get("service_namespace"),
            "yaml_service_config": digest(info.get("yaml_service_config")),
            "messages": texts(info.get("messages")),
            # The pod lives behind the API of the Supervisor, for which this task has no credentials.
            "pod": "not_checked",
        }

    def resolve(self, before: dict | None, desired: dict) -> dict:
        if self._supervisor is None:
            self._supervisor = supervisor_id(self._client, self._wanted)
            self._installs = Installs(self._client, self._supervisor)
        version = desired.get("desired_version") or (before or {}).get("desired_version")
        version = self._version(version) if before is None or version != before["desired_version"] else version
        return {
            "supervisor": self._supervisor,
            "supervisor_service": self._service,
            "desired_version": version,
            "yaml_service_config": digest(self._config),
        }

    def create(self, desired: dict) -> None:
        installs = self._ours()
        installs.rows()  # finds the path, when nothing was read through it yet
        body = {"supervisor_service": self._service, "version": desired["desired_version"], **self._configured(self._config)}
        ride_out(
            lambda: self._client.post(str(installs.path), body),
            f"install {self.name} to be accepted",
            self._patience,
            landed=lambda: installs.get(self._service) is not None,
        )

    def update(self, before: dict, desired: dict) -> None:
        """The configuration goes along in any case: without it vCenter drops the one that is set."""
        path = self._ours().path_of(self._service)
        kept = (self._client.find(path) or {}).get("yaml_service_config") if self._config is None else self._config
        body = {"version": desired["desired_version"], **self._configured(kept)}
        ride_out(lambda: self._client.put(path, body), f"change {self.name} to be accepted", self._patience)

    def delete(self, before: dict) -> None:
        if before["config_status"] != "REMOVING":
            self._client.delete(self._ours().path_of(self._service))

    def ready(self, current: dict | None) -> bool:
        if current is None:
            return False
        status = current["config_status"]
        if status == "REMOVING":
            raise RayError(f"The install {self.name} is being removed.", code="FAILED", hint="Wait until it is gone, then run again.")
        if self._errors.lost(status == "ERROR"):
            raise RayError(
                f"The install {self.name} has stood in ERROR for {ERROR_PATIENCE} s. {joined(current['messages'])}",
                code="FAILED",
                hint="Look at the pods and events of the service's namespace on the Supervisor.",
            )
        same_version = current["current_version"] == current["desired_version"]
        return status == "CONFIGURED" and same_version and bool(current["service_namespace"])

    def say(self, current: dict | None) -> str:
        if current is None:
            return "absent"
        return f"{current['config_status']}, version {current['current_version'] or 'none yet'} of {current['desired_version']}"

    def diagnose(self) -> str:
        current = self.read()
        return "vCenter does not list it." if current is None else joined(current["messages"])

    def _ours(self) -> Installs:
        if self._installs is None:
            raise UnknownYet(f"No Supervisor is called {self._wanted!r}.")
        return self._installs

    @staticmethod
    def _configured(config: str | None) -> dict:
        return {} if config is None else {"yaml_service_config": config}

    def _version(self, wanted: str | None) -> str:
        """The version asked for, or the newest that may be installed."""
        if self._client.find(service_path(self._service)) is None:
            there = [row["supervisor_service"] for row in self._client.get(CATALOGUE) or []]
            raise missing("Supervisor service", self._service, there, UnknownYet)
        rows = self._client.get(f"{service_path(self._service)}/versions") or []
        states = {row["version"]: row["state"] for row in rows}
        active = sorted((v for v, state in states.items() if state == "ACTIVATED"), key=version_key)
        if wanted is None and active:
            return active[-1]
        if wanted is None or wanted not in states:
            raise missing(f"version of {self._service}", wanted or "the newest", sorted(states), UnknownYet)
        if wanted not in active:
            raise RayError(
                f"Version {wanted} of {self._service} is {states[wanted]} and cannot be installed.",
                code="NOT_ALLOWED_IN_CURRENT_STATE",
                hint=f"Activate it, or install one of {', '.join(active) or 'none that is active'}.",
            )
        return wanted


def version_key(version: str) -> list[tuple[int, int, str]]:
    """Numbers by value, words before numbers: 0.10.0 is newer than 0.9.0, and 1.0.0 than 1.0.0-rc1."""
    release, dash, suffix = version.partition("-")
    parts = [(1, int(p), "") if p.isdigit() else (0, 0, p) for p in release.replace("+", ".").split(".")]
    return [*parts, (0, 0, suffix) if suffix else (1, 0, "")]


def canonical(config: dict) -> str:
    """JSON is YAML, and one spelling of it can be compared."""
    return json.dumps(config, sort_keys=True, separators=(",", ":"))


def digest(encoded: str | None) -> str | None:
    """A digest of a configuration; one that was written by hand as YAML counts as another than ours."""
    if not encoded:
        return None
    text = base64.b64decode(encoded).decode(errors="replace")
    try:
        text = canonical(json.loads(text))
    except ValueError:
        text = text.strip()
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
