#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the operator's manifests and its image from source, in a copy."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: operator_artifacts
short_description: Make the operator's manifests and its image from source
version_added: "1.0.0"
description:
  - Runs C(make vsphere-yaml create-image-tar), or other targets, on a copy of the operator's source, so that the source itself is never written to.
  - The copy is kept in a folder that is named after a digest of what it is made from. When the artifacts of this digest are there, make is not called.
  - Before anything is copied, make and the programs that it calls are looked at, and all that are missing, or are other programs of the same name,
    are named at once.
options:
  source:
    description:
      - Folder with the operator's Makefile, or the root of its repository, whose folder C(vmray-cluster-operator) has the Makefile. All of it is copied.
      - When make needs something beside the operator's folder, or asks git for a version, name the root.
    type: path
    required: true
  work_dir:
    description: Folder for the copies, outside of O(source). It is made when it is not there.
    type: path
    required: true
  targets:
    description:
      - What make is to make, in this order. V(vsphere-yaml) has to make C(artifacts/ytt-vsphere.yaml), V(create-image-tar)
        C(artifacts/vmray-cluster-controller.tar.gz); a list with neither has to make both.
    type: list
    elements: str
    default: [vsphere-yaml, create-image-tar]
  variables:
    description:
      - Variables for make, such as C(IMAGE_TAG). They are arguments of make, which every user of the machine can read, and stand in results, so none
        can be a secret.
    type: dict
    default: {}
  tools:
    description:
      - Programs that make calls, to be looked at first. C(yq) has to be Mike Farah's yq 4, C(sed) GNU sed, and the daemon of C(docker) has to answer.
      - If it is not set, those of C(kustomize), C(yq), C(sed) and C(docker) that the Makefile names outside of its comments.
    type: list
    elements: str
  make_path:
    description: Path of GNU make. The one on the C(PATH) is used if it is not set.
    type: path
  timeout:
    description: Seconds for make. It is ended then, with all that it has started.
    type: int
    default: 1800
notes:
  - The digest is of the names, the contents, the targets of links, and which files can be run, of all that is in O(source), also of what git ignores,
    with O(targets) and O(variables). Neither C(.git) nor the folder C(artifacts) beside the Makefile count. C(.git) is copied all the same, for a
    Makefile that asks git; C(artifacts) is not, so that everything in it is new.
  - Neither the programs nor the environment of the task count. When another version of one is to be used on the same source, remove the folder first.
  - Folders of other sources are left alone. They can be removed at any time.
  - The output of make is in a file in the folder. A build that failed is kept as a folder with C(.failed) at the end of its name, until the next one
    of the same digest fails.
  - While make runs, its target is told.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.attributes
seealso:
  - module: vcf.ray.container_image
  - module: vcf.ray.carvel_package
"""

EXAMPLES = r"""
---
- name: Make the manifests and the image
  vcf.ray.operator_artifacts:
    source: ~/src/ray-on-vcf
    work_dir: ~/.cache/vcf-ray/artifacts
  register: made

- name: Push the image
  vcf.ray.container_image:
    archive: "{{ made.operator_artifacts.image_archive }}"
    image: registry.example.com/ray/vmray-cluster-controller:1.0.3

- name: Make the manifests alone, where there is no docker
  vcf.ray.operator_artifacts:
    source: ~/src/ray-on-vcf
    work_dir: ~/.cache/vcf-ray/artifacts
    targets: [vsphere-yaml]
    tools: [kustomize, yq, sed]
"""

RETURN = r"""
---
operator_artifacts:
  description: The artifacts. In check mode, where they will be.
  returned: success, when the source is there
  type: dict
  contains:
    source_digest:
      description: C(sha256:) and the 64 hexadecimal digits of what they are made from.
      returned: always
      type: str
    folder:
      description: The copy of the source that they were made in.
      returned: always
      type: str
    manifests:
      description: Path of the manifests, C(ytt-vsphere.yaml). Empty when no target makes them.
      returned: always
      type: str
    image_archive:
      description: Path of the image, C(vmray-cluster-controller.tar.gz), as C(docker save) writes it. Empty when no target makes it.
      returned: always
      type: str
    log:
      description: Path of the file with the output of make.
      returned: always
      type: str
unknown:
  description: What could not be known, as an earlier task of the same run would fetch the source.
  returned: in check mode, when the source is not there
  type: list
  elements: str
"""

from ..module_utils._clients import operator_build
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.operator_artifacts import OperatorArtifacts

SPEC = {
    "source": {"type": "path", "required": True},
    "work_dir": {"type": "path", "required": True},
    "targets": {"type": "list", "elements": "str", "default": ["vsphere-yaml", "create-image-tar"]},
    "variables": {"type": "dict", "default": {}},
    "tools": {"type": "list", "elements": "str"},
    "make_path": {"type": "path"},
    "timeout": {"type": "int", "default": 1800},
}


def ensure(task: Task, build: operator_build.OperatorBuild) -> dict:
    """The artifacts of the source as it is now."""
    return reconcile(task, OperatorArtifacts(build, task.params["targets"]), {})


def main() -> None:
    run(SPEC, operator_build.connect, ensure)


if __name__ == "__main__":
    main()
