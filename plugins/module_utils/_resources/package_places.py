# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a package is copied from and to, by what a copy needs of it."""

from __future__ import annotations

import typing as t

from .._ports import Json


class Copier(t.Protocol):
    """Where the images are copied from and to."""

    def by_digest(self, image: str) -> str | None:
        ...

    def locked(self, bundle: str) -> list[Json] | None:
        ...

    def tagged(self, tag: str) -> str | None:
        ...

    def present(self, digests: t.Iterable[str]) -> set[str]:
        ...

    def able(self) -> None:
        ...

    def to_archive(self, bundle: str, tag: str, path: str) -> None:
        ...

    def from_archive(self, path: str) -> None:
        ...

    def across(self, bundle: str, tag: str) -> None:
        ...


class Contents(t.Protocol):
    """What an archive holds."""

    @property
    def package(self) -> str:
        ...

    @property
    def bundle(self) -> str:
        ...

    @property
    def digest(self) -> str:
        ...

    @property
    def images(self) -> list[Json]:
        ...


class Archive(t.Protocol):
    """One file with a package, its bundle and its images."""

    @property
    def path(self) -> str:
        ...

    @property
    def there(self) -> bool:
        ...

    def check(self) -> None:
        ...

    def read(self) -> Contents:
        ...

    def add_package(self, text: str) -> None:
        ...

    def replaced(self) -> t.ContextManager[Archive]:
        ...
