# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx for the documentation site; ``build.py`` beside it stages the pages and calls it."""

from __future__ import annotations

import pathlib
import sys

import yaml

HERE = pathlib.Path(__file__).resolve().parent
GALAXY = yaml.safe_load((HERE.parents[1] / "galaxy.yml").read_text(encoding="utf-8"))
sys.path.insert(0, str(HERE))

project = "vcf.ray"
copyright = "Contributors to the vcf.ray project"
version = release = GALAXY["version"]
html_title = f"vcf.ray {version}"

extensions = ["myst_parser", "sphinx_antsibull_ext", "sphinx_copybutton", "cross_links", "diagrams"]
myst_heading_anchors = 4
# A file that is linked, but is no page, comes along as it is.
exclude_patterns = ["**/README.md"]
default_role = "any"
highlight_language = "yaml+jinja"
smartquotes = False

html_theme = "furo"
html_favicon = "static/icon.svg"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_use_index = False
# The style of the reference follows the theme, in light and in dark: static/site.css sets its colours.
antsibull_ext_color_scheme = "none"
copybutton_exclude = ".linenos, .gp, .go"
html_theme_options = {
    "footer_icons": [],
    "light_css_variables": {"color-brand-primary": "#0b6b5d", "color-brand-content": "#0a6a9c"},
    "dark_css_variables": {"color-brand-primary": "#4fd1b5", "color-brand-content": "#6cb8e6"},
}
