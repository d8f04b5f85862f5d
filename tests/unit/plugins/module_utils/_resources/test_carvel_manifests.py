# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From manifests to a bundle's configuration: what becomes a template, and that nothing else changes its meaning."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources.carvel_manifests import configuration

NS = "vmware-system-rayclusterop"
HEAD = '#@ load("@ytt:data", "data")\n#@yaml/text-templated-strings\n---\n'
VALUE = "(@= data.values.namespace @)"


def made(text: str, name: str = "a.yml", literal: str = NS) -> str:
    return configuration({name: text}, literal, "default-one")[name]


def test_a_ytt_file_is_taken_as_it_is() -> None:
    text = '#@ load("@ytt:data", "data")\n---\n# kept\nmetadata:\n  namespace: #@ data.values.namespace\n'
    assert made(text) == text


def test_a_ytt_file_that_is_no_yaml_for_others_is_left_to_ytt() -> None:
    text = "#@ if True:\na: [\n#@ end\n"
    assert made(text) == text


def test_each_string_with_the_namespace_becomes_a_template() -> None:
    text = f"# gone\nname: {NS}\nca: {NS}/cert\ndns: ['svc.{NS}.svc', other]\n{NS}: key\nscript: |\n  kubectl -n {NS} get\n  done\n"
    assert made(text) == (f"{HEAD}name: {VALUE}\nca: {VALUE}/cert\ndns:\n- 'svc.{VALUE}.svc'\n- other\n{VALUE}: key\n"
                          f"script: |\n  kubectl -n {VALUE} get\n  done\n")


def test_a_longer_word_is_another_word() -> None:
    assert VALUE not in made(f"a: {NS}-other\nb: my-{NS}\nc: {NS}2\n")


def test_only_documents_with_the_namespace_are_templates_and_data_is_loaded_once() -> None:
    assert made(f"a: 1\n---\nb: {NS}\n---\n---\nc: {NS}\n") == f"---\na: 1\n{HEAD}b: {VALUE}\n#@yaml/text-templated-strings\n---\nc: {VALUE}\n"


def test_what_looks_like_code_of_ytt_stays_text() -> None:
    assert made(f"a: b (@ c @) {NS}\n").endswith(f'---\na: b (@= "(" + "@" @) c (@= "@" + ")" @) {VALUE}\n')
    assert made("a: b (@ c @)\n") == "---\na: b (@ c @)\n"


def test_signs_of_ytt_in_a_string_make_no_ytt_file() -> None:
    assert made(f"a: 'x #@ y'\nb: |\n  #@ z\nc: {NS}\n").startswith(HEAD)


@pytest.mark.parametrize("scalar", ["'010'", "010", "0o14", '"1e3"', "1e3", "12:30:45", "'12:30:45'", "y", '"y"', "yes", "'yes'",
                                    "2001-01-01", "'2001-01-01'", "1_000", "~", "'~'", "''", "=", "'null'", "0x1F", "'0x1F'",
                                    ".inf", "'.5'", '"\\u00e9 \\t"', "é", "'# no comment'"])
def test_values_stay_as_they_are_written(scalar: str) -> None:
    """Whoever reads them next, by whatever rules: what was plain is plain, what was quoted is quoted."""
    before = f"{{ns: {NS}, a: {scalar}}}"
    after = made(before).removeprefix(HEAD)
    plain, quoted = [yaml.compose(text).value[1][1] for text in (before, after)]
    assert (plain.tag, plain.value, plain.style is None) == (quoted.tag, quoted.value, quoted.style is None)


def test_long_and_many_lined_strings_keep_their_text() -> None:
    text = f"a: {'word ' * 60}{NS}\nb: >-\n  folded\n  text\n\n  par\nc: |+\n  kept\n\nd: \"x\\n y\"\n"
    assert yaml.safe_load(made(text)) == {**yaml.safe_load(text), "a": f"{'word ' * 60}{VALUE}"}


def test_an_alias_is_replaced_once() -> None:
    assert made(f"a: &x {NS}\nb: *x\n").count(VALUE) == 1


def test_the_schema_declares_the_namespace() -> None:
    text = configuration({"a.yml": "a: 1"}, NS, "other")["schema.yml"]
    assert text.startswith("#@data/values-schema\n---\n") and yaml.safe_load(text) == {"namespace": "other"}
    assert yaml.safe_load(configuration({"a.yml": "a: 1"}, NS, "123")["schema.yml"]) == {"namespace": "123"}


def test_a_schema_that_the_manifests_bring_is_the_only_one() -> None:
    own = {"schema.yml": "#@data/values-schema\n---\nnamespace: theirs\nlevel: info\n"}
    assert configuration(own, NS, "x") == own


@pytest.mark.parametrize(("manifests", "namespace", "text"), [
    ({"a.yml": "a: [\n"}, "x", r"a.yml is no YAML: line 2, column 1"),
    ({"schema.yml": "a: 1"}, "x", "called schema.yml"),
    ({"a.yml": "a: 1"}, "Big_One", "namespace 'Big_One' cannot be"),
])
def test_what_cannot_be_used_is_told(manifests: dict, namespace: str, text: str) -> None:
    with pytest.raises(RayError, match=text) as caught:
        configuration(manifests, NS, namespace)
    assert caught.value.code == "INPUT" and caught.value.hint
