# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables with which `site.yml` runs against a lab: those of its release, with its addresses and passwords."""

from __future__ import annotations

import importlib.metadata
import string
from pathlib import Path

from . import settings
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
        "package": Path(__file__).parent / "operator_package" / "ray-on-vcf.yaml",
        "ray_version": importlib.metadata.version("ray"),
    }
    parts = SINCE_9 if int(lab.version.split(".")[0]) >= 9 else BEFORE_9
    template = string.Template(Path(__file__).with_name("site_vars.yml").read_text())
    return string.Template(template.safe_substitute(parts)).safe_substitute(values)
