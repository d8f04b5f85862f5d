# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bundle renders to: each thing that is refused, and what it is called."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._resources import carvel_objects

PROBE, NS = "namespace-by-value", "vmware-system-rayclusterop"


def one(kind: str = "ConfigMap", api: str = "v1", name: str = "a", namespace: str | None = PROBE, more: str = "") -> str:
    place = f", namespace: {namespace}" if namespace else ""
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}{place}}}\n{more}---\n"


def placed(*texts: str) -> list:
    return carvel_objects.objects({f"{number}.yml": text for number, text in enumerate(texts)})


def test_lists_are_opened_and_configuration_of_carvel_is_left_out() -> None:
    found = placed("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: x}}\n",
                   "apiVersion: kapp.k14s.io/v1alpha1\nkind: Config\n---\n---\n" + one(name="y"))
    assert [o.title for o in found] == ["Secret x", "ConfigMap y"]


@pytest.mark.parametrize(("text", "words"), [
    ("just text", "Document 1 of 0.yml is no Kubernetes object: it has no apiVersion and kind"),
    ("kind: A\n", "it has no apiVersion and kind"),
    ("apiVersion: v1\nkind: A\n", "the A has no metadata.name"),
    ("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", "is a kustomization"),
    ("apiVersion: v1\nkind: List\nitems: [x]\n", "An item of document 1 of 0.yml is no"),
    ("", "render to no object at all"),
])
def test_what_is_no_object(text: str, words: str) -> None:
    with pytest.raises(RayError, match=words):
        placed(text)


def test_an_object_stands_in_one_place() -> None:
    two = placed(one() + one(api="v1", name="b"), one() + one(kind="Secret") + one(namespace="kube-system"))
    with pytest.raises(RayError, match="more than once: ConfigMap a in 0.yml and 1.yml.$|more than once: ConfigMap a in 0.yml and 1.yml. ") as caught:
        carvel_objects.refuse_duplicates(two)
    assert "ytt-vsphere.yaml" in caught.value.hint and caught.value.details == {"duplicates": ["ConfigMap a in 0.yml and 1.yml"]}
    with pytest.raises(RayError, match="ConfigMap a twice in 0.yml"):
        carvel_objects.refuse_duplicates(placed(one() + one()))
    with pytest.raises(RayError, match="Thing a in"):
        carvel_objects.refuse_duplicates(placed(one("Thing", "g.io/v1"), one("Thing", "g.io/v1beta1")))
    carvel_objects.refuse_duplicates(placed(one("Thing", "g.io/v1"), one("Thing", "h.io/v1")))
    carvel_objects.refuse_duplicates(placed("apiVersion: v1\nkind: Job\nmetadata: {generateName: a}\n---\n" * 2))


@pytest.mark.parametrize(("text", "words"), [
    (one(namespace=NS), f"{NS} is written into ConfigMap a at metadata.namespace"),
    (one(more=f"data: {{c: 'x.{NS}.svc'}}\n"), "ConfigMap a at data.c"),
    (one(more=f"data: {{{NS}: x}}\n"), f"ConfigMap a at data.{NS}"),
    (one(namespace="other"), r"not the value of the package is written into ConfigMap a at metadata.namespace \(other\)"),
    (one("Namespace", name="other", namespace=None), r"Namespace other at metadata.name \(other\)"),
    (one("RoleBinding", more="subjects:\n- {kind: ServiceAccount, name: b, namespace: other}\n"), r"subjects\[0\].namespace"),
])
def test_a_namespace_that_is_written_in_is_refused(text: str, words: str) -> None:
    with pytest.raises(RayError, match=words):
        carvel_objects.refuse_other_namespaces(placed(text), PROBE, NS)


def test_namespaces_that_may_stand() -> None:
    fine = [one(), one("Namespace", name=PROBE, namespace=None), one(namespace="kube-system"), one(more=f"data: {{c: {NS}-other, namespace: x}}\n"),
            one("CustomResourceDefinition", namespace=None, more="spec: {openAPIV3Schema: {default: {namespace: x}}}\n")]
    carvel_objects.refuse_other_namespaces(placed(*fine), PROBE, NS)


POD = "spec: {containers: [{image: 'b:1', name: image}, {image: a@sha256:0}], image: null, x: {image: {type: string}}}\n"


def test_images_are_found_where_kbld_looks() -> None:
    found = placed(one("Pod", more=POD))
    assert carvel_objects.images(found) == ["a@sha256:0", "b:1"]
    carvel_objects.refuse_missing_image(found, "b:1")
    with pytest.raises(RayError, match="name no image b. They name: a@sha256:0, b:1"):
        carvel_objects.refuse_missing_image(found, "b")
    with pytest.raises(RayError, match="no digest for b:1"):
        carvel_objects.refuse_tags(found)


def test_a_scalar_is_what_is_written() -> None:
    """What is no date or number for Kubernetes, and what PyYAML cannot read at all."""
    assert placed(one(name="0123", more="data: {a: =, b: 2001-99-99, c: 12:30}\n"))[0].value["metadata"]["name"] == "0123"


def test_a_long_list_is_cut() -> None:
    with pytest.raises(RayError, match="and 3 more"):
        carvel_objects.refuse_duplicates(placed("".join(one(name=f"n{n}") for n in range(15)) * 2))
