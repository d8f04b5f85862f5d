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
      - Behind a reverse proxy it may have a path, such as V(https://ray.example.com/team-a).
      - It is RV(vcf.ray.vmray_cluster#module:vmray_cluster.dashboard_url) of the cluster.
      - Falls back to the environment variable E(VCF_RAY_DASHBOARD_URL).
    type: str
    required: true
  token:
    description:
      - Token of a cluster that asks for one. It is sent as C(Authorization) and as C(X-Ray-Authorization), which Ray looks at in this
        order, since a proxy may keep the first for itself.
      - If neither this nor O(token_path) is set, the environment variable E(RAY_AUTH_TOKEN) is used, and else the file that
        E(RAY_AUTH_TOKEN_PATH) names. No other file is looked for.
      - A token is not encryption; over plain HTTP whoever listens can read it.
    type: str
  token_path:
    description: File that holds the token, and nothing else. One that cannot be read is an error.
    type: path
  headers:
    description:
      - Headers to send with each request, for a proxy on the way. An C(Authorization) among them takes the place of the token's, and
        must not reach Ray.
    type: dict
  ca_path:
    description: PEM file with the certificate authorities to trust when the dashboard stands behind HTTPS.
    type: path
  validate_certs:
    description: Whether to verify the certificate when the dashboard stands behind HTTPS.
    type: bool
    default: true
  proxy_host:
    description: Name or address of an HTTP proxy. Proxies of the environment are not used.
    type: str
  proxy_port:
    description: Port of the proxy; 3128 if it is not set.
    type: int
requirements:
  - requests
"""
    # Of a task about something else, which asks Ray as well.
    WAY = r"""
options:
  ray:
    description: How this task reaches Ray's dashboard.
    type: dict
    suboptions:
      url:
        description:
          - Address of the dashboard of one cluster from here, in place of port 8265 of the load balancer, such as that of a reverse proxy with
            a path, V(https://ray.example.com/test-ray).
        type: str
      token:
        description: Token of a Ray that asks for one. Neither a file nor the environment is looked into.
        type: str
      headers:
        description: Further headers, for a reverse proxy that asks for them.
        type: dict
      ca_path:
        description: PEM file with the certificate authorities to trust when the dashboard stands behind HTTPS.
        type: path
      validate_certs:
        description: Whether to verify the certificate when the dashboard stands behind HTTPS.
        type: bool
        default: true
      proxy_host:
        description: Name or address of an HTTP proxy on the way to the dashboard. Proxies of the environment are not used.
        type: str
      proxy_port:
        description: Port of O(ray.proxy_host); 3128 when left out.
        type: int
"""
