# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A content library: a local one, or one that is subscribed to a publisher."""

from __future__ import annotations

import typing as t
import uuid

from .._diff import same
from .._errors import RayError, UnknownYet
from .._names import UUID, closest_first
from .._ports import Json, VCenter
from .library_images import NOT_CHECKED, Images
from .library_items import SUBSCRIBED_ITEM, all_items, missing_items, refuse_unverified, stale_items, wanted_items
from .library_kinds import FIELDS, NEW, PART, PATHS, TRUST, described, refuse_foreign, refused_probe, structure
from .library_names import LIBRARY, find_libraries, first_made, the_only
from .library_secrets import LibrarySecrets

# So many reads of a wait after which a synchronisation is asked for again: one that was under way may have swallowed the first.
READS = 8
DETACH = "Detach it there first, from a namespace with content_libraries of vcf.ray.namespace."
# Keys that are carried out and not stored in the library.
ACTIONS = ("synchronized", "missing_items", "stale_items", "password_updated")


class ContentLibrary:
    """One library of a kind, by its name, which need not be unique, or by its id.

    Args:
        items: names of items that have to be there; a subscribed library is synchronised when one is not.
        sync: synchronise in any case.
        evict: take the files of all other items off the datastore.
        secrets: passwords, and what else vCenter does not tell again.
        images: what is to come of the items in a namespace.
    """

    noun = "content_library"
    create_only = ("datastore",)

    def __init__(self, client: VCenter, kind: str, name: str, items: list[str] | None = None, *, sync: bool = False, evict: bool = False,
                 secrets: LibrarySecrets | None = None, images: Images | None = None) -> None:
        self._client, self._kind, self._path, self.name = client, kind, PATHS[kind], name
        self._wanted = sorted(set(items or []))
        self._sync_wanted, self._evict, self._images = sync, evict, images
        self._secrets = secrets or LibrarySecrets()
        # One for the whole task: a creation that is repeated after a lost answer makes no second library.
        self._token = str(uuid.uuid4())
        self._id: str | None = None
        self._synced, self._reads = False, 0
        self._mark: str | None = None

    def read(self) -> Json | None:
        library = self._id or self._find()
        info = None if library is None else self._client.find(f"{self._path}/{library}")
        if info is None:
            return None
        found = described({"id": library, "type": self._kind, **info})
        self._id = found["id"]
        items = wanted_items(self._client, found["id"], self._wanted)
        files = found.get("on_demand") is False
        done = self._synced or (bool(found["last_sync_time"]) and not self._sync_wanted)
        return {
            **found,
            "library_items": items,
            "missing_items": missing_items(self._wanted, items, files=files, policy=found["security_policy"]),
            "stale_items": stale_items(self._client, found["id"], items) if self._evict else [],
            # Never synchronised is what a creation leaves that was cut short.
            **({"synchronized": done} if self._kind == "subscribed" else {}),
            "password_updated": self._secrets.sent,
            "not_compared": self._secrets.untold(found),
            **({"images": NOT_CHECKED} if self._images else {}),
        }

    def resolve(self, before: Json | None, desired: Json) -> Json:
        refuse_foreign(self._kind, {**desired, "sync": self._sync_wanted, "evict": self._evict, **self._secrets.given})
        if before is None:
            self._refuse_creation(desired)
        if desired.get("ssl_certificate"):
            self._client.needs("9.0", "The option ssl_certificate of a content library")
        found = {
            **({} if before else {"description": "", "security_policy": "", "missing_items": [], **NEW[self._kind]}),
            **{k: v for k, v in desired.items() if v is not None},
            # In the case that it has: libraries are found without regard to it.
            "name": before["name"] if before else self.name,
            "datastore": self._client.inventory.datastore(desired.get("datastore")),
            **{key: self._secrets.trust.get(key) for key in TRUST},
            "stale_items": [],
            **({"missing_items": [], "synchronized": True} if self._kind == "subscribed" else {}),
        }
        if desired.get("security_policy"):
            found["security_policy"] = self._client.inventory.security_policy(desired["security_policy"])
        if self._evict and {**(before or {}), **found}.get("on_demand") is False:
            raise RayError(f"Content library {self.name} fetches everything at once, and vCenter evicts files only where they are fetched on demand.",
                           code="INPUT", hint="Set on_demand to true, or leave evict out.")
        found = self._secrets.settle(self._kind, before, found)
        self._probe(before, found)
        return found

    def create(self, desired: Json) -> None:
        part = structure(self._kind, desired)
        body = {
            "name": self.name,
            "type": self._kind.upper(),
            "storage_backings": [{"type": "DATASTORE", "datastore_id": desired["datastore"]}],
            PART[self._kind]: {**part, **self._secrets.body(self._kind, {}, desired)},
            **({"description": desired["description"]} if desired.get("description") else {}),
            **({"security_policy_id": desired["security_policy"]} if desired.get("security_policy") else {}),
        }
        own = self._client.post(self._path, body, headers={"Client-Token": self._token})
        self._id = first_made(self._client, self.name, self._kind, own)
        if self._id != own:
            # Another run was faster; ours has never been shown to anybody.
            self._client.delete(f"{self._path}/{own}")
            return
        self._secrets.sent = bool(desired.get("password_updated"))
        # Creation starts the first synchronisation, as the SDK says; a library that is not synchronised by itself is asked to, to be sure.
        if self._kind == "subscribed" and not desired.get("automatic_sync"):
            self._sync(None)
        self._synced = True

    def update(self, before: Json, desired: Json) -> None:
        changed = {k: v for k, v in desired.items() if v is not None and not same(v, before.get(k))}
        stored = changed.keys() - set(ACTIONS)
        body: dict[str, t.Any] = {"description": changed["description"]} if "description" in changed else {}
        if "security_policy" in changed:
            body.update({"security_policy_id": changed["security_policy"]} if changed["security_policy"] else {"unset_security_policy_id": True})
        if "password_updated" in changed or stored & {*FIELDS[self._kind], "authentication"}:
            merged = {**before, **{k: v for k, v in desired.items() if v is not None}, **self._secrets.trust}
            body[PART[self._kind]] = {**structure(self._kind, merged), **self._secrets.body(self._kind, before, desired)}
        if body:
            self._client.patch(f"{self._path}/{before['id']}", body)
            self._secrets.sent = bool(desired.get("password_updated"))
        for item in before["stale_items"]:
            self._client.post(f"{SUBSCRIBED_ITEM}/{item['id']}", query={"action": "evict"})
        if self._kind == "subscribed" and (stored - {"description"} or before["missing_items"] or not before["synchronized"]):
            self._sync(before["last_sync_time"])

    def removable(self, before: Json) -> None:
        """From 9.1 on vCenter tells who uses a library, and keeps it for them."""
        users = self._users(before["id"])
        if users:
            raise UnknownYet(f"Content library {self.name} cannot be removed: it is used by {', '.join(users)}.", code="RESOURCE_IN_USE", hint=DETACH)

    def delete(self, before: Json) -> None:
        try:
            self._client.delete(f"{self._path}/{before['id']}")
        except RayError as error:
            if error.code in ("NOT_ALLOWED_IN_CURRENT_STATE", "RESOURCE_IN_USE"):
                error.hint = DETACH
            raise

    def ready(self, current: Json | None) -> bool:
        if current is None:
            return False
        refuse_unverified(self.name, [i for i in current["library_items"] if i["name"] in self._wanted], current["security_policy"])
        if self._under_way(current) or current["missing_items"] or current["stale_items"]:
            return False
        done = self._images is None or self._images.ready(current)
        if self._images:
            current["images"] = self._images.found
        return done

    def say(self, current: Json | None) -> str:
        if current is None:
            return "absent"
        if current["missing_items"]:
            return f"missing {', '.join(current['missing_items'])}"
        if current["stale_items"]:
            return f"still on the datastore: {', '.join(item['name'] for item in current['stale_items'])}"
        if self._kind == "subscribed" and current["last_sync_time"] in (None, self._mark):
            return "being synchronised"
        return f"all items are there; {self._images.say()}" if self._images else "all items are there"

    def diagnose(self) -> str:
        current = self.read()
        if current is None:
            return "vCenter does not list it."
        names = [item["name"] for item in all_items(self._client, current["id"])]
        there = ", ".join(closest_first(" ".join(current["missing_items"]), names)) or "nothing"
        if self._kind == "local":
            return f"The library holds {there}. Nothing is fetched into a local library; somebody has to upload what is missing."
        return f"The library holds {there}; its last synchronisation was {current['last_sync_time'] or 'never'}."

    def _find(self) -> str | None:
        """The id; a name that is one needs no search."""
        return self.name if UUID.fullmatch(self.name) else the_only(self._client, self.name, self._kind)

    def _refuse_creation(self, desired: Json) -> None:
        """What a library that is not there yet cannot be, found out before anything is written."""
        if UUID.fullmatch(self.name):
            raise RayError(f"No {self._kind} content library has the id {self.name}.", code="NOT_FOUND", hint="Give the name of a library to make one.")
        other = "local" if self._kind == "subscribed" else "subscribed"
        taken = find_libraries(self._client, self.name, other)
        if taken:
            raise RayError(f"The content library {self.name!r} ({taken[0]}) is a {other} one, and no library changes its type.", code="INPUT",
                           hint=f"Remove it first, set type to {other}, or take another name.")
        unset = [k for k in ("subscription_url", "datastore") if desired.get(k) is None and (k == "datastore" or self._kind == "subscribed")]
        if unset:
            raise RayError(f"No {self._kind} content library is called {self.name!r}, and making one needs {' and '.join(unset)}.", code="INPUT",
                           hint="Set them.")
        if self._images:
            raise UnknownYet(f"Content library {self.name} is not there yet, so no namespace has images of it.",
                             hint="Make it without image, attach it to the namespace, then wait for the images in a task of its own.")

    def _probe(self, before: Json | None, desired: Json) -> None:
        """Ask vCenter whether it can reach and trust the publisher, before anything is written and in check mode too."""
        parts = {"subscription_url", "authentication", "library_username", "password_updated", *TRUST}
        touched = before is None or any(desired.get(k) is not None and not same(desired[k], before.get(k)) for k in parts)
        if self._kind != "subscribed" or not touched:
            return
        merged = {**(before or {}), **{k: v for k, v in desired.items() if v is not None}, **self._secrets.trust}
        info = {**structure(self._kind, merged), **self._secrets.body(self._kind, before or {}, desired)}
        if merged["authentication"] == "basic" and "password" not in info:
            # vCenter knows the password and does not take it out for a probe.
            return
        answer = self._client.ask(self._path, {"subscription_info": info}, query={"action": "probe"}) or {}
        if answer.get("status", "SUCCESS") != "SUCCESS":
            raise refused_probe(info, answer)

    def _sync(self, mark: str | None) -> None:
        """Start a synchronisation; vCenter does nothing if one is under way. ``mark`` is when the last one was."""
        try:
            self._client.post(f"{self._path}/{self._id}", query={"action": "sync"})
        except RayError as error:
            if error.code == "RESOURCE_INACCESSIBLE":
                error.hint = ("vCenter cannot reach the publisher, or no longer trusts it or is trusted by it. If its certificate or password has "
                              "changed, give the new one with update_password: always.")
            raise
        self._synced, self._mark = True, mark

    def _under_way(self, current: Json) -> bool:
        """Whether a synchronisation that was asked for has left no trace yet."""
        if self._kind == "local" or current["last_sync_time"] not in (None, self._mark):
            return False
        self._reads += 1
        if self._synced and self._reads % READS == 0:
            self._sync(current["last_sync_time"])
        return True

    def _users(self, library: str) -> list[str]:
        rows = (self._client.find(f"{LIBRARY}/{library}/usages") or {}).get("library_usage_list") or []
        # urn:vmomi:namespace:NAME
        return sorted(" ".join(row["resource_urn"].split(":")[2:]) for row in rows if row.get("resource_urn"))
