#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Push an image out of an archive to a registry."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: container_image
short_description: Push an image out of an archive to a registry
version_added: "1.0.0"
description:
  - Brings an image from the archive that C(docker save) writes, such as that of C(make create-image-tar), to a registry.
  - Pushes by docker, podman or crane, whichever is there. Whether there is something to push is found out without any of them.
  - The digest is what the registry tells of the image after the push.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.registry
  - vcf.ray.attributes
requirements:
  - requests
  - docker with its daemon, podman or crane, when there is something to push
notes:
  - The image is known by the digest of its configuration, which is its id and names its layers. When the tag has this image already, nothing is
    pushed and no tool is needed. That costs one request, and one more where the registry wants a login.
  - In check mode the digest is told when crane is there, as crane can tell it without a push. Whether the account may push is known to the
    registry alone, and told when it is pushed to.
  - docker and podman load the image into their own store, where it replaces others of the same name. crane leaves no trace.
    For crane and podman an archive that is packed is unpacked to a temporary folder (E(TMPDIR)).
  - It is docker's daemon that speaks to the registry. It heeds neither O(registry_ca_path) nor O(registry_validate_certs); its administrator puts
    the file of authorities into C(/etc/docker/certs.d/REGISTRY/ca.crt). crane on macOS trusts the system's keychain only.
seealso:
  - module: vcf.ray.operator_artifacts
  - module: vcf.ray.carvel_package
options:
  archive:
    description:
      - Path of the tar or tar.gz file, where the task runs.
      - If it holds several images, the one is taken that is called like O(image), with its registry or without.
    type: path
    required: true
  image:
    description: What the image is to be called, as C(REGISTRY/REPOSITORY:TAG).
    type: str
    required: true
  tool:
    description: What pushes. V(auto) is the first of docker (if its daemon answers), podman and crane.
    type: str
    choices: [auto, docker, podman, crane]
    default: auto
  executable:
    description: Path of the program that O(tool) names; that of the E(PATH) if it is not set.
    type: path
  overwrite:
    description:
      - Whether a tag that the registry has for another image is moved to this one. Otherwise that is an error, and nothing is pushed.
      - Which digest it had before is told by the difference (C(--diff)).
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Push the operator's image
  vcf.ray.container_image:
    archive: artifacts/vmray-cluster-controller.tar.gz
    image: registry.example.com/ray/vmray-cluster-controller:1.0.3
    registry_username: ray-builder
    registry_password: "{{ vault_registry_password }}"
    registry_ca_path: /etc/pki/company.pem
  register: pushed

- name: Put it into a package
  vcf.ray.carvel_package:
    manifests: artifacts/ytt-vsphere.yaml
    image: "{{ pushed.container_image.reference }}"
    bundle: registry.example.com/ray/package
    version: 1.0.3
    path: ray-on-vcf-1.0.3.yaml

- name: Push by crane, with the login that docker login has left
  vcf.ray.container_image:
    archive: operator.tar
    image: registry.example.com/ray/operator:1.0.3
    tool: crane
    executable: /opt/bin/crane
"""

RETURN = r"""
---
container_image:
  description: The image in the registry.
  returned: success
  type: dict
  contains:
    image:
      description: Its name with the tag.
      returned: always
      type: str
    digest:
      description: Digest of its manifest; null in check mode when it is not known before the push.
      returned: always
      type: str
    reference:
      description: Its name with the digest, which always names this very image; null when the digest is.
      returned: always
      type: str
    image_id:
      description: Digest of its configuration; null in check mode when the archive is not there yet.
      returned: always
      type: str
    tool:
      description: What pushed it, or would; null when there was nothing to push.
      returned: always
      type: str
unknown:
  description: What could not be known, as an earlier task of the same run would write the archive.
  returned: in check mode, when the archive is not there
  type: list
  elements: str
"""

from contextlib import closing

from ..module_utils._clients import registry
from ..module_utils._clients.image_archive import ImageArchive
from ..module_utils._clients.image_tools import NAMES, Pusher
from ..module_utils._clients.reference import FORM, Reference
from ..module_utils._errors import RayError
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.container_image import LATER, ContainerImage

SPEC = {
    "archive": {"type": "path", "required": True},
    "image": {"type": "str", "required": True},
    "tool": {"type": "str", "choices": ["auto", *NAMES], "default": "auto"},
    "executable": {"type": "path"},
    "overwrite": {"type": "bool", "default": False},
}


def ensure(task: Task, registries: registry.Registries) -> dict:
    """Bring the tag to the image of the archive."""
    p = task.params
    ref = _by_tag(p["image"])
    if p["executable"] and p["tool"] == "auto":
        raise RayError(f"What is {p['executable']}?", code="INPUT", hint="Say with tool whether it is docker, podman or crane.")
    registries.login_at(ref.registry)
    with closing(Pusher(registries, p["tool"], p["executable"])) as pusher:
        desired = {"image": str(ref), **dict.fromkeys(("image_id", "digest", "reference"), LATER)}
        result = reconcile(task, ContainerImage(registries, pusher, ref, ImageArchive(p["archive"]), overwrite=p["overwrite"]), desired)
    image = {key: None if value == LATER else value for key, value in result["container_image"].items()}
    return {**result, "container_image": {**image, "tool": pusher.name}}


def _by_tag(text: str) -> Reference:
    ref = Reference.parse(text, "image")
    if ref.digest:
        raise RayError(f"The image {text!r} has a digest, which comes of the push and cannot be chosen.", code="INPUT", hint=FORM)
    if not ref.tag:
        raise RayError(f"The image {text!r} has no tag.", code="INPUT", hint=FORM)
    return ref


def main() -> None:
    run({**registry.ARGSPEC, **SPEC}, registry.connect, ensure)


if __name__ == "__main__":
    main()
