# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and paths of vCenter objects to the ids that the API wants, read only.

Every answer is remembered for as long as the session lives: one task asks for
the same policy several times, and names do not move while it runs.
"""

from __future__ import annotations

from .._errors import RayError
from .._names import ambiguous, canonical, choose
from .._ports import Json, VCenter
from .inventory_paths import DATACENTER, FOLDER, Kind, by_path, located

UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
CLUSTER = Kind("cluster", "/api/vcenter/cluster", "cluster", r"domain-c\d+$", "clusters", "names", "host")
DATASTORE = Kind("datastore", "/api/vcenter/datastore", "datastore", r"datastore-\d+$", "datastores", "names", "datastore")
NETWORK = Kind("port group", "/api/vcenter/network", "network", r"(dvportgroup|network)-\d+$", "networks", "names", "network")
POLICY = Kind("storage policy", "/api/vcenter/storage/policies", "policy", UUID, "policies")
SWITCHES = "/api/vcenter/namespace-management/networks/nsx/distributed-switches"


class Inventory:
    """One per session. Each method takes a name or an id and returns the id.

    Where objects stand in folders, a path is taken too: ``/DC/host/folder/NAME``, or ``DC/NAME``.
    """

    def __init__(self, client: VCenter) -> None:
        self._client = client
        self._ids: dict[tuple[str, str], str] = {}
        self._lists: dict[str, list[Json]] = {}

    def cluster(self, wanted: str | None) -> str | None:
        return self._id(CLUSTER, wanted)

    def datastore(self, wanted: str | None) -> str | None:
        return self._id(DATASTORE, wanted)

    def network(self, wanted: str | None) -> str | None:
        return self._id(NETWORK, wanted)

    def folder(self, wanted: str | None) -> str | None:
        return self._id(FOLDER, wanted)

    def datacenter(self, wanted: str | None) -> str | None:
        return self._id(DATACENTER, wanted)

    def distributed_switch(self, wanted: str | None) -> str | None:
        """Listed for NSX only, and without a filter by name; its id is a UUID."""
        if wanted is None:
            return None
        return choose("distributed switch", wanted, self._client.get(SWITCHES) or [], "distributed_switch")

    def policy(self, wanted: str | None) -> str | None:
        return self._id(POLICY, wanted)

    def security_policy(self, wanted: str | None) -> str | None:
        """Content library security policies have a list of their own and no filter."""
        if wanted is None:
            return None
        rows = self._client.get("/api/content/security-policies") or []
        return choose("content library security policy", wanted, rows, "policy")

    def _id(self, kind: Kind, wanted: str | None) -> str | None:
        if wanted is None:
            return None
        known = (kind.noun, wanted)
        if known not in self._ids:
            self._ids[known] = self._look_up(kind, wanted)
        return self._ids[known]

    def _look_up(self, kind: Kind, wanted: str) -> str:
        if "/" in wanted and kind.name_filter:
            return self._of_path(kind, wanted)
        if kind.id_pattern.match(wanted):
            rows = self._client.get(kind.path, query={kind.id_filter: [wanted]}) or []
            if any(canonical(row[kind.key]) == canonical(wanted) for row in rows):
                return canonical(wanted)
        rows = self._rows(kind, wanted)
        matches = [row for row in rows if row["name"] == wanted]
        if len(matches) > 1:
            raise ambiguous(kind.noun, wanted, located(self._client, kind, wanted, matches) if kind.name_filter else matches, kind.key)
        return choose(kind.noun, wanted, rows, kind.key)

    def _of_path(self, kind: Kind, wanted: str) -> str:
        """By path; a name with a slash in it looks like one, and is tried before the error is told."""
        try:
            return by_path(self._client, kind, wanted)
        except RayError as error:
            rows = self._client.get(kind.path, query={"names": [wanted]}) or []
            if len(rows) != 1 or error.code not in ("INPUT", "NOT_FOUND"):
                raise
            identifier: str = rows[0][kind.key]
            return identifier

    def _rows(self, kind: Kind, wanted: str) -> list[Json]:
        if kind.name_filter is None:
            return self._everything(kind)
        rows = self._client.get(kind.path, query={kind.name_filter: [wanted]}) or []
        # Nothing of that name: one more call buys the list of what there is.
        return rows or self._everything(kind)

    def _everything(self, kind: Kind) -> list[Json]:
        """The whole list, read once; too long a list is refused by the API and then not shown."""
        if kind.noun not in self._lists:
            try:
                self._lists[kind.noun] = self._client.get(kind.path) or []
            except RayError as error:
                if error.code != "UNABLE_TO_ALLOCATE_RESOURCE" or kind.name_filter is None:
                    raise
                self._lists[kind.noun] = []
        return self._lists[kind.noun]
