# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A content library that is subscribed to a publisher."""

from __future__ import annotations

import typing as t
import uuid

from .._diff import same
from .._errors import RayError
from .._names import ambiguous

BASE = "/api/content/subscribed-library"
LIBRARY = "/api/content/library"
ITEM = f"{LIBRARY}/item"
# The option of ours, and what vCenter calls it, inside subscription_info.
SUBSCRIPTION = {
    "subscription_url": "subscription_url",
    "on_demand": "on_demand",
    "automatic_sync": "automatic_sync_enabled",
    "ssl_thumbprint": "ssl_thumbprint",
}


class ContentLibrary:
    """One subscribed library by name; vCenter allows several of one name, which is refused here.

    ``items`` are names of items that must be there; the library is synchronised when one is not.
    """

    noun = "content_library"
    create_only = ("datastore",)

    def __init__(self, client: t.Any, name: str, items: list[str] | None = None) -> None:
        self._client = client
        self.name = name
        self._wanted = sorted(set(items or []))
        self._id: str | None = None

    def read(self) -> dict | None:
        library = self._id or self._find()
        info = None if library is None else self._client.find(f"{BASE}/{library}")
        if info is None:
            return None
        self._id = library
        items = self._items(library)
        there = {item["name"] for item in items}
        subscription = info.get("subscription_info") or {}
        own = {option: subscription.get(theirs) for option, theirs in SUBSCRIPTION.items()}
        return {
            "id": library,
            "name": info["name"],
            "type": "subscribed",
            **own,
            "ssl_thumbprint": own["ssl_thumbprint"].upper() if own["ssl_thumbprint"] else None,
            "security_policy": info.get("security_policy_id"),
            "datastore": next((b.get("datastore_id") for b in info.get("storage_backings") or []), None),
            "last_sync_time": info.get("last_sync_time"),
            "items": items,
            "missing_items": [name for name in self._wanted if name not in there],
        }

    def resolve(self, before: dict | None, desired: dict) -> dict:
        thumbprint = desired.get("ssl_thumbprint")
        found = {
            **desired,
            "datastore": self._client.inventory.datastore(desired.get("datastore")),
            "security_policy": self._client.inventory.security_policy(desired.get("security_policy")),
            "ssl_thumbprint": thumbprint.upper() if thumbprint else None,
            "missing_items": [],
        }
        if before is not None:
            # The name in the case that it has: libraries are found without regard to it.
            found["name"] = before["name"]
        unset = [k for k in ("subscription_url", "datastore") if found.get(k) is None]
        if before is None and unset:
            raise RayError(f"No content library is called {self.name!r}, and making one needs {' and '.join(unset)}.", code="INPUT",
                           hint="Set them.")
        if before is None or changes(before, found).keys() & {"subscription_url", "ssl_thumbprint"}:
            self._probe(before or {}, found)
        return found

    def create(self, desired: dict) -> None:
        body = {
            "name": self.name,
            "type": "SUBSCRIBED",
            "storage_backings": [{"type": "DATASTORE", "datastore_id": desired["datastore"]}],
            "subscription_info": subscription_info({}, desired),
        }
        if desired.get("security_policy"):
            body["security_policy_id"] = desired["security_policy"]
        # The token makes a repeated request harmless; a new one for each run, as a library may be made again after a removal.
        self._id = self._client.post(BASE, body, headers={"Client-Token": str(uuid.uuid4())})
        if not desired.get("automatic_sync"):
            self._sync()

    def update(self, before: dict, desired: dict) -> None:
        changed = changes(before, desired)
        body: dict[str, t.Any] = {}
        if changed.keys() & SUBSCRIPTION.keys():
            body["subscription_info"] = subscription_info(before, desired)
        if "security_policy" in changed:
            body["security_policy_id"] = changed["security_policy"]
        if body:
            self._client.patch(f"{BASE}/{before['id']}", body)
        if body or before["missing_items"]:
            self._sync()

    def delete(self, before: dict) -> None:
        try:
            self._client.delete(f"{BASE}/{before['id']}")
        except RayError as error:
            if error.code in ("NOT_ALLOWED_IN_CURRENT_STATE", "RESOURCE_IN_USE"):
                error.hint = "Detach the library from the namespaces that use it first."
            raise

    def ready(self, current: dict | None) -> bool:
        if current is None:
            return False
        refused = [i["name"] for i in current["items"] if i["name"] in self._wanted and i["security_compliance"] is False]
        if refused and current["security_policy"]:
            raise RayError(f"Content library {self.name} holds {', '.join(refused)}, but the security policy refused the signature.",
                           code="FAILED", hint="Let the publisher sign the item, trust its certificate in vCenter, or use another policy.")
        return not current["missing_items"]

    def say(self, current: dict | None) -> str:
        if current is None:
            return "absent"
        return f"missing {', '.join(current['missing_items'])}" if current["missing_items"] else "all items are there"

    def diagnose(self) -> str:
        current = self.read()
        if current is None:
            return "vCenter does not list it."
        ids = self._client.get(ITEM, query={"library_id": current["id"]}) or []
        there = ", ".join(sorted(info["name"] for info in map(self._item, ids) if info)) or "nothing"
        return f"The library holds {there}; its last synchronisation was {current['last_sync_time'] or 'never'}."

    def _find(self) -> str | None:
        ids = self._client.ask(LIBRARY, {"name": self.name, "type": "SUBSCRIBED"}, query={"action": "find"}) or []
        if len(ids) > 1:
            raise ambiguous("subscribed content library", self.name, [{"library": i} for i in ids], "library")
        return ids[0] if ids else None

    def _items(self, library: str) -> list[dict]:
        """Those that were asked for; a library may hold hundreds, and each costs a request."""
        ids = [i for name in self._wanted for i in self._client.ask(ITEM, {"library_id": library, "name": name}, query={"action": "find"}) or []]
        # They are found without regard to case.
        infos = [info for info in map(self._item, ids) if info and info["name"] in self._wanted]
        return [{k: info.get(k) for k in ("id", "name", "type", "security_compliance", "cached")} for info in infos]

    def _item(self, item: str) -> dict | None:
        return self._client.find(f"{ITEM}/{item}")

    def _sync(self) -> None:
        self._client.post(f"{BASE}/{self._id}", query={"action": "sync"})

    def _probe(self, before: dict, desired: dict) -> None:
        """Ask vCenter whether it can reach and trust the publisher: a library that cannot is made all the same."""
        info = subscription_info(before, desired)
        answer = self._client.ask(BASE, {"subscription_info": info}, query={"action": "probe"}) or {}
        status = answer.get("status", "SUCCESS")
        if status == "SUCCESS":
            return
        raise refused_probe(info["subscription_url"], status, answer)


def changes(before: dict, desired: dict) -> dict:
    return {k: v for k, v in desired.items() if v is not None and not same(v, before.get(k))}


def subscription_info(before: dict, desired: dict) -> dict:
    """The whole structure: one that is given replaces the one that was."""
    merged = {**before, **{k: v for k, v in desired.items() if v is not None}}
    own = {theirs: merged[option] for option, theirs in SUBSCRIPTION.items() if merged.get(option) is not None}
    return {**own, "authentication_method": "NONE"}


def refused_probe(url: str, status: str, answer: dict) -> RayError:
    said = [m if isinstance(m, str) else m.get("localized") or m.get("default_message") or "" for m in answer.get("error_messages") or []]
    said_text = " ".join(text for text in said if text) or "no reason given"
    message = f"vCenter cannot subscribe to {url}: {said_text} ({status})."
    thumbprint = answer.get("ssl_thumbprint")
    if status == "CERTIFICATE_ERROR" and thumbprint:
        hint = f"Its certificate has the thumbprint {thumbprint}. If that is right, by another way than this one, set ssl_thumbprint to it."
        return RayError(message, code=status, hint=hint, details={"ssl_thumbprint": thumbprint})
    return RayError(message, code=status, hint="Check subscription_url, and that vCenter itself can reach it.")
