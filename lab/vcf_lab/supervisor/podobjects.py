# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a pod and of its Deployment, as the API server shows them."""

from __future__ import annotations

import copy
import datetime
import hashlib
import json
import random
from dataclasses import dataclass
from typing import Any

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # Kubernetes' own, in which no words can be spelled
START_ERROR = 128  # exit code of a command that could not be started, as container runtimes tell it
OWNED = "vcf-lab/deployment"


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def template_hash(deployment: dict[str, Any]) -> str:
    """Changes when the pods have to be replaced."""
    text = json.dumps(deployment["spec"]["template"], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def pod(deployment: dict[str, Any]) -> dict[str, Any]:
    """A new pod of the Deployment, with the Deployment as its owner."""
    metadata, template = deployment["metadata"], copy.deepcopy(deployment["spec"]["template"])
    suffix = "".join(random.choices(ALPHABET, k=5))
    labels = {**template.get("metadata", {}).get("labels", {}), OWNED: metadata["name"][:63]}
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"], "uid": metadata["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{metadata['name']}-{template_hash(deployment)}-{suffix}",
            "namespace": metadata["namespace"],
            "labels": labels,
            "ownerReferences": [{**owner, "controller": True}],
        },
        "spec": template["spec"],
    }


@dataclass(frozen=True)
class History:
    """What stays of a container from one start to the next."""

    image_id: str = ""
    restarts: int = 0
    last: dict[str, Any] | None = None  # how it ended the last time

    def ended(self, code: int, started: str) -> History:
        """One start more, which is over."""
        return self._more(code, "Error" if code else "Completed", {"startedAt": started})

    def start_failed(self, message: str) -> History:
        """One start more, at which the command never ran."""
        return self._more(START_ERROR, "StartError", {"message": message})

    def _more(self, code: int, reason: str, more: dict[str, Any]) -> History:
        return History(self.image_id, self.restarts + 1, {"exitCode": code, "reason": reason, "finishedAt": now(), **more})


def waiting(pod: dict[str, Any], reason: str, message: str, history: History) -> dict[str, Any]:
    """Status of a pod whose container does not run."""
    phase = "Pending" if history.restarts == 0 else "Running"
    return _status(pod, phase, False, history, {"waiting": {"reason": reason, "message": message}})


def running(pod: dict[str, Any], address: str, started: str, history: History, *, ready: bool) -> dict[str, Any]:
    """Status of a pod whose container runs."""
    status = _status(pod, "Running", ready, history, {"running": {"startedAt": started}})
    return status | {"podIP": address, "podIPs": [{"ip": address}], "startTime": started}


def _status(pod: dict[str, Any], phase: str, ready: bool, history: History, state: dict[str, Any]) -> dict[str, Any]:
    word, since = ("True" if ready else "False"), now()
    container = pod["spec"]["containers"][0]
    return {
        "phase": phase,
        "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": since},
            {"type": "Initialized", "status": "True", "lastTransitionTime": since},
            {"type": "ContainersReady", "status": word, "lastTransitionTime": since},
            {"type": "Ready", "status": word, "lastTransitionTime": since},
        ],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": history.image_id,
                "ready": ready,
                "started": "running" in state,
                "restartCount": history.restarts,
                "state": state,
                "lastState": {"terminated": history.last} if history.last else {},
            }
        ],
    }


def deployment_status(deployment: dict[str, Any], wanted: int, ready: int) -> dict[str, Any]:
    """What `kubectl rollout status` and the package installer look at."""
    available = ready >= wanted
    reason = "MinimumReplicasAvailable" if available else "MinimumReplicasUnavailable"
    message = f"Deployment {'has' if available else 'does not have'} minimum availability."
    since = now()
    times = {"lastTransitionTime": since, "lastUpdateTime": since}
    progress = "NewReplicaSetAvailable" if available else "ReplicaSetUpdated"
    return {
        "observedGeneration": deployment["metadata"].get("generation", 1),
        "replicas": wanted,
        "updatedReplicas": wanted,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": wanted - ready,
        "conditions": [
            {"type": "Available", "status": str(available), "reason": reason, "message": message, **times},
            {"type": "Progressing", "status": "True", "reason": progress, "message": message, **times},
        ],
    }
