# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options of plugins/module_utils/_clients/kube_login.py."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  supervisor_login:
    description:
      - Login at the Supervisor, for what only its Kubernetes can tell. Nothing is changed through it.
      - Without it, what it would tell is reported as C(not_checked).
      - A login that is refused is not tried again, because SSO locks an account after a few.
    type: dict
    suboptions:
      hostname:
        description: Address of the Supervisor; the one that vCenter tells when left out.
        type: str
      username:
        description: User with its domain, such as V(administrator@vsphere.local). Falls back to E(VCF_RAY_SUPERVISOR_USER).
        type: str
        required: true
      password:
        description: Password of the user. Falls back to E(VCF_RAY_SUPERVISOR_PASSWORD).
        type: str
        required: true
      ca_path:
        description:
          - PEM file with the certificate authorities to trust; those of the system when left out. Falls back to E(VCF_RAY_SUPERVISOR_CA_PATH).
        type: path
      validate_certs:
        description: Whether to verify the Supervisor's certificate.
        type: bool
        default: true
      proxy_host:
        description:
          - Name or address of an HTTP proxy to reach the Supervisor through, for the login and for its API server.
          - That of vCenter does not count here, nor does one of the environment.
        type: str
      proxy_port:
        description: Port of the proxy; 3128 when left out.
        type: int
"""
