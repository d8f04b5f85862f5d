# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VirtualMachine objects and the machines that belong to them."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import uuid
from typing import Any

from vcf_lab.kube import Kube, KubeError
from vcf_lab.settings import BRIDGE_IP, VM_FIRST_IP, Lab
from vcf_lab.vm.spec import VmSpec, python_paths

from . import conditions as c
from .addresses import AddressPool, PoolExhausted
from .checks import Checked, check
from .conditions import Condition, merge
from .faults import VmFaults
from .machine import Machine, make_folder
from .network import NetworkError

LOG = logging.getLogger(__name__)
KIND = "VirtualMachine"
FINALIZER = "virtualmachine.vmoperator.vmware.com"
VM_ADDRESSES = 200
RETRY_SECONDS = 1.0  # something that the VM refers to may appear
REBOOT_SECONDS = 2.0  # after a machine went down by itself
ADDRESS_SECONDS = {"fast": 0.0, "natural": 30.0}  # from power to an address, by the lab's speed
ZONE_HOST = "esx-01.lab"

Key = tuple[str, str]


class Machines:
    """Brings the machines to what the objects say, one lock per object."""

    def __init__(self, kube: Kube, lab: Lab, faults: VmFaults) -> None:
        self._kube, self._lab, self._faults = kube, lab, faults
        self._pool = AddressPool(VM_FIRST_IP, VM_ADDRESSES)
        self._machines: dict[Key, Machine] = {}
        self._folders: dict[Key, tuple[str, str]] = {}  # key -> (uid of the object, folder)
        self._objects: dict[Key, dict[str, Any]] = {}
        self._locks: dict[Key, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._not_before: dict[Key, float] = {}  # a machine that went down may not start earlier
        self._count = 0

    @property
    def running(self) -> int:
        return len(self._machines)

    def addresses(self, namespace: str, selector: dict[str, str]) -> list[str]:
        """Of the machines of a namespace whose labels match."""
        found = []
        for key, vm in self._objects.items():
            labels = vm["metadata"].get("labels") or {}
            matches = bool(selector) and selector.items() <= labels.items()
            machine = self._machines.get(key)
            if key[0] == namespace and matches and machine is not None and machine.up:
                found.append(machine.spec.address)
        return found

    async def watch(self) -> None:
        """For ever."""
        async for event, vm in self._kube.watch(KIND):
            key = (vm["metadata"]["namespace"], vm["metadata"]["name"])
            if event == "DELETED":
                self._objects.pop(key, None)
            else:
                self._objects[key] = vm
            self._soon(key)

    def wake(self) -> None:
        """A fault was armed or cleared."""
        for key in list(self._objects):
            self._soon(key)

    async def close(self) -> None:
        """Stop all machines; their objects stay."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(machine.stop() for machine in self._machines.values()))
        self._machines.clear()

    def _soon(self, key: Key, delay: float = 0.0) -> None:
        self._keep(asyncio.create_task(self._reconcile_locked(key, delay)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reconcile_locked(self, key: Key, delay: float) -> None:
        await asyncio.sleep(delay)
        async with self._locks.setdefault(key, asyncio.Lock()):
            try:
                await self._reconcile(key)
            except (KubeError, NetworkError, TimeoutError, OSError) as error:
                LOG.warning("%s/%s: %s: %s", *key, type(error).__name__, error)
                self._soon(key, RETRY_SECONDS)

    async def _reconcile(self, key: Key) -> None:
        vm = self._objects.get(key)
        if vm is None or vm["metadata"].get("deletionTimestamp"):
            await self._remove(key, vm)
            return
        if key in self._folders and self._folders[key][0] != vm["metadata"]["uid"]:
            await self._remove(key, None)  # deleted and made anew while we did not look
        if FINALIZER not in vm["metadata"].get("finalizers", []):
            finalizers = [*vm["metadata"].get("finalizers", []), FINALIZER]
            body = {"metadata": {"finalizers": finalizers, "resourceVersion": vm["metadata"]["resourceVersion"]}}
            vm = self._objects[key] = await self._kube.patch(KIND, key[1], body, key[0])
        if lost := self._faults.lost(vm, running=self._booted(key)):
            await self._lose(key, lost)
        elif vm["spec"].get("powerState", "PoweredOn") == "PoweredOn":
            if key not in self._machines:
                await self._power_on(key, vm)
            else:
                await self._tell_address(key)
        elif key in self._machines or "powerState" not in vm.get("status", {}):
            await self._power_off(key)

    async def _power_on(self, key: Key, vm: dict[str, Any]) -> None:
        wait = self._not_before.get(key, 0.0) - asyncio.get_running_loop().time()
        if wait > 0:
            self._soon(key, wait)
            return
        checked = await check(self._kube, vm)
        if not checked.ok:
            await self._status(key, {}, checked.conditions)
            self._soon(key, RETRY_SECONDS)
            return
        address = None
        if not self._faults.without_address(vm):
            try:
                address = self._pool.take("/".join(key))
            except PoolExhausted as error:
                exhausted = Condition(c.NETWORK_READY, False, "Exhausted", str(error))
                await self._status(key, {}, [*checked.conditions, exhausted])
                self._soon(key, RETRY_SECONDS)
                return
            await self._boot(key, vm, checked, address)
        ready = [Condition(kind, True) for kind in (c.NETWORK_READY, c.PLACEMENT_READY, c.CREATED)]
        known = address if not ADDRESS_SECONDS[self._lab.speed] else None
        await self._status(key, _running(vm, known), [*checked.conditions, *ready])
        if address and not known:
            self._soon(key, ADDRESS_SECONDS[self._lab.speed])

    async def _tell_address(self, key: Key) -> None:
        """What a machine of a natural lab has not told yet, when it is time."""
        machine = self._machines[key]
        if asyncio.get_running_loop().time() >= machine.started + ADDRESS_SECONDS[self._lab.speed]:
            await self._status(key, {"network": _network(machine.spec.address)}, [])

    async def _boot(self, key: Key, vm: dict[str, Any], checked: Checked, address: str) -> None:
        self._count += 1

        async def listener(event: dict[str, Any]) -> None:
            await self._on_guest_event(key, machine, event)

        machine = self._machines[key] = Machine(self._spec(key, vm, checked, address), self._count, listener)
        try:
            await machine.start()
        except (NetworkError, TimeoutError, OSError):
            await machine.stop()
            del self._machines[key]
            raise

    def _spec(self, key: Key, vm: dict[str, Any], checked: Checked, address: str) -> VmSpec:
        namespace, name = key
        uid = vm["metadata"]["uid"]
        if key not in self._folders:
            self._folders[key] = (uid, str(make_folder(self._lab.state, namespace, name)))
        folder = self._folders[key][1]
        return VmSpec(
            name=name,
            namespace=namespace,
            folder=folder,
            address=address,
            gateway=BRIDGE_IP,
            cpus=checked.cpus,
            memory=checked.memory,
            user_data=checked.user_data,
            instance_id=uid,
            keep=tuple(sorted(python_paths() | {folder})),
            container_fails=self._faults.container(vm),
            ray_token=self._lab.ray_token,
        )

    def _booted(self, key: Key) -> bool:
        machine = self._machines.get(key)
        return machine is not None and machine.bootstrap is not None

    async def _lose(self, key: Key, how: str) -> None:
        """Its power at once, or all of it."""
        if how == "deleted":
            await self._kube.delete(KIND, key[1], key[0])
        elif key in self._machines:
            await self._power_off(key)

    async def _power_off(self, key: Key) -> None:
        if machine := self._machines.pop(key, None):
            await machine.stop()
        await self._status(key, {"powerState": "PoweredOff", "network": {"primaryIP4": None}}, [])

    async def _remove(self, key: Key, vm: dict[str, Any] | None) -> None:
        if machine := self._machines.pop(key, None):
            await machine.stop()
            LOG.info("%s/%s is gone", *key)
        self._folders.pop(key, None)
        self._not_before.pop(key, None)
        self._pool.release("/".join(key))
        if vm is not None and FINALIZER in vm["metadata"].get("finalizers", []):
            finalizers = [entry for entry in vm["metadata"]["finalizers"] if entry != FINALIZER]
            try:
                await self._kube.patch(KIND, key[1], {"metadata": {"finalizers": finalizers}}, key[0])
            except KubeError as error:
                if error.status != 404:
                    raise

    async def _on_guest_event(self, key: Key, machine: Machine, event: dict[str, Any]) -> None:
        if self._machines.get(key) is not machine:
            return
        try:
            if event["event"] == "bootstrap":
                condition = Condition(c.GUEST_BOOTSTRAP, event["ok"], "" if event["ok"] else "Failed", event["message"])
                await self._status(key, {}, [condition])
                self._soon(key)  # a fault may have waited for it
            elif event["event"] == "down":
                await self._went_down(key, machine)
        except (KubeError, NetworkError) as error:
            LOG.warning("%s/%s: %s", *key, error)

    async def _went_down(self, key: Key, machine: Machine) -> None:
        """A power failure: the platform powers it on again, with the same disk and address."""
        del self._machines[key]
        self._not_before[key] = asyncio.get_running_loop().time() + REBOOT_SECONDS
        message = f"the machine went down: {machine.last_words()}"
        created = Condition(c.CREATED, False, "Crashed", message)
        try:
            await self._status(key, {"powerState": "PoweredOff", "network": {"primaryIP4": None}}, [created])
        finally:
            # Not awaited: this runs in the machine's own reading task, which stop() ends.
            self._keep(asyncio.create_task(machine.stop()))
            self._soon(key)

    async def _status(self, key: Key, fields: dict[str, Any], new: list[Condition]) -> None:
        """Patch the status, only when that changes something."""
        vm = self._objects.get(key)
        if vm is None:
            return
        status = vm.get("status", {})
        merged = merge(status.get("conditions", []), new)
        changes = {name: value for name, value in fields.items() if status.get(name) != value}
        if merged != status.get("conditions", []):
            changes["conditions"] = merged
        if not changes:
            return
        try:
            self._objects[key] = await self._kube.patch(KIND, key[1], {"status": changes}, key[0], subresource="status")
        except KubeError as error:
            if error.status != 404:
                raise


def _running(vm: dict[str, Any], address: str | None) -> dict[str, Any]:
    """Status of a VM that is on; an address comes as on a real site: long before cloud-init has ended."""
    identity = uuid.UUID(hashlib.md5(vm["metadata"]["uid"].encode(), usedforsecurity=False).hexdigest())
    return {
        "powerState": "PoweredOn",
        "uniqueID": f"vm-{1000 + identity.int % 9000}",
        "instanceUUID": str(identity),
        "host": ZONE_HOST,
        "network": _network(address),
    }


def _network(address: str | None) -> dict[str, Any]:
    return {**({"primaryIP4": address} if address else {}), "config": {"interfaces": [{"name": "eth0"}]}}
