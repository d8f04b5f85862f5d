# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in's Supervisor Service as a package that needs no registry."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

SERVICE = "ray-on-vcf.broadcom.com"
VERSION = "0.1.0"
FOLDER = Path(__file__).parent
PACKAGE = FOLDER / "ray-on-vcf.yaml"
SOURCE = FOLDER.parent / "operator_source"
TREES = ("crd", "vsphere/rbac", "vsphere/manager", "vsphere/webhook")
NAMESPACE = "vmware-system-rayclusterop"
HEADER = '#@ load("@ytt:data", "data")\n'
TITLE = """\
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Made by `python -m vcf_lab.operator_package` from the trees of operator_source.
"""


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks: the package is looked at before it is uploaded."""


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def config(tree: str) -> str:
    """The manifests of a tree as one ytt file, as the operator's Makefile makes them."""
    folder = SOURCE / "config" / tree
    names = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    lines = [line for name in names for line in (folder / name).read_text().splitlines() if not line.startswith("# ")]
    text = "\n".join(lines) + "\n"
    for pattern, value in (
        (rf": {NAMESPACE}$", ": #@ data.values.namespace"),
        (rf": {NAMESPACE}(/[a-z-]+)$", r': #@ data.values.namespace + "\1"'),
        (rf"- ([a-z-]+\.){NAMESPACE}([.a-z]+)$", r'- #@ "\1" + data.values.namespace + "\2"'),
    ):
        text = re.sub(pattern, value, text, flags=re.MULTILINE)
    return HEADER + text


def render() -> str:
    """The package as a VI admin uploads it to vCenter.

    The files travel inside (`inline`), where the vendor's package names a bundle in a registry.
    As with the vendor's, `namespace` has no default: the platform has to give it.
    """
    metadata = {
        "apiVersion": "data.packaging.carvel.dev/v1alpha1",
        "kind": "PackageMetadata",
        "metadata": {"name": SERVICE},
        "spec": {"displayName": "ray-on-vcf", "shortDescription": "ray-on-vcf service"},
    }
    files = {f"config/{tree.rpartition('/')[2]}.yml": config(tree) for tree in TREES}
    template = {
        "fetch": [{"inline": {"paths": files}}],
        "template": [{"ytt": {"paths": ["config"]}}],
        "deploy": [{"kapp": {}}],
    }
    package = {
        "apiVersion": "data.packaging.carvel.dev/v1alpha1",
        "kind": "Package",
        "metadata": {"name": f"{SERVICE}.{VERSION}"},
        "spec": {"refName": SERVICE, "version": VERSION, "template": {"spec": template}},
    }
    documents = (yaml.dump(each, Dumper=_Dumper, sort_keys=False) for each in (metadata, package))
    return TITLE + "".join(f"---\n{document}" for document in documents)
