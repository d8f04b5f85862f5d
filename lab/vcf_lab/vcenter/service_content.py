# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the content of a Supervisor Service says: read once, for the check and for the catalogue."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

PACKAGING = "data.packaging.carvel.dev"
NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+")
SEMVER = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")

CONSTRAINT = re.compile(r"(>=|<=|>|<|=|!=)\s*v?(\d+(?:\.\d+){0,2})")
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "!=": operator.ne,
}


@dataclass
class Content:
    """The result of reading; with errors the rest may be empty."""

    content_type: str = "CUSTOM_YAML"
    supervisor_service: str = ""
    version: str = ""
    display_name: str = ""
    description: str = ""
    eula: str = ""
    documents: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        if self.errors:
            return "INVALID"
        return "VALID_WITH_WARNINGS" if self.warnings else "VALID"


def read(text: str) -> Content:
    """Parse the documents and, for a Carvel package, derive identifier and version as vCenter does."""
    content = Content()
    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError as error:
        content.errors.append(f"The content is not YAML: {error}")
        return content
    if not documents:
        content.errors.append("The content is empty.")
    for number, document in enumerate(documents, 1):
        if not isinstance(document, dict) or "kind" not in document or "apiVersion" not in document:
            content.errors.append(f"Document {number} is not a Kubernetes object: apiVersion or kind is missing.")
    if content.errors:
        return content
    content.documents = documents
    if any(str(document["apiVersion"]).startswith(PACKAGING + "/") for document in documents):
        content.content_type = "CARVEL_APPS_YAML"
        _read_carvel(content)
    elif any(document["kind"] == "SupervisorServiceDefinition" for document in documents):
        content.content_type = "VSPHERE_APPS_YAML"
    return content


def package(content: Content) -> dict[str, Any]:
    """The Package among the documents."""
    return next(document for document in content.documents if document["kind"] == "Package")


def misfit(content: Content, kubernetes: str) -> str:
    """Why a package does not go with a version of Kubernetes; empty when it does, or says nothing about it."""
    if content.content_type != "CARVEL_APPS_YAML" or content.errors:
        return ""
    selection = (package(content)["spec"].get("kubernetesVersionSelection") or {}).get("constraints", "")
    own = _numbers(kubernetes)
    for sign, version in CONSTRAINT.findall(str(selection)):
        if not COMPARE[sign](own, _numbers(version)):
            return f"The package wants Kubernetes {selection}; the Supervisor has {kubernetes}."
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    found = [int(part) for part in re.findall(r"\d+", version)[:3]]
    return tuple(found + [0] * (3 - len(found)))


def _read_carvel(content: Content) -> None:
    by_kind: dict[str, list[dict[str, Any]]] = {"PackageMetadata": [], "Package": []}
    for document in content.documents:
        if document["kind"] not in by_kind:
            content.warnings.append(f"The document of kind {document['kind']} is ignored.")
        else:
            by_kind[document["kind"]].append(document)
    for kind, found in by_kind.items():
        if len(found) != 1:
            content.errors.append(f"The content has to have exactly one {kind}, it has {len(found)}.")
    if content.errors:
        return
    metadata, pack = by_kind["PackageMetadata"][0], by_kind["Package"][0]
    name = str((metadata.get("metadata") or {}).get("name", ""))
    spec, pack_spec = metadata.get("spec") or {}, pack.get("spec") or {}
    content.supervisor_service = name
    content.version = str(pack_spec.get("version", ""))
    content.display_name = str(spec.get("displayName") or name)
    content.description = str(spec.get("longDescription") or spec.get("shortDescription") or "")
    content.eula = "\n".join(pack_spec.get("licenses") or [])
    _check_carvel(content, pack, pack_spec)


def _check_carvel(content: Content, pack: dict[str, Any], spec: dict[str, Any]) -> None:
    name, version = content.supervisor_service, content.version
    if not NAME.fullmatch(name):
        content.errors.append(f"PackageMetadata: the name '{name}' is not a fully qualified DNS name.")
    if spec.get("refName") != name:
        content.errors.append(f"Package: refName '{spec.get('refName')}' is not the PackageMetadata's name '{name}'.")
    if not SEMVER.fullmatch(version):
        content.errors.append(f"Package: the version '{version}' is not a semantic version.")
    found = (pack.get("metadata") or {}).get("name")
    if found != f"{name}.{version}":
        content.errors.append(f"Package: the name '{found}' has to be '{name}.{version}'.")
    template = (spec.get("template") or {}).get("spec") or {}
    for part in ("fetch", "template", "deploy"):
        if not isinstance(template.get(part), list) or not template[part]:
            content.errors.append(f"Package: spec.template.spec.{part} is missing.")
    if not content.errors:
        content.errors += _fetch_errors(template["fetch"])
    schema = spec.get("valuesSchema")
    if schema is not None and not (isinstance(schema, dict) and isinstance(schema.get("openAPIv3"), dict)):
        content.errors.append("Package: spec.valuesSchema has no openAPIv3.")


def _fetch_errors(sources: list[Any]) -> list[str]:
    """What is not a source at all; whether it is there is seen when it is installed."""
    errors = []
    for number, source in enumerate(sources):
        where = f"Package: spec.template.spec.fetch[{number}]"
        kinds = [key for key in source if key != "path"] if isinstance(source, dict) else []
        if len(kinds) != 1 or not isinstance(source[kinds[0]], dict):
            errors.append(f"{where} has to be one source, such as imgpkgBundle or inline.")
            continue
        name = {"imgpkgBundle": "image", "image": "url"}.get(kinds[0])
        paths = source[kinds[0]].get("paths") or {} if kinds[0] == "inline" else {}
        if not isinstance(paths, dict) or not all(isinstance(text, str) for text in paths.values()):
            errors.append(f"{where}.inline.paths has to be texts by their names.")
        if name and (not isinstance(source[kinds[0]].get(name), str) or not source[kinds[0]][name]):
            errors.append(f"{where}.{kinds[0]}.{name} is missing.")
    return errors
