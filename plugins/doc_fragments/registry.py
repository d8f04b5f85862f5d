# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of modules that speak to a registry of images and bundles."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  registry_username:
    description:
      - Name of the account at the registry. Without it the login is used that C(docker login) or C(podman login) has left
        (E(DOCKER_CONFIG), C(~/.docker/config.json), E(REGISTRY_AUTH_FILE)), where the task runs.
      - If it is not set, the environment variable E(VCF_RAY_REGISTRY_USERNAME) is used.
    type: str
  registry_password:
    description:
      - Password of the account, or its token. It is in no argument of a program; tools find it in a file that only the account of the task
        can read, and that is removed at the end. A refused login is not tried again.
      - If it is not set, the environment variable E(VCF_RAY_REGISTRY_PASSWORD) is used.
    type: str
  registry_ca_path:
    description:
      - PEM file with the certificate authorities to trust for the registry. Those of the system are used if it is not set.
      - If it is not set, the environment variable E(VCF_RAY_REGISTRY_CA_PATH) is used.
    type: path
  registry_validate_certs:
    description:
      - Whether the certificate of the registry is verified. Only this option can switch it off, no environment variable, and the result
        then has RV(ignore:tls_verified) V(false). Then a registry that speaks no TLS at all is used too;
        one of the machine itself always is.
    type: bool
    default: true
  registry_proxy_host:
    description:
      - Name or address of an HTTP proxy to reach the registry through, and every other that the task reads. TLS is verified to its end.
      - The programs that the task starts get it too, as E(HTTPS_PROXY); docker's daemon does not heed it. Without this option they find what the
        environment of the task says, and the module itself uses no proxy.
    type: str
  registry_proxy_port:
    description: Port of the proxy; 3128 if it is not set.
    type: int
"""
