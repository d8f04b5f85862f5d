# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of every module that speaks to a Kubernetes API server."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig file, or its content as a dictionary, such as O(vcf.ray.supervisor_kubeconfig#module:path) writes and
        RV(vcf.ray.supervisor_kubeconfig#module:kubeconfig) holds.
      - Without it and without O(host) C(~/.kube/config) is read.
      - Tokens, passwords and keys of users inside a dictionary are kept out of results and logs.
    type: raw
  context:
    description: Context of the kubeconfig; its current one when left out.
    type: str
  host:
    description: Address of the API server, such as V(https://192.0.2.10:6443), in place of that of the kubeconfig.
    type: str
  api_key:
    description: Token to authenticate with, in place of the credentials of the kubeconfig.
    type: str
  ca_cert:
    description: PEM file with the certificate authorities to trust for the API server.
    type: path
    aliases: [ssl_ca_cert]
  validate_certs:
    description:
      - Whether to verify the certificate of the API server. Verified unless this or the kubeconfig says otherwise;
        no environment variable can switch it off.
    type: bool
    aliases: [verify_ssl]
notes:
  - The options O(kubeconfig), O(context), O(host), O(api_key) and O(ca_cert) fall back to the environment variables E(K8S_AUTH_KUBECONFIG),
    E(K8S_AUTH_CONTEXT), E(K8S_AUTH_HOST), E(K8S_AUTH_API_KEY) and E(K8S_AUTH_SSL_CA_CERT).
requirements:
  - kubernetes
"""
