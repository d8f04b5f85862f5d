# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of modules that speak to vCenter, and (``vcf.ray.vcenter.sso``) to its SSO; both go with ``vcf.ray.vcenter.server``."""

from __future__ import annotations


class ModuleDocFragment:
    # The login is what differs; where vCenter is and how it is reached stands in SERVER.
    DOCUMENTATION = r"""
options:
  username:
    description:
      - Name of the account, with its domain, such as C(administrator@vsphere.local). Needed, with O(password), unless O(session_id) is given.
      - If it is not set, the environment variable E(VMWARE_USER) is used.
    type: str
  password:
    description:
      - Password of the account. A refused login is never tried again, as repeated refusals lock the account.
      - If it is not set, the environment variable E(VMWARE_PASSWORD) is used.
    type: str
  session_id:
    description:
      - A session that M(vcf.ray.vcenter_session) has opened. With it the task neither logs in nor out, and the session is never ended.
      - When the session has ended and O(username) and O(password) are given too, the task logs in once and goes on with a session of its own.
    type: str
"""

    SSO = r"""
options:
  username:
    description:
      - Name of the account, with its domain, such as C(administrator@vsphere.local).
      - If it is not set, the environment variable E(VMWARE_USER) is used.
    type: str
    required: true
  password:
    description:
      - Password of the account. A refused login is never tried again, as repeated refusals lock the account.
      - If it is not set, the environment variable E(VMWARE_PASSWORD) is used.
    type: str
    required: true
"""

    SERVER = r"""
options:
  hostname:
    description:
      - Name or address of vCenter.
      - If it is not set, the environment variable E(VMWARE_HOST) is used.
    type: str
    required: true
  port:
    description:
      - Port of vCenter.
      - If it is not set, the environment variable E(VMWARE_PORT) is used.
    type: int
    default: 443
  validate_certs:
    description:
      - Whether the certificate of vCenter is verified. Only this option can switch it off, no environment variable, and the result
        then has RV(ignore:tls_verified) V(false).
    type: bool
    default: true
  ca_path:
    description:
      - PEM file with the certificate authorities to trust. Those of the system are used if it is not set.
      - If it is not set, the environment variable E(VCF_RAY_CA_PATH) is used.
    type: path
  proxy_host:
    description:
      - Name or address of an HTTP proxy to reach vCenter through. TLS is verified to its end.
      - If it is not set, the environment variable E(VMWARE_PROXY_HOST) is used. E(HTTPS_PROXY) and the like are not.
    type: str
  proxy_port:
    description:
      - Port of the proxy; 3128 if it is not set.
      - If it is not set, the environment variable E(VMWARE_PROXY_PORT) is used.
    type: int
"""
