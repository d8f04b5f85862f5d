# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one user or group may do in one namespace."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from .._errors import UnknownYet
from .._names import missing
from .namespace import BASE, access_of, find_namespace, list_namespaces


class NamespaceAccess:
    """One entry of a namespace's access list.

    It is read from the namespace: the call that reads a single entry answers with an error for one that is not there.
    """

    noun = "namespace_access"

    def __init__(self, client: t.Any, namespace: str, subject: str, domain: str, subject_type: str) -> None:
        self._client = client
        self._namespace = namespace
        self._subject, self._domain, self._type = subject, domain, subject_type
        self.name, self.subject = f"of {subject}@{domain} to namespace {namespace}", subject
        parts = "/".join(quote(part, safe="") for part in (namespace, "access", domain, subject))
        self._path = f"{BASE}/{parts}"
        self._known = True

    def read(self) -> dict | None:
        info = find_namespace(self._client, self._namespace)
        self._known = info is not None
        for entry in (info or {}).get("access_list") or []:
            if self._is_ours(entry):
                return {"namespace": self._namespace, **access_of(entry), "subject": self._subject, "domain": self._domain}
        return None

    def resolve(self, before: dict | None, desired: dict) -> dict:
        if not self._known:
            raise missing("namespace", self._namespace, list_namespaces(self._client), UnknownYet)
        return desired

    def create(self, desired: dict) -> None:
        self._client.post(self._path, {"role": desired["role"]}, query={"type": self._type})

    def update(self, before: dict, desired: dict) -> None:
        self._client.put(self._path, {"role": desired["role"]}, query={"type": self._type})

    def delete(self, before: dict) -> None:
        self._client.delete(self._path, query={"type": self._type})

    def ready(self, current: dict | None) -> bool:
        return current is not None

    def diagnose(self) -> str:
        return "The access list of the namespace does not show it."

    def _is_ours(self, entry: dict) -> bool:
        """SSO names know no case."""
        theirs = (entry.get("subject", "").lower(), entry.get("domain", "").lower(), entry.get("subject_type"))
        return theirs == (self._subject.lower(), self._domain.lower(), self._type)
