#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscribe to a content library, or remove the subscription."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: content_library
short_description: Subscribe to a content library, or remove the subscription
version_added: "0.1.0"
description:
  - Makes a content library that is subscribed to a publisher, changes it, or removes it.
  - Before a library is made, vCenter is asked whether it can reach and trust the publisher; if not, the module fails
    and names the thumbprint of the certificate.
  - vCenter allows several libraries of one name; then the module fails.
notes:
  - When there is nothing to change, this costs two requests beside login and logout, two for each of O(items), and one each to find
    O(datastore) and O(security_policy) by name.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.wait
  - vcf.ray.attributes
options:
  name:
    description: Name of the library.
    type: str
    required: true
  type:
    description: Type of the library. There is one so far.
    type: str
    choices: [subscribed]
    default: subscribed
  subscription_url:
    description: Address of the publisher's C(lib.json). Needed to make a library.
    type: str
  on_demand:
    description: Whether files are fetched only when they are needed.
    type: bool
    default: true
  automatic_sync:
    description: Whether vCenter synchronises the library by itself.
    type: bool
    default: true
  ssl_thumbprint:
    description: SHA-256 thumbprint of the publisher's certificate, to trust it without its CA.
    type: str
  security_policy:
    description: Security policy for OVF items, by name or id, such as V(OVF default policy).
    type: str
  datastore:
    description: Datastore for the files, by name or id. Needed to make a library; it cannot be changed.
    type: str
  items:
    description: Names of items that must be there. If one is not, the library is synchronised, and the module waits for it.
    type: list
    elements: str
  state:
    description: Whether the object is to be there.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
---
- name: Subscribe to the node images
  vcf.ray.content_library:
    name: ray-images
    subscription_url: https://packages.vmware.com/dl-vm/lib.json
    datastore: datastore1
    security_policy: OVF default policy
"""

RETURN = r"""
---
content_library:
  description: The library, or nothing when it is removed.
  returned: success
  type: dict
  contains:
    id:
      description: Id.
      returned: when it exists
      type: str
    name:
      description: Name.
      returned: always
      type: str
    type:
      description: Type.
      returned: when it exists
      type: str
    subscription_url:
      description: Address of the publisher's C(lib.json).
      returned: always
      type: str
    on_demand:
      description: Whether files are fetched only when they are needed.
      returned: always
      type: bool
    automatic_sync:
      description: Whether vCenter synchronises the library by itself.
      returned: always
      type: bool
    ssl_thumbprint:
      description: Thumbprint of the certificate that is trusted.
      returned: when it is set
      type: str
    security_policy:
      description: Id of the security policy.
      returned: when it is set
      type: str
    datastore:
      description: Id of the datastore.
      returned: always
      type: str
    last_sync_time:
      description: When it was synchronised.
      returned: when it exists
      type: str
    items:
      description: Those of O(items) that are there, each with C(id), C(name), C(type), C(security_compliance) and C(cached).
      returned: when it exists
      type: list
      elements: dict
    missing_items:
      description: Those of O(items) that are not there.
      returned: always
      type: list
      elements: str
"""

from ..module_utils import _wait
from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.content_library import ContentLibrary

SPEC = {
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "choices": ["subscribed"], "default": "subscribed"},
    "subscription_url": {"type": "str"},
    "on_demand": {"type": "bool", "default": True},
    "automatic_sync": {"type": "bool", "default": True},
    "ssl_thumbprint": {"type": "str"},
    "security_policy": {"type": "str"},
    "datastore": {"type": "str"},
    "items": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
DESIRED = ("name", "subscription_url", "on_demand", "automatic_sync", "ssl_thumbprint", "security_policy", "datastore")


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Bring the library to what the options say."""
    p = task.params
    desired = {key: p[key] for key in DESIRED} if p["state"] == "present" else None
    return reconcile(task, ContentLibrary(client, p["name"], p["items"]), desired)


def main() -> None:
    run({**vcenter.ARGSPEC, **_wait.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
