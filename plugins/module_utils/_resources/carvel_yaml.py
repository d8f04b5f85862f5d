# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The YAML of a Carvel package: PackageMetadata and Package, the same text for the same facts at any time and place."""

from __future__ import annotations

import hashlib
import re
import typing as t

from .._errors import MissingLibrary, RayError
from .._ports import Json

try:
    import yaml

    HAS_YAML = True

    class _Dumper(yaml.SafeDumper):
        """Quotes what kapp-controller's parser would read as true or false, as PyYAML's would not."""

    _Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^[yYnN]$"), list("yYnN"))
except ImportError:
    HAS_YAML = False

API = "data.packaging.carvel.dev/v1alpha1"
# Of semver.org: three numbers without leading zeros, then a pre-release, then a build, each of words with points between.
NUMBER = r"(0|[1-9][0-9]*)"
WORD = r"(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
SEMVER = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}(-{WORD}(\.{WORD})*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?")
LONGEST_TAG = 128
SEGMENT = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
QUALIFIED = re.compile(rf"{SEGMENT}(\.{SEGMENT}){{2,}}")


class About(t.NamedTuple):
    """What a package says of itself."""

    name: str
    version: str
    display_name: str
    short_description: str
    long_description: str | None
    licenses: list[str]


def check(about: About) -> None:
    """Refuse what kapp-controller would refuse of names and versions, long after everything was pushed."""
    version = about.version
    if not SEMVER.fullmatch(version):
        with_v = version[:1] in ("v", "V") and SEMVER.fullmatch(version[1:])
        hint = "Write it without the v." if with_v else "Write three numbers, such as 1.0.123 or 1.0.123-rc.1."
        raise RayError(f"The version {version!r} is no semantic version, and kapp-controller takes no other.", code="INPUT", hint=hint)
    if "+" in version:
        raise RayError(f"The version {version!r} has a build behind +, and the bundle's tag is the version, which may have no + in it.", code="INPUT",
                       hint=f"Write it as a pre-release, behind -, or leave it out: {version.partition('+')[0]}.")
    if len(version) > LONGEST_TAG:
        raise RayError(f"The version is {len(version)} characters long, and a tag has {LONGEST_TAG} at the most.", code="INPUT", hint="Make it shorter.")
    if len(about.name) > 253 or not QUALIFIED.fullmatch(about.name):
        raise RayError(f"The name {about.name!r} cannot be that of a package.", code="INPUT",
                       hint="It has at least three parts of small letters, digits and -, with points between them, such as ray-on-vcf.broadcom.com.")


def package_text(about: About, bundle: str, schema: Json) -> str:
    """PackageMetadata and Package.

    Args:
        bundle: reference by digest.
        schema: OpenAPI v3 of the values.
    """
    metadata = {"displayName": about.display_name, "shortDescription": about.short_description}
    if about.long_description:
        metadata["longDescription"] = about.long_description
    spec: dict[str, t.Any] = {"refName": about.name, "version": about.version}
    if about.licenses:
        spec["licenses"] = list(about.licenses)
    spec["valuesSchema"] = {"openAPIv3": schema}
    spec["template"] = {"spec": {
        "fetch": [{"imgpkgBundle": {"image": bundle}}],
        # The lock has the images where the bundle is now, also when both were copied to another registry.
        "template": [{"ytt": {"paths": ["config"]}}, {"kbld": {"paths": ["-", ".imgpkg/images.yml"]}}],
        "deploy": [{"kapp": {}}],
    }}
    documents = [
        {"apiVersion": API, "kind": "PackageMetadata", "metadata": {"name": about.name}, "spec": metadata},
        {"apiVersion": API, "kind": "Package", "metadata": {"name": f"{about.name}.{about.version}"}, "spec": spec},
    ]
    if not HAS_YAML:
        raise MissingLibrary("PyYAML")
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, explicit_start=True, allow_unicode=True, width=2**31, default_flow_style=False)


def checksum(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def locked_images(lock: str) -> list[Json]:
    """The images of a lock: ``id`` is what the manifests call it, ``image`` what stands for it."""
    if not HAS_YAML:
        raise MissingLibrary("PyYAML")
    rows = yaml.safe_load(lock).get("images") or []
    return [{"id": (row.get("annotations") or {}).get("kbld.carvel.dev/id") or row["image"], "image": row["image"]} for row in rows]
