#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read content libraries and their items."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: content_library_info
short_description: Read content libraries and their items
version_added: "1.0.0"
description:
  - Reads content libraries, subscribed and local ones, all of a vCenter or those of a name or type, and on request their items.
notes:
  - This costs one request to find them beside login and logout, and one for each library; with O(items) one more for each library, and one
    for each item.
  - Works with vCenter 7.0 U3 and later. The facts about the API come from the vendor's SDK bindings 9.1.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.attributes.info
options:
  name:
    description: Name of the libraries, or id of one. Case does not count, and several libraries may have one name.
    type: str
  type:
    description: Only libraries of this type.
    type: str
    choices: [subscribed, local]
  items:
    description: Whether to read the items too.
    type: bool
    default: false
seealso:
  - module: vcf.ray.content_library
"""

EXAMPLES = r"""
---
- name: What is in the library of the node images, and does it pass the security policy?
  vcf.ray.content_library_info:
    name: ray-images
    items: true
  register: found

- name: Show the items that it has refused
  ansible.builtin.debug:
    msg: "{{ found.content_libraries | map(attribute='library_items') | flatten | selectattr('security_compliance', 'false') | map(attribute='name') }}"
"""

RETURN = r"""
---
content_libraries:
  description: The libraries, sorted by name; an empty list when there is none. Passwords are never told.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id.
      returned: always
      type: str
    name:
      description: Name.
      returned: always
      type: str
    type:
      description: V(subscribed) or V(local).
      returned: always
      type: str
    description:
      description: What the library is for.
      returned: always
      type: str
    datastore:
      description: Id of the datastore.
      returned: always
      type: str
    security_policy:
      description: Id of the security policy, an empty string without one.
      returned: always
      type: str
    subscription_url:
      description: Address of the publisher's C(lib.json).
      returned: for a subscribed library
      type: str
    on_demand:
      description: Whether files are fetched only when they are needed.
      returned: for a subscribed library
      type: bool
    automatic_sync:
      description: Whether vCenter synchronises the library by itself.
      returned: for a subscribed library
      type: bool
    ssl_thumbprint:
      description: Thumbprint of the certificate that is trusted.
      returned: when vCenter tells it
      type: str
    ssl_certificate:
      description: Certificate that is trusted.
      returned: when vCenter tells it
      type: str
    authentication:
      description: V(none) or V(basic).
      returned: always
      type: str
    library_username:
      description: User at the publisher.
      returned: for a subscribed library with authentication
      type: str
    published:
      description: Whether it can be subscribed to.
      returned: for a local library
      type: bool
    publish_url:
      description: What those who subscribe to it use as subscription_url.
      returned: for a published library
      type: str
    persist_json:
      description: Whether its C(lib.json) is kept on the datastore too.
      returned: for a local library
      type: bool
    last_sync_time:
      description: When a synchronisation was last started or ended, as vCenter tells.
      returned: when it was synchronised
      type: str
    library_items:
      description: All its items, sorted by name.
      returned: with O(items)
      type: list
      elements: dict
      contains:
        id:
          description: Id.
          type: str
        name:
          description: Name.
          type: str
        type:
          description: Type, such as V(ovf) or V(iso).
          type: str
        cached:
          description: Whether its files lie on the datastore.
          type: bool
        security_compliance:
          description: Whether it complies with the security policy.
          type: bool
        verification:
          description: What came out of the check of its signature, such as V(VERIFIED), V(UNTRUSTED), V(VERIFICATION_FAILURE) or V(NOT_AVAILABLE).
          type: str
"""

from ..module_utils._clients import vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task
from ..module_utils._resources.library_list import list_libraries

SPEC = {"name": {"type": "str"}, "type": {"type": "str", "choices": ["subscribed", "local"]}, "items": {"type": "bool", "default": False}}


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """As many requests as were asked for."""
    p = task.params
    return {"changed": False, "content_libraries": list_libraries(client, p["name"], p["type"], p["items"])}


def main() -> None:
    run({**vcenter.ARGSPEC, **SPEC}, vcenter.connect, ensure)


if __name__ == "__main__":
    main()
