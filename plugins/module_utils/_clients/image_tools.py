# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pushes an image: docker, podman or crane, whichever is there. None of them gets a secret in its arguments."""

from __future__ import annotations

import os
import shutil
import tempfile

from .._errors import RayError
from . import programs
from .image_archive import ImageArchive, Saved
from .reference import Reference
from .registry import Registries

NAMES = ("docker", "podman", "crane")
# Seconds for a push; a large image over a slow line takes its time.
PATIENCE = 3600
# What a tool says of a refused login, or of a right that is missing; which of the two it is, not every registry tells.
REFUSED = ("unauthorized", "authentication required", "no basic auth credentials", "denied: ", "is denied", "403 forbidden")
TRUST = {
    "docker": "It is docker's daemon that speaks to the registry: its administrator puts the CA into /etc/docker/certs.d/REGISTRY/ca.crt.",
    "podman": "Name the CA file with registry_ca_path.",
    "crane": "Name the CA file with registry_ca_path; on macOS crane trusts the keychain of the system only.",
}


class Pusher:
    """The tool of a task; it is looked for when it is needed, as nothing needs it when there is nothing to push."""

    def __init__(self, registries: Registries, wanted: str = "auto", executable: str | None = None) -> None:
        self._registries, self._wanted, self._executable = registries, wanted, executable
        self._tool: programs.Program | None = None
        self._folder: str | None = None
        self._tar: str | None = None

    @property
    def name(self) -> str | None:
        """The name of the tool, when one was needed."""
        return self._tool.name if self._tool else None

    def need(self) -> None:
        """Find the tool, or say what is missing; docker counts only with its daemon."""
        if self._tool:
            return
        if self._wanted != "auto":
            tool = programs.program(self._wanted, self._executable)
            silent = _silent(tool)
            if silent:
                raise silent
            self._tool = tool
            return
        there = [tool for tool in map(programs.found, NAMES) if tool]
        self._tool = next((tool for tool in there if not _silent(tool)), None)
        if self._tool is None:
            why = " docker is there, but its daemon does not answer." if there else ""
            raise RayError(f"Nothing that can push an image is here: neither docker nor podman nor crane can be used.{why}", code="INPUT",
                           hint=f"crane needs no daemon and no rights. {programs.how_to_get('crane')}")

    def digest(self, archive: ImageArchive, saved: Saved) -> str | None:
        """The digest that the image will have in the registry, when the tool can tell it without a push."""
        self.need()
        if self.name != "crane":
            return None
        return self._run(["digest", "--tarball", self._alone(archive, saved)], what=f"The reading of the image archive {archive.path}").strip()

    def push(self, archive: ImageArchive, saved: Saved, ref: Reference) -> None:
        self.need()
        what = f"The push of the image to {ref}"
        with self._registries.environment() as environment:
            try:
                {"docker": self._by_docker, "podman": self._by_podman, "crane": self._by_crane}[self.name or ""](archive, saved, ref, environment, what)
            except RayError as error:
                raise self._explained(error) from None

    def _by_docker(self, archive: ImageArchive, saved: Saved, ref: Reference, environment: dict[str, str | None], what: str) -> None:
        self._run(["load", "--input", archive.path], environment, f"The loading of {archive.path}")
        # By its name if it has one: where docker keeps images in containerd, an id is another digest.
        self._run(["tag", saved.names[0] if saved.names else saved.image_id, str(ref)], environment, f"The naming of the image as {ref}")
        self._run(["push", str(ref)], environment, what)

    def _by_podman(self, archive: ImageArchive, saved: Saved, ref: Reference, environment: dict[str, str | None], what: str) -> None:
        # Unpacked: podman 4 finds no image in an archive that is packed by gzip.
        self._run(["load", "--input", self._alone(archive, saved)], environment, f"The loading of {archive.path}")
        with tempfile.TemporaryDirectory(prefix="vcf-ray-") as folder:
            self._run(["push", *self._podman_trust(ref, folder), saved.image_id, f"docker://{ref}"], environment, what)

    def _podman_trust(self, ref: Reference, folder: str) -> list[str]:
        """Podman takes authorities from a folder of files that end in ``.crt``."""
        if not self._registries.validate_certs or self._registries.at(ref.registry).plain:
            return ["--tls-verify=false"]
        if not self._registries.ca_path:
            return []
        shutil.copyfile(self._registries.ca_path, os.path.join(folder, "ca.crt"))
        return [f"--cert-dir={folder}"]

    def _by_crane(self, archive: ImageArchive, saved: Saved, ref: Reference, environment: dict[str, str | None], what: str) -> None:
        flags = [] if self._registries.validate_certs else ["--insecure"]
        self._run(["push", *flags, self._alone(archive, saved), str(ref)], environment, what)

    def _alone(self, archive: ImageArchive, saved: Saved) -> str:
        """The one image as a tar that is not packed; written once for all calls."""
        if self._tar is None:
            self._folder = tempfile.mkdtemp(prefix="vcf-ray-")
            self._tar = archive.alone(saved, self._folder)
        return self._tar

    def close(self) -> None:
        if self._folder:
            shutil.rmtree(self._folder)
            self._folder = None

    def _run(self, args: list[str], environment: dict[str, str | None] | None = None, what: str = "") -> str:
        if self._tool is None:
            raise AssertionError("the tool is looked for before it is used")
        return self._tool.run(args, env=environment, what=what, timeout=PATIENCE)

    def _explained(self, error: RayError) -> RayError:
        """The tool's words with the next step."""
        words = error.message.lower()
        if error.code == "FAILED" and ("x509" in words or "certificate" in words):
            return RayError(error.message, code="TLS", hint=TRUST[self.name or ""], details=error.details)
        if error.code == "FAILED" and any(sign in words for sign in REFUSED):
            return RayError(error.message, code="AUTH", details=error.details,
                            hint="Check registry_username and registry_password, and that this account may push to the repository. It is not tried again.")
        return error


def _silent(tool: programs.Program) -> RayError | None:
    """The error of a docker without a daemon, or None."""
    if tool.name != "docker":
        return None
    try:
        tool.run(["version", "--format", "{{.Server.Version}}"], what="The question for docker's daemon", timeout=60)
    except RayError as error:
        error.hint = "Start the daemon, or use podman or crane, which need none."
        error.code = "INPUT"
        return error
    return None
