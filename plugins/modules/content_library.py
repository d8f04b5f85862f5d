#!/usr/bin/python
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make, change or remove a content library, subscribed or local, and wait for its items and their images."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: content_library
short_description: Make, change or remove a content library
version_added: "1.0.0"
description:
  - Makes, changes or removes a content library, either one that is subscribed to a publisher or a local one, which may be published itself.
  - Waits until the items that are named are there, with their files where they are fetched at once, and on request until a namespace offers
    them as images for virtual machines.
  - Before a library is made or its subscription changed, vCenter is asked whether it can reach and trust the publisher; if not, the module
    fails in check mode too, with the reason, and for a certificate that is not trusted with its thumbprint.
  - A run that was cut off is finished by the next one; a library that has never been synchronised is.
notes:
  - When there is nothing to change, this costs two requests beside login and logout, two more for each of O(items), one each to find
    O(datastore) and O(security_policy) by name, and one each for O(evict) and O(ssl_certificate). With O(image) and O(supervisor_login), one
    login and one list at the Supervisor, and up to three requests to find its address unless O(supervisor_login.hostname) is given.
  - vCenter allows several libraries of one name and kind. Then the module fails and lists their ids, one of which can be given as O(name).
  - Works with vCenter 7.0 U3 and later. O(ssl_certificate) needs 9.0.
  - A removal costs one request more, which from 9.1 on tells who uses the library; a library in use is not removed. Before 9.1 vCenter
    removes it all the same, so detach it from its namespaces first.
  - Files of items that their publisher has removed stay on the datastore of a library with O(on_demand) V(false), and no API takes them away.
  - The facts about the API come from the vendor's SDK bindings 9.1 and its OpenAPI description of 9.1.
author:
  - Contributors to the vcf.ray project (@vcf-ray)
extends_documentation_fragment:
  - vcf.ray.vcenter
  - vcf.ray.vcenter.server
  - vcf.ray.wait
  - vcf.ray.supervisor_login
  - vcf.ray.attributes
options:
  name:
    description: Name of the library, or its id. Case does not count.
    type: str
    required: true
  type:
    description:
      - Kind of the library. It cannot be changed; a library of that name and another kind makes the module fail.
      - With O(state) V(absent) only a library of this kind is removed.
    type: str
    choices: [subscribed, local]
    default: subscribed
  description:
    description: What the library is for.
    type: str
  datastore:
    description:
      - Datastore for the files, by name, path such as V(DC0/datastore/name), or id. Needed to make a library; it cannot be changed.
      - From VCF 9.1 one is wanted that fits a storage policy; see M(vcf.ray.storage_policy_info).
    type: str
  security_policy:
    description:
      - Security policy for OVF items, by name or id, such as V(OVF default policy). An empty string takes it away.
      - Items whose signature it refuses are shown by vCenter as Verification Failed, and get no files.
    type: str
  subscription_url:
    description: Whole address of the publisher's C(lib.json). Needed to make a subscribed library.
    type: str
  on_demand:
    description: Whether files are fetched only when they are needed, not at once. V(true) for a new subscribed library, if not set.
    type: bool
  automatic_sync:
    description: Whether vCenter synchronises the library by itself from time to time. V(true) for a new subscribed library, if not set.
    type: bool
  ssl_thumbprint:
    description:
      - SHA-256 thumbprint of the publisher's certificate, to trust just that one, without its CA. Nothing is trusted unless you say so here
        or in O(ssl_certificate), or vCenter knows the CA.
      - vCenter need not tell it again. What it does not tell is named in RV(content_library.not_compared), and is sent with a new library, another
        O(subscription_url) or O(authentication), or with O(update_password) V(always).
    type: str
  ssl_certificate:
    description: The publisher's certificate as PEM, instead of O(ssl_thumbprint). Needs vCenter 9.0, and is not told again either.
    type: str
  authentication:
    description:
      - For a subscribed library, how vCenter logs in at the publisher; for a local one, what it asks of its subscribers.
      - V(none) for a new library, if not set.
    type: str
    choices: [none, basic]
  library_username:
    description: User at the publisher, for O(authentication) V(basic). V(vcsp), the only user of a vCenter that publishes, if not set.
    type: str
  library_password:
    description: Password for O(authentication) V(basic).
    type: str
  library_current_password:
    description:
      - The password that a published local library has so far. vCenter wants it before it changes the password, takes O(authentication) away
        or ends the publication. O(library_password) if not set.
    type: str
  update_password:
    description:
      - When O(library_password), and O(ssl_thumbprint) or O(ssl_certificate) where vCenter does not tell them, are sent. V(on_create) is with
        a new library, another O(subscription_url) or another O(authentication). They cannot be compared, so V(always) sends them at each
        run and reports a change each time.
    type: str
    choices: [always, on_create]
    default: on_create
  published:
    description: Whether a local library can be subscribed to.
    type: bool
  persist_json:
    description: Whether a published local library keeps its C(lib.json) on the datastore too, for copies by hand.
    type: bool
  items:
    description:
      - Names of items that must be there, with their files unless O(on_demand). If one is not, a subscribed library is synchronised, and the
        module waits for it.
    type: list
    elements: str
  sync:
    description:
      - Synchronise now. Each run with it reports a change, since it sets RV(content_library.last_sync_time). To synchronise only if something is
        missing, name O(items) instead.
    type: bool
    default: false
  evict:
    description: Take the files of all items but O(items) off the datastore. Only for libraries with O(on_demand), which fetch them again when needed.
    type: bool
    default: false
  image:
    description:
      - Wait until items of this library can be used for virtual machines in a namespace. The library must be attached to it already.
      - Only the Supervisor can tell, so this needs O(supervisor_login). Without it RV(content_library.images) is C(not_checked).
    type: dict
    suboptions:
      namespace:
        description: Name of the namespace.
        type: str
        required: true
      names:
        description: Names of the items; O(items) if not set.
        type: list
        elements: str
  state:
    description: Whether the object is to be there.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: vcf.ray.content_library_info
  - module: vcf.ray.storage_policy_info
  - module: vcf.ray.vm_image_info
"""

EXAMPLES = r"""
---
- name: Subscribe to the node images
  vcf.ray.content_library:
    name: ray-images
    subscription_url: https://packages.vmware.com/dl-vm/lib.json
    datastore: datastore1
    security_policy: OVF default policy
    items: [ubuntu-22.04-ray]

- name: Wait until the namespace offers the image
  vcf.ray.content_library:
    name: ray-images
    items: [ubuntu-22.04-ray]
    image:
      namespace: deploy-ray
    supervisor_login:
      username: administrator@vsphere.local
      password: "{{ supervisor_password }}"
      ca_path: supervisor-ca.pem

- name: Publish a library to other sites
  vcf.ray.content_library:
    name: golden-images
    type: local
    datastore: datastore1
    published: true
    authentication: basic
    library_password: "{{ library_password }}"

- name: Subscribe to it elsewhere, trusting just its certificate
  vcf.ray.content_library:
    hostname: vcenter2.example.com
    name: golden-images
    subscription_url: "{{ publication.content_library.publish_url }}"
    datastore: datastore2
    ssl_thumbprint: "{{ thumbprint_told_by_the_publisher }}"
    authentication: basic
    library_password: "{{ library_password }}"
    on_demand: false
"""

RETURN = r"""
---
content_library:
  description: The library, or nothing when it is removed. In check mode what is not known yet is left out.
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
      description: V(subscribed) or V(local).
      returned: when it exists
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
    synchronized:
      description: Whether a subscribed library has been synchronised; with O(sync), by this task.
      returned: for a subscribed library
      type: bool
    password_updated:
      description: Whether this task has set the password, thumbprint or certificate.
      returned: always
      type: bool
    not_compared:
      description: Options that were given and that vCenter does not tell again, so that nobody knows whether the library has them.
      returned: when it exists
      type: list
      elements: str
    library_items:
      description: Those of O(items) that are there.
      returned: when it exists
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
    missing_items:
      description: Those of O(items) that are not there, or not with the files that they should have.
      returned: always
      type: list
      elements: str
    stale_items:
      description: Items whose files O(evict) takes off the datastore, each with C(id) and C(name).
      returned: always
      type: list
      elements: dict
    images:
      description: For each name its C(item), the C(image) in the namespace, whether it is C(ready), and the C(reason); or C(not_checked).
      returned: with O(image)
      type: raw
"""

from ..module_utils import _wait
from ..module_utils._clients import kube_login, vcenter
from ..module_utils._module import run
from ..module_utils._reconcile import Task, reconcile
from ..module_utils._resources.content_library import ContentLibrary
from ..module_utils._resources.library_images import Images
from ..module_utils._resources.library_secrets import LibrarySecrets

IMAGE = {"namespace": {"type": "str", "required": True}, "names": {"type": "list", "elements": "str"}}
SPEC = {
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "choices": ["subscribed", "local"], "default": "subscribed"},
    "description": {"type": "str"},
    "datastore": {"type": "str"},
    "security_policy": {"type": "str"},
    "subscription_url": {"type": "str"},
    "on_demand": {"type": "bool"},
    "automatic_sync": {"type": "bool"},
    "ssl_thumbprint": {"type": "str"},
    "ssl_certificate": {"type": "str"},
    "authentication": {"type": "str", "choices": ["none", "basic"]},
    "library_username": {"type": "str"},
    "library_password": {"type": "str", "no_log": True},
    "library_current_password": {"type": "str", "no_log": True},
    "update_password": {"type": "str", "choices": ["always", "on_create"], "default": "on_create", "no_log": False},
    "published": {"type": "bool"},
    "persist_json": {"type": "bool"},
    "items": {"type": "list", "elements": "str"},
    "sync": {"type": "bool", "default": False},
    "evict": {"type": "bool", "default": False},
    "image": {"type": "dict", "options": IMAGE},
    **kube_login.ARGSPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
DESIRED = ("name", "type", "description", "datastore", "security_policy", "subscription_url", "on_demand", "automatic_sync", "ssl_thumbprint",
           "ssl_certificate", "authentication", "library_username", "published", "persist_json")


def ensure(task: Task, client: vcenter.VCenter) -> dict:
    """Bring the library to what the options say."""
    p = task.params
    if p["state"] == "absent":
        return reconcile(task, ContentLibrary(client, p["type"], p["name"]), None)
    trust = {key: p[key] for key in ("ssl_thumbprint", "ssl_certificate")}
    secrets = LibrarySecrets(p["library_password"], p["library_current_password"], trust, p["update_password"] == "always")
    images = images_of(task, client)
    library = ContentLibrary(client, p["type"], p["name"], p["items"], sync=p["sync"], evict=p["evict"], secrets=secrets, images=images)
    try:
        return reconcile(task, library, {key: p[key] for key in DESIRED})
    finally:
        if images:
            images.close()


def images_of(task: Task, client: vcenter.VCenter) -> Images | None:
    """What to look at in a namespace, if the user wants to."""
    wanted, login = task.params["image"], task.params["supervisor_login"] or {}
    if not wanted:
        return None
    names = task.params["items"] if wanted["names"] is None else wanted["names"]
    return Images(client, wanted["namespace"], names or [], kube_login.opener(task), addressed=bool(login.get("hostname")))


def main() -> None:
    run({**vcenter.ARGSPEC, **_wait.ARGSPEC, **SPEC}, vcenter.connect, ensure, mutually_exclusive=[("ssl_thumbprint", "ssl_certificate")])


if __name__ == "__main__":
    main()
