# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab fault`: arm what vCenter does wrong next, and see how often it did. Runs inside the lab.

`python -m vcf_lab.fault add NAME [KEY=VALUE ...] | list | clear [NAME]`
"""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import quote

from . import settings
from .ask import get_json, told
from .vcenter.faults import Faults

URL = f"{settings.VCENTER_LAB_URL}/faults"


def line(fault: dict[str, Any]) -> str:
    """One armed fault, as it was asked for."""
    rest = {key: value for key, value in fault.items() if key not in ("name", "struck", "over") and value != ""}
    state = "over" if fault["over"] else "armed"
    return f"{fault['name']:22} {state:6} struck {fault['struck']}  " + " ".join(f"{key}={value}" for key, value in rest.items())


def asked(name: str, words: list[str]) -> dict[str, str]:
    """NAME and KEY=VALUE words as the front wants them."""
    wrong = [word for word in words if "=" not in word]
    if wrong:
        raise ValueError(f"{wrong[0]} is not KEY=VALUE.")
    return {**dict(word.split("=", 1) for word in words), "name": name}


def add(name: str = "", *words: str) -> int:
    """Arm one; what cannot be armed is one sentence, found out before the lab is asked."""
    try:
        body = asked(name, list(words))
        Faults().add(body)
    except ValueError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    print(line(get_json(URL, method="POST", body=body)))
    return 0


def main() -> int:
    action, *words = sys.argv[1:]
    if action == "add":
        return add(*words)
    if action == "clear":
        cleared = get_json(URL + (f"?name={quote(words[0])}" if words else ""), method="DELETE")
        print(f"{cleared['cleared']} cleared")
    else:
        for fault in get_json(URL):
            print(line(fault))
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
