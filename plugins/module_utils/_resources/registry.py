# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry that a Supervisor takes container images from."""

from __future__ import annotations

from urllib.parse import quote

from .._errors import RayError
from .._ports import Json, VCenter
from .supervisor import BASE, find_supervisor, supervisor_id

PEM = "-----BEGIN CERTIFICATE-----"
PORT = 443
# What a new one has where nothing is said.
NEW = {"registry_port": PORT, "default": False}
# The option of ours, and what vCenter calls it inside of image_registry.
FIELDS = {"registry_hostname": "hostname", "registry_port": "port", "registry_username": "username", "certificate_authority": "certificate_chain"}
# A password belongs to these: when one of them changes, it is sent again.
LOGIN = ("registry_hostname", "registry_port", "registry_username")


class Registry:
    """One registry by its name, which is unique on a Supervisor. Its password is never told, so it is compared never.

    Args:
        password: of the user at the registry.
        always: send the password at each run, not only with a new login.
    """

    noun = "container_image_registry"

    def __init__(self, client: VCenter, supervisor: str, name: str, password: str | None = None, always: bool = False) -> None:
        self._client = client
        self._wanted = supervisor
        self.name = name
        self._password, self._always, self._sent = password, always, False
        self._supervisor: str | None = None
        self._id: str | None = None
        self._too_old = False

    def read(self) -> Json | None:
        if self._supervisor is None:
            found = find_supervisor(self._client, self._wanted)
            if found is None:
                return None
            self._supervisor = found["supervisor"]
        rows = self._client.find(self._path)
        self._too_old = rows is None
        row = next((row for row in rows or [] if row["name"] == self.name), None)
        return None if row is None else self._told(row)

    def resolve(self, before: Json | None, desired: Json) -> Json:
        if self._supervisor is None:
            self._supervisor = supervisor_id(self._client, self._wanted)
            self.read()
        if self._too_old:
            self._client.needs("8.0.3", "A container image registry of a Supervisor")
        self._refuse(before, desired)
        chain = desired.get("certificate_authority")
        # In the order in which the result shows them.
        found = {"supervisor": self._supervisor, **desired, "certificate_authority": None if chain is None else same_lines(chain)}
        if before is None:
            found = {key: NEW.get(key) if value is None else value for key, value in found.items()}
        another = before is None or any(found.get(key) not in (None, before.get(key)) for key in LOGIN)
        return {**found, "password_updated": bool(self._password and (another or self._always)) or (False if before is None else None)}

    def create(self, desired: Json) -> None:
        body = {"name": self.name, "image_registry": self._body(desired), "default_registry": desired["default"]}
        self._client.post(self._path, body)
        self._sent = bool(desired.get("password_updated"))

    def update(self, before: Json, desired: Json) -> None:
        changed = {k: v for k, v in desired.items() if v is not None and v != before.get(k)}
        default = {} if "default" not in changed else {"default_registry": changed["default"]}
        self._client.patch(f"{self._path}/{quote(str(self._id), safe='')}", {**self._body(changed), **default})
        self._sent = bool(changed.get("password_updated"))

    def delete(self, before: Json) -> None:
        self._client.delete(f"{self._path}/{quote(str(self._id), safe='')}")

    def ready(self, current: Json | None) -> bool:
        return current is not None

    def diagnose(self) -> str:
        return "vCenter does not list it."

    @property
    def _path(self) -> str:
        return f"{BASE}/supervisors/{self._supervisor}/container-image-registries"

    def _told(self, row: Json) -> Json:
        self._id = row["id"]
        registry = row.get("image_registry") or {}
        told = {option: registry.get(theirs) for option, theirs in FIELDS.items()}
        told["certificate_authority"] = same_lines(told["certificate_authority"] or "") or None
        told["registry_port"] = told["registry_port"] or PORT
        return {"supervisor": self._supervisor, "name": self.name, "id": row["id"], **{k: v for k, v in told.items() if v is not None},
                "default": bool(row.get("default_registry")), "password_updated": self._sent}

    def _body(self, values: Json) -> Json:
        body = {theirs: values[option] for option, theirs in FIELDS.items() if values.get(option) is not None}
        return {**body, "password": self._password} if values.get("password_updated") else body

    def _refuse(self, before: Json | None, desired: Json) -> None:
        """Refuse what vCenter would, in our words and before it is asked."""
        chain, port = desired.get("certificate_authority"), desired.get("registry_port")
        if before is None and not desired.get("registry_hostname"):
            raise self._input("is not there, and making one needs registry_hostname", "Set it.")
        if desired.get("registry_username") and not (before or {}).get("registry_username") and not self._password:
            raise self._input("is to have a user, and registry_password is not given", "Set it.")
        if self._always and not self._password:
            raise self._input("is given no password, and update_password is always", "Set registry_password, or leave update_password out.")
        if port is not None and not 0 < port < 65536:
            raise self._input(f"cannot be at port {port}", "Ports go from 1 to 65535.")
        if chain is not None and PEM not in chain:
            raise self._input("is given a certificate_authority that is not PEM", "Give the content of a PEM file, not its path.")

    def _input(self, words: str, hint: str) -> RayError:
        return RayError(f"Container image registry {self.name} {words}.", code="INPUT", hint=hint)


def same_lines(chain: str) -> str:
    """Line ends and blanks around the lines make no other certificate."""
    return "\n".join(line.strip() for line in chain.strip().splitlines())
