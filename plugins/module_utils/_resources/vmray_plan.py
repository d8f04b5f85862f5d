# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task has to do to a VMRayCluster, found out before anything is written: every fault at once, then the API server's own opinion."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .. import _password, _wait
from .._errors import RayError
from .._ports import Json, Kube
from . import vm_image, vmray_preflight, vmray_spec

KIND = "VMRayCluster"
OPERATOR_PATIENCE = 30
PASSWORD = ("common_node_config", vmray_spec.HASH)
# The ports of the cluster's service are made with it, and a new head comes up behind the same service.
SERVICE = (("head_node", "port"),)
# Marks of a cluster that do not hold for the one in its place: the operator's, those of "ray up", and what kubectl was given for it.
NOT_KEPT = ("vmray.kubernetes.io/", "vmray.io/", "kubectl.kubernetes.io/last-applied-configuration")


@dataclass
class Plan:
    """``spec`` is what differs, or the whole spec of a cluster to be."""

    spec: Json
    # The object to POST, for a cluster that is made, anew or for the first time.
    manifest: Json | None = None
    patch: Json = field(default_factory=Json)
    anew: bool = False
    # Why the head is replaced in place.
    renew: str | None = None
    warnings: list[str] = field(default_factory=list)


class Planner:
    """Plans for one cluster.

    Args:
        params: the options of the module.
        due: says why the head of the cluster has to be replaced, or None.
    """

    def __init__(self, kube: Kube, name: str, namespace: str, params: Json, due: t.Callable[[Json], str | None]) -> None:
        self._kube, self._name, self._namespace, self._params, self._due = kube, name, namespace, params, due
        self._password: str | None = params.get("vm_password")
        self._images: list[Json] | None = None

    def new(self) -> Plan:
        """A cluster that is not there yet."""
        wanted = vmray_spec.render(self._params, None)
        workers = [w["node_type"] for w in self._params.get("workers") or []]
        spec = vmray_spec.complete(wanted, workers, self._kube.address)
        if self._password:
            spec["common_node_config"][vmray_spec.HASH] = _password.hashed(self._password)
        notes: list[str] = []
        self._refuse(vmray_preflight.spec_faults(self._name, spec) + self._existing_faults(spec, notes, new=True))
        config = spec["common_node_config"]
        config["vm_image"] = self._image(config["vm_image"])["metadata"]["name"]
        manifest = self._manifest(spec)
        self._accepted(lambda: self._kube.create(KIND, manifest, dry_run=True))
        return Plan(spec, manifest, warnings=vmray_preflight.warnings(spec, notes))

    def change(self, raw: Json) -> Plan:
        """A cluster that is there: what changes, and how it gets to the machines."""
        now = raw.get("spec") or {}
        found = self._differences(now)
        frozen = [path for path in found if not vmray_spec.takes_effect(path, now)]
        renew = self._due(raw)
        for_renew = [path for path in frozen if path not in SERVICE]
        leaving = "deletionTimestamp" in raw["metadata"]
        anew = bool(self._params.get("recreate")) and (leaving or (bool(frozen) and not (renew and for_renew == frozen)))
        if frozen and not anew and not (renew and for_renew == frozen):
            self._refuse_frozen({path: found[path] for path in frozen}, now)
        patch = vmray_spec.nested(found)
        if not (patch or renew or anew):
            return Plan({})
        merged = self._merged(patch, now)
        notes: list[str] = []
        checked = vmray_preflight.spec_faults(self._name, merged) if anew or renew else []
        self._refuse(checked + self._existing_faults(merged, notes, new=False))
        warnings = vmray_preflight.warnings(merged, notes) if anew or renew else notes
        if anew:
            return Plan(patch, self._manifest(_bare(merged), raw["metadata"]), anew=True, warnings=warnings)
        patch = {} if merged == now else patch
        return Plan(patch, patch=patch, renew=renew, warnings=warnings)

    def _differences(self, now: Json) -> dict[tuple[str, ...], t.Any]:
        """Paths that the user wants otherwise, with their new values; ids in the place of names."""
        wanted = vmray_spec.render(self._params, (now.get("head_node") or {}).get("node_type"))
        config, had = wanted.get("common_node_config") or {}, now.get("common_node_config") or {}
        if self._password:
            # A hash in the definition is overruled, as it is at creation.
            config.pop(vmray_spec.HASH, None)
        if config.get("vm_image") and config["vm_image"] != had.get("vm_image"):
            config["vm_image"] = self._image(config["vm_image"])["metadata"]["name"]
        found = vmray_spec.changes(now, wanted)
        if self._password and not _password.matches(self._password, had.get(vmray_spec.HASH) or ""):
            found[PASSWORD] = _password.hashed(self._password)
        return found

    def _refuse_frozen(self, frozen: dict[tuple[str, ...], t.Any], now: Json) -> None:
        fields = sorted("vm_password" if path == PASSWORD and self._password else ".".join(path) for path in frozen)
        told = sorted(_told(path, value, now) for path, value in frozen.items())
        hint = ("The ports of its service stay as they are made. recreate: true removes the cluster, waits, and makes it anew."
                if set(frozen) & set(SERVICE) else
                "These are fixed at the first boot of its machines. renew: always replaces the head and the workers in place, recreate: true removes "
                "the cluster, waits, and makes it anew; work that runs on it is lost in both. Or ask for what it is.")
        raise RayError(f"VMRayCluster {self._namespace}/{self._name} is alive and would not heed a change of: {', '.join(told)}.", code="INPUT",
                       hint=hint, details={"fields": fields})

    def _merged(self, patch: Json, now: Json) -> Json:
        """The spec as the API server would have it, its webhooks included; they judge a change as they judge a new object."""
        if not patch:
            return now
        spec: Json = self._accepted(lambda: self._kube.merge(KIND, self._name, self._namespace, {"spec": patch}, dry_run=True))["spec"]
        return spec

    def _existing_faults(self, spec: Json, notes: list[str], *, new: bool) -> list[str]:
        return vmray_preflight.existing_faults(
            self._kube, self._namespace, self._name, spec, self._image, new=new, notes=notes, docker_auth=self._params.get("docker_auth"))

    def _manifest(self, spec: Json, before: Json | None = None) -> Json:
        """The object to POST; of one that was there before, what others have marked it with stays."""
        meta: Json = {"name": self._name, "namespace": self._namespace}
        for kind in ("labels", "annotations"):
            kept = {k: v for k, v in ((before or {}).get(kind) or {}).items() if not k.startswith(NOT_KEPT)}
            if kept:
                meta[kind] = kept
        return {"apiVersion": "vmray.broadcom.com/v1alpha1", "kind": KIND, "metadata": meta, "spec": spec}

    def _image(self, wanted: str) -> Json:
        """The image of that item name or id; all are listed once."""
        if self._images is None:
            self._images = self._kube.list(vm_image.KIND, self._namespace)
        return vm_image.only(self._images, wanted, self._namespace)

    def _refuse(self, faults: list[str]) -> None:
        if faults:
            raise RayError(f"VMRayCluster {self._namespace}/{self._name} cannot work like this: {'; '.join(faults)}.", code="INPUT",
                           hint="Nothing was written.", details={"faults": faults})

    def _accepted(self, dry_run: t.Callable[[], Json]) -> Json:
        """The answer to a dry run; an operator that has just been installed may need a moment to serve its webhooks."""

        def attempt() -> tuple[Json, RayError | None]:
            try:
                return dry_run(), None
            except RayError as error:
                if "failed calling webhook" in error.message:
                    return {}, error
                error.message = vmray_preflight.plain(error.message)
                raise

        return _wait.until(attempt, lambda answer: answer[1] is None, what="the operator to check the cluster", timeout=OPERATOR_PATIENCE,
                           say=lambda answer: str(answer[1]))[0]


def _told(path: tuple[str, ...], asked: t.Any, spec: Json) -> str:
    """A field with what it is and what was asked for; of the password neither."""
    if path == PASSWORD:
        return "vm_password"
    value: t.Any = spec
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return f"{'.'.join(path)} (it is {value!r}, asked for {asked!r})"


def _bare(spec: Json) -> Json:
    """A stored spec as one would ask for it: without what the autoscaler and the webhooks have written."""
    kept = {k: v for k, v in spec.items() if k not in vmray_spec.NOT_OURS}
    if not (kept.get("docker_config") or {}).get("auth_secret_name"):
        kept.pop("docker_config", None)
    return kept
