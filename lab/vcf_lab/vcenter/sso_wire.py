# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the SSO administration service takes: which service has which operation, and its parameters in order.

The server reads parameters in the order of its description, so one in a wrong place is a fault.
Source: the types of govmomi's ssoadmin package (v0.56.0), which are made from the vendor's WSDL.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from .soap import Call, SoapFault, local

TEXT = str
NUMBER = int
# A parameter's name and its shape: a type, or a structure; `?` says that it may be left out, `+` that it may repeat.
Shape = Any
PRINCIPAL = {"name": TEXT, "domain": TEXT}
PERSON = {"description?": TEXT, "emailAddress?": TEXT, "firstName?": TEXT, "lastName?": TEXT}
GROUP = {"description?": TEXT}
CRITERIA = {"criteria": {"searchString": TEXT, "domain": TEXT}, "limit": NUMBER}
IN_GROUP = {"groupId": PRINCIPAL, "searchString": TEXT, "limit": NUMBER}
USER = {"userId": PRINCIPAL}

SERVICES: dict[str, dict[str, dict[str, Shape]]] = {
    "ssoSessionManager": {"Logout": {}},
    "principalDiscoveryService": {
        "FindUser": USER,
        "FindPersonUser": USER,
        "FindPersonUsers": CRITERIA,
        "FindUsers": CRITERIA,
        "FindGroup": {"groupId": PRINCIPAL},
        "FindGroups": CRITERIA,
        "FindUsersInGroup": IN_GROUP,
        "FindPersonUsersInGroup": IN_GROUP,
        "FindGroupsInGroup": IN_GROUP,
        "FindParentGroups": {**USER, "groupList?+": PRINCIPAL},
        "FindDirectParentGroups": {"principalId": PRINCIPAL},
        "FindNestedParentGroups": USER,
    },
    "principalManagementService": {
        "CreateLocalPersonUser": {"userName": TEXT, "userDetails": PERSON, "password": TEXT},
        "UpdateLocalPersonUserDetails": {"userName": TEXT, "userDetails": PERSON},
        "ResetLocalPersonUserPassword": {"userName": TEXT, "newPassword": TEXT},
        "ResetSelfLocalPersonUserPassword": {"newPassword": TEXT},
        "DeleteLocalPrincipal": {"principalName": TEXT},
        "CreateLocalGroup": {"groupName": TEXT, "groupDetails": GROUP},
        "UpdateLocalGroupDetails": {"groupName": TEXT, "groupDetails": GROUP},
        "AddUserToLocalGroup": {**USER, "groupName": TEXT},
        "AddUsersToLocalGroup": {"userIds+": PRINCIPAL, "groupName": TEXT},
        "AddGroupToLocalGroup": {"groupId": PRINCIPAL, "groupName": TEXT},
        "AddGroupsToLocalGroup": {"groupIds+": PRINCIPAL, "groupName": TEXT},
        "RemoveFromLocalGroup": {"principalId": PRINCIPAL, "groupName": TEXT},
        "RemovePrincipalsFromLocalGroup": {"principalsIds+": PRINCIPAL, "groupName": TEXT},
        "DisableUserAccount": USER,
        "EnableUserAccount": USER,
        "UnlockUserAccount": USER,
    },
    "passwordPolicyService": {"GetLocalPasswordPolicy": {}},
    "lockoutPolicyService": {"GetLockoutPolicy": {}},
    "domainManagementService": {"GetDomains": {}, "GetSystemDomainName": {}, "GetDefaultDomains": {}},
}


def check(call: Call) -> None:
    """A fault for an operation that the addressed service does not have, or parameters out of their order."""
    operations = SERVICES.get(call.target)
    if operations is None:
        text = f"The object '{call.target}' has already been deleted or has not been completely created"
        raise SoapFault(text, "ManagedObjectNotFoundFault", namespace="urn:vim25")
    if call.operation not in operations:
        raise SoapFault(f"Unknown method {call.operation}", "MethodNotFoundFault", namespace="urn:vim25")
    sent = [entry for entry in call.parameters if local(entry) != "_this"]
    _check(sent, operations[call.operation], call.operation)


def _check(sent: list[ET.Element], shape: dict[str, Shape], where: str) -> None:
    rest = list(sent)
    for mark, inner in shape.items():
        name = mark.rstrip("?+")
        here = 0
        while rest and local(rest[0]) == name and (here == 0 or "+" in mark):
            _check_value(rest.pop(0), inner, f"{where}.{name}")
            here += 1
        if not here and "?" not in mark:
            found = f", found {local(rest[0])}" if rest else ""
            raise _refused(f"Required parameter {name} is missing{found}", where)
    if rest:
        raise _refused(f"Unexpected element {local(rest[0])}", where)


def _check_value(element: ET.Element, shape: Shape, where: str) -> None:
    if isinstance(shape, dict):
        _check(list(element), shape, where)
    elif len(element):
        raise _refused(f"Unexpected element {local(element[0])}", where)
    elif shape is NUMBER and not (element.text or "").strip().lstrip("-").isdigit():
        raise _refused(f"'{element.text or ''}' is not a number", where)


def _refused(text: str, where: str) -> SoapFault:
    return SoapFault(f"{text} while parsing call information for method {where}", "InvalidRequestFault", namespace="urn:vim25")
