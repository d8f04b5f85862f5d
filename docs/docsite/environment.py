# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of all environment variables, out of what the documentation of modules, roles and plugins says of them."""

from __future__ import annotations

import collections
import json
import os
import pathlib
import re
import subprocess
import typing as t

HEAD = """\
.. _list_of_collection_env_vars:

Environment variables
=====================

An option or a variable that is set goes before the environment. No environment variable switches the verification of certificates off.

"""
FOLDERS = {"module": "plugins/modules", "role": "roles", "inventory": "plugins/inventory"}
# Conventions of others that are followed, without an option behind them.
OTHERS = {
    "KUBECONFIG": "The kubeconfig when neither an option nor ``K8S_AUTH_KUBECONFIG`` names one; without it ``~/.kube/config``.",
    "XDG_RUNTIME_DIR": "Below it ``podman login`` keeps its logins, which are used when no login at a registry is given.",
}
VARIABLE = re.compile(r"E\(([A-Z][A-Z0-9_]*)\)")
MARKED = re.compile(r"\b[A-Z]\(((?:[^)\\]|\\.)*)\)")
OWN = re.compile(r"`(VCF_RAY_[A-Z_]+)(?:=[a-z]+)?`")
Mentions = dict[str, dict[tuple[str, str], list[str]]]


def documentation(kind: str, bin_: pathlib.Path, where: str, root: pathlib.Path) -> dict:
    """What ansible-doc knows of all modules, roles or inventory plugins."""
    names = sorted(path.stem for path in (root / FOLDERS[kind]).iterdir() if not path.name.startswith(("_", ".")))
    command = [str(bin_ / "ansible-doc"), "-j", "-t", kind, *(f"vcf.ray.{name}" for name in names)]
    done = subprocess.run(command, env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": where}, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def sentences(text: str | list[str]) -> t.Iterator[str]:
    for paragraph in [text] if isinstance(text, str) else text:
        yield from re.split(r"(?<=[.;]) (?=[A-Z])", paragraph)


def options(given: dict, prefix: str = "") -> t.Iterator[tuple[str, dict]]:
    """All options by their dotted names."""
    for name, option in given.items():
        yield prefix + name, option
        yield from options(option.get("suboptions") or option.get("options") or {}, f"{prefix}{name}.")


def mentions(kind: str, documented: dict) -> Mentions:
    """Variable -> (option, sentence) -> the plugins that say so."""
    found: Mentions = collections.defaultdict(lambda: collections.defaultdict(list))

    def note(variable: str, option: str, sentence: str, plugin: str) -> None:
        by = found[variable][option, sentence]
        if plugin not in by:
            by.append(plugin)

    for name, entry in documented.items():
        plugin = f"{'' if kind == 'module' else kind + ' '}:ansplugin:`{name.removeprefix('vcf.ray.')} <{name}#{kind}>`"
        docs = entry["entry_points"]["main"] if kind == "role" else entry["doc"]
        for sentence in (*sentences(docs.get("description") or []), *sentences(docs.get("notes") or [])):
            for variable in VARIABLE.findall(sentence):
                note(variable, "", sentence, plugin)
        for option, about in options(docs.get("options") or {}):
            for sentence in sentences(about["description"]):
                for variable in VARIABLE.findall(sentence):
                    note(variable, option, sentence, plugin)
            for env in about.get("env") or []:
                note(env["name"], option, "", plugin)
    return found


def plain(sentence: str) -> str:
    """A sentence without Ansible's markup, as reStructuredText."""
    parts = MARKED.split(sentence)
    return "".join(f"``{part}``" if i % 2 else re.sub(r"([*`|_\\])", r"\\\1", part) for i, part in enumerate(parts))


def page(bin_: pathlib.Path, where: str, root: pathlib.Path) -> str:
    """The page as reStructuredText; each variable is a target of E(...) in the reference."""
    merged: Mentions = collections.defaultdict(lambda: collections.defaultdict(list))
    for kind in ("module", "role", "inventory"):
        for variable, said in mentions(kind, documentation(kind, bin_, where, root)).items():
            for key, plugins in said.items():
                merged[variable][key] += plugins
    for path in sorted((root / "docs").glob("*.md")):
        for variable in OWN.findall(path.read_text(encoding="utf-8")):
            if variable not in merged:
                merged[variable]["", f"See :doc:`/docs/{path.stem}`."] = []
    for variable, said in OTHERS.items():
        merged[variable]["", said] = []
    text = HEAD
    for variable in sorted(merged, key=lambda name: (name.startswith("ANSIBLE_"), name)):
        if variable.startswith("ANSIBLE_") and "ANSIBLE_" not in text:
            text += "Of Ansible itself\n-----------------\n\n"
        text += f".. envvar:: {variable}\n\n"
        for (option, sentence), plugins in sorted(merged[variable].items()):
            who = ", ".join(plugins)
            what = f"``{option}`` of {who}" if option else who
            said = sentence if not plugins else plain(sentence)
            text += f"    - {what}{': ' if what and said else ''}{said}\n"
        text += "\n"
    return text
