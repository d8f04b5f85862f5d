# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Synchronisation of subscribed libraries: the publisher's indexes become items of ours."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from aiohttp import web

from . import certificates, wcp
from .ovf_signature import FAILED, NOT_AVAILABLE, VERIFIED, Verdict, verify
from .store import Store, new_id, now
from .subscription import ProbeFailed, Publisher

LOG = logging.getLogger(__name__)
SMALL = (".ovf", ".mf", ".cert")  # fetched always: without them an item cannot be judged
STRICT = "OVF_STRICT_VERIFICATION"
POLICY = {
    "policy": "a7c5a1d8-3c0e-4c53-9f0a-5d7a4d1f8b11",
    "name": "OVF default policy",
    "item_type_rules": {"ovf": STRICT},
}


def is_strict(library: dict[str, Any], item: dict[str, Any]) -> bool:
    """Must this item have a good signature to be kept in this library?"""
    return library.get("security_policy_id") == POLICY["policy"] and item["type"] == "ovf"


class Synchronizer:
    """Runs at most one synchronisation per library, and keeps the files."""

    def __init__(self, app: web.Application, folder: Path) -> None:
        self._app, self._folder = app, folder
        self._tasks: dict[str, asyncio.Task[None]] = {}  # by library, and by item for one that is fetched alone
        self.creating = asyncio.Lock()  # held while a library is made

    @property
    def _store(self) -> Store:
        store: Store = self._app["store"]
        return store

    def publisher(self, info: dict[str, Any]) -> Publisher:
        """The publisher of a subscription, under what this vCenter trusts."""
        return Publisher(info, certificates.roots(self._app).values())

    def start(self, library_id: str) -> None:
        """Begin in the background; nothing happens when one is under way."""
        self._begin(library_id, lambda: self._synchronize(self._store["libraries"][library_id]))

    def start_item(self, item: dict[str, Any], *, everything: bool) -> None:
        """The same for one item, with its files or without the large ones."""
        self._begin(item["id"], lambda: self._renew(item, everything))

    def restart(self, library_id: str) -> None:
        """The library has another publisher: what came from the old one goes."""
        self.forget(library_id)
        self._tasks.pop(library_id, None)
        self.start(library_id)

    def _begin(self, key: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if key not in self._tasks:
            task = asyncio.get_running_loop().create_task(self._run(work))
            self._tasks[key] = task
            task.add_done_callback(lambda done: self._tasks.pop(key) if self._tasks.get(key) is done else None)

    async def wait(self, key: str) -> None:
        """Until the synchronisation of a library or an item that is under way has ended."""
        if key in self._tasks:
            await asyncio.wait([self._tasks[key]])

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def forget(self, library_id: str) -> None:
        """A library is gone: so are its task, items and files."""
        gone = [key for key, item in self._store["items"].items() if item["library_id"] == library_id]
        for key in (library_id, *gone):
            if key in self._tasks:
                self._tasks[key].cancel()
            self._store["items"].pop(key, None)
        shutil.rmtree(self.folder(library_id), ignore_errors=True)
        self.changed(library_id)

    def remove_item(self, item: dict[str, Any], *, files: bool) -> None:
        """An item leaves the list, and its files the storage when they shall."""
        self._store["items"].pop(item["id"], None)
        if files:
            shutil.rmtree(self.folder(item["library_id"]) / item["id"], ignore_errors=True)
        self.changed(item["library_id"])

    def evict_item(self, item: dict[str, Any]) -> None:
        """Drop the large files; what the item is stays known."""
        for file in item["files"]:
            if not file["name"].endswith(SMALL):
                self.path(item, file).unlink(missing_ok=True)
                file["cached"] = False
        item |= {"cached": False, "size": 0}
        self.changed(item["library_id"])

    def folder(self, library_id: str) -> Path:
        """Where the files of a library lie."""
        return self._folder / library_id

    def path(self, item: dict[str, Any], file: dict[str, Any]) -> Path:
        """Where one file of an item lies, or would."""
        place: Path = self.folder(item["library_id"]) / item["id"] / Path(file["name"]).name
        return place

    def changed(self, library_id: str) -> None:
        """Keep what is new, and have the namespaces that use the library see it."""
        self._store.changed()
        wcp.items_changed(self._app, library_id)

    async def _run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except ProbeFailed as error:
            LOG.warning("synchronisation: %s", error)

    async def _synchronize(self, library: dict[str, Any]) -> None:
        info = library["subscription_info"]
        try:
            async with self.publisher(info).connected() as publisher:
                published = await publisher.items(await publisher.library())
                for entry in published:
                    item = self._item_of(library, entry)
                    await self._fill(publisher, library, item, everything=not info["on_demand"])
                    self._store["items"][item["id"]] = item  # seen only when judged
        except ProbeFailed as error:
            library["sync_error"] = str(error)
            self._store.changed()
            raise
        self._drop_missing(library, {entry["id"] for entry in published})
        library["last_sync_time"] = now()
        library.pop("sync_error", None)
        self.changed(library["id"])

    async def _renew(self, item: dict[str, Any], everything: bool) -> None:
        """One item as its publisher has it now; it goes when the publisher has it no more."""
        library = self._store["libraries"][item["library_id"]]
        info = library["subscription_info"]
        async with self.publisher(info).connected() as publisher:
            published = await publisher.items(await publisher.library())
            entry = next((entry for entry in published if entry["id"] == item["source_id"]), None)
            if entry is None:
                self.remove_item(item, files=info["on_demand"])
                return
            item = self._item_of(library, entry)
            await self._fill(publisher, library, item, everything=everything or not info["on_demand"])
        self.changed(library["id"])

    def _item_of(self, library: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
        """The item for an entry of the publisher; made when new, renewed when its content is."""
        items = self._store["items"]
        known = (item for item in items.values() if item["library_id"] == library["id"])
        item: dict[str, Any] | None = next((item for item in known if item["source_id"] == entry["id"]), None)
        if item is None:
            item = {"id": new_id(), "library_id": library["id"], "source_id": entry["id"], "creation_time": now()}
        elif item["content_version"] == entry.get("contentVersion", "1"):
            item |= {"name": entry["name"], "description": entry.get("description", "")}
            return item
        files = [
            {"name": file["name"], "size": file.get("size", 0), "url": file["url"], "cached": False, "version": "1"}
            for file in entry.get("files", [])
        ]
        item |= {
            "name": entry["name"],
            "description": entry.get("description", ""),
            "type": entry.get("type", "").removeprefix("vcsp."),
            "content_version": entry.get("contentVersion", "1"),
            "metadata_version": entry.get("metadataVersion", "1"),
            "version": entry.get("version", "1"),
            "last_modified_time": now(),
            "size": 0,
            "cached": False,
            "files": files,
        }
        return item

    async def _fill(
        self, publisher: Publisher, library: dict[str, Any], item: dict[str, Any], *, everything: bool
    ) -> None:
        """Fetch, judge, keep. Files of an item that fails under a policy are not kept."""
        strict = is_strict(library, item)
        content: dict[str, bytes] = {}
        for file in item["files"]:
            if everything or file["name"].endswith(SMALL):
                content[file["name"]] = await self._read(publisher, item, file)
        self.keep(item, content, strict=strict)
        item["last_sync_time"] = now()

    def keep(self, item: dict[str, Any], content: dict[str, bytes], *, strict: bool) -> None:
        """Judge an item by the files at hand, and keep these unless the library is strict and the item fails."""
        verdict = self._judge(item, content)
        item["security_compliance"] = verdict.status == VERIFIED
        item["certificate_verification_info"] = {"status": verdict.status, "cert_chain": list(verdict.chain)}
        item["verification_message"] = verdict.reason
        keep = verdict.status == VERIFIED or not strict
        for file in item["files"]:
            self._keep(item, file, content.get(file["name"]) if keep else None, drop=not keep)
        item["cached"] = keep and bool(item["files"]) and all(file["cached"] for file in item["files"])
        item["size"] = sum(file["size"] for file in item["files"]) if item["cached"] else 0

    def _judge(self, item: dict[str, Any], content: dict[str, bytes]) -> Verdict:
        if item["type"] != "ovf":
            return Verdict(NOT_AVAILABLE)
        for file in item["files"]:
            if file["name"] in content and file["size"] and len(content[file["name"]]) != file["size"]:
                return Verdict(FAILED, f"{file['name']} does not have the size that the publisher gives.")
        return verify([file["name"] for file in item["files"]], content, certificates.signers(self._app))

    async def _read(self, publisher: Publisher, item: dict[str, Any], file: dict[str, Any]) -> bytes:
        """From our own folder when it was kept before."""
        path = self.path(item, file)
        if file["cached"] and path.exists():
            return path.read_bytes()
        return await publisher.content(file["url"])

    def _keep(self, item: dict[str, Any], file: dict[str, Any], content: bytes | None, *, drop: bool) -> None:
        path = self.path(item, file)
        if drop:
            path.unlink(missing_ok=True)
            file["cached"] = False
        elif content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            file["cached"], file["size"] = True, len(content)
            file["checksum_info"] = {"algorithm": "SHA256", "checksum": hashlib.sha256(content).hexdigest()}

    def _drop_missing(self, library: dict[str, Any], published: set[str]) -> None:
        """What the publisher has no more leaves the list; files that were fetched at once stay in storage."""
        items = self._store["items"]
        for key in [key for key, item in items.items() if item["library_id"] == library["id"]]:
            if items[key]["source_id"] not in published:
                self.remove_item(items[key], files=library["subscription_info"]["on_demand"])
