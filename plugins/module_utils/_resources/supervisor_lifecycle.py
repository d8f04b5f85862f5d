# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Supervisor of its own: enabled, taken as it is, waited for, removed."""

from __future__ import annotations

from .._errors import RayError
from .._ports import Json, VCenter
from . import supervisor as reads
from .messages import Patience, joined
from .supervisor_plan import refuse_nonsense, refuse_too_new
from .supervisor_preflight import Place, refuse_incompatible
from .supervisor_spec import enable_body, ids_in
from .supervisor_users import refuse_in_use

ERROR_PATIENCE = 600


class Supervisor:
    """One Supervisor by name; ``spec`` holds the options that matter only when it is enabled, names unresolved."""

    noun = "supervisor"

    def __init__(self, client: VCenter, name: str, spec: Json | None = None) -> None:
        self._client = client
        self.name = name
        self._spec = spec or {}
        self._body: Json = {}
        self._topology: dict[str, list[Json]] = {}
        self._conditions: list[Json] = []
        self._patience = Patience(ERROR_PATIENCE)

    def read(self) -> Json | None:
        found = reads.find_supervisor(self._client, self.name)
        if found is None:
            return None
        found = reads.detailed(self._client, found)
        zones = self._zones_of(found["supervisor"])
        # How far it has come is of interest until it has arrived.
        done = found["ready"] or found["config_status"] == "REMOVING"
        self._conditions = [] if done else reads.conditions(self._client, found["supervisor"])
        return {**found, "cluster": ", ".join(reads.clusters_in(zones)) or None, "zones": sorted(z["zone"] for z in zones if z.get("zone"))}

    def resolve(self, before: Json | None, desired: Json) -> Json:
        """Look up every name before the first write; of a Supervisor that is there only its place matters."""
        zones = sorted(desired["zones"]) if desired.get("zones") else None
        if before is not None:
            self._refuse_elsewhere(before, desired.get("cluster"), zones)
            return {"name": before["name"]}
        refuse_nonsense(self.name, desired, self._spec)
        refuse_too_new(self._client, self._spec)
        cluster = self._client.inventory.cluster(desired.get("cluster"))
        place = Place(desired.get("cluster"), cluster, zones)
        refuse_incompatible(self._client, self.name, place, self._spec["workloads"]["kind"])
        self._body = enable_body(self.name, self._spec, self._client)
        return {**desired, "cluster": cluster, "zones": zones}

    def removable(self, before: Json) -> None:
        if before["config_status"] != "REMOVING":
            refuse_in_use(self._client, before)

    def create(self, desired: Json) -> None:
        base, zones = f"{reads.BASE}/supervisors", desired.get("zones")
        try:
            if zones:
                self._client.post(base, {"zones": zones, **self._body}, query={"action": "enable_on_zones"})
            else:
                self._client.post(f"{base}/{desired['cluster']}", self._body, query={"action": "enable_on_compute_cluster"})
        except RayError as error:
            error.hint = self._hint(error.code, desired) or error.hint
            raise

    def update(self, before: Json, desired: Json) -> None:
        """Nothing of a Supervisor can be changed here; the loop refuses what differs."""

    def delete(self, before: Json) -> None:
        if before["config_status"] == "REMOVING":
            return
        try:
            self._remove(before["supervisor"])
        except RayError as error:
            # Another client may have been faster, and the first cluster takes those of the other zones with it.
            if error.code not in ("NOT_ALLOWED_IN_CURRENT_STATE", "UNSUPPORTED") or not self._is_leaving():
                raise

    def _hint(self, code: str, desired: Json) -> str | None:
        """What to do about refusals that name no option."""
        if code == "UNABLE_TO_ALLOCATE_RESOURCE":
            return "The usual reason is a missing licence: look at the licences of the clusters in vCenter."
        if code == "NOT_FOUND":
            ids = ", ".join([str(desired.get("cluster") or desired.get("zones")), *sorted(set(ids_in(self._body)))])
            return f"One of these is not there, or this account may not see it: {ids}."
        return None

    def _remove(self, supervisor: str) -> None:
        if not reads.is_cluster(supervisor) and self._client.version >= (9, 1):
            try:
                self._client.delete(f"{reads.BASE}/supervisors/{supervisor}")
                return
            except RayError as error:
                # Some builds of 9.1 do not have the call; what is gone meanwhile is not found below either.
                if error.code not in ("NOT_FOUND", "OPERATION_NOT_FOUND"):
                    raise
        for cluster in reads.clusters_in(self._zones_of(supervisor)):
            self._client.post(f"{reads.BASE}/clusters/{cluster}", query={"action": "disable"})

    def _is_leaving(self) -> bool:
        found = reads.find_supervisor(self._client, self.name)
        return found is None or found["config_status"] == "REMOVING"

    def ready(self, current: Json | None) -> bool:
        if current is None:
            return False
        if current["config_status"] == "REMOVING":
            raise RayError(f"Supervisor {self.name} is being removed.", code="FAILED", hint="Wait until it is gone, then run again.")
        bad = "ERROR" in (current["config_status"], current["kubernetes_status"])
        if self._patience.lost(bad):
            raise RayError(f"Supervisor {self.name} has stood in ERROR for {ERROR_PATIENCE} s. {self._explained(current)}", code="FAILED",
                           hint="Mend what is named there, then run again.")
        return current["ready"] and bool(current["api_endpoint"])

    def say(self, current: Json | None) -> str:
        """One line for who waits; it changes with each condition."""
        if current is None:
            return "absent"
        words = [f"{current['config_status']}, Kubernetes {current['kubernetes_status']}"]
        waiting = open_ones(self._conditions)
        if waiting:
            done = len(self._conditions) - len(waiting)
            words.append(f"{done} of {len(self._conditions)} conditions hold, next {waiting[0]['type']} ({waiting[0]['reason']})")
        return "; ".join([*words, *current["messages"][:1]])

    def diagnose(self) -> str:
        """The conditions that do not hold tell which step of the configuration hangs."""
        current = self.read()
        return "vCenter does not list it." if current is None else self._explained(current)

    def _explained(self, current: Json) -> str:
        clusters = [] if current["messages"] else reads.clusters_in(self._zones_of(current["supervisor"]))
        messages = current["messages"] or (reads.messages_of_cluster(self._client, clusters[0]) if clusters else [])
        waiting = [" ".join([f"{c['type']}: {c['reason']}", *(f"({m})" for m in c["messages"])]) for c in open_ones(self._conditions)]
        words = [joined(messages), f"Open conditions: {', '.join(waiting) or 'none'}."]
        if current["config_status"] == "ERROR":
            words.append("On vCenter, /var/log/vmware/wcp/wcpsvc.log tells more.")
        return " ".join(words)

    def _refuse_elsewhere(self, before: Json, cluster: str | None, zones: list[str] | None) -> None:
        """Where it is cannot be changed; it is told by the names that people have for it."""
        there = (before["cluster"] or "").split(", ")
        if zones and zones != before["zones"]:
            is_in, asked = f"in {listed('zone', before['zones'])}", f"in {listed('zone', zones)}"
        elif cluster and self._client.inventory.cluster(cluster) not in there:
            rows = self._client.get("/api/vcenter/cluster", query={"clusters": there}) or []
            is_in, asked = f"on {listed('cluster', [row['name'] for row in rows] or there)}", f"on {cluster}"
        else:
            return
        raise RayError(f"Supervisor {before['name']} is {is_in}, not {asked}, and cannot be moved.", code="INPUT",
                       hint="Ask for where it is, or leave that out; or remove it first.")

    def _zones_of(self, supervisor: str) -> list[Json]:
        """Asked once: a Supervisor does not move."""
        if not self._topology.get(supervisor):
            self._topology[supervisor] = reads.topology(self._client, supervisor)
        return self._topology[supervisor]


def open_ones(conditions: list[Json]) -> list[Json]:
    return [condition for condition in conditions if condition["status"] != "TRUE"]


def listed(noun: str, names: list[str]) -> str:
    return f"{noun}{'' if len(names) == 1 else 's'} {', '.join(sorted(names)) or 'that vCenter does not tell'}"
