# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a lab: how each is started, what it waits for, how one sees that it answers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from . import controlplane, registry, settings
from .ask import Unanswered, basic, get, get_json, status, tls
from .namespaces import system_path
from .settings import Lab


@dataclass(frozen=True)
class Part:
    """One process of the lab. `ask` returns what it said, or raises `Unanswered`."""

    name: str
    command: Callable[[Lab], list[str]]
    ask: Callable[[Lab], str]
    after: tuple[str, ...] = ()
    distribution: str | None = None  # of the binaries; the rest is this package


def _python(module: str) -> Callable[[Lab], list[str]]:
    return lambda lab: [sys.executable, "-m", f"vcf_lab.{module}"]


def _vcsim(lab: Lab) -> list[str]:
    where = f"{settings.VCSIM_IP}:{settings.VCSIM_PORT}"
    return [str(lab.bin / "vcsim"), "-l", where, "-vcenter-version", lab.version]


def _health(address: str, port: int) -> Callable[[Lab], str]:
    def ask(_lab: Lab) -> str:
        get(f"http://{address}:{port}/health")
        return "GET /health: 200"

    return ask


def _ask_etcd(_lab: Lab) -> str:
    answer = get_json(f"{settings.ETCD_URL}/health", timeout=5)
    if answer.get("health") != "true":
        raise Unanswered(f"etcd says {answer}")
    return "GET /health: true"


def _ask_vcsim(_lab: Lab) -> str:
    answer = get(f"{settings.VCSIM_URL}/about")
    return f"GET /about: {len(answer)} bytes"


def _ask_apiserver(lab: Lab) -> str:
    context = tls(lab, admin=True)
    get(f"{settings.APISERVER_URL}/readyz", context=context)
    return f"GET /version: {get_json(f'{settings.APISERVER_URL}/version', context=context)['gitVersion']}"


def _ask_controller_manager(lab: Lab) -> str:
    """It works when the roles that others aggregate into have rules."""
    get("https://127.0.0.1:10257/healthz", context=tls(lab))
    url = f"{settings.APISERVER_URL}/apis/rbac.authorization.k8s.io/v1/clusterroles/edit"
    rules = get_json(url, context=tls(lab, admin=True), timeout=5).get("rules")
    if not rules:
        raise Unanswered("the ClusterRole edit has no rules yet")
    return f"ClusterRole edit: {len(rules)} rules"


def _ask_publisher(lab: Lab) -> str:
    answer = json.loads(get(f"{settings.PUBLISHER_URL}/dl-vm/lib.json", context=tls(lab)))
    return f"GET /dl-vm/lib.json: {answer.get('name', 'a library')}"


def _ask_for_login(url: str) -> Callable[[Lab], str]:
    """A server that asks for a login, and takes the lab's."""

    def ask(lab: Lab) -> str:
        context = tls(lab)
        code, _ = status(url, context=context)
        if code != 401:
            raise Unanswered(f"GET {url} without a login: {code}, not 401")
        get(url, context=context, headers=basic(settings.REGISTRY_USER, lab.registry_password))
        return f"GET {urlsplit(url).path}: 401, with the login 200"

    return ask


_LOCAL = "127.0.0.1"
PARTS = (
    Part("etcd", controlplane.etcd, _ask_etcd, distribution="etcd"),
    Part("vcsim", _vcsim, _ask_vcsim, distribution="vcsim"),
    Part("publisher", _python("publisher"), _ask_publisher),
    *(
        Part(name, partial(registry.command, name), _ask_for_login(f"https://{host}/v2/"), distribution="registry")
        for name, host in registry.HOSTS.items()
    ),
    Part("files", _python("files"), _ask_for_login(f"{settings.FILES_URL}/api/system/ping")),
    Part("kube-apiserver", controlplane.apiserver, _ask_apiserver, ("etcd",), "kube-apiserver"),
    Part(
        "kube-controller-manager",
        controlplane.controller_manager,
        _ask_controller_manager,
        ("kube-apiserver",),
        "kube-controller-manager",
    ),
    Part(
        "vcenter",
        _python("vcenter"),
        _health(settings.VCENTER_IP, settings.VCENTER_LAB_PORT),
        ("vcsim", "kube-apiserver"),
    ),
    Part("supervisor", _python("supervisor"), _health(_LOCAL, settings.SUPERVISOR_LAB_PORT), ("kube-apiserver",)),
    Part("vmoperator", _python("vmoperator"), _health(_LOCAL, settings.VMOPERATOR_LAB_PORT), ("kube-apiserver",)),
)


def environment(lab: Lab) -> dict[str, str]:
    """Environment of a part: this package, and a folder for what it drops."""
    env = command_environment(lab)
    env.pop("KUBECONFIG", None)  # the user's own cluster is none of our business
    package = str(Path(__file__).parent.parent)
    paths = [package, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    return env | {
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONUNBUFFERED": "1",
        # Temporary files, as the datastores of vcsim, go with the lab's folder.
        "TMPDIR": str(lab.state / "tmp"),
    }


def command_environment(lab: Lab) -> dict[str, str]:
    """Environment of a user's command inside: proxies lead nowhere from there.

    Everybody has the id 0 inside, so the home of that id is not the user's; Ansible would look there.
    """
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    env.setdefault("ANSIBLE_REMOTE_TMP", str(Path.home() / ".ansible" / "tmp"))
    env.setdefault("OPERATOR_PYTHON", sys.executable)  # for the Makefile of the operator's source
    return env | {"PATH": f"{lab.bin}{os.pathsep}{system_path(env.get('PATH', ''))}", **exports(lab)}


def exports(lab: Lab) -> dict[str, str]:
    """What clients of the lab need; the names that the collection and AAP use."""
    return {
        "LAB_STATE": str(lab.state),
        "VMWARE_HOST": settings.VCENTER_HOST,
        "VMWARE_USER": settings.ADMINISTRATOR,
        "VMWARE_PASSWORD": lab.password,
        "VCF_RAY_CA_PATH": str(lab.ca_cert),
    }
