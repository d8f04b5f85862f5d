# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of modules, roles and their variables in the text of a page lead to the reference."""

from __future__ import annotations

import re
import typing as t

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

PLUGIN = re.compile(r"vcf\.ray\.([a-z_]+)")
VARIABLE = re.compile(r"(carvel_package|vi_admin|devops_user|data_scientist|site_report)_[a-z_]+")
# By the words before it, when a name is that of a role and of a module; a module goes before a role else.
WORDS = ((re.compile(r"\brole $", re.IGNORECASE), "role"), (re.compile(r"\bplugin $", re.IGNORECASE), "inventory"))


def labels(literal: nodes.literal) -> t.Iterator[str]:
    """Labels of the reference that a piece of code may be about, the likeliest first."""
    text = literal.astext()
    plugin = PLUGIN.fullmatch(text)
    if plugin:
        before = literal.parent[literal.parent.index(literal) - 1].astext() if literal.parent.index(literal) else ""
        kinds = [kind for words, kind in WORDS if words.search(before)] + ["module", "role", "inventory"]
        yield from (f"ansible_collections.vcf.ray.{plugin[1]}_{kind}" for kind in kinds)
    variable = VARIABLE.fullmatch(text)
    if variable:
        yield f"ansible_collections.vcf.ray.{variable[1]}_role__parameter-main__{text}"


class ReferenceLinks(SphinxPostTransform):
    default_priority = 20

    def run(self, **kwargs: t.Any) -> None:
        if self.env.docname.startswith("reference/"):
            return  # antsibull-docs has linked these
        known = self.env.domains.standard_domain.anonlabels
        for literal in list(self.document.findall(nodes.literal)):
            inside = literal.parent
            while inside is not None and not isinstance(inside, (nodes.reference, nodes.title)):
                inside = inside.parent
            label = next((known[label] for label in labels(literal) if label in known), None)
            if inside is None and label:
                literal.replace_self(make_refnode(self.app.builder, self.env.docname, *label, literal.deepcopy()))


def setup(app: t.Any) -> dict[str, bool]:
    app.add_post_transform(ReferenceLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
