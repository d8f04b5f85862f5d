# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator's Makefile makes: its manifests and its image."""

from __future__ import annotations

import typing as t

from .._ports import Json

# Which target of the operator's Makefile makes which file.
MADE_BY = {"vsphere-yaml": "ytt-vsphere.yaml", "create-image-tar": "vmray-cluster-controller.tar.gz"}
KEYS = {"ytt-vsphere.yaml": "manifests", "vmray-cluster-controller.tar.gz": "image_archive"}


class Build(t.Protocol):
    """The tree of the operator, and make."""

    @property
    def source(self) -> str:
        ...

    @property
    def folder(self) -> str:
        ...

    @property
    def log(self) -> str:
        ...

    def artifact(self, name: str) -> str:
        ...

    def key(self) -> str:
        ...

    def check_tools(self) -> t.Any:
        ...

    def make(self, expected: list[str]) -> None:
        ...

    def whole(self, expected: list[str]) -> bool:
        ...


class OperatorArtifacts:
    """The artifacts of one source, which are there or not; another source has others.

    Args:
        build: client for the tree and for make.
        targets: what is made. Those of names that are not known are expected to make both artifacts.
    """

    noun = "operator_artifacts"

    def __init__(self, build: Build, targets: list[str]) -> None:
        self._build = build
        known = [MADE_BY[target] for target in targets if target in MADE_BY]
        self._expected = known or list(KEYS)
        self.name = f"of {build.source}"
        self.subject = f"make {' '.join(targets)}"

    def read(self) -> Json | None:
        told = self._described()
        return told if self._build.whole(self._expected) else None

    def resolve(self, before: Json | None, desired: Json) -> Json:
        """Everything that make needs is looked at before anything is copied."""
        if before is None:
            self._build.check_tools()
        return {**desired, **self._described()}

    def create(self, desired: Json) -> None:
        self._build.make(self._expected)

    def update(self, before: Json, desired: Json) -> None:
        self.create(desired)

    def delete(self, before: Json) -> None:
        raise AssertionError("folders are left alone")

    def ready(self, current: Json | None) -> bool:
        return current is not None

    def diagnose(self) -> str:
        return ""

    def _described(self) -> Json:
        files = {key: self._build.artifact(name) if name in self._expected else "" for name, key in KEYS.items()}
        return {"source_digest": f"sha256:{self._build.key()}", "folder": self._build.folder, "log": self._build.log, **files}
