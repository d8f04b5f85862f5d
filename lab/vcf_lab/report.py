# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab requests`, `lab tour` and the machines of `lab status`: read from inside the lab.

`python -m vcf_lab.report requests [--json|--privileges]|tour|machines`
"""

from __future__ import annotations

import json
import sys
from typing import Any

from . import settings
from .ask import Unanswered, get_json, tls, told
from .settings import Lab

_MACHINES = "/apis/vmoperator.vmware.com/v1alpha2/virtualmachines"
_CLUSTERS = "/apis/vmray.broadcom.com/v1alpha1/vmrayclusters"


def requests(form: str = "") -> None:
    """What vCenter was asked since the lab came up, or the privileges that one needs to ask it."""
    entries = get_json(f"{settings.VCENTER_LAB_URL}/requests")
    if form == "--json":
        print(json.dumps(entries))
        return
    if form == "--privileges":
        print("\n".join(sorted({name for entry in entries for name in entry.get("privileges", ())})))
        return
    for entry in entries:
        print(f"{entry['method']:6} {entry['status']} {entry['path']}")


def machines(lab: Lab) -> None:
    """Virtual machines of all namespaces; none before a Supervisor is enabled."""
    for item in _objects(lab, _MACHINES):
        status, meta = item.get("status", {}), item["metadata"]
        address = status.get("network", {}).get("primaryIP4", "no address")
        print(f"vm    {meta['namespace']}/{meta['name']}  {status.get('powerState', '-')}  {address}")


def tour(lab: Lab, command: str) -> None:
    """How to look around, with the addresses of this very lab."""
    words = command.split(" ", 1)

    def said(action: str) -> str:
        return " ".join([words[0], *action.split(" ", 1)[:1], *words[1:], *action.split(" ", 1)[1:]])

    kubeconfig = lab.state / "kubeconfig"
    print("\nLook around:")
    if kubeconfig.exists():
        print(f"  {said(f'exec kubectl --kubeconfig {kubeconfig} get vmrayclusters,virtualmachines')}")
    for cluster in _objects(lab, _CLUSTERS):
        address = cluster.get("status", {}).get("vm_service_status", {}).get("ip")
        if address:
            print(f"  {said(f'forward 8265:{address}:8265')}   the Ray dashboard, on http://127.0.0.1:8265")
    print(f"  {said('status')}   the parts and machines; {said('doctor')} asks each part")
    print(f"  {said('down')}   ends the lab and leaves nothing")


def _objects(lab: Lab, path: str) -> list[dict[str, Any]]:
    """Of all namespaces; none while their kind does not exist yet."""
    try:
        items: list[dict[str, Any]] = get_json(f"{settings.APISERVER_URL}{path}", context=tls(lab, admin=True))["items"]
        return items
    except Unanswered:
        return []


def main() -> int:
    what, *options = sys.argv[1:]
    if what == "requests":
        requests(*options)
    elif what == "tour":
        tour(settings.load(), *options)
    else:
        machines(settings.load())
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
