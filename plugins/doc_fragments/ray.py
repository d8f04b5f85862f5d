# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of every module that speaks to Ray's dashboard."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  dashboard_url:
    description:
      - Address of Ray's dashboard, such as V(http://192.0.2.20:8265). Scheme V(http) and port V(8265) may be left out.
      - It is RV(vcf.ray.vmray_cluster#module:vmray_cluster.dashboard_url) of the cluster.
      - Falls back to the environment variable E(VCF_RAY_DASHBOARD_URL).
    type: str
    required: true
  token:
    description:
      - Token of a cluster that asks for one. Falls back to the environment variable E(RAY_AUTH_TOKEN).
      - A token is not encryption; over plain HTTP whoever listens can read it.
    type: str
  ca_path:
    description: PEM file with the certificate authorities to trust when the dashboard stands behind HTTPS.
    type: path
  validate_certs:
    description: Whether to verify the certificate when the dashboard stands behind HTTPS.
    type: bool
    default: true
requirements:
  - requests
"""
