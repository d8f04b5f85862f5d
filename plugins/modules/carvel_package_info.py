#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read which images Carvel packages have, and whether all come from registries that are allowed."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: carvel_package_info
short_description: Read where the images of a Carvel package are
version_added: "1.0.0"
description:
  - Reads the packages of a YAML file, their bundles, and the lock of each bundle, and tells where every image would be fetched from.
  - With O(allowed_registries) it fails when one of them is to be fetched from anywhere else, or is named by a tag only; all of these are listed.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.registry
  - vcf.ray.attributes
  - vcf.ray.attributes.info
requirements:
  - PyYAML, which comes with ansible-core
notes:
  - No tool is needed. A bundle costs two requests, and one for each of its images, by which is seen whether they were copied along with the bundle;
    the first that was not ends that.
  - Images that were all copied into the repository of their bundle are fetched from there, whatever the lock calls them; that is how imgpkg has it.
  - In packages that have their manifests inline, the values of all keys C(image) count, as they do for C(kbld).
seealso:
  - module: vcf.ray.carvel_package_copy
  - module: vcf.ray.carvel_package
options:
  package:
    description: Path of the YAML file with PackageMetadata and Package, where the task runs.
    type: path
  content:
    description: The text of such a file.
    type: str
  url:
    description: Address of such a file, which begins with C(https://) and needs no login. It is fetched where the task runs.
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
    description: What the file has to be, as C(sha256:) and 64 hexadecimal digits. Required with O(url).
    type: str
  allowed_registries:
    description:
      - Registries, or beginnings of repositories in them, such as C(registry.example.com) or C(registry.example.com/ray).
      - Bundles count as images do. Other sources than registries are refused, as they cannot be looked into.
      - Without it, or when it is empty, nothing is refused.
    type: list
    elements: str
"""

EXAMPLES = r"""
---
- name: See what a Supervisor would fetch
  vcf.ray.carvel_package_info:
    package: carvel-package-1.0.123.yaml
    registry_username: ray-reader
    registry_password: "{{ vault_reader_password }}"
  register: read

- name: Check that it is all in the company's registry
  vcf.ray.carvel_package_info:
    package: carvel-package-1.0.123.yaml
    allowed_registries: [registry.example.com/ray]
    registry_username: ray-reader
    registry_password: "{{ vault_reader_password }}"
"""

RETURN = r"""
---
carvel_packages:
  description: The packages of the file, in its order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the package.
      type: str
      sample: ray-on-vcf.broadcom.com
    version:
      description: Its version.
      type: str
      sample: 1.0.123
    bundles:
      description: Its bundles, each with C(image), C(origin), C(registry) and C(digest); the digest is null for one that is named by tag only.
      type: list
      elements: dict
    images:
      description: The images of its bundles or of its inline manifests, each with C(image), where it is fetched from, C(origin), what the package
        calls it, C(registry) and C(digest), which is null for one that is named by tag only.
      type: list
      elements: dict
      sample:
        - image: mirror.example.com/ray/ray-on-vcf-bundle@sha256:45e741193aec73cfbb6bb219de93fa0fd6f09b6cd4062f66ba32479c7e97c064
          origin: registry.example.com/ray/vmray-cluster-controller@sha256:45e741193aec73cfbb6bb219de93fa0fd6f09b6cd4062f66ba32479c7e97c064
          registry: mirror.example.com
          digest: sha256:45e741193aec73cfbb6bb219de93fa0fd6f09b6cd4062f66ba32479c7e97c064
"""

from ..module_utils._clients import registry, service_package
from ..module_utils._clients.package_copier import lock_of
from ..module_utils._clients.reference import Reference
from ..module_utils._errors import MissingLibrary, RayError
from ..module_utils._module import run
from ..module_utils._reconcile import Task
from ..module_utils._resources.package_file import packages
from ..module_utils._resources.package_images import Wrong, inline_images, is_in, located, prefixes, refuse, wrong_with

SPEC = {
    **registry.ARGSPEC,
    **service_package.ARGSPEC,
    "allowed_registries": {"type": "list", "elements": "str"},
}


def read(task: Task, registries: registry.Registries) -> dict:
    """All packages with their images; refuses those that must not be used."""
    p = task.params
    allowed = prefixes(p["allowed_registries"] or [])
    text, what = service_package.package_of(p) or ("", "package")
    found, wrong = [], []
    for package in packages(text, what):
        bundles, images, unseen = [located(image) for image in package.bundles], [], []
        for bundle in bundles:
            try:
                images += _of_bundle(registries, bundle["image"])
            except RayError as error:
                # One that is refused for where it is need not be there, so that the others are told with it.
                if isinstance(error, MissingLibrary) or not allowed or is_in(bundle, allowed):
                    raise
                unseen.append(Wrong(bundle["image"], f"it could not be found out which images it has ({error.message.rstrip('.')})"))
        images += inline_images(package)
        found.append({"name": package.name, "version": package.version, "bundles": bundles, "images": images})
        wrong += [*wrong_with(package, bundles, images, allowed), *unseen] if allowed else []
    refuse(wrong, allowed)
    return {"changed": False, "carvel_packages": found}


def _of_bundle(registries: registry.Registries, bundle: str) -> list[dict]:
    """The images of a bundle where they are fetched from: beside it when all of them are there, else where the lock says."""
    ref = Reference.parse(bundle, "bundle")
    registries.login_at(ref.registry)
    images = lock_of(registries, ref)
    if images is None:
        raise RayError(f"The bundle {bundle} is not in its registry.", code="NOT_FOUND",
                       hint="Push it with vcf.ray.carvel_package, or copy the package with vcf.ray.carvel_package_copy.")
    beside = all(registries.has(ref, image["digest"]) for image in images)
    return [located(str(ref.at(image["digest"])) if beside else image["image"], image["image"]) for image in images]


def main() -> None:
    run(SPEC, registry.connect, read, required_one_of=[("package", "content", "url")], mutually_exclusive=[("package", "content", "url")],
        required_by={"url": ["checksum"], "url_ca_path": ["url"], "url_proxy_host": ["url"]})


if __name__ == "__main__":
    main()
