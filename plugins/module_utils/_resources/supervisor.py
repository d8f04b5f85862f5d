# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Supervisor: the Kubernetes control plane of a vSphere cluster."""

from __future__ import annotations

import typing as t

from .._errors import RayError, UnknownYet
from .._names import ambiguous, missing
from .messages import Patience, joined, texts
from .supervisor_spec import enable_body

BASE = "/api/vcenter/namespace-management"
ERROR_PATIENCE = 600


def summaries(client: t.Any) -> list[dict]:
    """All Supervisors in one shape; before 8.0 they were known by their cluster only."""
    found = _current(client)
    return [_from_cluster(row) for row in client.find(f"{BASE}/clusters") or []] if found is None else found


def _current(client: t.Any) -> list[dict] | None:
    """All Supervisors by the API of 8.0 and later; None where that is not there."""
    answer = client.find(f"{BASE}/supervisors/summaries")
    if answer is None:
        return None
    rows = answer.get("items") or [] if isinstance(answer, dict) else answer
    return [_from_summary(row["supervisor"], row.get("info") or {}) for row in rows]


def find_supervisor(client: t.Any, wanted: str) -> dict | None:
    """The Supervisor of this name or id."""
    matches = [s for s in summaries(client) if wanted in (s["name"], s["supervisor"])]
    if len(matches) > 1:
        raise ambiguous("Supervisor", wanted, matches, "supervisor")
    return matches[0] if matches else None


def supervisor_id(client: t.Any, wanted: str) -> str:
    """The id, or UnknownYet: the step that enables the Supervisor may not have run."""
    found = find_supervisor(client, wanted)
    if found is None:
        raise missing("Supervisor", wanted, [s["name"] for s in summaries(client)], UnknownYet)
    return found["supervisor"]


def clusters_of(client: t.Any, supervisor: str) -> list[str]:
    """The clusters that a Supervisor runs on, one of each zone."""
    if is_cluster(supervisor):
        return [supervisor]
    zones = client.find(f"{BASE}/supervisors/{supervisor}/topology") or []
    return sorted(cluster for zone in zones for cluster in zone.get("clusters") or [])


def is_cluster(supervisor: str) -> bool:
    """Before 8.0 the id of a Supervisor is that of its cluster."""
    return supervisor.startswith("domain-c")


def _from_summary(supervisor: str, info: dict) -> dict:
    # The spelling of APIEndpoint differs between releases and pages of the vendor.
    lower = {key.lower().replace("_", ""): value for key, value in info.items()}
    return _described(supervisor, info.get("name") or supervisor, info, lower.get("apiendpoint"), info.get("messages"))


def _from_cluster(row: dict) -> dict:
    return _described(row["cluster"], row.get("cluster_name") or row["cluster"], row, row.get("api_server_cluster_endpoint"), None)


def _described(supervisor: str, name: str, info: dict, endpoint: str | None, messages: list | None) -> dict:
    config, kubernetes = info.get("config_status"), info.get("kubernetes_status")
    return {
        "supervisor": supervisor,
        "name": name,
        "config_status": config,
        "kubernetes_status": kubernetes,
        "api_endpoint": endpoint,
        # A Supervisor with a WARNING still takes workloads.
        "ready": config == "RUNNING" and kubernetes in ("READY", "WARNING"),
        "messages": texts(messages),
    }


class Supervisor:
    """One Supervisor by name; ``spec`` holds the options that matter only when it is enabled, names unresolved."""

    noun = "supervisor"
    create_only = ("cluster",)

    def __init__(self, client: t.Any, name: str, spec: dict | None = None) -> None:
        self._client = client
        self.name = name
        self._spec = spec or {}
        self._body: dict = {}
        self._clusters: dict[str, list[str]] = {}
        self._patience = Patience(ERROR_PATIENCE)

    def read(self) -> dict | None:
        found = find_supervisor(self._client, self.name)
        if found is None:
            return None
        return {**found, "cluster": ", ".join(self._clusters_of(found["supervisor"])) or None}

    def resolve(self, before: dict | None, desired: dict) -> dict:
        """Look up every name before the first write; of a Supervisor that is there only the cluster matters."""
        cluster = self._client.inventory.cluster(desired.get("cluster"))
        desired = {**desired, "cluster": cluster}
        if before is not None:
            of_zones = cluster in (before["cluster"] or "").split(", ")
            return {**desired, "name": before["name"], "cluster": before["cluster"] if of_zones else cluster}
        needed = ("cluster", "control_plane", "workloads")
        unset = [k for k in needed if not (desired.get("cluster") if k == "cluster" else self._spec.get(k))]
        if unset:
            raise RayError(f"No Supervisor is called {self.name!r}, and enabling one needs {', '.join(unset)}.", code="INPUT",
                           hint="Set them, or give the name of a Supervisor that is there.")
        self._refuse_taken(desired["cluster"])
        self._body = enable_body(self.name, self._spec, self._client.inventory)
        return desired

    def create(self, desired: dict) -> None:
        self._client.post(f"{BASE}/supervisors/{desired['cluster']}", self._body, query={"action": "enable_on_compute_cluster"})

    def update(self, before: dict, desired: dict) -> None:
        """Nothing of a Supervisor can be changed here; the loop refuses what differs."""

    def delete(self, before: dict) -> None:
        if before["config_status"] == "REMOVING":
            return
        if not is_cluster(before["supervisor"]):
            try:
                self._client.delete(f"{BASE}/supervisors/{before['supervisor']}")
                return
            except RayError as error:
                # Before 9.1 there is no such call, and the cluster has to be named.
                if error.code not in ("NOT_FOUND", "OPERATION_NOT_FOUND") and error.details.get("status") != 405:
                    raise
        for cluster in self._clusters_of(before["supervisor"]):
            self._client.post(f"{BASE}/clusters/{cluster}", query={"action": "disable"})

    def ready(self, current: dict | None) -> bool:
        if current is None:
            return False
        if current["config_status"] == "REMOVING":
            raise RayError(f"Supervisor {self.name} is being removed.", code="FAILED", hint="Wait until it is gone, then run again.")
        bad = "ERROR" in (current["config_status"], current["kubernetes_status"])
        if self._patience.lost(bad):
            raise RayError(f"Supervisor {self.name} has stood in ERROR for {ERROR_PATIENCE} s. {joined(current['messages'])}", code="FAILED",
                           hint=self.diagnose())
        return current["ready"] and bool(current["api_endpoint"])

    def say(self, current: dict | None) -> str:
        if current is None:
            return "absent"
        words = f"{current['config_status']}, Kubernetes {current['kubernetes_status']}"
        return "; ".join([words, *current["messages"][:1]])

    def diagnose(self) -> str:
        """The conditions that do not hold tell which step of the configuration hangs."""
        current = self.read()
        if current is None:
            return "vCenter does not list it."
        conditions = self._client.find(f"{BASE}/supervisors/{current['supervisor']}/conditions") or []
        open_ones = [f"{c.get('type')}: {c.get('reason')}" for c in conditions if c.get("status") != "TRUE"]
        return f"{joined(current['messages'])} Open conditions: {', '.join(open_ones) or 'none'}."

    def _clusters_of(self, supervisor: str) -> list[str]:
        """Asked once: a Supervisor does not move."""
        if not self._clusters.get(supervisor):
            self._clusters[supervisor] = clusters_of(self._client, supervisor)
        return self._clusters[supervisor]

    def _refuse_taken(self, cluster: str) -> None:
        others = _current(self._client)
        if others is None:
            raise RayError(f"This vCenter cannot enable the Supervisor {self.name!r}: it is older than 8.0 U1.", code="UNSUPPORTED",
                           hint="Enable it in the vSphere Client, and give the name of its cluster as name.")
        for other in others:
            if cluster in self._clusters_of(other["supervisor"]):
                raise RayError(f"Cluster {cluster} already runs the Supervisor {other['name']!r}, so {self.name!r} cannot be enabled on it.",
                               code="INPUT", hint=f"Use name: {other['name']}, or another cluster.")
