#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a Carvel package of the operator's manifests: bundle, lock and YAML file."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: carvel_package
short_description: Make a Carvel package of the operator's manifests
version_added: "1.0.0"
description:
  - Makes a bundle of the operator's manifests, with a schema of its values and a lock of its images by digest, pushes it to a registry,
    and writes the YAML file with PackageMetadata and Package that names it. That file is what vCenter takes as a Supervisor service.
  - The manifests are not touched. In a copy of them the operator's image is replaced by O(image), and its namespace by the value C(namespace),
    which the Supervisor gives when it installs the service.
  - Before anything is pushed, the bundle is rendered with C(ytt) and C(kbld) as a Supervisor does it, and looked at. Each object stands in it once,
    no namespace is written into it, exactly the one image is replaced, and every image is named by its digest.
  - A bundle has a digest that follows from what is in it. When the registry has this version with this digest, nothing is pushed.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.registry
  - vcf.ray.attributes
requirements:
  - ytt, kbld and imgpkg (https://carvel.dev), where the task runs
  - PyYAML, which comes with ansible-core
notes:
  - The login of the options goes to the registry of O(bundle) and to no other. For O(image) and other images of the manifests in another registry
    the login is used that docker or podman has there.
  - O(registry_validate_certs) is for the registry of O(bundle), and that of O(image), where it is another, is verified in any case. When the manifests
    name further images by tag, kbld looks these up, and heeds the option for all of their registries.
  - The digest of the bundle is found by a push to a registry of the module's own, in memory, on 127.0.0.1. So check mode knows it too.
  - In check mode an image, a folder or manifests that are not there may be made by an earlier task of the same run. The result is C(changed) then,
    and RV(unknown) says what is missing.
seealso:
  - module: vcf.ray.operator_artifacts
  - module: vcf.ray.container_image
  - module: vcf.ray.carvel_package_info
  - module: vcf.ray.carvel_package_copy
  - module: vcf.ray.supervisor_service
  - name: Carvel packages
    description: What PackageMetadata and Package are.
    link: https://carvel.dev/kapp-controller/docs/latest/packaging/
options:
  manifests:
    description:
      - The operator's manifests, a YAML file or a folder of such, where the task runs. Folders in the folder are not looked into.
      - A file with annotations of ytt, as the operator's C(make vsphere-yaml) leaves it (C(artifacts/ytt-vsphere.yaml)), is taken as it is,
        and takes its namespace from C(data.values.namespace) itself.
        When one brings a schema of values, none is added, and that one has to declare C(namespace).
      - In any other file each string with O(manifests_namespace) in it becomes a template. All other values stay as they were written.
    type: path
    required: true
  manifests_image:
    description: The image that O(image) stands for, as the manifests name it.
    type: str
    default: vmray-cluster-controller:latest
  manifests_namespace:
    description: The namespace that is written into plain manifests. It must be a word that means nothing else in them.
    type: str
    default: vmware-system-rayclusterop
  image:
    description:
      - The operator's image in a registry, such as C(registry.example.com/ray/vmray-cluster-controller:1.0.123), by tag or by digest.
      - It has to be there. The package names it by the digest that it has now.
    type: str
    required: true
  bundle:
    description: The repository that the bundle is pushed to, such as C(registry.example.com/ray/ray-on-vcf-bundle). O(version) is its tag.
    type: str
    required: true
  bundle_read_only:
    description:
      - The repository that is written into the package, when it is another one than the one that is pushed to, as with a registry that has an address
        for those who push and one for those who only pull.
    type: str
  version:
    description:
      - Version of the package, which is the tag of the bundle too. It must be a semantic version, such as V(1.0.123) or V(1.0.123-rc.1),
        as kapp-controller takes no other; this is checked before anything else.
    type: str
    required: true
  path:
    description: The YAML file to write. Its folder must be there.
    type: path
    required: true
  overwrite:
    description: Whether a version that the registry has with other content is replaced. Otherwise that is an error.
    type: bool
    default: false
  name:
    description: Name of the package, which vCenter takes as the id of the service.
    type: str
    default: ray-on-vcf.broadcom.com
  display_name:
    description: Name that the vSphere Client shows.
    type: str
    default: ray-on-vcf
  short_description:
    description: What it is, in a few words.
    type: str
    default: ray-on-vcf service
  long_description:
    description: What it is, at length.
    type: str
  licenses:
    description: Licences of what is in the package.
    type: list
    elements: str
    default: []
  namespace:
    description: Namespace of the operator when no value is given at its installation. A schema in O(manifests) says that itself.
    type: str
    default: vmware-system-rayclusterop
  ytt_path:
    description: The program C(ytt), when it is not on the PATH.
    type: path
  kbld_path:
    description: The program C(kbld), when it is not on the PATH.
    type: path
  imgpkg_path:
    description: The program C(imgpkg), when it is not on the PATH.
    type: path
"""

EXAMPLES = r"""
---
- name: Make a package of what the operator's build has left
  vcf.ray.carvel_package:
    manifests: vmray-cluster-operator/artifacts/ytt-vsphere.yaml
    image: registry.example.com/ray/vmray-cluster-controller:1.0.123
    bundle: registry.example.com/ray/ray-on-vcf-bundle
    version: 1.0.123
    path: carvel-package-1.0.123.yaml
    registry_username: ray-builder
    registry_password: "{{ registry_password }}"
  register: built

- name: Say which bundle that is
  ansible.builtin.debug:
    msg: "{{ built.carvel_package.bundle }}"

- name: Look at what would be pushed and written
  vcf.ray.carvel_package:
    manifests: manifests
    image: registry.example.com/ray/vmray-cluster-controller@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    bundle: push.example.com/ray/ray-on-vcf-bundle
    bundle_read_only: packages.example.com/ray/ray-on-vcf-bundle
    version: 1.0.124
    path: carvel-package-1.0.124.yaml
  check_mode: true
  diff: true
"""

RETURN = r"""
---
carvel_package:
  description: The package as it is, or in check mode as it would be. What cannot be known yet is not in it.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the package, which vCenter takes as the id of the service.
      returned: always
      type: str
      sample: ray-on-vcf.broadcom.com
    version:
      description: Its version.
      returned: always
      type: str
      sample: 1.0.123
    tag:
      description: Where the bundle is pushed to.
      returned: always
      type: str
      sample: registry.example.com/ray/ray-on-vcf-bundle:1.0.123
    digest:
      description: Digest of the bundle.
      returned: when all that it is made of is there
      type: str
      sample: sha256:0944279f64b9f2d07d92c37c66fcecab619b53fdcd4e4edf80e76a7574f84a03
    bundle:
      description: The bundle as the package names it, by its digest.
      returned: when all that it is made of is there
      type: str
      sample: registry.example.com/ray/ray-on-vcf-bundle@sha256:0944279f64b9f2d07d92c37c66fcecab619b53fdcd4e4edf80e76a7574f84a03
    images:
      description: The images of the bundle, each with C(id), what the manifests call it, and C(image), the reference by digest that takes its place.
      returned: when all that it is made of is there
      type: list
      elements: dict
      sample:
        - id: vmray-cluster-controller:latest
          image: registry.example.com/ray/vmray-cluster-controller@sha256:45e741193aec73cfbb6bb219de93fa0fd6f09b6cd4062f66ba32479c7e97c064
    path:
      description: The YAML file.
      returned: always
      type: str
      sample: carvel-package-1.0.123.yaml
    checksum:
      description: Checksum of the YAML file, in the form that O(vcf.ray.supervisor_service#module:checksum) takes.
      returned: when all that it is made of is there
      type: str
      sample: sha256:36bb4b626292d9fa6a46fc05056f1bd2208ee32f351bb54893eed5a32ac15825
    content:
      description: Text of the YAML file, for O(vcf.ray.supervisor_service#module:content).
      returned: when all that it is made of is there
      type: str
      sample: |
        ---
        apiVersion: data.packaging.carvel.dev/v1alpha1
        kind: PackageMetadata
        metadata:
          name: ray-on-vcf.broadcom.com
        spec:
          displayName: ray-on-vcf
          shortDescription: ray-on-vcf service
        ---
        apiVersion: data.packaging.carvel.dev/v1alpha1
        kind: Package
        metadata:
          name: ray-on-vcf.broadcom.com.1.0.123
        spec:
          refName: ray-on-vcf.broadcom.com
          version: 1.0.123
          valuesSchema:
            openAPIv3:
              type: object
              additionalProperties: false
              properties:
                namespace:
                  title: Namespace
                  type: string
                  description: The namespace of the operator. A Supervisor gives the one that it has made for the service.
                  default: vmware-system-rayclusterop
                  minLength: 1
          template:
            spec:
              fetch:
              - imgpkgBundle:
                  image: registry.example.com/ray/ray-on-vcf-bundle@sha256:0944279f64b9f2d07d92c37c66fcecab619b53fdcd4e4edf80e76a7574f84a03
              template:
              - ytt:
                  paths:
                  - config
              - kbld:
                  paths:
                  - '-'
                  - .imgpkg/images.yml
              deploy:
              - kapp: {}
unknown:
  description: What could not be known, as an earlier task of the same run would make what is missing.
  returned: in check mode, when something is missing
  type: list
  elements: str
  sample: ["The registry registry.example.com has no image registry.example.com/ray/vmray-cluster-controller:1.0.123."]
"""

from ..module_utils._clients import registry
from ..module_utils._clients.carvel import Carvel
from ..module_utils._clients.reference import Reference
from ..module_utils._clients.text_file import TextFile, manifests
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.carvel_package import CarvelPackage, Source
from ..module_utils._resources.carvel_yaml import About, check

NAMESPACE = "vmware-system-rayclusterop"
SPEC = {
    **registry.ARGSPEC,
    "manifests": {"type": "path", "required": True},
    "manifests_image": {"type": "str", "default": "vmray-cluster-controller:latest"},
    "manifests_namespace": {"type": "str", "default": NAMESPACE},
    "image": {"type": "str", "required": True},
    "bundle": {"type": "str", "required": True},
    "bundle_read_only": {"type": "str"},
    "version": {"type": "str", "required": True},
    "path": {"type": "path", "required": True},
    "overwrite": {"type": "bool", "default": False},
    "name": {"type": "str", "default": "ray-on-vcf.broadcom.com"},
    "display_name": {"type": "str", "default": "ray-on-vcf"},
    "short_description": {"type": "str", "default": "ray-on-vcf service"},
    "long_description": {"type": "str"},
    "licenses": {"type": "list", "elements": "str", "default": []},
    "namespace": {"type": "str", "default": NAMESPACE},
    "ytt_path": {"type": "path"},
    "kbld_path": {"type": "path"},
    "imgpkg_path": {"type": "path"},
}


def ensure(task: Task, registries: registry.Registries) -> dict:
    """Bring the registry and the file to what the options say."""
    p = task.params
    about = About(*[p[name] for name in About._fields])
    check(about)
    bundle, image = Reference.of_repository(p["bundle"], "bundle"), Reference.parse(p["image"], "image")
    published = Reference.of_repository(p["bundle_read_only"], "bundle_read_only") if p["bundle_read_only"] else bundle
    file = TextFile(p["path"])
    registries.login_at(bundle.registry)
    with registries.environment() as environment:
        carvel = Carvel({name: p[f"{name}_path"] for name in ("ytt", "kbld", "imgpkg")}, environment,
                        ca_paths=[registries.ca_path] if registries.ca_path else [], validate_certs=registries.validate_certs)
        package = CarvelPackage(carvel, registries, file, about, bundle=bundle, published=published, overwrite=p["overwrite"])
        source = Source(lambda: manifests(p["manifests"]), p["manifests_image"], p["manifests_namespace"], image, p["namespace"])
        return _readable(reconcile(task, package, package.wanted(source)))


def _readable(result: dict) -> dict:
    """The difference with the file line by line, as people read it."""
    for side in result.get("diff", {}).values():
        if side.get("content"):
            side["content"] = side["content"].splitlines()
    return result


def main() -> None:
    run(SPEC, registry.connect, ensure)


if __name__ == "__main__":
    main()
