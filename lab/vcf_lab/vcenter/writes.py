# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests write. Everything else may be sent as often as one likes."""

from __future__ import annotations

import re

# POSTs of the REST side that only read. A login and a logout change no object either.
_READING_ACTION = re.compile(r"[?&](~?action)=(find|probe|checkContent|check-compatibility|get)\b")
_SESSION = re.compile(r"^/(api/session|rest/com/vmware/cis/session|sts/)")
_SOAP = ("/sso-adminserver/", "/sdk", "/pbm")
# SOAP operations that read, or that make something which lives no longer than the session.
_READING_OPERATION = re.compile(
    r"(Find|Get|Query|Retrieve|Continue|Cancel|Check|Wait|Has|Log(in|out)|CurrentTime|SsoAdminServiceInstance|Pbm(Query|Retrieve|Check|Fetch|Find)"
    r"|Create(ContainerView|ListView|InventoryView|Filter|PropertyCollector)|Destroy(View|PropertyFilter|PropertyCollector)|List)"
)


def is_soap(path: str) -> bool:
    """Whether the answer to this path is an envelope."""
    return path.startswith(_SOAP) or path.startswith("/sts/")


def is_write(method: str, path: str, operation: str = "") -> bool:
    """Whether a request may change an object.

    Args:
        path: with the query.
        operation: of a SOAP request; one that cannot be read counts as a write.
    """
    if method in ("GET", "HEAD", "OPTIONS") or _SESSION.search(path) or _READING_ACTION.search(path):
        return False
    return not (path.startswith(_SOAP) and _READING_OPERATION.match(operation))
