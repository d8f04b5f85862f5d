# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One VMRayCluster: made by POST, changed by merge-patch, never replaced without being told to; ready when Ray itself says so."""

from __future__ import annotations

import contextlib
import time
import typing as t
from functools import partial

from .. import _wait
from .._errors import RayError
from .._ports import Json, Kube, Ray, Watch
from . import vmray_ages, vmray_open, vmray_orphans, vmray_ready, vmray_secret, vmray_spec
from .vmray_plan import KIND, Plan, Planner
from .vmray_removal import Removal
from .vmray_renew import Renewal

# Seconds between two looks: at a Ray that is good once, at a Ray of a known address, at what a removed cluster leaves behind, and
# at least after a change, since a failing operator makes twenty of them in a second.
CONFIRM, ASK, LEFT, BREATH = 0.2, 0.5, 1.0, 0.1
# The longest pause while something is being removed.
GOING = 2.0
# Whose word says that it is ready.
Proof = vmray_ready.Dashboard | vmray_ready.Evidence


def view(raw: Json) -> Json:
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
        "evidence": [],
    }


class VMRayCluster:
    """One cluster.

    Args:
        params: the options of the module.
        ray_at: gives a client of Ray's dashboard for an address, as this task reaches it.
        stranger_at: the same without a token.
        diagnose: gives the text that explains a wait that failed, from the object as last seen.
    """

    noun = "vmray_cluster"

    def __init__(self, kube: Kube, params: Json, *, ray_at: t.Callable[[str], Ray], stranger_at: t.Callable[[str], Ray],
                 diagnose: t.Callable[[t.Any, str, str, t.Any], str], clock: t.Callable[[], float] = time.monotonic) -> None:
        self.name, self.namespace = params["name"], params["namespace"]
        self.title = f"VMRayCluster {self.namespace}/{self.name}"
        self._kube, self._params, self._diagnose, self._clock = kube, params, diagnose, clock
        self._access = params.get("ray") or {}
        self._by = params.get("ready") or "ray"
        self._proof: Proof = vmray_ready.Evidence(kube, clock) if self._by == "resource" else vmray_ready.Dashboard(ray_at, clock, url_of=self._url)
        self._open = vmray_open.OpenDashboard(
            params.get("open_dashboard") or vmray_open.WARN, self.title, stranger_at=stranger_at,
            has_token=bool(self._access.get("token") or self._access.get("headers")))
        self._renewal = Renewal(kube, self.namespace, self.name, ray_at, clock)
        self._planner = Planner(kube, self.name, self.namespace, params, self._due)
        login, secret = params.get("docker_auth"), vmray_spec.docker_secret(params)
        self._secret = vmray_secret.DockerSecret(kube, self.namespace, self.name, secret, login) if login and secret else None
        self._removal = self._ending(final=True) if params.get("state") == "absent" else None
        self._plan = Plan({})
        self._raw: Json | None = None
        self._around: Json | None = None
        # What of a cluster was there before: its object when it is made anew, and why its head was replaced.
        self._replaces = ""
        self._renewed: str | None = None
        self._signs = vmray_ready.Signs(clock)
        self._looks = self._good = 0
        # The watch during a wait.
        self._watch: Watch | None = None
        self._written = self._existed = False
        self.warnings: list[str] = []

    def ask(self) -> Json | None:
        """The spec as far as it is known without reading anything, None to have no cluster. ``resolve`` does the rest."""
        meta = (self._params.get("definition") or {}).get("metadata")
        for key in ("name", "namespace"):
            pasted = meta.get(key) if isinstance(meta, dict) else None
            if pasted and pasted != self._params[key]:
                raise RayError(f"The definition is of {key} {pasted}, the option {key} says {self._params[key]}.", code="INPUT", hint="Give the same one.")
        if self._removal:
            return None
        self._open.before()
        return {"name": self.name, "namespace": self.namespace, "spec": vmray_spec.shown(vmray_spec.render(self._params, None))}

    def read(self) -> Json | None:
        self._raw = self._watch.get() if self._watch else self._kube.get(KIND, self.name, self.namespace)
        if self._raw is not None:
            return {**view(self._raw), "dashboard_url": self._url(self._raw), **({} if self._removal else self._beside(self._raw))}
        left = (self._removal.left() if self._removal.begun else self._removal.leftovers()) if self._removal else []
        return {"name": self.name, "namespace": self.namespace, "left": left} if left else None

    @contextlib.contextmanager
    def watching(self) -> t.Iterator[t.Callable[[float], None]]:
        """Around a wait: the object is watched instead of read, and Ray asked over one connection."""
        with self._kube.watch(KIND, self.name, self.namespace) as self._watch, contextlib.closing(self._proof):
            try:
                yield partial(self._pause, self._watch)
            finally:
                self._watch = None  # noqa: PLW2901 - the watch has ended

    def resolve(self, before: Json | None, desired: Json) -> Json:
        """Names to ids, every fault at once, and the API server's own opinion by a dry run."""
        raw, self._existed = self._raw, self._raw is not None
        if raw and raw["metadata"].get("deletionTimestamp") and not self._params.get("recreate"):
            raise RayError(f"{self.title} is being removed.", code="CONFLICT", hint="Run it again when it is gone.")
        self._plan = plan = self._planner.new() if raw is None else self._planner.change(raw)
        self.warnings += plan.warnings
        wanted = {**desired, "spec": vmray_spec.shown(plan.spec)}
        if self._secret:
            wanted["docker_secret"] = {"name": self._secret.name, "state": vmray_secret.AS_ASKED}
        if raw is None:
            return {**wanted, "orphans": [], "replaced": False}
        if self._params.get("remove_orphans"):
            vmray_orphans.check(self._kube, self.namespace, self.name, (before or {})["orphans"])
            wanted["orphans"] = []
        if plan.anew or plan.renew:
            return {**wanted, "replaced": plan.anew, "renewed": plan.renew}
        if self._secret and (before or {})["docker_secret"]["state"] == vmray_secret.OTHER:
            self.warnings.append(f"The new login of Secret {self._secret.name} reaches only machines whose data of the first boot is made anew: "
                                 f"with renew or recreate. Those of {self.title} keep the one of before.")
        self._open.refuse(raw)
        return wanted

    def removable(self, before: Json) -> None:
        if self._removal:
            self._removal.look(self._raw)

    def create(self, desired: Json) -> None:
        self._written = True
        if self._plan.manifest is None:
            raise RayError(f"{self.title} was there a moment ago and is gone.", code="FAILED", hint="Did someone remove it? Run it again to make it anew.")
        if self._secret:
            self._secret.write()
        self._around = None
        self._kube.create(KIND, self._plan.manifest)

    def update(self, before: Json, desired: Json) -> None:
        plan, raw = self._plan, self._raw or {}
        if plan.renew:
            self._renewal.drain(self._url(raw), self._params.get("drain_timeout") or 0)
        self._written, self._around = True, None
        if self._params.get("remove_orphans") and not plan.anew:
            vmray_orphans.remove(self._kube, self.namespace, before["orphans"])
        if self._secret and not plan.anew:
            self._secret.write()
        if plan.renew:
            self._renewal.replace(raw, plan.patch)
            self._renewed = plan.renew
        elif plan.patch:
            self._kube.merge(KIND, self.name, self.namespace, {"spec": plan.patch})
        if plan.anew:
            self._replaces = raw["metadata"].get("uid") or ""
            self._end(raw)
            self.create(desired)

    def delete(self, before: Json) -> None:
        self._written = True
        if self._removal:
            self._removal.begin(self._raw)

    def ready(self, current: Json | None) -> bool:
        """Enough evidence in two looks in a row; ``current`` then tells it.

        One look at Ray is enough when it is the first, and at a cluster that this task did not touch: it has not just come up.
        """
        raw = self._raw
        if current is None or raw is None:
            raise RayError(f"{self.title} has vanished while it was waited for.", code="FAILED", hint="Did someone remove it?")
        if self._renewed and not self._renewal.is_new(raw):
            return False
        good, found = self._proof.look(raw)
        self._looks, self._good = self._looks + 1, self._good + 1 if good else 0
        if self._good >= 2 or (good and (self._by == "resource" or (self._looks == 1 and not self._written))):
            current["ready_by"], current["evidence" if self._by == "resource" else "nodes"] = self._by, found
            return True
        reason = None if good else self._signs.look(raw, self._proof)
        if reason:
            raise RayError(f"{self.title} cannot become ready: {reason}. {self.diagnose()}", code="FAILED",
                           hint="Mend the cause; the operator goes on by itself, then run this task again.")
        return False

    def say(self, current: Json | None) -> str:
        """The state in words; it tells the last answer of Ray, which ``ready`` asked."""
        if current and current.get("left"):
            return f"still there: {', '.join(current['left'])}"
        if self._removal:
            return "the operator has not let it go yet"
        if self._renewed and not self._looks:
            return "the head is being replaced"
        return vmray_ready.words(self._raw or {}, self._proof)

    def diagnose(self) -> str:
        raw = self._raw
        if not raw:
            return "" if self._removal else self._diagnose(self._kube, self.namespace, self.name, None)
        seen = {**view(raw), "dashboard_url": self._url(raw), "least_workers": vmray_spec.least_workers(raw.get("spec") or {}),
                "metadata": raw["metadata"], "orphans": (self._around or {}).get("orphans")}
        if not self._removal:
            seen["ages"] = vmray_ages.ages(self._kube, self.namespace, self.name, raw)
        return self._diagnose(self._kube, self.namespace, self.name, seen)

    def orphans(self, current: Json | None) -> list[str]:
        """What is left of earlier replacements, or of a removal that was cut short, and stays."""
        if self._removal:
            return [] if self._params.get("remove_orphans") else self._removal.orphans
        return (current or {}).get("orphans") or []

    def notices(self, current: Json | None) -> list[str]:
        """What the user has to know at the end, of a cluster and of what it leaves; asks Ray and for secrets only where there was a wait."""
        found, raw, orphans = list(self.warnings), self._raw, self.orphans(current)
        if orphans:
            found.append(f"Orphans of {self.title} that nobody needs, and nobody removes: {', '.join(orphans)}. remove_orphans: true removes them.")
        if self._removal or raw is None or not self._params.get("wait"):
            return found
        if self._written:
            self._open.refuse(raw)
        bare = not (self._access.get("token") or self._access.get("headers") or self._access.get("url"))
        warning = self._open.warning(raw, answered=bare and (current or {}).get("ready_by") == "ray")
        found += [warning] if warning else []
        if self._existed and not (self._plan.anew or self._plan.renew) and vmray_ages.may_end(raw):
            found += vmray_ages.age_warnings(raw, vmray_ages.ages(self._kube, self.namespace, self.name, raw))
        return found

    def _pause(self, watch: Watch, seconds: float) -> None:
        """What comes by itself ends the pause: changes of the object. What has to be asked for, sets its length."""
        if self._good:
            steady = CONFIRM
        elif self._raw is None:
            steady = LEFT
        elif vmray_ready.service_address(self._raw) and not self._removal:
            steady = ASK
        else:
            watch.wait(seconds, BREATH)
            return
        watch.wait(min(seconds, steady), steady)

    def _url(self, raw: Json) -> str | None:
        """The address of the dashboard as it is reached from here, once there is something behind it."""
        own = vmray_ready.dashboard_url(raw)
        return (self._access.get("url") or own) if own else None

    def _due(self, raw: Json) -> str | None:
        """Why the head is to be replaced: a phrase that fits behind "because"."""
        renew = self._params.get("renew") or "never"
        if renew == "always":
            return "it was asked for"
        return self._renewal.due(raw, self._params.get("renew_within") or 0) if renew == "due" else None

    def _beside(self, raw: Json) -> Json:
        """What belongs to a cluster and is not told by its object; read once before and once after a write."""
        if self._around is None:
            self._around = {"orphans": vmray_orphans.orphans(self._kube, self.namespace, self.name, raw)}
            if self._secret:
                self._around["docker_secret"] = self._secret.state()
        replaced = bool(self._replaces) and raw["metadata"].get("uid") != self._replaces
        return {**self._around, "replaced": replaced, "renewed": self._renewed}

    def _ending(self, *, final: bool) -> Removal:
        purge = bool(self._params.get("remove_orphans"))
        return Removal(self._kube, self.namespace, self.name, purge=purge, final=final, clock=self._clock)

    def _end(self, raw: Json) -> None:
        """Remove the cluster that is made anew, and wait until nothing of it is left that the new one would take over."""
        ending = self._ending(final=False)
        ending.look(raw)
        ending.begin(raw)

        def left() -> list[str]:
            self._raw = self._kube.get(KIND, self.name, self.namespace)
            return [self.title] if self._raw else ending.left()

        _wait.until(left, lambda found: not found, what=f"{self.title} to be gone, to make it anew", timeout=self._params.get("wait_timeout") or 0,
                    say=lambda found: f"still there: {', '.join(found)}", limit=GOING, bear=60, clock=self._clock,
                    diagnose=lambda: self.diagnose() if self._raw else "")
