# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of the node: loaded from an archive or pulled from a registry, unpacked once and shared by all containers."""

from __future__ import annotations

import asyncio
import json
import logging
import platform
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import pulling
from ..kube import Kube
from ..settings import Lab, write_private
from . import imagefiles
from .imagefiles import BadImage
from .reference import BadReference, Reference

LOG = logging.getLogger(__name__)
PULL_TIMEOUT = 600.0
PLATFORM = "linux/" + {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
ALWAYS, IF_NOT_PRESENT, NEVER = "Always", "IfNotPresent", "Never"


class ImageError(Exception):
    """Why a container has no image: the reason and the message of its status."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Image:
    """An image that is unpacked on this node."""

    folder: Path
    image_id: str  # as the container's status tells it

    @property
    def rootfs(self) -> Path:
        return self.folder / "rootfs"

    @property
    def config(self) -> dict[str, Any]:
        """What the image says of how to run it: Entrypoint, Cmd, Env, WorkingDir."""
        return json.loads((self.folder / "config.json").read_text()).get("config") or {}


def policy(container: dict[str, Any]) -> str:
    """The container's imagePullPolicy; the default is the API server's, which a stored pod carries already."""
    reference = _reference(container["image"])
    default = ALWAYS if reference.tag == "latest" and not reference.digest else IF_NOT_PRESENT
    return container.get("imagePullPolicy") or default


class Images:
    """The image store of the node.

    `preloaded` are archives of images that came with the node, by full name; each is unpacked when a pod first needs it.
    One image is pulled after the other, as kubelets do (serializeImagePulls), but nobody waits who has his already.
    """

    def __init__(self, lab: Lab, kube: Kube, preloaded: Mapping[str, Path]) -> None:
        self._lab = lab
        self._kube = kube
        self._preloaded = preloaded
        self._folder = lab.state / "images"
        self._lock = asyncio.Lock()

    async def get(self, name: str, wanted: str) -> Image:
        """The image of this name, by this imagePullPolicy; ImageError says why not."""
        reference = _reference(name)
        if wanted != ALWAYS and (known := self._known(reference)):
            return known
        async with self._lock:
            try:
                found = None if wanted == ALWAYS else await self._present(reference)
                if found is None and wanted == NEVER:
                    text = f'Container image "{name}" is not present with pull policy of Never'
                    raise ImageError("ErrImageNeverPull", text)
                return found or await self._pull(reference)
            except (BadImage, tarfile.TarError, OSError, ValueError, LookupError) as error:
                text = str(error) if not isinstance(error, LookupError) else f"its files lack {error}"
                raise ImageError("ErrImagePull", f'failed to pull and unpack image "{reference}": {text}') from error

    def _known(self, reference: Reference) -> Image | None:
        entry = self._index().get(str(reference))
        return Image(self._folder / entry["folder"], entry["imageID"]) if entry else None

    async def _present(self, reference: Reference) -> Image | None:
        archive = self._preloaded.get(str(reference))
        if known := self._known(reference):  # while we waited for our turn
            return known
        if archive is None or not archive.exists():
            return None
        digest = await asyncio.to_thread(imagefiles.unpack_archive, archive, self._folder)
        return self._remember(reference, digest, digest)

    async def _pull(self, reference: Reference) -> Image:
        """By digest, whatever the name was: so it is known which image runs, and its parts can be checked."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pull-", dir=self._folder) as place:
            work = Path(place)
            env = await pulling.environment(self._kube, work / "login")
            digest = reference.digest or (await self._crane(reference, env, "digest", str(reference))).strip()
            where = reference.at(digest)
            if (self._folder / imagefiles.folder_name(digest)).exists():
                await self._crane(reference, env, "manifest", where)  # another repository: is it there, and for us?
            else:
                LOG.info("pulling %s", where)
                layout = ["--format=oci", "--platform", PLATFORM, where, str(work / "layout")]
                await self._crane(reference, env, "pull", *layout)
                await asyncio.to_thread(imagefiles.unpack_layout, work / "layout", digest, self._folder)
        return self._remember(reference, digest, where)

    async def _crane(self, reference: Reference, env: dict[str, str], *arguments: str) -> str:
        """Run crane; its own words are the message when it fails."""
        process = await asyncio.create_subprocess_exec(
            str(self._lab.bin / "crane"),
            *arguments,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await asyncio.wait_for(process.communicate(), PULL_TIMEOUT)
        except asyncio.TimeoutError:
            raise ImageError("ErrImagePull", f'failed to pull image "{reference}": no end in {PULL_TIMEOUT:.0f} s') from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            why = last_words(errors.decode(errors="replace"))
            raise ImageError("ErrImagePull", f'failed to pull image "{reference}": {why}')
        return output.decode()

    def _index(self) -> dict[str, dict[str, str]]:
        try:
            index: dict[str, dict[str, str]] = json.loads((self._folder / "index.json").read_text())
            return index
        except FileNotFoundError:
            return {}

    def _remember(self, reference: Reference, digest: str, image_id: str) -> Image:
        """By name, not by digest alone: an image that one registry gave is not present under another's name."""
        folder = imagefiles.folder_name(digest)
        index = self._index() | {str(reference): {"folder": folder, "imageID": image_id}}
        write_private(self._folder / "index.json", json.dumps(index, indent=2, sort_keys=True) + "\n")
        return Image(self._folder / folder, image_id)


def last_words(errors: str) -> str:
    """What a tool ended with; notes of its retries before that say the same."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    told = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")]
    return (told or lines or ["no words"])[-1]


def _reference(name: str) -> Reference:
    try:
        return Reference.parse(name)
    except BadReference as error:
        text = f'Failed to apply default image tag "{name}": couldn\'t parse image name: {error}'
        raise ImageError("InvalidImageName", text) from error


def forget_halves(lab: Lab) -> None:
    """Remove what a node that was killed had begun to unpack."""
    for place in (lab.state / "images").glob(".*"):
        shutil.rmtree(place, ignore_errors=True)
