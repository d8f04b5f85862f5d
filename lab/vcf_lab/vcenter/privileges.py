# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which privileges each call needs, and who has them.

Administrators have all; every other user has exactly what PUT /privileges of the lab's own port gave,
on every object. Names are those of vSphere. Source: the documentation inside vmware-vcenter 9.1.1.0
(":raise: Unauthorized if you do not have all of the privileges ..."); lines with a * are inferred:
that source says nothing for them, or says only "the required privileges".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .directory import Directory, full_name, principal_key
from .errors import ApiError

# Calls that any user may make who is logged in.
OPEN_TO_ALL = ("/api/session", "/api/vcenter/namespaces-user")

# Methods, path below /api, or all of it for the older /rest (with ?action where it matters; the first line that fits counts), privileges.
TABLE = """
GET         /vcenter/namespace-management/supervisors/summaries                 Namespaces.Manage System.Read
GET         /vcenter/namespace-management/supervisors/{}/summary                Namespaces.Manage System.Read
GET         /vcenter/namespace-management/supervisors/{}/topology               Namespaces.Manage System.Read
GET       * /vcenter/namespace-management/supervisors/{}/conditions             System.Read
GET         /vcenter/namespace-management/supervisors/{}/supervisor-services    System.Read
GET         /vcenter/namespace-management/supervisors/{}/supervisor-services/{}  SupervisorServices.Install
GET         /vcenter/namespace-management/supervisors/{}/supervisor-services/{}/versions/{}/precheck  SupervisorServices.Install
GET       * /vcenter/namespace-management/supervisors/{}/supervisor-services/{}/versions/{}...  System.Read
POST|PUT|DELETE  /vcenter/namespace-management/supervisors/{}/supervisor-services...  SupervisorServices.Install
GET         /vcenter/namespace-management/supervisors/{}...                     System.Read
ANY         /vcenter/namespace-management/supervisors...                        Namespaces.Manage

GET         /vcenter/namespace-management/clusters/{}/supervisor-services       System.Read
GET         /vcenter/namespace-management/clusters/{}/supervisor-services/{}    SupervisorServices.Install
POST|PUT|DELETE  /vcenter/namespace-management/clusters/{}/supervisor-services...  SupervisorServices.Install
GET         /vcenter/namespace-management/clusters...                           System.Read
ANY         /vcenter/namespace-management/clusters...                           Namespaces.Manage
GET         /vcenter/namespace-management/cluster-compatibility...              System.Read
GET         /vcenter/namespace-management/software...                           System.Read
ANY         /vcenter/namespace-management/software...                           Namespaces.Upgrade
GET         /vcenter/namespace-management/capability...                         System.Read
GET         /vcenter/namespace-management/distributed-switch-compatibility...   System.Read
GET         /vcenter/namespace-management/edge-cluster-compatibility...         System.Read
GET       * /vcenter/namespace-management/networks/...                          System.Read
GET         /vcenter/namespace-management/nsx-tier0-gateways...                 System.Read
GET         /vcenter/consumption-domains/zones...                               System.Read
ANY         /vcenter/consumption-domains/zones...                               Zone.Manage

POST        /vcenter/namespace-management/supervisor-services?checkContent      System.Read
GET         /vcenter/namespace-management/supervisor-services...                System.Read
ANY         /vcenter/namespace-management/supervisor-services...                SupervisorServices.Manage
GET         /vcenter/namespace-management/virtual-machine-classes...            System.Read
ANY         /vcenter/namespace-management/virtual-machine-classes...            VirtualMachineClasses.Manage
GET         /vcenter/namespaces/instances...                                    System.Read
ANY         /vcenter/namespaces/instances...                                    Namespaces.Configure

GET         /content/security-policies                                          System.Read
GET         /content/trusted-certificates...                                    System.Read
POST        /content/trusted-certificates                                       ContentLibrary.AddCertToTrustStore
DELETE      /content/trusted-certificates/{}                                    ContentLibrary.DeleteCertFromTrustStore
GET         /content/library/item/{}/storage...                                 ContentLibrary.ReadStorage
ANY         /content/library/item/update-session...                             ContentLibrary.UpdateSession
ANY         /content/library/item/download-session...                           ContentLibrary.DownloadSession
GET         /content/library...                                                 System.Read
GET         /rest/com/vmware/content/library/item/file                          System.Read
POST        /content/library/item?find                                          System.Read
POST        /content/library/item                                               ContentLibrary.AddLibraryItem
PATCH       /content/library/item/{}                                            ContentLibrary.UpdateLibraryItem
DELETE      /content/library/item/{}                                            ContentLibrary.DeleteLibraryItem
ANY       * /content/library/item/{}/...                                        ContentLibrary.UpdateSession
POST        /content/library/subscribed-item/{}?sync                            ContentLibrary.SyncLibraryItem
POST        /content/library/subscribed-item/{}?evict                           ContentLibrary.EvictLibraryItem
POST        /content/library?find                                               System.Read
POST        /content/library/{}?force-delete                                    ContentLibrary.DeleteLibrary
PATCH|POST  /content/library/{}                                                 ContentLibrary.UpdateLibrary
DELETE      /content/library/{}                                                 ContentLibrary.DeleteLibrary
GET         /content/subscribed-library...                                      System.Read
POST        /content/subscribed-library?probe                                   ContentLibrary.ProbeSubscription
POST        /content/subscribed-library/{}?sync                                 ContentLibrary.SyncLibrary
POST        /content/subscribed-library/{}?evict                                ContentLibrary.EvictSubscribedLibrary
POST        /content/subscribed-library/{}?force-delete                         ContentLibrary.DeleteSubscribedLibrary
POST        /content/subscribed-library                                         ContentLibrary.CreateSubscribedLibrary Datastore.AllocateSpace
PATCH       /content/subscribed-library/{}                                      ContentLibrary.UpdateSubscribedLibrary
DELETE      /content/subscribed-library/{}                                      ContentLibrary.DeleteSubscribedLibrary
GET         /content/local-library...                                           System.Read
POST        /content/local-library/{}?publish                                   ContentLibrary.PublishLibrary
POST        /content/local-library/{}?force-delete                              ContentLibrary.DeleteLocalLibrary
POST        /content/local-library                                              ContentLibrary.CreateLocalLibrary Datastore.AllocateSpace
PATCH       /content/local-library/{}                                           ContentLibrary.UpdateLocalLibrary
DELETE      /content/local-library/{}                                           ContentLibrary.DeleteLocalLibrary

GET       * /vcenter/storage/policies...                                        StorageProfile.View
POST      * /vcenter/storage/policies/{}?check-compatibility                    StorageProfile.View
GET         /vcenter/cluster/{}                                                 System.Read
GET       * /vcenter/cluster                                                    System.Read
GET       * /vcenter/datacenter...                                              System.Read
GET       * /vcenter/datastore...                                               System.Read
GET       * /vcenter/folder...                                                  System.Read
GET       * /vcenter/host...                                                    System.Read
GET       * /vcenter/network...                                                 System.Read
GET         /vcenter/certificate-management/vcenter/trusted-root-chains...      System.Read
POST|DELETE  /vcenter/certificate-management/vcenter/trusted-root-chains...     CertificateManagement.Manage
"""


@dataclass(frozen=True)
class Rule:
    """One line of the table."""

    methods: frozenset[str]  # empty: any
    path: str
    action: str  # empty: whatever it is
    privileges: tuple[str, ...]
    inferred: bool
    pattern: re.Pattern[str]

    def fits(self, method: str, path: str, action: str) -> bool:
        return (not self.methods or method in self.methods) and self.action in ("", action) and bool(self.pattern.fullmatch(path))


def _rule(line: str) -> Rule:
    methods, *rest = line.split()
    inferred = rest[0] == "*"
    path, *privileges = rest[inferred:]
    path, _, action = path.partition("?")
    path = path if path.startswith("/rest") else "/api" + path
    pattern = re.escape(path).replace(re.escape("{}"), "[^/]+")
    # `...`: this path and all below it.
    pattern = re.sub(r"(/?)" + re.escape(re.escape("...")) + "$", "(/.*)?", pattern)
    wanted = frozenset() if methods == "ANY" else frozenset(methods.split("|"))
    return Rule(wanted, path, action, tuple(privileges), inferred, re.compile(pattern))


RULES = tuple(_rule(line) for line in TABLE.splitlines() if line)
NAMES = frozenset(name for rule in RULES for name in rule.privileges)


def rule_of(method: str, path: str, action: str = "") -> Rule | None:
    """The line that counts for a call; None for one that the table forgot."""
    return next((rule for rule in RULES if rule.fits(method, path, action)), None)


class Grants:
    """Privileges of users and groups that are no administrators; in memory, as they are a test's."""

    def __init__(self) -> None:
        self._given: dict[str, frozenset[str]] = {}

    def set(self, wanted: dict[str, list[str]]) -> None:
        """Give each of these exactly its list; ValueError for a name that no call asks for."""
        for principal, names in wanted.items():
            unknown = sorted(set(names) - NAMES)
            if unknown:
                raise ValueError(f"{principal}: there is no privilege {unknown[0]}. There are: {', '.join(sorted(NAMES))}.")
        self._given |= {principal_key(principal): frozenset(names) for principal, names in wanted.items()}

    def of(self, *principals: str) -> frozenset[str]:
        """What any of these principals has."""
        return frozenset().union(*(self._given.get(principal_key(principal), frozenset()) for principal in principals))

    def listing(self) -> dict[str, list[str]]:
        return {principal: sorted(names) for principal, names in self._given.items()}


def check(request: web.Request, directory: Directory, user: dict[str, Any]) -> None:
    """UNAUTHORIZED, naming the first privilege that the user does not have."""
    if request.path.startswith(OPEN_TO_ALL):
        return
    rule = rule_of(request.method, request.path, request.query.get("action", ""))
    needed = rule.privileges if rule else ()
    request.setdefault("privileges", []).extend(needed)
    if directory.is_administrator(user) or (rule is None and request.match_info.http_exception is not None):
        return
    if rule is None:
        raise _refused(full_name(user), "of an administrator")
    have = request.app["grants"].of(full_name(user), *directory.groups_of(user))
    for name in needed:
        if name not in have:
            raise _refused(full_name(user), name)


def _refused(user: str, privilege: str) -> ApiError:
    """The vendor's form; that its text names the privilege is known of the inventory service, here it is inferred."""
    text = f"Permission to perform this operation was denied. The user {user} does not have the required privilege '{privilege}'."
    return ApiError("UNAUTHORIZED", text, id="vapi.security.authorization.invalid", args=[user, privilege])
