# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One VMRayCluster: made by POST, changed by merge-patch, never replaced; ready when Ray itself says so."""

from __future__ import annotations

import contextlib
import re
import time
import typing as t

from .. import _password, _wait
from .._errors import RayError
from . import vm_image, vmray_preflight, vmray_ready, vmray_spec

KIND = "VMRayCluster"
SECRETS = ("root-cert", "ssh-key", "hsecret", "wsecret", "tls")
OPERATOR_PATIENCE = 30
# Seconds between two looks: at a Ray that is good once, at a Ray of a known address, at what a removed cluster leaves behind, and
# at least after a change, since a failing operator makes twenty of them in a second.
CONFIRM, ASK, LEFT, BREATH = 0.2, 0.5, 1.0, 0.1


def view(raw: dict) -> dict:
    """What is shown of a cluster: never the password's hash."""
    meta, status = raw["metadata"], raw.get("status") or {}
    return {
        "name": meta["name"],
        "namespace": meta["namespace"],
        "spec": vmray_spec.shown(raw.get("spec") or {}),
        "status": status,
        "head_address": (status.get("head_node_status") or {}).get("ip"),
        "service_address": vmray_ready.service_address(raw),
        "dashboard_url": vmray_ready.dashboard_url(raw),
        "nodes": [],
        "ready_by": "not_checked",
    }


class VMRayCluster:
    """One cluster.

    Args:
        ray_at: gives a client of Ray's dashboard for an address.
        diagnose: gives the text that explains a wait that failed, from the object as last seen.
    """

    noun = "vmray_cluster"

    def __init__(
        self, kube: t.Any, name: str, namespace: str, *, ray_at: t.Callable[[str], t.Any], diagnose: t.Callable[[t.Any, str, str, t.Any], str],
        clock: t.Callable[[], float] = time.monotonic
    ) -> None:
        self._kube, self.name, self.namespace = kube, name, namespace
        self._diagnose = diagnose
        self._raw: dict | None = None
        self._password: str | None = None
        self._params: dict = {}
        self._body: dict = {}
        self._images: list[dict] | None = None
        self._signs, self._dashboard = vmray_ready.Signs(clock), vmray_ready.Dashboard(ray_at, clock)
        self._looks = self._good = 0
        self._leaving: set[str] | None = None
        # The watch during a wait.
        self._watch: t.Any = None
        self._written = False
        self.warnings: list[str] = []

    def ask_for(self, params: dict) -> dict:
        """Take the options; the spec as far as it is known without reading anything. ``resolve`` does the rest."""
        self._params, self._password = params, params.get("vm_password")
        for key in ("name", "namespace"):
            pasted = ((params.get("definition") or {}).get("metadata") or {}).get(key)
            if pasted and pasted != params[key]:
                raise RayError(f"The definition is of {key} {pasted}, the option {key} says {params[key]}.", code="INPUT", hint="Give the same one.")
        return {"name": self.name, "namespace": self.namespace, "spec": vmray_spec.shown(vmray_spec.render(params, None))}

    def read(self) -> dict | None:
        self._raw = self._watch.get() if self._watch else self._kube.get(KIND, self.name, self.namespace)
        if self._raw is None:
            left = self._leftovers() if self._leaving is not None else []
            return {"name": self.name, "namespace": self.namespace, "left": left} if left else None
        return view(self._raw)

    @contextlib.contextmanager
    def watching(self) -> t.Iterator[t.Callable[[float], None]]:
        """Around a wait: the object is watched instead of read, and Ray asked over one connection."""
        with self._kube.watch(KIND, self.name, self.namespace) as self._watch, contextlib.closing(self._dashboard):
            try:
                yield self._pause
            finally:
                self._watch = None

    def _pause(self, seconds: float) -> None:
        """What comes by itself ends the pause: changes of the object. What has to be asked for, sets its length."""
        if self._good:
            steady = CONFIRM
        elif self._raw is None:
            steady = LEFT
        elif vmray_ready.service_address(self._raw) and self._leaving is None:
            steady = ASK
        else:
            self._watch.wait(seconds, BREATH)
            return
        self._watch.wait(min(seconds, steady), steady)

    def resolve(self, before: dict | None, desired: dict) -> dict:
        """Names to ids, every fault at once, and the API server's own opinion by a dry run."""
        if self._raw and self._raw["metadata"].get("deletionTimestamp"):
            raise RayError(f"VMRayCluster {self.namespace}/{self.name} is being removed.", code="CONFLICT", hint="Run it again when it is gone.")
        spec = self._new_spec() if self._raw is None else self._changes(self._raw.get("spec") or {})
        return {**desired, "spec": vmray_spec.shown(spec)}

    def create(self, desired: dict) -> None:
        self._written = True
        self._kube.create(KIND, self._body)

    def update(self, before: dict, desired: dict) -> None:
        self._written = True
        self._kube.merge(KIND, self.name, self.namespace, {"spec": self._body})

    def delete(self, before: dict) -> None:
        self._written = True
        status, spec = before.get("status") or {}, before.get("spec") or {}
        self._leaving = {*(status.get("current_workers") or {}), *(spec.get("autoscaler_desired_workers") or {})}
        self._kube.delete(KIND, self.name, self.namespace)

    def ready(self, current: dict | None) -> bool:
        """Ray answers with enough live workers in two looks in a row; ``current`` then lists its nodes.

        One look is enough when it is the first, and at a cluster that this task did not touch: it has not just come up.
        """
        raw = self._raw
        if current is None or raw is None:
            raise RayError(
                f"VMRayCluster {self.namespace}/{self.name} has vanished while it was waited for.", code="FAILED", hint="Did someone remove it?"
            )
        good, nodes = self._dashboard.look(raw)
        self._looks, self._good = self._looks + 1, self._good + 1 if good else 0
        if self._good >= 2 or (good and self._looks == 1 and not self._written):
            current["nodes"], current["ready_by"] = nodes, "ray"
            return True
        reason = None if good else self._signs.judge(vmray_ready.signs(raw))
        if reason:
            raise RayError(
                f"VMRayCluster {self.namespace}/{self.name} cannot become ready: {reason}. {self.diagnose()}",
                code="FAILED",
                hint="Mend the cause; the operator goes on by itself, then run this task again.",
            )
        return False

    def say(self, current: dict | None) -> str:
        """The state in words; it tells the last answer of Ray, which ``ready`` asked."""
        if current and current.get("left"):
            return f"still there: {', '.join(current['left'])}"
        if self._leaving is not None:
            return "the operator has not let it go yet"
        return vmray_ready.words(self._raw or {}, self._dashboard)

    def diagnose(self) -> str:
        if self._leaving is not None:
            meta = (self._raw or {}).get("metadata") or {}
            return f"It waits for finalizer {', '.join(meta['finalizers'])}: is the operator running?" if meta.get("finalizers") else ""
        seen = self._raw and {**view(self._raw), "least_workers": vmray_spec.least_workers(self._raw.get("spec") or {})}
        return self._diagnose(self._kube, self.namespace, self.name, seen)

    def _new_spec(self) -> dict:
        """The whole spec of a cluster to be; faults and dry run included."""
        wanted = vmray_spec.render(self._params, None)
        workers = [w["node_type"] for w in self._params.get("workers") or []]
        spec = vmray_spec.complete(wanted, workers, self._kube.address)
        config = spec["common_node_config"]
        if self._password:
            config[vmray_spec.HASH] = _password.hashed(self._password)
        faults = vmray_preflight.spec_faults(self.name, spec)
        faults += vmray_preflight.existing_faults(self._kube, self.namespace, self.name, spec, self._image, new=True)
        self._refuse(faults)
        config["vm_image"] = self._image(config["vm_image"])["metadata"]["name"]
        self.warnings = vmray_preflight.warnings(spec)
        self._body = {
            "apiVersion": "vmray.broadcom.com/v1alpha1",
            "kind": KIND,
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": spec,
        }
        self._accepted(lambda: self._kube.create(KIND, self._body, dry_run=True))
        return spec

    def _changes(self, now: dict) -> dict:
        """The part of the spec that changes; what cannot take effect on a living cluster is refused by name."""
        wanted = vmray_spec.render(self._params, (now.get("head_node") or {}).get("node_type"))
        config, had = wanted.get("common_node_config") or {}, now.get("common_node_config") or {}
        if self._password:
            # A hash in the definition is overruled, as it is at creation.
            config.pop(vmray_spec.HASH, None)
        if config.get("vm_image") and config["vm_image"] != had.get("vm_image"):
            config["vm_image"] = self._image(config["vm_image"])["metadata"]["name"]
        found = vmray_spec.changes(now, wanted)
        frozen = [".".join(path) for path in found if not vmray_spec.takes_effect(path, now)]
        if self._password and not _password.matches(self._password, had.get(vmray_spec.HASH) or ""):
            frozen.append("vm_password")
        if frozen:
            raise RayError(
                f"VMRayCluster {self.namespace}/{self.name} is alive and would not heed a change of: {', '.join(sorted(frozen))}.",
                code="INPUT",
                hint="These are fixed at the first boot of its machines. Remove the cluster and make it anew, or ask for what it is.",
                details={"fields": sorted(frozen)},
            )
        patch = vmray_spec.nested(found)
        if not patch:
            return {}
        merged = self._accepted(lambda: self._kube.merge(KIND, self.name, self.namespace, {"spec": patch}, dry_run=True))["spec"]
        self._refuse(vmray_preflight.existing_faults(self._kube, self.namespace, self.name, merged, self._image, new=False))
        self._body = patch
        return {} if merged == now else patch

    def _image(self, wanted: str) -> dict:
        """The image of that item name or id; all are listed once."""
        if self._images is None:
            self._images = self._kube.list(vm_image.KIND, self.namespace)
        return vm_image.only(self._images, wanted, self.namespace)

    def _refuse(self, faults: list[str]) -> None:
        if faults:
            raise RayError(
                f"VMRayCluster {self.namespace}/{self.name} cannot work like this: {'; '.join(faults)}.",
                code="INPUT",
                hint="Nothing was written.",
                details={"faults": faults},
            )

    def _accepted(self, dry_run: t.Callable[[], dict]) -> dict:
        """The answer to a dry run; an operator that has just been installed may need a moment to serve its webhooks."""

        def attempt() -> dict | RayError:
            try:
                return dry_run()
            except RayError as error:
                if "failed calling webhook" in error.message:
                    return error
                raise

        return _wait.until(
            attempt, lambda answer: not isinstance(answer, RayError), what="the operator to check the cluster", timeout=OPERATOR_PATIENCE, say=str
        )

    def _leftovers(self) -> list[str]:
        """What still bears the cluster's name; the operator only asks for removals and does not wait for them."""
        made = re.compile(rf"{re.escape(self.name)}-[hw]-[a-z0-9]{{5,8}}")
        left = [f"VirtualMachine {n}" for n in self._names("VirtualMachine") if made.fullmatch(n) or n in (self._leaving or ())]
        left += [f"VirtualMachineService {n}" for n in self._names("VirtualMachineService") if made.fullmatch(n)]
        secrets = {f"{self.name}-{s}" for s in SECRETS}
        return left + [f"Secret {n}" for n in self._names("Secret") if n in secrets]

    def _names(self, kind: str) -> list[str]:
        try:
            return self._kube.names(kind, self.namespace)
        except RayError as error:
            if error.code == "FORBIDDEN":
                return []
            raise
