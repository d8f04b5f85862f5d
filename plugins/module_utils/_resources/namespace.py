# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vSphere Namespace, with what is attached to it."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from .. import _wait
from .._errors import RayError
from .._names import canonical
from .._ports import Json, VCenter
from . import namespace_names as names
from .messages import Patience, joined
from .namespace_spec import create_body, merged, update_body
from .namespaces import BASE, UNLIMITED, described, find_namespace, path_of
from .supervisor import find_supervisor, is_cluster, supervisor_id

ERROR_PATIENCE = 300
# Seconds for which a name that is taken by something that vCenter does not list is waited for: a namespace that just went.
TAKEN = 120
Open = t.Callable[[t.Optional[str]], t.ContextManager[t.Any]]


class Namespace:
    """One namespace by name, which is unique in a vCenter.

    Args:
        present: it is to be there. One that is being removed then counts as gone, and is waited for before it is made anew.
        purge: lists that are given are whole lists, so that what they do not name is detached.
        zones: the options of the zones; vCenter tells their names only.
        wait: seconds to wait for one that is being removed; None: not at all.
        look: opens the Kubernetes of the Supervisor, for what holds up a removal; None: nobody has given a login.
    """

    noun = "namespace"
    create_only = ("supervisor", "networks")

    def __init__(self, client: VCenter, name: str, *, present: bool = True, purge: bool = True, zones: list[Json] | None = None,
                 wait: float | None = None, look: Open | None = None) -> None:
        names.check_name(name)
        self._client = client
        self.name = name
        self._path = path_of(name)
        self._present, self._purge, self._zones, self._wait, self._look = present, purge, zones, wait, look
        self._patience = Patience(ERROR_PATIENCE)
        self._written = False
        # The options with ids for names, without anything of what was there.
        self._asked: Json = {}
        # As vCenter told it last; None: not there.
        self._info: Json | None = None

    def read(self) -> Json | None:
        self._info = find_namespace(self._client, self.name)
        if self._info is None or (self._present and not self._written and self._going()):
            return None
        return described(self.name, self._info)

    def resolve(self, before: Json | None, desired: Json) -> Json:
        """Names to ids; what is of an earlier step and not there yet is unknown, what is of the inventory is wrong."""
        now = before or {}
        policies, limits = names.storage(self._client, desired.get("storage_policies")), names.limits(desired.get("limits"))
        wanted = desired.get("supervisor")
        if before is None and wanted is None:
            state = f"Namespace {self.name} is being removed, and making it anew" if self._info else \
                f"No namespace is called {self.name!r}, and making one"
            raise RayError(f"{state} needs supervisor.", code="INPUT", hint="Set it.")
        supervisor = None if wanted is None else canonical(supervisor_id(self._client, wanted))
        self._asked = {
            **desired,
            "storage_policies": policies,
            "supervisor": supervisor,
            "limits": limits,
            "content_libraries": names.libraries(self._client, desired.get("content_libraries")),
            "vm_classes": names.classes(self._client, now.get("vm_classes") or [], desired.get("vm_classes")),
            "zones": names.zones(self._client, supervisor or now.get("supervisor") or "", self._zones),
            "networks": None if desired.get("networks") is None else sorted(desired["networks"]),
        }
        found = merged(before, self._asked, self._purge)
        return found if before is not None else {**BORN, **{k: v for k, v in found.items() if v is not None}}

    def create(self, desired: Json) -> None:
        supervisor = desired["supervisor"]
        old = is_cluster(supervisor)
        body = {"namespace": self.name, "cluster" if old else "supervisor": supervisor, **create_body(desired, self._zones or [])}
        if self._info is not None:
            self._until_gone()
        self._post(BASE if old else f"{BASE}/v2", body)
        self._written = True

    def update(self, before: Json, desired: Json) -> None:
        """Laid anew over what is there now, as that may have come from another client after the names were looked up."""
        self._written = True
        wanted = merged(before, self._asked, self._purge)
        body = update_body(before, wanted, self._info or {}, self._zones or [])
        if body:
            self._client.patch(self._path, body)
        for zone in sorted(set(before["zones"]) - set(wanted.get("zones") or before["zones"])):
            # No new workload goes there from now on; the zone leaves when the last one has.
            self._client.delete(f"{self._path}/zones/{quote(zone, safe='')}")

    def delete(self, before: Json) -> None:
        if self._going():
            return
        try:
            self._client.delete(self._path)
        except RayError as error:
            # Somebody else may have begun to remove it since it was read.
            self._info = find_namespace(self._client, self.name) if error.code == "NOT_ALLOWED_IN_CURRENT_STATE" else self._info
            if not self._going():
                raise

    def ready(self, current: Json | None) -> bool:
        if current is None:
            return False
        if self._going():
            raise RayError(f"Namespace {self.name} is being removed by somebody else.", code="FAILED",
                           hint="Run it again, to make the namespace anew as soon as it is gone.")
        if self._patience.lost(current["config_status"] == "ERROR"):
            raise RayError(f"Namespace {self.name} has stood in ERROR for {ERROR_PATIENCE} s. {joined(current['messages'])}", code="FAILED",
                           hint="Look at the namespace in the vSphere Client.")
        return bool(current["config_status"] == "RUNNING")

    def say(self, current: Json | None) -> str:
        return "absent" if current is None else "; ".join([str(current["config_status"]), *current["messages"][:1]])

    def diagnose(self) -> str:
        current = find_namespace(self._client, self.name)
        if current is None:
            return "vCenter does not list it."
        words = joined(described(self.name, current)["messages"])
        return f"{words} {self._blockers(current)}" if current.get("config_status") == "REMOVING" else words

    def _going(self) -> bool:
        return (self._info or {}).get("config_status") == "REMOVING"

    def _until_gone(self) -> None:
        """A namespace of this name is on its way out, and has to be gone before there can be a new one."""
        if self._wait is None:
            raise RayError(f"Namespace {self.name} is still being removed, so it cannot be made anew yet.", code="NOT_ALLOWED_IN_CURRENT_STATE",
                           hint="Run the task again when it is gone, or let it wait with wait: true.")
        _wait.until(lambda: find_namespace(self._client, self.name), lambda info: info is None, what=f"namespace {self.name} to be gone, to make it anew",
                    timeout=self._wait, diagnose=self.diagnose, say=lambda info: str((info or {}).get("config_status")))

    def _post(self, path: str, body: Json) -> None:
        """Make it, as soon as Kubernetes has let go of one of the same name, which vCenter may have forgotten before."""
        def refusals() -> list[RayError]:
            try:
                self._client.post(path, body)
            except RayError as error:
                if self._wait is None or not self._lets_go(error):
                    raise
                return [error]
            return []

        taken = Patience(TAKEN)
        _wait.until(refusals, lambda errors: not errors, what=f"the name {self.name} to be free", timeout=self._wait or 0,
                    say=lambda errors: str(errors[0].details.get("vendor")),
                    failed=lambda errors: TAKEN_BY if taken.lost(errors[0].code == "ALREADY_EXISTS") else None)

    def _lets_go(self, error: RayError) -> bool:
        """Whether the refusal is about a namespace that is not there any more for vCenter."""
        if "terminating" in str(error.details.get("vendor")).lower():
            return True
        if error.code != "ALREADY_EXISTS":
            return False
        info = find_namespace(self._client, self.name)
        return info is None or info.get("config_status") == "REMOVING"

    def _blockers(self, info: Json) -> str:
        """What the removal waits for. Finalizers are told and left: what they guard would be orphaned without them."""
        found = find_supervisor(self._client, info.get("supervisor") or info.get("cluster") or "") if self._look else None
        if self._look is None or found is None:
            return (f"What it waits for: kubectl get namespace {self.name} -o yaml, under status.conditions, names what is left and which finalizers "
                    "hold it; with supervisor_login this is told here.")
        with self._look(found["api_endpoint"]) as kube:
            conditions = ((kube.get("Namespace", self.name) or {}).get("status") or {}).get("conditions") or []
        told = [c["message"].rstrip(".") + "." for c in conditions if c.get("status") == "True" and c.get("message")]
        return f"Kubernetes says: {' '.join(told)}" if told else "Kubernetes does not say what it waits for."


# What a new namespace has of what nobody has asked for, so that check mode shows the one that the real run makes.
BORN: dict[str, t.Any] = {
    "description": "", "storage_policies": [], "vm_classes": [], "content_libraries": [], "writable_libraries": [], "limits": UNLIMITED, "access": [],
}
TAKEN_BY = ("it is held by something that vCenter does not list as a namespace of its own: one that is still going in Kubernetes, "
            "or one that the platform or somebody with kubectl has made.")
