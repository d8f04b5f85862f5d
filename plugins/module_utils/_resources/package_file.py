# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The YAML file of a Carvel package: what it fetches, and the same file with its bundle at another place."""

from __future__ import annotations

import typing as t

from .._errors import MissingLibrary, RayError
from .._ports import Json

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False

GROUP, KIND = "data.packaging.carvel.dev/", "Package"
FETCH = ("spec", "template", "spec", "fetch")
HINT = "Give the YAML file with a PackageMetadata and a Package, as vcf.ray.carvel_package writes it."


class Package(t.NamedTuple):
    """One version of a package: ``fetch`` is the list of its template, ``what`` says in words which package it is."""

    name: str
    version: str
    fetch: list[Json]
    what: str

    @property
    def bundles(self) -> list[str]:
        """The references of its imgpkg bundles, as they are written."""
        return [step["imgpkgBundle"]["image"] for step in self.fetch if "imgpkgBundle" in step]


def packages(text: str, what: str) -> list[Package]:
    """All packages of a file, in its order.

    Raises:
        RayError: ``INPUT`` when it is no YAML, holds no Package, or one without a name, a version or something to fetch.
    """
    documents = [document for document in _loaded(text, what) if _is_package(document)]
    if not documents:
        raise RayError(f"The {what} holds no Package of {GROUP}*.", code="INPUT", hint=HINT)
    return [_package(document, what) for document in documents]


def the_bundle(text: str, what: str) -> tuple[Package, str]:
    """The one package of a file and the reference of its one bundle, which is what can be copied.

    Raises:
        RayError: ``INPUT`` when there are several, or when the package is inline.
    """
    found = packages(text, what)
    if len(found) > 1:
        raise RayError(f"The {what} holds {len(found)} packages, {_listed(f'{p.name} {p.version}' for p in found)}; one at a time can be copied.",
                       code="INPUT", hint="Give each Package, with its PackageMetadata, in a file of its own.")
    package = found[0]
    if len(package.bundles) == 1 and len(package.fetch) == 1:
        return package, package.bundles[0]
    if not package.bundles:
        kinds = _listed(kind for step in package.fetch for kind in step)
        raise RayError(f"{package.what} has no imgpkg bundle: it is fetched by {kinds}, so there is nothing to copy.", code="INPUT",
                       hint="An inline package carries its manifests with it; copy the images that they name with vcf.ray.container_image, "
                            "or build the package with vcf.ray.carvel_package.")
    raise RayError(f"{package.what} fetches {len(package.fetch)} things, and only a package of one bundle can be copied.", code="INPUT",
                   hint="Put its parts into one bundle.")


def pointed(text: str, image: str, what: str) -> str:
    """The file with ``image`` as its bundle. All else stays byte for byte, save for an anchor that stands in the way."""
    nodes = list(_composed(text, what))
    place = next(filter(None, map(_image_of, nodes)), None)
    if place is None:
        raise RayError(f"The {what} has the reference of its bundle from somewhere else by a merge (<<), so it cannot be replaced there.", code="INPUT",
                       hint="Write the reference to where it belongs: under imgpkgBundle, as image.")
    node, parent = place
    if node.value == image:
        return text
    new = yaml.ScalarNode("tag:yaml.org,2002:str", image, style=node.style if node.style in ("'", '"') else None)
    quote = new.style or ('"' if image.startswith("[") else "")
    start, end = node.start_mark.index, node.end_mark.index
    # A block of text ends behind its line break.
    rest = text[end:] if node.style not in ("|", ">") else "\n" + text[end:]
    spliced = text[:start] + quote + image + quote + rest
    parent.value = [(key, new if value is node and key.value == "image" else value) for key, value in parent.value]
    try:
        if _plain(yaml.compose_all(spliced, Loader=yaml.SafeLoader)) == _plain(nodes):
            return spliced
    except yaml.YAMLError:
        pass
    return yaml.serialize_all(nodes, Dumper=yaml.SafeDumper, allow_unicode=True, width=10000, explicit_start=True)


def _plain(nodes: t.Iterable[t.Any]) -> list[t.Any]:
    """Nodes as lists of tags and values, which compare; aliases are followed."""
    return [_value(node) for node in nodes]


def _value(node: t.Any) -> t.Any:
    if isinstance(node, yaml.MappingNode):
        return [(_value(key), _value(value)) for key, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    return node.tag, node.value


def _image_of(node: t.Any) -> tuple[t.Any, t.Any] | None:
    """The node with the reference of a package's bundle, and the map that it is in."""
    if not _is_package({key: getattr(_entry(node, key), "value", None) for key in ("kind", "apiVersion")}):
        return None
    for key in FETCH:
        node = _entry(node, key)
    for step in node.value if isinstance(node, yaml.SequenceNode) else []:
        bundle = _entry(step, "imgpkgBundle")
        if _entry(bundle, "image") is not None:
            return _entry(bundle, "image"), bundle
    return None


def _entry(node: t.Any, key: str) -> t.Any:
    """The node under a key of a map, None when it has no such key or is none."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _composed(text: str, what: str) -> t.Iterator[t.Any]:
    if not HAS_YAML:
        raise MissingLibrary("PyYAML")
    try:
        yield from yaml.compose_all(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _unreadable(error, what) from error


def _loaded(text: str, what: str) -> list[t.Any]:
    if not HAS_YAML:
        raise MissingLibrary("PyYAML")
    try:
        return list(yaml.safe_load_all(text))
    except (yaml.YAMLError, ValueError) as error:
        raise _unreadable(error, what) from error


def _unreadable(error: Exception, what: str) -> RayError:
    mark = getattr(error, "problem_mark", None)
    where = f" in line {mark.line + 1}" if mark else ""
    why = getattr(error, "problem", None) or getattr(error, "reason", None) or error
    return RayError(f"The {what} is no YAML{where}: {why}.", code="INPUT", hint=HINT)


def _is_package(document: t.Any) -> bool:
    return isinstance(document, dict) and document.get("kind") == KIND and str(document.get("apiVersion")).startswith(GROUP)


def _package(document: Json, what: str) -> Package:
    spec: Json = document["spec"] if isinstance(document.get("spec"), dict) else {}
    name, version = spec.get("refName"), spec.get("version")
    for key, value in (("refName", name), ("version", version)):
        if not isinstance(value, str) or not value:
            raise RayError(f"A Package in the {what} has no spec.{key} that is a text.", code="INPUT", hint=HINT)
    steps: t.Any = document
    for key in FETCH:
        steps = steps.get(key) if isinstance(steps, dict) else None
    title = f"The package {name} {version}"
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) and step for step in steps):
        raise RayError(f"{title} has nothing to fetch under {'.'.join(FETCH)}.", code="INPUT", hint=HINT)
    for step in steps:
        inline = step.get("inline") or {}
        if not isinstance(inline, dict) or not isinstance(inline.get("paths") or {}, dict):
            raise RayError(f"{title} fetches something inline that is no map with paths.", code="INPUT", hint=HINT)
        bundle = step.get("imgpkgBundle", {"image": "x"})
        if not isinstance(bundle, dict) or not isinstance(bundle.get("image"), str) or not bundle["image"]:
            raise RayError(f"{title} fetches an imgpkgBundle without an image.", code="INPUT", hint=HINT)
    return Package(spec["refName"], spec["version"], steps, title)


def _listed(words: t.Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))
