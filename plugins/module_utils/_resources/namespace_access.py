# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one user or group may do in one namespace."""

from __future__ import annotations

from urllib.parse import quote

from .._errors import RayError, UnknownYet
from .._names import missing
from .._ports import Json, VCenter
from .namespaces import BASE, access_of, find_namespace, list_namespaces


class NamespaceAccess:
    """One entry of a namespace's access list.

    It is read from the namespace: the call that reads a single entry answers with an error for one that is not there.
    A role that comes through a group is no entry of its own: it is told, and it cannot be taken here.
    """

    noun = "namespace_access"

    def __init__(self, client: VCenter, namespace: str, subject: str, domain: str, subject_type: str, present: bool = True) -> None:
        if "@" in subject or "\\" in subject:
            raise RayError(f"The subject {subject!r} holds a domain.", code="INPUT", hint="Write the name alone, and the domain as option domain.")
        self._client = client
        self._namespace = namespace
        self._subject, self._domain, self._type, self._present = subject, domain, subject_type, present
        self.name, self.subject = f"of {subject}@{domain} to namespace {namespace}", subject
        parts = "/".join(quote(part, safe="") for part in (namespace, "access", domain, subject))
        self._path = f"{BASE}/{parts}"
        self._known = True
        self._going = self._taken = False

    def read(self) -> Json | None:
        info = find_namespace(self._client, self._namespace)
        self._known = info is not None
        self._going = (info or {}).get("config_status") == "REMOVING"
        if self._going and not self._present:
            # What is in it goes with it, and vCenter takes no change of it any more.
            return None
        entries = [access_of(entry) for entry in (info or {}).get("access_list") or [] if self._is_ours(entry)]
        entry = min(entries, key=lambda entry: entry["inherited"], default=None)
        if entry is None or (entry["inherited"] and self._taken):
            return None
        if entry["inherited"] and not self._present:
            raise self._through_a_group(entry)
        return {"namespace": self._namespace, **entry, "subject": self._subject, "domain": self._domain}

    def resolve(self, before: Json | None, desired: Json) -> Json:
        if not self._known:
            raise missing("namespace", self._namespace, list_namespaces(self._client), UnknownYet)
        if self._going:
            raise UnknownYet(f"Namespace {self._namespace} is being removed, so nobody can be given a role in it.",
                             hint="Make it anew with vcf.ray.namespace, which waits until the old one is gone.")
        # Whoever has the role through a group has it; another one is given directly.
        same_role = before is not None and before["role"] == desired["role"]
        return {**desired, "inherited": before["inherited"] if before and same_role else False}

    def create(self, desired: Json) -> None:
        self._give("post", desired["role"])

    def update(self, before: Json, desired: Json) -> None:
        self._give("post" if before["inherited"] else "put", desired["role"])

    def delete(self, before: Json) -> None:
        self._taken = True
        try:
            self._client.delete(self._path, query={"type": self._type})
        except RayError as error:
            raise self._overtaken(error) from None

    def ready(self, current: Json | None) -> bool:
        return current is not None

    def diagnose(self) -> str:
        return "The access list of the namespace does not show it."

    def _give(self, how: str, role: str) -> None:
        try:
            getattr(self._client, how)(self._path, {"role": role}, query={"type": self._type})
        except RayError as error:
            if how == "put":
                error = self._overtaken(error)
            # vCenter says the same of an unknown name and of a role that a foreign domain cannot have.
            if error.code in ("UNSUPPORTED", "NOT_FOUND", "INVALID_ARGUMENT"):
                error.hint = self._reasons(role)
            raise

    def _overtaken(self, error: RayError) -> RayError:
        """vCenter says UNSUPPORTED of an entry that is not there; when it was there before, another client has taken it."""
        if error.code == "UNSUPPORTED" and self.read() is None:
            error.code = "CONCURRENT_CHANGE"
        return error

    def _reasons(self, role: str) -> str:
        kind = "user" if self._type == "USER" else "group"
        owner = " The role OWNER can be given in vCenter's own SSO domain only; EDIT and VIEW in every domain." if role == "OWNER" else ""
        return (f"Check that there is a {kind} {self._subject} in the domain {self._domain}, and that vCenter knows this domain as an identity source. "
                f"One of the SSO domain can be made with vcf.ray.sso_{kind}.{owner}")

    def _through_a_group(self, entry: Json) -> RayError:
        return RayError(
            f"{self._subject}@{self._domain} has the role {entry['role']} on namespace {self._namespace} through a group, so it cannot be taken here.",
            code="INPUT", hint="Take the role from the group, or take the user out of the group (vcf.ray.sso_group).")

    def _is_ours(self, entry: Json) -> bool:
        """SSO names know no case."""
        theirs = (entry.get("subject", "").lower(), entry.get("domain", "").lower(), entry.get("subject_type"))
        return theirs == (self._subject.lower(), self._domain.lower(), self._type)
