# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab digest`: one number for everything that the lab holds.

Equal before and after means that nothing was written. Left out is only what
changes by itself: events, leases, endpoints, versions and times of a status.
Runs inside the lab (`python -m vcf_lab.digest`).
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import registry, settings
from .ask import get_json, tls, told
from .files import repository
from .settings import Lab

_SKIPPED = {"events", "leases", "endpoints", "endpointslices", "componentstatuses"}
_TIMES = re.compile(r"(time|timestamp)$", re.IGNORECASE)


def canonical(item: dict[str, Any]) -> dict[str, Any]:
    """An object without what the API server and controllers touch by themselves."""
    metadata = {k: v for k, v in item.get("metadata", {}).items() if k not in ("managedFields", "resourceVersion")}
    kept = {**item, "metadata": metadata}
    if "status" in kept:
        kept["status"] = _timeless(kept["status"])
    return kept


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if not _TIMES.search(k)}
    if isinstance(value, list):
        return [_timeless(entry) for entry in value]
    return value


def kubernetes(lab: Lab) -> dict[str, Any]:
    """Every object of every kind that can be listed, by resource."""
    context = tls(lab, admin=True)
    base = settings.APISERVER_URL

    def objects(path: str) -> list[dict[str, Any]]:
        items = get_json(f"{base}{path}", context=context).get("items") or []
        return sorted(map(canonical, items), key=lambda i: (i["metadata"].get("namespace", ""), i["metadata"]["name"]))

    paths = list(_resources(base, context))
    with ThreadPoolExecutor(8) as pool:
        return {path: found for path, found in zip(paths, pool.map(objects, paths), strict=True) if found}


def _resources(base: str, context: Any) -> Iterator[str]:
    """Paths of the resources, each group in its preferred version."""
    groups = get_json(f"{base}/apis", context=context)["groups"]
    for root in ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]:
        for resource in get_json(f"{base}{root}", context=context)["resources"]:
            name = resource["name"]
            if "/" not in name and "list" in resource["verbs"] and name not in _SKIPPED:
                yield f"{root}/{name}"


def inventory() -> list[list[str]]:
    """Kind, id, name and parent of everything in the vim inventory."""
    from pyVim.connect import Disconnect, SmartConnect
    from pyVmomi import vim

    connection = SmartConnect(
        protocol="http", host=settings.VCSIM_IP, port=settings.VCSIM_PORT, user="lab", pwd="lab"
    )
    try:
        content = connection.RetrieveContent()
        view = content.viewManager.CreateContainerView(content.rootFolder, [vim.ManagedEntity], True)
        found = [[type(e).__name__, e._moId, e.name, e.parent._moId if e.parent else ""] for e in view.view]
        view.Destroy()
        return sorted(found)
    finally:
        Disconnect(connection)


def state(lab: Lab) -> dict[str, Any]:
    return {
        "vcenter": get_json(f"{settings.VCENTER_LAB_URL}/state"),
        "kubernetes": kubernetes(lab),
        "inventory": inventory(),
        "files": repository.contents(lab),
        **{name: registry.contents(lab, name) for name in registry.HOSTS},
    }


def main() -> int:
    whole = state(settings.load())
    if "--show" in sys.argv[1:]:
        print(json.dumps(whole, indent=1, sort_keys=True))
    else:
        print(hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest())
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
