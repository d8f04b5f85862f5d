# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks with nothing to change: ours, the neighbours', and what one would write by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .counting import Call
from .world import NAMESPACE, SESSION_HEADER, World

KUBE, VCENTER, BASE = "VMRayCluster", "content library", "any task"
# The row of each group whose requests are made by hand too.
OURS = {KUBE: "cluster", VCENTER: "library"}
AS_MODULE = {"vcf_ray_in_process": False}


@dataclass(frozen=True)
class Row:
    """One line of the tables. `tasks` is what stands in a play, without names: one task, or all that the same work takes."""

    key: str
    group: str
    label: str
    tasks: tuple[dict[str, Any], ...] = field(repr=False)


def _row(key: str, group: str, label: str, *tasks: dict[str, Any]) -> Row:
    return Row(key, group, label, tasks)


def rows(world: World, session: str) -> list[Row]:
    """Everything that is written as an Ansible task except `uri`, whose calls are ours and known only when ours has run."""
    return [*_kube(world), *_vcenter(world, session), *_base()]


def _kube(world: World) -> list[Row]:
    live = world.cluster()
    # What a user has in a file: not what the autoscaler keeps in the object.
    spec = {key: value for key, value in live["spec"].items() if key != "autoscaler_desired_workers"}
    name = live["metadata"]["name"]
    login = {"kubeconfig": world.kubeconfig, "context": NAMESPACE}
    ours = {"name": name, "namespace": NAMESPACE, **login, "definition": {"spec": spec}}
    neighbour = {"state": "present", **login, "definition": {
        "apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}}
    cluster = "vcf.ray.vmray_cluster"
    return [
        _row("cluster", KUBE, "vmray_cluster, wait: false", {cluster: {**ours, "wait": False}}),
        _row("cluster_wait", KUBE, "vmray_cluster, asks Ray too", {cluster: ours}),
        _row("cluster_role", KUBE, "vmray_cluster as in the role: names, password, asks Ray", {cluster: {**_as_in_the_role(world), **login}}),
        _row("cluster_module", KUBE, "vmray_cluster as module, wait: false", {cluster: {**ours, "wait": False}, "vars": AS_MODULE}),
        _row("cluster_wait_module", KUBE, "vmray_cluster as module, asks Ray too", {cluster: ours, "vars": AS_MODULE}),
        _row("k8s", KUBE, "kubernetes.core.k8s", {"kubernetes.core.k8s": neighbour}),
    ]


def _as_in_the_role(world: World) -> dict[str, Any]:
    """The options that roles/devops_user hands on."""
    wanted = world.variables["devops_user_clusters"][0]
    return {"namespace": NAMESPACE, "open_dashboard": "accept", **wanted}


def _vcenter(world: World, session: str) -> list[Row]:
    wanted, library = world.variables["vi_admin_libraries"][0], "vcf.ray.content_library"
    place = {"hostname": world.variables["vcenter_hostname"], "ca_path": world.ca}
    login = {"username": world.variables["vcenter_username"], "password": world.variables["vcenter_password"]}
    ours = {**wanted, **place}
    least = {"name": wanted["name"], "subscription_url": wanted["subscription_url"], **place, "session_id": session}
    info = {"subscription_url": wanted["subscription_url"], "authentication_method": "NONE", "automatic_sync_enabled": True, "on_demand": True}
    neighbour = {"vcenter_hostname": place["hostname"], **{f"vcenter_{k}": v for k, v in login.items()},
                 "name": wanted["name"], "type": "SUBSCRIBED", "subscription_info": info}
    rest, items = "vmware.vmware_rest.content_subscribedlibrary", "vmware.vmware_rest.content_library_item_info"
    asked = {**{k: v for k, v in neighbour.items() if k.startswith("vcenter_")}, "library_item_id": _item_id(world, session)}
    # It has no option for a CA; OpenSSL's own variable is what its library heeds.
    trust = {"environment": {"SSL_CERT_FILE": world.ca}}
    return [
        _row("library_least", VCENTER, "content_library, only the options of vmware_rest's task, session_id", {library: least}),
        _row("library", VCENTER, "content_library, session_id", {library: {**ours, "session_id": session}}),
        _row("library_login", VCENTER, "content_library, logs in and out", {library: {**ours, **login}}),
        _row("library_module", VCENTER, "content_library as module, session_id", {library: {**ours, "session_id": session}, "vars": AS_MODULE}),
        _row("rest", VCENTER, "vmware_rest.content_subscribedlibrary, logs in", {rest: neighbour, **trust}),
        _row("rest_items", VCENTER, "the same, and content_library_item_info of one item", {rest: neighbour, **trust}, {items: asked, **trust}),
    ]


def _item_id(world: World, session: str) -> str:
    """The neighbour's info module wants the id of the item; whoever uses it asks for that before, which is not counted here.

    (It can list a library too, but asks for `item?library_id?library_id=ID` then, which no published description has.)
    """
    header = {SESSION_HEADER: session}
    wanted = world.variables["vi_admin_libraries"][0]
    library = world.ask("POST", "/api/content/library?action=find", {"name": wanted["name"], "type": "SUBSCRIBED"}, header)[0]
    items: list[str] = world.ask("GET", f"/api/content/library/item?library_id={library}", headers=header)
    return next(i for i in items if world.ask("GET", f"/api/content/library/item/{i}", headers=header)["name"] == wanted["items"][0])


def _base() -> list[Row]:
    return [_row("ping", BASE, "ping", {"ansible.builtin.ping": {}}), _row("debug", BASE, "debug", {"ansible.builtin.debug": {"msg": "x"}})]


def by_hand(world: World, session: str, calls: dict[str, list[Call]]) -> list[Row]:
    """`calls` has ours for each group; one `uri` task with a loop over them."""
    credentials = {KUBE: ("Authorization", f"Bearer {world.kube_login()[1]}"), VCENTER: (SESSION_HEADER, session)}
    return [_row(f"uri_{key}", group, f"uri, the same {count(calls[group])} in a loop", _uri(world, credentials[group], calls[group]))
            for group, key in OURS.items()]


def count(calls: list[Call]) -> str:
    return "call" if len(calls) == 1 else f"{len(calls)} calls"


def _uri(world: World, credential: tuple[str, str], calls: list[Call]) -> dict[str, Any]:
    items = [{"url": call.url, "method": call.method, "body": call.body} for call in calls]
    return {"ansible.builtin.uri": {"url": "{{ item.url }}", "method": "{{ item.method }}", "headers": dict([credential]), "ca_path": world.ca,
                                    "body": "{{ item.body or omit }}", "body_format": "json", "return_content": True},
            "loop": items, "loop_control": {"label": "{{ item.method }}"}}
