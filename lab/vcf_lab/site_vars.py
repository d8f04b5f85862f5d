# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables with which `site.yml` runs against a lab: those of its release, with its addresses and passwords."""

from __future__ import annotations

import importlib.metadata
import string
from pathlib import Path

from . import operator_package, settings
from .settings import Lab

# Since 9.0 there is a load balancer in the platform, and one control plane VM is enough; before, both are the user's own.
SINCE_9 = {"count": "    count: 1", "balancer": "    provider: foundation"}
BEFORE_9 = {
    "count": "",
    "balancer": """\
    provider: haproxy
    servers:
      - host: 10.244.0.9
    username: admin
    password: "${password}-Lb1"
    certificate_authority: |
${ca_text}""",
}
# Since 8.0.3 a Supervisor can be given the login of a registry. Before, the image is on the node, and the ready package names none.
WITH_REGISTRIES = """\
carvel_package_source: "${operator_source}"
carvel_package_build: true
carvel_package_work_dir: "${state}/operator"
carvel_package_version: "${package_version}"
carvel_package_image_repository: ${registry}/ray
carvel_package_image_tag: "${package_version}"
carvel_package_username: ${registry_user}
carvel_package_password: "${registry_password}"
carvel_package_ca_path: "${ca_cert}"
carvel_package_repository_url: ${files}/ray-generic
carvel_package_type: development
carvel_package_path: "${state}/ray-on-vcf-${package_version}.yaml"

vi_admin_registries:
  - name: registry
    registry_hostname: ${registry}
    registry_username: ${registry_user}
    registry_password: "${registry_password}"
    certificate_authority: |
${ca_text}# For the role vi_admin alone; site.yml makes a package of its own.
"""
FIRST_WITH_REGISTRIES = "8.0.3"


def text(lab: Lab) -> str:
    """`site_vars.yml` with the values of this lab for `${password}` and its like; any other `$` stays."""
    ca_text = "".join(f"      {line}\n" for line in lab.ca_cert.read_text().splitlines())
    values = {
        "state": lab.state,
        "bin": lab.bin,
        "version": lab.version,
        "password": lab.password,
        "ca_cert": lab.ca_cert,
        "ca_text": ca_text,
        "workload_portgroup": settings.WORKLOAD_PORTGROUP,
        "package": operator_package.PACKAGE,
        "package_version": operator_package.VERSION,
        "operator_source": operator_package.SOURCE,
        "registry": settings.REGISTRY_HOST,
        "registry_user": settings.REGISTRY_USER,
        "registry_password": lab.registry_password,
        "files": settings.FILES_URL,
        "ray_version": importlib.metadata.version("ray"),
    }
    with_registries = settings.VERSIONS.index(lab.version) >= settings.VERSIONS.index(FIRST_WITH_REGISTRIES)
    parts = SINCE_9 if int(lab.version.split(".")[0]) >= 9 else BEFORE_9
    parts = {**parts, "carvel": WITH_REGISTRIES if with_registries else ""}
    template = string.Template(Path(__file__).with_name("site_vars.yml").read_text())
    return string.Template(template.safe_substitute(parts)).safe_substitute(values)
