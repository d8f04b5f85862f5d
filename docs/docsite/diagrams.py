# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures written as mermaid, drawn in the reader's browser by a script that comes with the site, on the pages that have one."""

from __future__ import annotations

import html
import typing as t

from docutils import nodes
from sphinx.transforms import SphinxTransform


class Pictures(SphinxTransform):
    default_priority = 400

    def apply(self, **kwargs: t.Any) -> None:
        for block in list(self.document.findall(nodes.literal_block)):
            if block.get("language") == "mermaid":
                block.replace_self(nodes.raw("", f'<pre class="mermaid">{html.escape(block.astext())}</pre>', format="html"))


def scripts(app: t.Any, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    if doctree is not None and any('class="mermaid"' in raw.astext() for raw in doctree.findall(nodes.raw)):
        app.add_js_file("mermaid.min.js")
        app.add_js_file("diagrams.js")


def setup(app: t.Any) -> dict[str, bool]:
    app.add_transform(Pictures)
    app.connect("html-page-context", scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
