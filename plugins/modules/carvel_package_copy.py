#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy a Carvel package with its bundle and images to an archive, or to another registry."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: carvel_package_copy
short_description: Copy a Carvel package with all its images to an archive or another registry
version_added: "1.0.0"
description:
  - Takes a package to where the registry that it was built into cannot be reached, bundle and images together.
  - With O(package) and O(archive) all of it is written into one file, the package's YAML included.
  - With O(archive), O(bundle) and O(path) that file is put into a registry, and the YAML is written with the bundle at its new place.
    The registry that it came from is not asked for anything.
  - With O(package), O(bundle) and O(path) it goes from one registry to the other.
  - All digests stay what they are. On a Supervisor the package's kbld step takes each image from beside the bundle.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.registry
  - vcf.ray.attributes
requirements:
  - imgpkg (https://carvel.dev), where the task runs, when there is something to copy
  - PyYAML, which comes with ansible-core
notes:
  - Nothing is copied when the archive holds the same bundle and the same text, or the registry has the digests of the bundle and of every image.
    That is found out without imgpkg. For an archive no registry is asked; the registry of O(bundle) is asked once for each digest, and twice more
    for the lock of the bundle where no archive tells it. A package that names its bundle by tag costs one request at its own registry.
  - After a copy the registry is asked for each digest, and an archive is read, before the task is said to have succeeded.
  - The login and the authorities of O(registry_username) and its like are for the registry of O(bundle); those of O(source_username) for the one
    that the package is in. Neither goes to the other.
  - imgpkg verifies the certificates of all registries of a run or of none. When one of the two is not to be verified, the package goes from one
    to the other by way of a temporary file (E(TMPDIR)), in two runs.
  - A package whose manifests are inline has no bundle and cannot be copied. Bundles in a bundle are copied, and not looked into.
seealso:
  - module: vcf.ray.carvel_package
  - module: vcf.ray.carvel_package_info
  - module: vcf.ray.container_image_registry
options:
  package:
    description: YAML file with PackageMetadata and Package, where the task runs.
    type: path
  archive:
    description:
      - The tar that is written (with O(package)), or that is read (with O(bundle)).
      - It is one of C(imgpkg copy) with C(package.yaml) in it; imgpkg itself can read it too.
    type: path
  bundle:
    description: Repository for the bundle and its images, such as C(registry.example.com/ray/ray-on-vcf-bundle). The version is the bundle's tag.
    type: str
  path:
    description: YAML file to write, with the bundle in O(bundle). Its folder must be there.
    type: path
  overwrite:
    description: Whether this version may be taken from another bundle that has it in O(bundle). Otherwise that is an error.
    type: bool
    default: false
  source_username:
    description: Name to log in by at the registry that the package is in. Without it the login is used that docker or podman has there.
    type: str
  source_password:
    description: Its password.
    type: str
  source_ca_path:
    description: PEM file with the certificate authorities to trust at that registry. Those of the system are used if it is not set.
    type: path
  source_validate_certs:
    description: Whether to verify the certificate of that registry.
    type: bool
    default: true
  imgpkg_path:
    description: The program C(imgpkg), when it is not on the PATH.
    type: path
"""

EXAMPLES = r"""
---
- name: Put the package into one file, where its registry can be reached
  vcf.ray.carvel_package_copy:
    package: carvel-package-1.0.123.yaml
    archive: ray-on-vcf-1.0.123.tar
    source_username: ray-reader
    source_password: "{{ vault_reader_password }}"

- name: Put it into the private registry, where only that can be reached
  vcf.ray.carvel_package_copy:
    archive: ray-on-vcf-1.0.123.tar
    bundle: registry.inside.example.com/ray/ray-on-vcf-bundle
    path: carvel-package-1.0.123.yaml
    registry_username: ray-builder
    registry_password: "{{ vault_registry_password }}"
    registry_ca_path: inside-ca.pem

- name: Check that nothing is fetched from anywhere else
  vcf.ray.carvel_package_info:
    package: carvel-package-1.0.123.yaml
    allowed_registries: [registry.inside.example.com]
    registry_username: ray-builder
    registry_password: "{{ vault_registry_password }}"
    registry_ca_path: inside-ca.pem

- name: Tell the Supervisor of the private registry
  vcf.ray.container_image_registry:
    supervisor: ray-supervisor
    name: inside
    registry_hostname: registry.inside.example.com
    registry_username: ray-reader
    registry_password: "{{ vault_reader_password }}"
    certificate_authority: "{{ lookup('ansible.builtin.file', 'inside-ca.pem') }}"

- name: Register the service
  vcf.ray.supervisor_service:
    package: carvel-package-1.0.123.yaml
"""

RETURN = r"""
---
carvel_package_copy:
  description: The copy as it is, or in check mode as it would be. What cannot be known yet is not in it.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the package.
      returned: when the package is there
      type: str
      sample: ray-on-vcf.broadcom.com
    version:
      description: Its version.
      returned: when the package is there
      type: str
      sample: 1.0.123
    bundle:
      description: The bundle by its digest, in O(bundle), or where the archive has it from.
      returned: when the package is there
      type: str
      sample: mirror.example.com/ray/ray-on-vcf-bundle@sha256:0944279f64b9f2d07d92c37c66fcecab619b53fdcd4e4edf80e76a7574f84a03
    digest:
      description: Digest of the bundle.
      returned: when the package is there
      type: str
      sample: sha256:0944279f64b9f2d07d92c37c66fcecab619b53fdcd4e4edf80e76a7574f84a03
    images:
      description: The images of the bundle, each with C(image), where it is now, C(origin), its name in the bundle, and C(digest).
      returned: when the package is there
      type: list
      elements: dict
    archive:
      description: The archive that was written.
      returned: with O(package) and O(archive)
      type: str
    path:
      description: The YAML file that was written.
      returned: with O(bundle)
      type: str
    checksum:
      description: Checksum of the YAML, in the form that O(vcf.ray.supervisor_service#module:checksum) takes.
      returned: when the package is there
      type: str
      sample: sha256:36bb4b626292d9fa6a46fc05056f1bd2208ee32f351bb54893eed5a32ac15825
    content:
      description: Text of the YAML.
      returned: when the package is there
      type: str
unknown:
  description: What could not be known, as an earlier task of the same run would make it.
  returned: in check mode, when something is missing
  type: list
  elements: str
"""

from ..module_utils._clients import package_copier, registry
from ..module_utils._clients.package_archive import PackageArchive
from ..module_utils._clients.text_file import TextFile
from ..module_utils._errors import RayError, UnknownYet
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.package_copy import ArchiveCopy, Original, RegistryCopy, original_in, original_of

SPEC = {
    **registry.ARGSPEC,
    "package": {"type": "path"},
    "archive": {"type": "path"},
    "bundle": {"type": "str"},
    "path": {"type": "path"},
    "overwrite": {"type": "bool", "default": False},
    "source_username": {"type": "str"},
    "source_password": {"type": "str", "no_log": True},
    "source_ca_path": {"type": "path"},
    "source_validate_certs": {"type": "bool", "default": True},
    "imgpkg_path": {"type": "path"},
}


def ensure(task: Task, copier: package_copier.PackageCopier) -> dict:
    """Bring the copy to what its original is."""
    p = task.params
    if [bool(p[name]) for name in ("package", "archive", "bundle")].count(True) != 2:
        raise RayError("Two of package, archive and bundle say what is copied where; neither one of them nor all three do.", code="INPUT",
                       hint="Give package and archive to write the archive; archive, bundle and path to read it; package, bundle and path without one.")
    archive = PackageArchive(p["archive"]) if p["archive"] else None

    def original() -> Original:
        return original_of(copier, _text(p["package"]), f"package {p['package']}") if p["package"] else original_in(archive)

    if copier.target is None:
        return _readable(reconcile(task, ArchiveCopy(copier, original, archive), {"archive": p["archive"]}))
    copy = RegistryCopy(copier, original, copier.target.name, TextFile(p["path"]), archive=p["archive"], overwrite=p["overwrite"])
    return _readable(reconcile(task, copy, {"path": p["path"]}))


def _text(path: str) -> str:
    text = TextFile(path).read()
    if text is None:
        raise UnknownYet(f"The package {path} is not there.", code="INPUT", hint="Name the YAML file of a package, a path where the task runs.")
    return text


def _readable(result: dict) -> dict:
    """The difference with the file line by line, as people read it."""
    for side in result.get("diff", {}).values():
        if side.get("content"):
            side["content"] = side["content"].splitlines()
    return result


def main() -> None:
    run(SPEC, package_copier.connect, ensure, required_one_of=[("package", "archive"), ("archive", "bundle")], required_together=[("bundle", "path")])


if __name__ == "__main__":
    main()
