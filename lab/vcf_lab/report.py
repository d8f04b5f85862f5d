# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab requests` and the machines of `lab status`: read from inside the lab.

`python -m vcf_lab.report requests|machines`
"""

from __future__ import annotations

import json
import sys

from . import settings
from .ask import Unanswered, get_json, tls, told
from .settings import Lab

_MACHINES = "/apis/vmoperator.vmware.com/v1alpha2/virtualmachines"


def requests(*, as_json: bool) -> None:
    """What vCenter was asked since the lab came up."""
    entries = get_json(f"{settings.VCENTER_LAB_URL}/requests")
    if as_json:
        print(json.dumps(entries))
        return
    for entry in entries:
        print(f"{entry['method']:6} {entry['status']} {entry['path']}")


def machines(lab: Lab) -> None:
    """Virtual machines of all namespaces; none before a Supervisor is enabled."""
    try:
        items = get_json(f"{settings.APISERVER_URL}{_MACHINES}", context=tls(lab, admin=True))["items"]
    except Unanswered:
        items = []
    for item in items:
        status, meta = item.get("status", {}), item["metadata"]
        address = status.get("network", {}).get("primaryIP4", "no address")
        print(f"vm    {meta['namespace']}/{meta['name']}  {status.get('powerState', '-')}  {address}")


def main() -> int:
    what, *options = sys.argv[1:]
    if what == "requests":
        requests(as_json="--json" in options)
    else:
        machines(settings.load())
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
