# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's package."""

from __future__ import annotations

import yaml

from vcf_lab.operator_package import PACKAGE, SERVICE, SOURCE, VERSION, render


def test_the_package_is_made_of_its_sources() -> None:
    assert PACKAGE.read_text() == render(), "run `python -m vcf_lab.operator_package`"


def test_shape() -> None:
    metadata, package = yaml.safe_load_all(PACKAGE.read_text())
    assert metadata["metadata"]["name"] == package["spec"]["refName"] == SERVICE
    assert package["metadata"]["name"] == f"{SERVICE}.{VERSION}"
    template = package["spec"]["template"]["spec"]
    assert list(template) == ["fetch", "template", "deploy"]
    assert len(template["fetch"][0]["inline"]["paths"]) == 4


def test_the_schema_has_a_status_and_no_other_subresource() -> None:
    (version,) = yaml.safe_load((SOURCE / "config/crd/bases/vmray.broadcom.com_vmrayclusters.yaml").read_text())["spec"]["versions"]
    assert version["subresources"] == {"status": {}}
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert spec["required"] == ["api_server", "common_node_config", "head_node", "ray_docker_image", "worker_node"]
    assert spec["properties"]["enable_tls"]["default"] is True
