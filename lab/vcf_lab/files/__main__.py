# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve the repositories over TLS, to the one user that both registries know, too."""

from __future__ import annotations

import asyncio
import datetime
import hmac
import logging
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from vcf_lab import pki, serving, settings
from vcf_lab.ask import basic

from .repository import LARGEST, PLACES, Item, Refused, checksums, find, folder

ROOT = "/artifactory"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"errors": [{"status": status, "message": message}]}, status=status, headers=headers)


def _named(checks: dict[str, str]) -> dict[str, str]:
    return {f"X-Checksum-{name.capitalize()}": value for name, value in checks.items()} | {
        "ETag": f'"{checks["sha1"]}"'
    }


class Server:
    """What each method does with a path; the folder is all its state."""

    def __init__(self, root: Path, user: str, password: str) -> None:
        self._root = root
        self._user = user
        self._login = basic(user, password)["Authorization"].encode()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard], client_max_size=LARGEST)
        app.router.add_get(f"{ROOT}/api/system/ping", self._ping)
        address = ROOT + "/{repository}/{path:.*}"
        app.router.add_get(address, self._get)  # and HEAD
        app.router.add_put(address, self._put)
        app.router.add_delete(address, self._delete)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, self._login):
            message = "Bad credentials" if given else "Authentication is required"
            return _error(401, message, {"WWW-Authenticate": 'Basic realm="Artifactory Realm"'})
        try:
            return await handler(request)
        except Refused as refusal:
            return _error(refusal.status, str(refusal))
        except web.HTTPRequestEntityTooLarge:
            return _error(413, f"The file is larger than {LARGEST} bytes.")

    def _item(self, request: web.Request) -> Item:
        return find(self._root, request.match_info["repository"], request.match_info["path"])

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.Response(text="OK")

    async def _get(self, request: web.Request) -> web.Response:
        item = self._item(request)
        content = item.content()
        modified = datetime.datetime.fromtimestamp(item.file.stat().st_mtime, datetime.timezone.utc)
        headers = _named(checksums(content)) | {"X-Artifactory-Filename": item.file.name}
        answer = web.Response(body=content, content_type="application/octet-stream", headers=headers)
        answer.last_modified = modified
        return answer

    async def _put(self, request: web.Request) -> web.Response:
        item = self._item(request)
        item.check_write(self._user)
        content = await request.read()
        checks = checksums(content)
        for name, value in checks.items():
            told = request.headers.get(f"X-Checksum-{name.capitalize()}", value)
            if told.lower() != value:
                raise Refused(409, f"Checksum error: received '{told}' but actual is '{value}'.")
        item.file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(delete=False) as temporary:
            temporary.write(content)
        os.replace(temporary.name, item.file)
        url = f"{request.scheme}://{request.host}{ROOT}/{item.repository}/{item.path}"
        body = {
            "repo": item.repository,
            "path": f"/{item.path}",
            "createdBy": self._user,
            "downloadUri": url,
            "mimeType": "application/octet-stream",
            "size": str(len(content)),
            "checksums": checks,
            "uri": url,
        }
        return web.json_response(body, status=201, headers={"Location": url})

    async def _delete(self, request: web.Request) -> web.Response:
        item = self._item(request)
        item.content()  # one that is not there is told
        item.check_replace(self._user)
        item.file.unlink()
        for parent in item.file.parents:
            if parent == self._root / item.repository or any(parent.iterdir()):
                break
            parent.rmdir()
        return web.Response(status=204)


async def main() -> None:
    """Run until asked to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    lab = settings.load()
    for name in PLACES:
        (folder(lab) / name).mkdir(parents=True, exist_ok=True)
    runner = web.AppRunner(Server(folder(lab), settings.REGISTRY_USER, lab.registry_password).app())
    await runner.setup()
    context = serving.tls(*pki.issue(lab, "files", [settings.FILES_HOST, settings.FILES_IP]))
    await web.TCPSite(runner, settings.FILES_IP, settings.FILES_PORT, ssl_context=context).start()
    await serving.until_ended()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
