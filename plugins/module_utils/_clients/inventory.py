# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of vCenter objects to the ids that the API wants, read only.

Every answer is remembered for as long as the session lives: one task asks for
the same policy several times, and names do not move while it runs.
"""

from __future__ import annotations

import difflib
import re

from .._errors import RayError

SHOWN = 12  # names listed in an error; more would bury the message


class Kind:
    """How one kind of object is listed: path, key of the id, filters, shape of an id."""

    def __init__(self, noun, path, key, id_pattern, id_filter, name_filter=None):
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

    def __init__(self, client):
        self._client = client
        self._known = {}

    def cluster(self, wanted):
        return self._id(CLUSTER, wanted)

    def datastore(self, wanted):
        return self._id(DATASTORE, wanted)

    def network(self, wanted):
        return self._id(NETWORK, wanted)

    def policy(self, wanted):
        return self._id(POLICY, wanted)

    def security_policy(self, wanted):
        """Content library security policies have a list of their own and no filter."""
        rows = self._client.get("/api/content/security-policies") or []
        return choose("content library security policy", wanted, rows, "policy")

    def _id(self, kind, wanted):
        if wanted is None:
            return None
        known = (kind.noun, wanted)
        if known not in self._known:
            self._known[known] = self._look_up(kind, wanted)
        return self._known[known]

    def _look_up(self, kind, wanted):
        if kind.id_pattern.match(wanted):
            rows = self._client.get(kind.path, query={kind.id_filter: [wanted]}) or []
            if any(row[kind.key] == wanted for row in rows):
                return wanted
        return choose(kind.noun, wanted, self._rows(kind, wanted), kind.key)

    def _rows(self, kind, wanted):
        if kind.name_filter is None:
            return self._everything(kind)
        rows = self._client.get(kind.path, query={kind.name_filter: [wanted]}) or []
        # Nothing of that name: one more call buys the list of what there is.
        return rows or self._everything(kind)

    def _everything(self, kind):
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


def choose(noun, wanted, rows, key, name_key="name"):
    """The id of the one row that has this id or this name, or an error that says which there are."""
    if any(row[key] == wanted for row in rows):
        return wanted
    matches = [row for row in rows if row.get(name_key) == wanted]
    if len(matches) == 1:
        return matches[0][key]
    if matches:
        raise ambiguous(noun, wanted, matches, key)
    raise missing(noun, wanted, [row.get(name_key) or row[key] for row in rows])


def ambiguous(noun, wanted, rows, key):
    described = ", ".join(sorted(describe(row, key) for row in rows))
    return RayError(
        f"{len(rows)} objects are called {wanted!r} as {noun}: {described}.",
        code="INPUT",
        hint="Give the id of the one you mean instead of its name.",
    )


def describe(row, key):
    kind = row.get("type")
    return f"{row[key]} ({kind})" if kind else row[key]


def missing(noun, wanted, names):
    shown = closest_first(wanted, names)
    if shown:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        there = f"There is: {', '.join(shown[:SHOWN])}{more}."
    else:
        there = f"This account sees no {noun} at all."
    return RayError(
        f"No {noun} is called {wanted!r}. {there}",
        code="NOT_FOUND",
        hint="Check the spelling, and that this account may see the object.",
    )


def closest_first(wanted, names):
    """Case is the commonest slip, so it does not count against a name."""

    def distance(name):
        return -difflib.SequenceMatcher(None, wanted.lower(), name.lower()).ratio()

    return sorted(sorted(set(names)), key=distance)
