# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cases stand on: names in the lab, and a library and a namespace that are there beside their own objects."""

from __future__ import annotations

import re
import shutil
import typing as t

from labs import Lab

NAMES = {"cluster": "DC0_C0", "policy": "vSAN Default Storage Policy", "datastore": "LocalDS_0", "publisher": "https://packages.lab/dl-vm/lib.json",
         "namespace": "world", "library": "world-images", "image": "ray-node-ubuntu-24.04", "registry": "registry.lab", "mirror": "mirror.lab",
         "files": "https://files.lab/artifactory/ray-generic"}
# Made once the Supervisor is there, before the cases that need it.
UP = [
    {"vcf.ray.content_library": {"name": "{{ world.library }}", "subscription_url": "{{ world.publisher }}", "datastore": "{{ world.datastore }}",
                                 "items": ["{{ world.image }}"]}},
    {"vcf.ray.namespace": {"name": "{{ world.namespace }}", "supervisor": "{{ world.supervisor }}", "vm_classes": ["best-effort-small"],
                           "storage_policies": [{"policy": "{{ world.policy }}"}], "content_libraries": ["{{ world.library }}"]}},
]
DOWN = [
    {"vcf.ray.namespace": {"name": "{{ world.namespace }}", "state": "absent"}},
    {"vcf.ray.content_library": {"name": "{{ world.library }}", "state": "absent"}},
]
OLD = "7.0.3"
# Packages are made, and fetched by a Supervisor, on this version.
NEW = "9.1"
# The role vi_admin with the variables of ``lab up``; of HOSTS, by USER.
ROLE = """
- hosts: {hosts}
  connection: local
  gather_facts: false
  module_defaults:
    group/vcf.ray.vcenter:
      {{hostname: "{{{{ vcenter_hostname }}}}", username: "{{{{ {user} }}}}", password: "{{{{ vcenter_password }}}}", ca_path: "{{{{ vcenter_ca_path }}}}"}}
  roles: [vcf.ray.vi_admin]
"""


def role(hosts: str = "localhost", user: str = "vcenter_username") -> str:
    """A playbook that runs vi_admin; ``user`` is the variable with the name to log in by."""
    return ROLE.format(hosts=hosts, user=user)


def variables(lab: Lab, version: str) -> dict[str, t.Any]:
    """Extra variables of the plays; those of ``lab up`` are there too."""
    own = lab.variables()
    password = own["vcenter_password"]
    login = {"hostname": own["vcenter_hostname"], "username": own["vcenter_username"], "password": password, "ca_path": own["vcenter_ca_path"]}
    # Before 8.0 a Supervisor is known by its cluster.
    supervisor = NAMES["cluster"] if version == OLD else "world-supervisor"
    world = {**NAMES, "password": password, "ca": own["vcenter_ca_path"], "package": own["vi_admin_service_package"], "supervisor": supervisor,
             "spec": {k: v for k, v in own["vi_admin_supervisor"].items() if k != "name"}, "version": version, "api_endpoint": "10.244.1.2", "folder": str(lab.state),
             "ray_version": own["devops_user_clusters"][0]["ray_image"].rpartition(":")[2], "image_archive": str(lab.state / "operator-image.tar.gz"),
             "manifests": str(lab.state / "world/operator/artifacts/ytt-vsphere.yaml")}
    if version == NEW:
        world |= {"operator_source": own["carvel_package_source"], "registry_username": own["carvel_package_username"],
                  "registry_password": own["carvel_package_password"]}
    return {"login": login, "world": world, "supervisor_login": {
        "hostname": world["api_endpoint"], "username": login["username"], "password": password, "ca_path": login["ca_path"]}}


def begin(lab: Lab, version: str) -> None:
    """What cases find that the product does not make for them: the operator's manifests, and the Supervisor of 7.0.3, which its admin has enabled."""
    copy = lab.state / "world/operator"
    if version == NEW and not copy.exists():
        shutil.copytree(lab.variables()["carvel_package_source"], copy)
        done = lab.exec("make", "-C", str(copy), "vsphere-yaml")
        assert done.returncode == 0, done.stdout + done.stderr
    if version == OLD and not lab.ask("/state")["supervisors"]:
        lab.ask("/supervisors", "POST", {"cluster": NAMES["cluster"], "name": NAMES["cluster"]})


def normal(text: str) -> str:
    """Without what differs from one run to the next: ids and times."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text, flags=re.IGNORECASE)
    return re.sub(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|\+00:00)", "TIME", text)
