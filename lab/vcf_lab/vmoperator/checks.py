# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a VirtualMachine refers to: does it exist, and what does it say?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vcf_lab.kube import Kube
from vcf_lab.vm import userdata

from .conditions import BOOTSTRAP_READY, CLASS_READY, IMAGE_READY, STORAGE_READY, Condition

UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass
class Checked:
    """The answer: conditions, and what is needed to start the machine when all are true."""

    conditions: list[Condition] = field(default_factory=list)
    cpus: int = 1
    memory: int = 0
    user_data: str | None = None

    @property
    def ok(self) -> bool:
        return all(condition.ok for condition in self.conditions)


def quantity(text: str | int) -> int:
    """Bytes of a Kubernetes quantity such as 2048Mi."""
    text = str(text)
    for unit, factor in UNITS.items():
        if text.endswith(unit):
            return int(float(text.removesuffix(unit)) * factor)
    return int(text)


async def check(kube: Kube, vm: dict[str, Any]) -> Checked:
    """Look up everything; each miss is a condition of its own, as users read them."""
    namespace, spec = vm["metadata"]["namespace"], vm["spec"]
    checked = Checked()
    await _check_class(kube, spec.get("className", ""), namespace, checked)
    checked.conditions.append(await _image(kube, spec.get("imageName", ""), namespace))
    checked.conditions.append(await _storage(kube, spec.get("storageClass", "")))
    await _check_bootstrap(kube, spec.get("bootstrap") or {}, namespace, checked)
    return checked


def _missing(condition: str, kind: str, name: str) -> Condition:
    return Condition(condition, False, "NotFound", f'{kind} "{name}" not found')


async def _check_class(kube: Kube, name: str, namespace: str, checked: Checked) -> None:
    found = await kube.get("VirtualMachineClass", name, namespace) if name else None
    if found is None:
        checked.conditions.append(_missing(CLASS_READY, "virtualmachineclasses.vmoperator.vmware.com", name))
        return
    hardware = found["spec"]["hardware"]
    checked.cpus, checked.memory = int(hardware["cpus"]), quantity(hardware["memory"])
    checked.conditions.append(Condition(CLASS_READY, True))


async def _image(kube: Kube, name: str, namespace: str) -> Condition:
    found = await kube.get("VirtualMachineImage", name, namespace) if name else None
    if found is None and name:
        found = await kube.get("ClusterVirtualMachineImage", name)
    if found is None:
        return _missing(IMAGE_READY, "virtualmachineimages.vmoperator.vmware.com", name)
    for condition in found.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready" and condition["status"] != "True":
            return Condition(IMAGE_READY, False, "NotReady", condition.get("message") or f"image {name} is not ready")
    return Condition(IMAGE_READY, True)


async def _storage(kube: Kube, name: str) -> Condition:
    found = await kube.get("StorageClass", name) if name else None
    if found is None:
        return _missing(STORAGE_READY, "storageclasses.storage.k8s.io", name)
    return Condition(STORAGE_READY, True)


async def _check_bootstrap(kube: Kube, bootstrap: dict[str, Any], namespace: str, checked: Checked) -> None:
    def bad(reason: str, message: str) -> None:
        checked.conditions.append(Condition(BOOTSTRAP_READY, False, reason, message))

    if other := sorted(set(bootstrap) - {"cloudInit"}):
        return bad("Unsupported", f"the lab has no bootstrap provider {', '.join(other)}, only cloudInit")
    cloud_init = bootstrap.get("cloudInit")
    if cloud_init:
        if other := sorted(set(cloud_init) - {"rawCloudConfig"}):
            return bad("Unsupported", f"the lab has no cloudInit.{', '.join(other)}, only rawCloudConfig")
        name, key = cloud_init["rawCloudConfig"]["name"], cloud_init["rawCloudConfig"]["key"]
        secret = await kube.get("Secret", name, namespace)
        if secret is None:
            return bad("NotFound", f'secrets "{name}" not found')
        if key not in (secret.get("data") or {}):
            return bad("NotFound", f'required key "{key}" not found in Secret "{name}"')
        try:
            checked.user_data = userdata.from_secret(secret["data"][key])
        except (ValueError, OSError) as error:
            return bad("Invalid", f'key "{key}" of Secret "{name}" cannot be decoded: {error}')
    checked.conditions.append(Condition(BOOTSTRAP_READY, True))
