# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of vCenter objects to the ids that the API wants, read only.

Every answer is remembered for as long as the session lives: one task asks for
the same policy several times, and names do not move while it runs.
"""

from __future__ import annotations

import re
import typing as t

from .._errors import RayError
from .._names import choose


class Kind:
    """How one kind of object is listed: path, key of the id, filters, shape of an id."""

    def __init__(self, noun: str, path: str, key: str, id_pattern: str, id_filter: str, name_filter: str | None = None) -> None:
        self.noun = noun
        self.path = path
        self.key = key
        self.id_pattern = re.compile(id_pattern)
        self.id_filter = id_filter
        # None: the API cannot filter by name, so everything is read and matched here.
        self.name_filter = name_filter


UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
CLUSTER = Kind("cluster", "/api/vcenter/cluster", "cluster", r"domain-c\d+$", "clusters", "names")
DATASTORE = Kind("datastore", "/api/vcenter/datastore", "datastore", r"datastore-\d+$", "datastores", "names")
NETWORK = Kind("port group", "/api/vcenter/network", "network", r"(dvportgroup|network)-\d+$", "networks", "names")
POLICY = Kind("storage policy", "/api/vcenter/storage/policies", "policy", UUID, "policies")


class Inventory:
    """One per session. Each method takes a name or an id and returns the id."""

    def __init__(self, client: t.Any) -> None:
        self._client = client
        self._known: dict[tuple, t.Any] = {}

    def cluster(self, wanted: str | None) -> str | None:
        return self._id(CLUSTER, wanted)

    def datastore(self, wanted: str | None) -> str | None:
        return self._id(DATASTORE, wanted)

    def network(self, wanted: str | None) -> str | None:
        return self._id(NETWORK, wanted)

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
        if known not in self._known:
            self._known[known] = self._look_up(kind, wanted)
        return self._known[known]

    def _look_up(self, kind: Kind, wanted: str) -> str:
        if kind.id_pattern.match(wanted):
            rows = self._client.get(kind.path, query={kind.id_filter: [wanted]}) or []
            if any(row[kind.key] == wanted for row in rows):
                return wanted
        return choose(kind.noun, wanted, self._rows(kind, wanted), kind.key)

    def _rows(self, kind: Kind, wanted: str) -> list[dict]:
        if kind.name_filter is None:
            return self._everything(kind)
        rows = self._client.get(kind.path, query={kind.name_filter: [wanted]}) or []
        # Nothing of that name: one more call buys the list of what there is.
        return rows or self._everything(kind)

    def _everything(self, kind: Kind) -> list[dict]:
        """The whole list, read once; too long a list is refused by the API and then not shown."""
        known = (kind.noun, None)
        if known not in self._known:
            try:
                self._known[known] = self._client.get(kind.path) or []
            except RayError as error:
                if error.code != "UNABLE_TO_ALLOCATE_RESOURCE" or kind.name_filter is None:
                    raise
                self._known[known] = []
        return self._known[known]
