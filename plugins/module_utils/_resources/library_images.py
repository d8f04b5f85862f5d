# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a namespace has made of the items of its content library: images that virtual machines can be made of."""

from __future__ import annotations

import contextlib
import typing as t

from .._errors import RayError
from .._ports import Json, Kube, VCenter
from .._wait import BORNE
from . import vm_image
from .namespaces import described, find_namespace
from .supervisor import find_supervisor

NOT_CHECKED = "not_checked"
Open = t.Callable[[t.Optional[str]], t.ContextManager[Kube]]


class Images:
    """Images of one namespace, looked up through a login at its Supervisor.

    Args:
        names: of the library's items.
        opened: opens the Kubernetes of the Supervisor at an address, as ``kube_login.opener`` gives it; None without a login.
        addressed: whether the login names the address itself, so that vCenter need not be asked for it.
    """

    def __init__(self, client: VCenter, namespace: str, names: list[str], opened: Open | None, addressed: bool = False) -> None:
        if not names:
            raise RayError(f"No item is named whose image is to be waited for in namespace {namespace}.", code="INPUT",
                           hint="Set image.names or items.")
        self._client, self.namespace, self._names = client, namespace, sorted(set(names))
        self._opened, self._addressed = opened, addressed
        self._stack = contextlib.ExitStack()
        self._kube: Kube | None = None
        self.found: list[Json] | str = NOT_CHECKED

    def close(self) -> None:
        self._stack.close()

    def ready(self, library: Json) -> bool:
        """Whether all images are there and can be used; true without a login, since nothing can be known then."""
        if self._opened is None:
            return True
        try:
            rows = self._rows(self._opened)
        except RayError as error:
            # The Supervisor may be restarting; but one that never answered is a wrong address.
            if error.code not in BORNE or self.found == NOT_CHECKED:
                raise
            return False
        self.found = [_image(rows, name) for name in self._names]
        if any(image["image"] is None for image in self.found):
            self._refuse_detached(library)
        return all(image["ready"] for image in self.found)

    def say(self) -> str:
        """What is not ready yet, in words."""
        rows = self.found if isinstance(self.found, list) else []
        words = [f"image {row['image']} of {row['item']} is not ready: {row['reason']}" if row["image"] else f"no image of {row['item']} yet"
                 for row in rows if not row["ready"]]
        return f"in namespace {self.namespace}: {'; '.join(words)}" if words else f"namespace {self.namespace} has all images"

    def _rows(self, opened: Open) -> list[Json]:
        if self._kube is None:
            self._kube = self._stack.enter_context(opened(None if self._addressed else self._address()))
        return self._kube.list(vm_image.KIND, self.namespace)

    def _address(self) -> str | None:
        info = find_namespace(self._client, self.namespace)
        if info is None:
            raise self._no_namespace()
        found = find_supervisor(self._client, described(self.namespace, info)["supervisor"] or "")
        return found["api_endpoint"] if found else None

    def _refuse_detached(self, library: Json) -> None:
        """Images come only of a library that is attached; without it the wait would have no end."""
        info = find_namespace(self._client, self.namespace)
        if info is None:
            raise self._no_namespace()
        if library["id"] not in described(self.namespace, info)["content_libraries"]:
            raise RayError(f"Content library {library['name']} is not attached to namespace {self.namespace}, so no image comes of its items.",
                           code="INPUT", hint="Attach it with content_libraries of vcf.ray.namespace, then run this again.")

    def _no_namespace(self) -> RayError:
        return RayError(f"There is no namespace {self.namespace} whose images could be waited for.", code="NOT_FOUND",
                        hint="Make it with vcf.ray.namespace first, with this content library attached.")


def _image(rows: list[Json], item: str) -> Json:
    """The image of an item, a ready one before others: items of several libraries may have one name."""
    found = sorted(vm_image.matching(rows, item), key=lambda row: not vm_image.is_ready(row))
    if not found:
        return {"item": item, "image": None, "ready": False, "reason": "not there"}
    ready = vm_image.is_ready(found[0])
    reason = "" if ready else vm_image.why_not(found[0]) or "no reason given"
    return {"item": item, "image": found[0]["metadata"]["name"], "ready": ready, "reason": reason}
