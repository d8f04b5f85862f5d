# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Supervisor says of a version before it is installed there, from vCenter 8.0.3 on."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from .. import _wait
from .._errors import RayError
from .._ports import Json, VCenter
from .messages import joined, texts
from .service_install import BASE, INSTALL, needing, ride_out
from .supervisor import is_cluster

SINCE = (8, 0, 3)
PATIENCE = 300


def precheck(client: VCenter, supervisor: str, service: str, version: str, patience: float, overtaken: t.Callable[[], bool]) -> str:
    """Ask for a check and wait for its result.

    ``overtaken`` tells whether another client has installed the version meanwhile, which takes the result away.

    Returns:
        ``COMPATIBLE``, or ``not_checked`` on a vCenter that has no such check.
    Raises:
        RayError: the version does not fit, in the words of vCenter.
    """
    if is_cluster(supervisor) or client.version < SINCE:
        return "not_checked"
    path = f"{BASE}/supervisors/{supervisor}/supervisor-services/{quote(service, safe='')}"
    result = f"{path}/versions/{quote(version, safe='')}/precheck"
    # A result lives on until the service is installed or removed: an old one is known by its time.
    old = (client.find(result) or {}).get("precheck_finish_time")

    def asked() -> None:
        with needing(INSTALL):
            client.ask(path, {"target_version": version}, query={"action": "precheck"})

    def fresh(found: Json | None) -> bool:
        return found is not None and (found["status"] == "COMPATIBLE" or found.get("precheck_finish_time") != old)

    def look() -> Json | None:
        found = client.find(result)
        return {"status": "COMPATIBLE"} if found is None and overtaken() else found

    ride_out(asked, f"the check of version {version} of {service} to be taken up", patience)
    found = _wait.until(look, fresh, what=f"the check of version {version} of {service}", timeout=min(patience, PATIENCE),
                        say=lambda value: f"checked by the Supervisor, {'no result yet' if value is None else 'an earlier result only'}")
    if found and found["status"] != "COMPATIBLE":
        raise RayError(f"Version {version} of {service} does not fit the Supervisor {supervisor}: {joined(texts(found.get('status_messages')))}",
                       code="FAILED", hint="Nothing was installed. Meet what is said there, or choose another version.")
    return "COMPATIBLE"
