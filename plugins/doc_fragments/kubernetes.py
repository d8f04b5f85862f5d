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
  supervisor:
    description:
      - Login at the Supervisor, from which a token can be got and renewed, so that a wait outlives a token.
      - Alone, it stands for the other options. The token comes from a login at the start, the API server is that host on port 6443, and
        O(supervisor.ca_path) is what it is verified against.
      - Beside O(kubeconfig), O(context) or O(api_key) it is used only when their token is about to end or their credentials are refused. The
        kubeconfig is not rewritten. What is left open of how to reach and to trust the Supervisor is taken from there, if it is the same host.
      - A token that tells its end is renewed shortly before, and every token when it is refused; then the request is sent again. There is
        one login for each life of a token. Without this option a file in O(kubeconfig) is read again when its token is refused.
      - A login that is refused is not tried again, because SSO locks an account after a few.
    type: dict
    suboptions:
      hostname:
        description: Address of the Supervisor (not of vCenter), C(host) or C(host:port). Falls back to E(VCF_RAY_SUPERVISOR_HOST).
        type: str
        required: true
      username:
        description: User with its domain, such as V(ray-dev@vsphere.local). Falls back to E(VCF_RAY_SUPERVISOR_USER).
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
        description: Name or address of an HTTP proxy to log in through; the one of O(proxy_host) when left out.
        type: str
      proxy_port:
        description: Port of that proxy; 3128 when left out.
        type: int
  proxy_host:
    description:
      - Name or address of an HTTP proxy to reach the API server through, in place of the C(proxy-url) of the kubeconfig. With O(supervisor) alone,
        the one of O(supervisor.proxy_host) when left out.
      - TLS goes through the proxy (C(CONNECT)) and is verified to its end. A proxy that asks for a login can be used by the C(proxy-url) of a
        kubeconfig only.
      - Proxies of the environment (E(HTTPS_PROXY), E(K8S_AUTH_PROXY)) are not used, so that what a task reaches is said by the task.
    type: str
  proxy_port:
    description: Port of the proxy; 3128 when left out.
    type: int
notes:
  - The options O(kubeconfig), O(context), O(host), O(api_key) and O(ca_cert) fall back to the environment variables E(K8S_AUTH_KUBECONFIG),
    E(K8S_AUTH_CONTEXT), E(K8S_AUTH_HOST), E(K8S_AUTH_API_KEY) and E(K8S_AUTH_SSL_CA_CERT).
requirements:
  - kubernetes
  - requests (for O(supervisor))
"""
