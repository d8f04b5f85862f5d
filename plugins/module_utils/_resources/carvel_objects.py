# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bundle renders to, looked at before anything is pushed: objects of Kubernetes, each once, in one namespace, with images by digest."""

from __future__ import annotations

import re
import typing as t

from .._errors import MissingLibrary, RayError
from .._ports import Json

try:
    import yaml

    HAS_YAML = True

    class Texts(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the loader in C, where there is one
        """Reads scalars as they are written: nothing here is about numbers or dates, and what is none for Kubernetes must not be one here."""

        yaml_implicit_resolvers: t.ClassVar = {sign: [pair for pair in pairs if pair[0].endswith((":null", ":merge"))]
                                               for sign, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()}
except ImportError:
    HAS_YAML = False

SHOWN = 12
# Configuration of Carvel's own programs, which goes to no cluster.
CARVEL = ("kapp.k14s.io/", "kbld.k14s.io/")
# Namespaces of the cluster itself: an operator reads the requests' certificates there, for one.
CLUSTER = "kube-"
# Under these keys a namespace is data of somebody else, or a name of a field.
FOREIGN = ("data", "stringData", "binaryData", "openAPIV3Schema", "labels", "annotations", "matchLabels")


class Placed(t.NamedTuple):
    """An object and the file that it is from."""

    file: str
    value: Json

    @property
    def title(self) -> str:
        metadata = self.value["metadata"]
        return f"{self.value['kind']} {metadata.get('name') or metadata['generateName']}"

    @property
    def identity(self) -> tuple[t.Any, ...]:
        """What makes it one object for a cluster; versions of one group are views of the same."""
        metadata = self.value["metadata"]
        group = self.value["apiVersion"].rpartition("/")[0]
        return group, self.value["kind"], metadata.get("namespace"), metadata.get("name") or id(self.value)


def objects(rendered: dict[str, str]) -> list[Placed]:
    """All objects of the rendered files.

    Raises:
        RayError: ``INPUT`` when something in them is none.
    """
    if not HAS_YAML:
        raise MissingLibrary("PyYAML")
    found: list[Placed] = []
    for file, text in rendered.items():
        for number, document in enumerate(yaml.load_all(text, Loader=Texts), 1):
            found += _objects(file, document, f"Document {number} of {file}")
    if not found:
        raise RayError("The manifests render to no object at all.", code="INPUT", hint="Give the manifests of the operator with manifests.")
    return found


def _objects(file: str, document: t.Any, what: str) -> list[Placed]:
    if document is None:
        return []
    if not isinstance(document, dict) or not all(isinstance(document.get(key), str) and document[key] for key in ("apiVersion", "kind")):
        raise RayError(f"{what} is no Kubernetes object: it has no apiVersion and kind.", code="INPUT", hint="Take it out of the manifests.")
    if document["apiVersion"].startswith(CARVEL):
        return []
    if isinstance(document.get("items"), list) and document["kind"].endswith("List"):
        return [one for item in document["items"] for one in _objects(file, item, f"An item of {what[0].lower()}{what[1:]}")]
    if document["apiVersion"].startswith("kustomize.config.k8s.io/"):
        raise RayError(f"{what} is a kustomization, not an object.", code="INPUT", hint="Give what kustomize build makes of it.")
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not (metadata.get("name") or metadata.get("generateName")):
        raise RayError(f"{what} is no Kubernetes object: the {document['kind']} has no metadata.name.", code="INPUT", hint="Give it a name.")
    return [Placed(file, document)]


def refuse_duplicates(placed: list[Placed]) -> None:
    """An object stands in one place only; which of two would count, nobody can say."""
    there: dict[tuple[t.Any, ...], Placed] = {}
    twice = []
    for one in placed:
        other = there.setdefault(one.identity, one)
        if other is not one:
            twice.append(f"{one.title} in {other.file} and {one.file}" if other.file != one.file else f"{one.title} twice in {one.file}")
    if twice:
        raise RayError(f"The manifests have objects more than once: {_shown(twice)}.", code="INPUT", details={"duplicates": twice},
                       hint="The operator's build leaves its parts and all of them together in one folder. "
                            "Give the one file with all, ytt-vsphere.yaml, instead of the folder.")


def refuse_other_namespaces(placed: list[Placed], probe: str, literal: str) -> None:
    """Every namespace comes from the value, which is ``probe`` here, and the one of the source is nowhere left."""
    word = re.compile(rf"(?<![A-Za-z0-9-]){re.escape(literal)}(?![A-Za-z0-9-])")
    left = [f"{one.title} at {path}" for one in placed for path, _key, text in _strings(one.value) if word.search(text) or word.search(path)]
    if left:
        raise RayError(f"The namespace {literal} is written into {_shown(left)}.", code="INPUT", details={"places": left},
                       hint="In a ytt file write data.values.namespace for it, as its other places have it.")
    fixed = [f"{one.title} at {path} ({text})" for one in placed for path, text in _namespaces(one.value)
             if text != probe and not text.startswith(CLUSTER)]
    if fixed:
        raise RayError(f"A namespace that is not the value of the package is written into {_shown(fixed)}.", code="INPUT", details={"places": fixed},
                       hint="Name it with manifests_namespace when it is the operator's; in a ytt file write data.values.namespace for it.")


def images(placed: list[Placed]) -> list[str]:
    """The images that the objects name, sorted: the strings under a key ``image``, which is where kbld looks."""
    return sorted({text for one in placed for _path, key, text in _strings(one.value) if key == "image" and text})


def refuse_missing_image(placed: list[Placed], image: str) -> None:
    """The image that is to be replaced is in the manifests: what replaces nothing would be told as done."""
    there = images(placed)
    if image not in there:
        raise RayError(f"The manifests name no image {image}. They name: {', '.join(there) or 'none'}.", code="INPUT", details={"images": there},
                       hint="Name with manifests_image which of them your image stands for, written just like that.")


def refuse_tags(placed: list[Placed]) -> None:
    """After the lock was laid over them, every image is named by its digest."""
    tags = [image for image in images(placed) if "@sha256:" not in image]
    if tags:
        raise RayError(f"The lock has no digest for {_shown(tags)}.", code="FAILED", hint="Look at what kbld makes of the manifests.")


def _namespaces(value: t.Any) -> list[tuple[str, str]]:
    """Where a namespace stands: under the key of this name, and as the name of a Namespace."""
    found = [(path, text) for path, key, text in _strings(value, FOREIGN) if key == "namespace" and text]
    if value["kind"] == "Namespace":
        found.append(("metadata.name", value["metadata"]["name"]))
    return found


def _strings(value: t.Any, without: tuple[str, ...] = (), path: str = "", key: str = "") -> t.Iterator[tuple[str, str, str]]:
    """All strings with their places, such as ``spec.containers[0].image``, and the keys that they stand under."""
    if isinstance(value, str):
        yield path, key, value
    elif isinstance(value, dict):
        for name, part in value.items():
            if name not in without:
                yield from _strings(part, without, f"{path}.{name}" if path else str(name), str(name))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _strings(part, without, f"{path}[{number}]")


def _shown(rows: list[str]) -> str:
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return "; ".join(rows[:SHOWN]) + more
