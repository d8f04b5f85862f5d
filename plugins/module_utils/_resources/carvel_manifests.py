# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From manifests to the configuration of a bundle: plain YAML becomes a ytt template of one value, the namespace."""

from __future__ import annotations

import re
import typing as t

from .._errors import MissingLibrary, RayError

try:
    import yaml

    HAS_YAML = True
    # Reading gives the same with both parsers, and the one in C is twenty times faster.
    Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
except ImportError:
    HAS_YAML = False

SCHEMA = "schema.yml"
NULL, STRING = "tag:yaml.org,2002:null", "tag:yaml.org,2002:str"
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
LOAD = '#@ load("@ytt:data", "data")\n'
TEMPLATED = "#@yaml/text-templated-strings\n"
VALUE = "(@= data.values.namespace @)"
# What ytt would take for the begin or end of code in a string, written as code that gives it.
CODE = re.compile(r"\(@|@\)")
OWN_SCHEMA = re.compile(r"^#@\s*data/values-schema\b", re.MULTILINE)
ANNOTATION = re.compile(r"(^|\s)#@", re.MULTILINE)
SCHEMA_TEXT = """\
#@data/values-schema
---
#@schema/title "Namespace"
#@schema/desc "The namespace of the operator. A Supervisor gives the one that it has made for the service."
#@schema/validation min_len=1
"""


def configuration(manifests: dict[str, str], literal: str, default: str) -> dict[str, str]:
    """The files of the folder ``config`` of a bundle, by name.

    A file with annotations of ytt is taken as it is. In any other one, each string with the namespace ``literal`` in it is
    turned into a template; all other values stay as they were written. ``default`` is the value when none is given, unless
    the manifests bring a schema of their own.
    """
    if not HAS_YAML:
        raise MissingLibrary("PyYAML")
    for option, name in (("namespace", default), ("manifests_namespace", literal)):
        if len(name) > 63 or not LABEL.fullmatch(name):
            raise RayError(f"The {option} {name!r} cannot be that of a namespace.", code="INPUT",
                           hint="It has at most 63 small letters, digits and -, and neither begins nor ends with -.")
    word = re.compile(rf"(?<![A-Za-z0-9-]){re.escape(literal)}(?![A-Za-z0-9-])")
    files = {name: _file(name, text, word) for name, text in manifests.items()}
    if any(OWN_SCHEMA.search(text) for text in files.values()):
        return files
    if SCHEMA in manifests:
        raise RayError(f"One of the manifests is called {SCHEMA}, as is the file with the schema of the values.", code="INPUT", hint="Rename it.")
    # Written by YAML's own rules for a string, whatever the name of the namespace is.
    return {**files, SCHEMA: SCHEMA_TEXT + yaml.safe_dump({"namespace": default}, default_style='"').replace('"namespace"', "namespace", 1)}


def _file(name: str, text: str, word: re.Pattern[str]) -> str:
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=Loader) if node.tag != NULL]
    except yaml.YAMLError as error:
        if ANNOTATION.search(text):
            # ytt knows best what is wrong with its own language.
            return text
        raise RayError(f"{name} is no YAML: {_problem(error)}.", code="INPUT", hint="Mend it, or take it out of the folder.") from error
    return text if _is_template(text, nodes) else _template(nodes, word)


def _problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}{getattr(error, 'problem', None) or error}"


def _is_template(text: str, nodes: list[yaml.Node]) -> bool:
    """Whether there is an annotation of ytt in a comment; the same signs in a string are nothing but text."""
    rest, end = [], 0
    for start, stop in sorted((node.start_mark.index, node.end_mark.index) for node in _scalars(nodes)):
        rest.append(text[end:start])
        end = max(end, stop)
    return bool(ANNOTATION.search("x".join([*rest, text[end:]])))


def _template(nodes: list[yaml.Node], word: re.Pattern[str]) -> str:
    documents, first = [], True
    for node in nodes:
        strings = [scalar for scalar in _scalars([node]) if scalar.tag == STRING]
        header = ""
        if any(word.search(scalar.value) for scalar in strings):
            header = (LOAD if first else "") + TEMPLATED
            first = False
            for scalar in strings:
                scalar.value = word.sub(lambda found: VALUE, CODE.sub(_as_code, scalar.value))
        for part in _all([node]):
            if isinstance(part, yaml.CollectionNode):
                # Between braces some plain values would have to be quoted, and would be others then.
                part.flow_style = False
        # The emitter in Python, always: a bundle has the same digest wherever it is made.
        documents.append(header + yaml.serialize(node, Dumper=yaml.SafeDumper, explicit_start=True, width=2**31, allow_unicode=True))
    return "".join(documents)


def _as_code(found: re.Match[str]) -> str:
    sign = found[0]
    return f'(@= "{sign[0]}" + "{sign[1]}" @)'


def _scalars(nodes: t.Iterable[yaml.Node]) -> list[yaml.ScalarNode]:
    """All scalars, keys too."""
    return [node for node in _all(nodes) if isinstance(node, yaml.ScalarNode)]


def _all(nodes: t.Iterable[yaml.Node]) -> t.Iterator[yaml.Node]:
    """Each node once, however many aliases it has."""
    left: list[t.Any] = list(nodes)
    seen = set()
    while left:
        node = left.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            left += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            left += node.value
