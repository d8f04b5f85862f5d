#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Register a Supervisor service, switch it on or off, or remove it."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: supervisor_service
short_description: Register a Supervisor service, switch it on or off, or remove it
version_added: "1.0.0"
description:
  - Registers a Carvel package with vCenter, so that it can be installed on Supervisors; a version more, when the service is there.
  - vCenter itself says which service and version a package is. A version that is registered with other content is an error, as it cannot be replaced.
  - Activates or deactivates a version or a whole service.
  - For O(state=absent) the service is deactivated, its versions are deleted, then itself. It must be installed nowhere.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.wait
  - vcf.ray.attributes
notes:
  - To register a package vCenter 8.0.1 is needed; an older one is refused before anything is written.
  - The privilege C(System.Read) is needed to read the catalogue, C(SupervisorServices.Manage) to change it; to remove something also
    C(Namespaces.Manage) and C(SupervisorServices.Install), by which is seen where it is installed.
  - When nothing is to be changed, a task with a package sends 4 requests, beside login and logout, and one without a package 2.
  - What stands in the way of a removal is told under RV(unknown) in check mode, as an earlier task of the same run may be to take it away.
  - A vCenter may let in only services whose ids are on an allow-list. It counts the id that vCenter derives from the package, which for
    Ray on VCF is C(ray-on-vcf.broadcom.com), and not C(ray-on-vcf.vmware.com), as its guide has it.
seealso:
  - module: vcf.ray.supervisor_service_install
  - module: vcf.ray.supervisor_service_info
  - name: Carvel packages
    description: What PackageMetadata and Package are.
    link: https://carvel.dev/kapp-controller/docs/latest/packaging/
options:
  package:
    description: Path of the YAML file with PackageMetadata and Package, where the task runs.
    type: path
  content:
    description: The text of such a file.
    type: str
  url:
    description:
      - Address of such a file, which begins with C(https://). It is fetched where the task runs, in check mode too, and nothing is sent to vCenter
        when its O(checksum) is another one.
      - Only addresses that need no login can be used, and none with a secret in it, as results show it.
    type: str
  url_ca_path:
    description: PEM file with the certificate authorities to trust for O(url). Those of the system are used if it is not set.
    type: path
  url_proxy_host:
    description: Name or address of an HTTP proxy to fetch O(url) through. TLS is verified to its end. No other proxy is used for it.
    type: str
  url_proxy_port:
    description: Port of that proxy; 3128 if it is not set.
    type: int
  checksum:
    description: What the file has to be, as C(sha256:) and 64 hexadecimal digits. Required with O(url), and heeded with O(package) and O(content) too.
    type: str
  service:
    description: Id of the service, when there is no package to say it.
    type: str
  version:
    description:
      - The version that the task is about, when there is no package to say it.
      - With O(state=absent), the one version to remove. All of them, and the service, if it is not set, also when a package is given.
    type: str
  active:
    description:
      - Whether the version is to be active, so that it can be installed; or the service, when neither a package nor O(version) is given.
      - vCenter activates a service together with all its versions, also those that were deactivated on purpose, and deactivates it with all of them.
        A version can be active only in an active service, so its service is activated with it.
      - The last active version of an active service cannot be deactivated; deactivate the service then.
    type: bool
    default: true
  state:
    description: Whether the object is to be there.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
---
- name: Register the service
  vcf.ray.supervisor_service:
    package: ray-on-vcf.yaml

- name: Register a version that a server of the company holds
  vcf.ray.supervisor_service:
    url: https://files.example.com/ray-on-vcf-0.2.0.yaml
    url_ca_path: /etc/pki/company.pem
    checksum: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08

- name: Let nobody install the old version any more
  vcf.ray.supervisor_service:
    service: ray-on-vcf.broadcom.com
    version: 0.1.0
    active: false

- name: Remove the old version
  vcf.ray.supervisor_service:
    service: ray-on-vcf.broadcom.com
    version: 0.1.0
    state: absent

- name: Remove the service from the catalogue
  vcf.ray.supervisor_service:
    service: ray-on-vcf.broadcom.com
    state: absent
"""

RETURN = r"""
---
version:
  description: Version of the package, or the one that was asked for.
  returned: with O(state=present)
  type: str
supervisor_service:
  description: The service, or nothing when it is removed.
  returned: success
  type: dict
  contains:
    supervisor_service:
      description: Id of the service.
      returned: always
      type: str
    display_name:
      description: Name that the vSphere Client shows.
      returned: when it exists
      type: str
    description:
      description: What the service is for.
      returned: when it exists
      type: str
    state:
      description: C(ACTIVATED) or C(DEACTIVATED).
      returned: always
      type: str
    versions:
      description: Its versions, oldest first, each with C(version) and C(state).
      returned: when it exists
      type: list
      elements: dict
    version:
      description: The version that the task is about, when it is registered.
      returned: always
      type: str
    version_state:
      description: State of that version.
      returned: always
      type: str
unknown:
  description: What could not be known, as an earlier task of the same run would make what is missing, or take away what is in the way.
  returned: in check mode, when something is missing or in the way
  type: list
  elements: str
"""

from ..module_utils import _wait
from ..module_utils._clients import service_package, vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.supervisor_service import SupervisorService

SPEC = {
    **service_package.ARGSPEC,
    "service": {"type": "str"},
    "version": {"type": "str"},
    "active": {"type": "bool", "default": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Bring the catalogue to what the options say."""
    p = task.params
    removing, (content, source) = p["state"] == "absent", service_package.package_of(p) or (None, "package")
    service = SupervisorService(client, p["service"], content, p["version"], p["wait_timeout"], active=p["active"], removing=removing, source=source)
    if removing:
        return reconcile(task, service, None)
    result = reconcile(task, service, {"supervisor_service": service.name})
    if result["changed"]:
        for words in service.warnings:
            task.warn(f"vCenter says of the package: {words}")
    return {**result, "version": service.version}


def main() -> None:
    run({**vcenter.ARGSPEC, **_wait.ARGSPEC, **SPEC}, vcenter.connect, ensure, required_one_of=[("package", "content", "url", "service")],
        mutually_exclusive=[("package", "content", "url")], required_by={"url": ["checksum"], "url_ca_path": ["url"], "url_proxy_host": ["url"]})


if __name__ == "__main__":
    main()
