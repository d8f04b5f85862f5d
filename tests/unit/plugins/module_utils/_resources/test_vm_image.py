# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which image a name means, and why one cannot be used."""

from __future__ import annotations

import pytest

from ansible_collections.vcf.ray.plugins.module_utils._errors import RayError
from ansible_collections.vcf.ray.plugins.module_utils._reconcile import Task
from ansible_collections.vcf.ray.plugins.module_utils._resources import vm_image
from ansible_collections.vcf.ray.plugins.modules import vm_image_info
from ansible_collections.vcf.ray.tests.unit.plugins.scripted import Scripted


def image(name: str, item: str, *conditions: tuple) -> dict:
    keys = ("type", "status", "reason", "message")
    return {"metadata": {"name": name}, "status": {"name": item, "conditions": [dict(zip(keys, c)) for c in conditions]}}


GOOD = image("vmi-1", "ubuntu", ("Ready", "True", "", ""))
UNSAFE = ("SecurityNotCompliant", "The item is not signed.")
BAD = image("vmi-2", "ubuntu-2", ("Ready", "False", *UNSAFE), ("VirtualMachineImageProviderSecurityCompliance", "False", *UNSAFE),
            ("VirtualMachineImageSynced", "Unknown", "NotSynced", ""))


def test_each_image_is_shown_with_what_keeps_it_from_being_ready() -> None:
    kube = Scripted([("list", ("VirtualMachineImage", "ns"), [GOOD, BAD, image("vmi-3", "old")])])
    found = vm_image_info.gather(Task({"namespace": "ns", "name": None}), kube)["vm_images"]
    assert [(i["name"], i["display_name"], i["ready"], i["why_not"]) for i in found] == [
        ("vmi-1", "ubuntu", True, ""),
        ("vmi-2", "ubuntu-2", False,
         "VirtualMachineImageProviderSecurityCompliance: SecurityNotCompliant The item is not signed.; VirtualMachineImageSynced: NotSynced"),
        ("vmi-3", "old", True, "")]


def test_a_ready_condition_that_says_more_is_told_too() -> None:
    assert vm_image.why_not(image("vmi-1", "x", ("Ready", "False", "NotSynced", "wait"))) == "Ready: NotSynced wait"


@pytest.mark.parametrize(("wanted", "ids"), [("vmi-1", ["vmi-1"]), ("ubuntu-2", ["vmi-2"]), ("nothing", [])])
def test_an_image_is_meant_by_id_or_by_item_name(wanted: str, ids: list[str]) -> None:
    kube = Scripted([("list", ("VirtualMachineImage", "ns"), [GOOD, BAD])])
    found = vm_image_info.gather(Task({"namespace": "ns", "name": wanted}), kube)["vm_images"]
    assert [i["name"] for i in found] == ids


def test_a_name_that_is_missing_or_not_unique_is_told_with_what_there_is() -> None:
    with pytest.raises(RayError, match="No image ubunto in namespace ns; there are: ubuntu, ubuntu-2"):
        vm_image.only([BAD, GOOD], "ubunto", "ns")
    with pytest.raises(RayError, match="2 images in namespace ns are named ubuntu: vmi-1, vmi-9"):
        vm_image.only([GOOD, image("vmi-9", "ubuntu")], "ubuntu", "ns")
    with pytest.raises(RayError, match="is the content library attached"):
        vm_image.only([], "ubuntu", "ns")
