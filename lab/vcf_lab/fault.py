# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab fault`: arm what a part of the lab does wrong next, and see how often it did. Runs inside the lab.

`python -m vcf_lab.fault add NAME [KEY=VALUE ...] | list | clear [NAME]`
"""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import quote

from . import settings
from .ask import get_json, told
from .faults import Faults, described, described_common
from .supervisor.faults import ClusterFaults
from .vcenter import faults as vcenter
from .vmoperator.faults import VmFaults

# Part, its side door, what it knows. A fault's name is known to one part alone.
PARTS: tuple[tuple[str, str, type[Faults]], ...] = (
    ("vCenter", settings.VCENTER_LAB_URL, vcenter.Faults),
    ("Supervisor", f"http://127.0.0.1:{settings.SUPERVISOR_LAB_PORT}", ClusterFaults),
    ("VM Operator", f"http://127.0.0.1:{settings.VMOPERATOR_LAB_PORT}", VmFaults),
)


def names() -> str:
    """All that can be armed, for `lab fault names`."""
    return "\n\n".join([*(described(part, kind.kinds) for part, _, kind in PARTS), described_common()])


def home(name: str) -> tuple[str, type[Faults]]:
    """Address and faults of the part that knows a name."""
    for _, url, faults in PARTS:
        if name in faults.kinds:
            return f"{url}/faults", faults
    known = ", ".join(known for _, _, faults in PARTS for known in faults.kinds)
    raise ValueError(f"There is no fault '{name}'. There are: {known}.")


def line(fault: dict[str, Any]) -> str:
    """One armed fault, as it was asked for."""
    rest = {key: value for key, value in fault.items() if key not in ("name", "struck", "over") and value != ""}
    state = "over" if fault["over"] else "armed"
    return f"{fault['name']:25} {state:6} struck {fault['struck']}  " + " ".join(f"{key}={value}" for key, value in rest.items())


def asked(name: str, words: list[str]) -> dict[str, str]:
    """NAME and KEY=VALUE words as a part wants them."""
    wrong = [word for word in words if "=" not in word]
    if wrong:
        raise ValueError(f"{wrong[0]} is not KEY=VALUE.")
    return {**dict(word.split("=", 1) for word in words), "name": name}


def add(name: str = "", *words: str) -> int:
    """Arm one; what cannot be armed is one sentence, found out before the lab is asked."""
    try:
        body = asked(name, list(words))
        url, faults = home(name)
        faults().add(body)
    except ValueError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    print(line(get_json(url, method="POST", body=body)))
    return 0


def clear(name: str = "") -> int:
    """End one, or all of all parts."""
    try:
        urls = [home(name)[0]] if name else [f"{url}/faults" for _, url, _ in PARTS]
    except ValueError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    query = f"?name={quote(name)}" if name else ""
    print(f"{sum(get_json(url + query, method='DELETE')['cleared'] for url in urls)} cleared")
    return 0


def main() -> int:
    action, *words = sys.argv[1:]
    if action == "add":
        return add(*words)
    if action == "clear":
        return clear(*words)
    for _, url, _ in PARTS:
        for fault in get_json(f"{url}/faults"):
            print(line(fault))
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
