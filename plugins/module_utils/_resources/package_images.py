# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of a package, and whether all of them come from registries that are allowed."""

from __future__ import annotations

import re
import typing as t

from .._errors import MissingLibrary, RayError
from .._ports import Json
from .package_file import Package

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False

# Where a reference without a registry leads to.
DOCKER_HUB, ITS_NAMES = "docker.io", ("docker.io", "index.docker.io", "registry-1.docker.io")
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
# A value that ytt puts in: behind the key there is only a comment for any other reader.
TEMPLATED = re.compile(r"^\s*(?:-\s+)?image:\s*#@", re.MULTILINE)
LINE = re.compile(r"^\s*(?:-\s+)?image:\s*(?!#)['\"]?([^\s'\"#]+)", re.MULTILINE)
# Steps that take their content from somewhere else than a registry.
ELSEWHERE = ("git", "http", "helmChart")
NEXT = ("Copy the package and its images to a registry that is allowed with vcf.ray.carvel_package_copy, and use the YAML file that it writes at path. "
        "An image by tag only gets its digest when the package is built with vcf.ray.carvel_package.")


class Wrong(t.NamedTuple):
    """An image, or another source of a package, that must not be used, and why not."""

    image: str
    reason: str


def located(image: str, origin: str | None = None) -> Json:
    """What the result tells of an image: where it is now, and the name that the package has for it."""
    return {"image": image, "origin": origin or image, "registry": _name(image).partition("/")[0], "digest": _digest(image)}


def inline_images(package: Package) -> list[Json]:
    """The images that the manifests inside of a package name, each once."""
    found = [image for text in _inline_texts(package) for image in _named(text)]
    found += [step["image"]["url"] for step in package.fetch if isinstance(step.get("image"), dict) and step["image"].get("url")]
    return [located(image) for image in dict.fromkeys(found)]


def prefixes(registries: t.Iterable[str]) -> list[str]:
    """Registries, or beginnings of repositories in them, as images are named by them.

    Raises:
        RayError: ``INPUT`` for what is no registry.
    """
    return [_prefix(text) for text in registries]


def is_in(entry: Json, allowed: list[str]) -> bool:
    """Whether an image is in one of these registries (prefixes)."""
    name = _name(entry["image"])
    return any(name == prefix or name.startswith(f"{prefix}/") for prefix in allowed)


def wrong_with(package: Package, bundles: t.Iterable[Json], images: t.Iterable[Json], allowed: list[str]) -> list[Wrong]:
    """All that must not be used of a package when only ``allowed`` (prefixes) may be; its bundles first."""
    found = []
    for entry in [*bundles, *images]:
        if not is_in(entry, allowed):
            found.append(Wrong(entry["image"], f"its registry {entry['registry']} is not among {', '.join(allowed)}"))
        if not entry["digest"]:
            found.append(Wrong(entry["image"], "it is named by tag only, which can be moved to another image"))
    return found + list(_unknowable(package))


def refuse(wrong: list[Wrong], allowed: list[str]) -> None:
    """Raise one error that names all of them; nothing when there are none."""
    if not wrong:
        return
    lines = "; ".join(f"{image}: {reason}" for image, reason in dict.fromkeys(wrong))
    raise RayError(f"The package is not to be used with the registries {', '.join(allowed)} alone: {lines}.", code="INPUT", hint=NEXT,
                   details={"violations": [{"image": image, "reason": reason} for image, reason in dict.fromkeys(wrong)]})


def _unknowable(package: Package) -> t.Iterator[Wrong]:
    for step in package.fetch:
        for kind in ELSEWHERE:
            if kind in step:
                source = step[kind] if isinstance(step[kind], dict) else {}
                yield Wrong(source.get("url") or source.get("name") or kind, f"it is fetched by {kind}, not from a registry")
        if "inline" in step and (step["inline"] or {}).get("pathsFrom"):
            yield Wrong("inline.pathsFrom", "it is read from a Secret or a ConfigMap on the Supervisor, which cannot be seen from here")
    for path, text in _inline_files(package):
        if TEMPLATED.search(text):
            yield Wrong(path, "a template puts an image in, so that it cannot be told here")


def _inline_files(package: Package) -> list[tuple[str, str]]:
    return [(path, text) for step in package.fetch for path, text in ((step.get("inline") or {}).get("paths") or {}).items() if isinstance(text, str)]


def _inline_texts(package: Package) -> list[str]:
    return [text for path, text in _inline_files(package)]


def _named(text: str) -> list[str]:
    """The values of all keys ``image``, as kbld takes them; by line where a template is no YAML."""
    if not HAS_YAML:
        raise MissingLibrary("PyYAML")
    try:
        return [image for document in yaml.safe_load_all(text) for image in _walk(document)]
    except (yaml.YAMLError, ValueError):
        return LINE.findall(text)


def _walk(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("image"), str) and value["image"]:
            yield value["image"]
        for item in value.values():
            yield from _walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item)


def _prefix(text: str) -> str:
    prefix = text.removeprefix("https://").rstrip("/")
    if "//" in prefix or "@" in prefix or ":" in prefix.partition("/")[2] or not _is_host(prefix.partition("/")[0]):
        raise RayError(f"{text!r} in allowed_registries is no registry.", code="INPUT",
                       hint="Write a host, or a host and the beginning of a path: registry.example.com or registry.example.com/ray.")
    host, slash, path = prefix.partition("/")
    return _host(host) + slash + path


def _is_host(text: str) -> bool:
    """Whether the first part of a reference is a host, as docker tells it."""
    return "." in text or ":" in text or text == "localhost"


def _name(image: str) -> str:
    """Registry and repository of a reference, without tag and digest."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    name = head + slash + last.partition(":")[0]
    host, slash, path = name.partition("/")
    if not slash or not _is_host(host):
        return f"{DOCKER_HUB}/{name if slash else f'library/{name}'}"
    return f"{_host(host)}/{path}"


def _host(host: str) -> str:
    host = host.lower().removesuffix(":443")
    return DOCKER_HUB if host in ITS_NAMES else host


def _digest(image: str) -> str | None:
    return image.partition("@")[2] if DIGEST.search(image) else None
