#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file in a generic repository, such as one of Artifactory."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: repository_file
short_description: A file in a generic repository
version_added: "1.0.0"
description:
  - Uploads a file, such as the YAML of a Carvel package, to a generic repository of Artifactory, a raw one of Nexus, or any other server that
    takes a file by PUT and gives it by GET; or removes it there.
  - A file that is there with the same content is left alone. One with other content is replaced only with O(overwrite), since somebody may have
    fetched it under this name.
  - What the server refuses is an error with the server's own words, and what can be done.
options:
  url:
    description:
      - Address of the file, with its name at the end. It begins with C(https://), also without O(validate_certs), as the login goes along.
      - Neither a login nor anything behind C(?) can be in it, as results show it.
    type: str
    required: true
  src:
    description: Path of the file to upload, where the task runs. It is read whole into memory. Needed for O(state=present).
    type: path
  username:
    description:
      - User at the server. The login goes along with every request, and one that is refused is not tried again.
      - Without it no login is sent. Falls back to the environment variable E(VCF_RAY_REPOSITORY_USERNAME).
    type: str
  password:
    description: Password or token of the user. Falls back to E(VCF_RAY_REPOSITORY_PASSWORD).
    type: str
  ca_path:
    description:
      - PEM file with the certificate authorities to trust; those of the system when left out. Falls back to E(VCF_RAY_REPOSITORY_CA_PATH).
    type: path
  validate_certs:
    description: Whether to verify the certificate of the server.
    type: bool
    default: true
  proxy_host:
    description: Name or address of an HTTP proxy to reach the server through. TLS is verified to its end. Proxies of the environment are not used.
    type: str
  proxy_port:
    description: Port of the proxy; 3128 when left out.
    type: int
  overwrite:
    description: Whether a file with other content is replaced. When it is not, that is an error before anything is written, with both checksums.
    type: bool
    default: false
  state:
    description: Whether the file is to be there.
    type: str
    choices: [present, absent]
    default: present
notes:
  - When nothing is to be changed, one request is sent, a HEAD. From a server that tells no checksum by C(X-Checksum-Sha256), the file is fetched
    and compared.
  - Check mode reads and never writes. Whether the account may write, whether the repository is there, and whether it has room, is known to the server
    alone and told when it is written to.
  - Redirects are not followed, as the login would go along; the error names the address.
requirements:
  - requests
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.attributes
seealso:
  - module: vcf.ray.carvel_package
  - module: vcf.ray.supervisor_service
"""

EXAMPLES = r"""
---
- name: Publish a package
  vcf.ray.repository_file:
    url: https://files.example.com/artifactory/ray-generic/carvel-package-yaml/production/carvel-package-1.0.3.yaml
    src: carvel-package-1.0.3.yaml
    username: ray-builder
    password: "{{ vault_repository_password }}"
    ca_path: /etc/pki/company.pem
  register: published

- name: Register it with vCenter
  vcf.ray.supervisor_service:
    url: "{{ published.repository_file.url }}"
    checksum: "{{ published.repository_file.checksum }}"

- name: Take a version back
  vcf.ray.repository_file:
    url: https://files.example.com/artifactory/ray-generic/carvel-package-yaml/development/carvel-package-1.0.2.yaml
    username: ray-builder
    password: "{{ vault_repository_password }}"
    state: absent
"""

RETURN = r"""
---
repository_file:
  description: The file at the server; null when it is removed.
  returned: success
  type: dict
  contains:
    url:
      description: Its address.
      returned: always
      type: str
    checksum:
      description: C(sha256:) and 64 hexadecimal digits, as O(vcf.ray.supervisor_service#module:checksum) takes it.
      returned: when it is known
      type: str
    size:
      description: Its length in bytes.
      returned: when the server tells it
      type: int
unknown:
  description: What could not be known, as an earlier task of the same run would make the file to upload.
  returned: in check mode, when the file to upload is not there
  type: list
  elements: str
"""

from ..module_utils._clients import file_repository
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.repository_file import RepositoryFile

SPEC = {
    "src": {"type": "path"},
    "overwrite": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def ensure(task: Task, repository: file_repository.FileRepository) -> dict:
    """Bring the address to what the options say."""
    p = task.params
    file = RepositoryFile(repository, p["src"], overwrite=p["overwrite"])
    result = reconcile(task, file, {"url": p["url"]} if p["state"] == "present" else None)
    if "unknown" in result:
        # The checksum of what is there now is not that of what will be there.
        result[file.noun] = {"url": p["url"]}
        result.get("diff", {})["after"] = {"url": p["url"]}
    return result


def main() -> None:
    run({**file_repository.ARGSPEC, **SPEC}, file_repository.connect, ensure,
        required_if=[("state", "present", ["src"])], required_together=[("username", "password")])


if __name__ == "__main__":
    main()
