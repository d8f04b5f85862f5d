# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options for a Supervisor that cannot work together, or not on this release, told before anything is looked up."""

from __future__ import annotations

import ipaddress
import typing as t

from .._errors import RayError
from .._ports import Json, VCenter

# Which load balancers go with each kind of workload network, the usual one first.
BALANCERS = {
    "vsphere": ("foundation", "haproxy", "nsx_advanced"),
    "nsx": ("nsx", "nsx_advanced"),
    "nsx_vpc": ("nsx_vpc", "nsx_advanced"),
}
# Which load balancers each of their options is for.
OWN_OPTIONS = {
    "ranges": ("foundation", "haproxy", "nsx", "nsx_advanced"),
    "servers": ("haproxy", "nsx_advanced"),
    "username": ("haproxy", "nsx_advanced"),
    "password": ("haproxy", "nsx_advanced"),
    "certificate_authority": ("haproxy", "nsx_advanced"),
    "cloud": ("nsx_advanced",),
    "foundation": ("foundation",),
    "nsx": ("nsx",),
}
NEED_RANGES = ("foundation", "haproxy", "nsx")


def provider_of(spec: Json) -> str:
    """The load balancer, where none is named the one that goes with the network."""
    return (spec.get("load_balancer") or {}).get("provider") or BALANCERS[spec["workloads"]["kind"]][0]


def refuse_nonsense(name: str, place: Json, spec: Json) -> None:
    """Refuse what no vCenter would take; nothing is asked for it."""
    _refuse_incomplete(name, place, spec)
    _refuse_zones(place.get("zones"))
    _refuse_balancer(spec)
    for where, network in (("control_plane.network", spec["control_plane"]["network"]), ("workloads", spec["workloads"])):
        _refuse_addresses(where, network)
    for where, text in _networks(spec):
        _parsed(where, text, ipaddress.IPv4Network, "10.96.0.0/16")
    for where, text in _single(spec):
        _parsed(where, text, ipaddress.IPv4Address, "10.0.2.10")


def _refuse_incomplete(name: str, place: Json, spec: Json) -> None:
    unset = [key for key in ("control_plane", "workloads") if not spec.get(key)]
    if not place.get("cluster") and not place.get("zones"):
        unset.insert(0, "cluster or zones")
    if not spec.get("load_balancer") and (spec.get("workloads") or {}).get("kind") != "nsx_vpc":
        unset.append("load_balancer")
    if not spec.get("storage_policy") and not (spec.get("control_plane") or {}).get("storage_policy"):
        unset.append("storage_policy")
    if unset:
        raise RayError(f"No Supervisor is called {name!r}, and enabling one needs {', '.join(unset)}.", code="INPUT",
                       hint="Set them, or give the name of a Supervisor that is there.")


def _refuse_zones(zones: list[str] | None) -> None:
    if zones and (len(zones) not in (1, 3) or len(set(zones)) != len(zones)):
        raise RayError(f"A Supervisor stands on one zone or on three different ones, not on {', '.join(zones)}.", code="INPUT",
                       hint="Name one zone, or three; or name a cluster instead.")


def _refuse_balancer(spec: Json) -> None:
    kind, provider, balancer = spec["workloads"]["kind"], provider_of(spec), spec.get("load_balancer") or {}
    if provider not in BALANCERS[kind]:
        raise _input(f"The load balancer {provider} does not go with workloads of kind {kind}.", f"Use {' or '.join(BALANCERS[kind])}.")
    for option, providers in OWN_OPTIONS.items():
        if balancer.get(option) and provider not in providers:
            raise _input(f"load_balancer.{option} is for {' or '.join(providers)}, and the load balancer is {provider}.",
                         "Leave it out, or change the provider.")
    if provider in NEED_RANGES and not balancer.get("ranges"):
        raise _input(f"The load balancer {provider} needs addresses to give away.", "Set load_balancer.ranges.")
    nsx = balancer.get("nsx") or {}
    if provider == "nsx" and nsx.get("routing_mode") != "ROUTED" and not nsx.get("egress_ranges"):
        raise _input("Without load_balancer.nsx.egress_ranges no workload reaches the outside.", "Set it, or routing_mode: ROUTED.")
    servers = balancer.get("servers") or []
    if provider == "nsx_advanced" and len(servers) != 1:
        raise _input(f"NSX Advanced Load Balancer has one address, and load_balancer.servers names {len(servers)}.",
                     "Name its controller, or the address of its cluster.")


def _refuse_addresses(where: str, network: Json) -> None:
    """Addresses outside of the network of their gateway are told by vCenter only when it has begun."""
    if not network.get("gateway"):
        return
    if "/" not in network["gateway"]:
        raise _input(f"{where}.gateway is {network['gateway']!r}.", "Write it with the length of its prefix, such as 10.0.0.1/24.")
    around = _parsed(f"{where}.gateway", network["gateway"], ipaddress.IPv4Interface, "10.0.0.1/24").network
    if network.get("address"):
        first = _parsed(f"{where}.address", network["address"], ipaddress.IPv4Address, "10.0.0.40")
        if first not in around or first + network["count"] - 1 not in around:
            raise _input(f"{where}: {network['count']} addresses from {first} are not all in {around}, the network of the gateway.",
                         "Change address, count or gateway.")


def _networks(spec: Json) -> t.Iterator[tuple[str, str]]:
    """Where networks are written, and how."""
    work = spec["workloads"]
    parts = {"service_cidr": [work.get("service_cidr")], "nsx.pod_cidrs": (work.get("nsx") or {}).get("pod_cidrs"),
             "nsx_vpc.private_cidrs": (work.get("nsx_vpc") or {}).get("private_cidrs")}
    for where, texts in parts.items():
        yield from ((f"workloads.{where}", text) for text in texts or [] if text)


def _single(spec: Json) -> t.Iterator[tuple[str, str]]:
    """Where single addresses are written, and how."""
    balancer = spec.get("load_balancer") or {}
    floating = spec["control_plane"]["network"].get("floating_address")
    if floating:
        yield "control_plane.network.floating_address", floating
    for where, ranges in (("ranges", balancer.get("ranges")), ("nsx.egress_ranges", (balancer.get("nsx") or {}).get("egress_ranges"))):
        yield from ((f"load_balancer.{where}", entry["address"]) for entry in ranges or [])


def _parsed(where: str, text: str, kind: t.Callable[[str], t.Any], example: str) -> t.Any:
    try:
        return kind(text)
    except ValueError as error:
        raise _input(f"{where} is {text!r}, which cannot be read: {error}.", f"Write it like {example}.") from error


def refuse_too_new(client: VCenter, spec: Json) -> None:
    """Refuse what this vCenter is too old for, with the release that has it."""
    client.needs("8.0.1", "Enabling a Supervisor")
    for release, what, wanted in _newer(spec):
        if wanted:
            client.needs(release, what)


def _newer(spec: Json) -> t.Iterator[tuple[str, str, t.Any]]:
    """What came after 8.0 U1: since when, in words, and whether it is asked for."""
    control, work, balancer = spec["control_plane"], spec["workloads"], spec.get("load_balancer") or {}
    images, provider = work.get("images") or {}, provider_of(spec)
    registry, libraries = images.get("registry") or {}, images.get("content_libraries") or []
    yield "8.0.2", "A content library in workloads.images.content_libraries", libraries
    yield "8.0.2", "load_balancer.cloud", balancer.get("cloud")
    yield "8.0.3", "More than one port group for the control plane", len(control["network"].get("portgroups") or []) > 1
    yield "8.0.3", "A login or a certificate authority of workloads.images.registry", registry.get("username") or registry.get("certificate_authority")
    yield "9.0", "control_plane.count", control.get("count")
    yield "9.0", "The load balancer foundation", provider == "foundation"
    yield "9.0", "The workload network nsx_vpc", work["kind"] == "nsx_vpc"
    yield "9.0", "A choice of services or names for a content library", any(e.get("services") or e.get("naming") for e in libraries)


def _input(text: str, hint: str) -> RayError:
    return RayError(text, code="INPUT", hint=hint)
