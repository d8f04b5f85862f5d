# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of a vSphere Namespace: workload networks by name, or settings of NSX."""

from __future__ import annotations

from typing import Any

from vcf_lab.vcenter.errors import ApiError
from vcf_lab.vcenter.supervisor_networks import PROVIDERS
from vcf_lab.vcenter.wcp_request import invalid

_PROVIDERS = ("NSXT_CONTAINER_PLUGIN", "VSPHERE_NETWORK", "NSX_VPC@9.0")
_CIDRS = [{"address*": str, "prefix*": int}]
_SUBNETS = [{"path*": str, "pod_default": bool, "vm_default": bool, "name": str}]
# `namespace_network` of create: overrides for a namespace on NSX.
NAMESPACE_NETWORK = {
    "network_provider*": _PROVIDERS,
    "network": {
        "namespace_network_cidrs": _CIDRS,
        "ingress_cidrs": _CIDRS,
        "egress_cidrs": _CIDRS,
        "nsx_tier0_gateway": str,
        "subnet_prefix_length": int,
        "routed_mode": bool,
        "load_balancer_size": ("SMALL", "MEDIUM", "LARGE"),
    },
}
CREATE = {
    "network_provider*": _PROVIDERS,
    "vpc_network": {
        "vpc_config": {"private_cidrs": _CIDRS},
        "vpc": str,
        "shared_subnets@9.1": _SUBNETS,
        "default_subnet_size": int,
    },
    "vsphere_network@9.1": {"default_workload_network": str},
}
UPDATE = {
    "network_provider*": _PROVIDERS,
    "vpc_config": {"default_subnet_size": int, "shared_subnets@9.1": _SUBNETS, "private_cidrs": _CIDRS},
    "vsphere_network_config@9.1": {"networks_to_add": [str], "networks_to_remove": [str], "networks": [str]},
}
Record = dict[str, Any]


def provider(supervisor: Record) -> str:
    """What the Supervisor's networking is called in namespaces."""
    return PROVIDERS[supervisor["spec"]["workloads"]["network"]["network_type"]]


def _known(supervisor: Record, names: list[str]) -> None:
    for name in names:
        if name not in supervisor["networks"]:
            raise invalid(f"The namespace network '{name}' does not exist.", "networks", name)


def _same_provider(supervisor: Record, spec: Record, field: str) -> None:
    given, own = spec["network_provider"], provider(supervisor)
    if given != own:
        raise invalid(f"{field}: the network provider of the Supervisor is {own}, not {given}.", field, given)


def made(supervisor: Record, spec: Record) -> Record:
    """The network fields of a new namespace; without a choice it is on the primary network."""
    on_vsphere = provider(supervisor) == "VSPHERE_NETWORK"
    if spec.get("networks") and not on_vsphere:
        raise ApiError("UNSUPPORTED", "networks can be given with vSphere networking only.", id="vcenter.wcp.namespace.network")
    if "namespace_network" in spec:
        if on_vsphere:
            raise ApiError("UNSUPPORTED", "namespace_network needs NSX.", id="vcenter.wcp.namespace.network")
        _same_provider(supervisor, spec["namespace_network"], "namespace_network")
    network_spec = spec.get("network_spec")
    names = list(spec.get("networks", []))
    if network_spec is not None:
        _same_provider(supervisor, network_spec, "network_spec")
        default = network_spec.get("vsphere_network", {}).get("default_workload_network")
        names = names or ([default] if default else [])
    _known(supervisor, names)
    fields: Record = {"networks": names or list(supervisor["networks"])[:1]}
    if network_spec is not None and not on_vsphere:
        fields["network_spec"] = network_spec
    return fields


def check_update(supervisor: Record, record: Record, spec: Record) -> None:
    """What an update of the network names, before anything is changed."""
    if "network_spec" not in spec:
        return
    _same_provider(supervisor, spec["network_spec"], "network_spec")
    config = spec["network_spec"].get("vsphere_network_config", {})
    _known(supervisor, [*config.get("networks_to_add", []), *config.get("networks", [])])
    primary = record["networks"][:1]
    if set(primary) & set(config.get("networks_to_remove", [])):
        raise invalid(f"The default network '{primary[0]}' of the namespace cannot be removed.", "networks_to_remove")


def update(record: Record, spec: Record) -> None:
    """Networks added and removed; settings of a VPC replaced one by one."""
    given = spec.get("network_spec", {})
    config = given.get("vsphere_network_config", {})
    names = config.get("networks", record["networks"])
    gone = set(config.get("networks_to_remove", []))
    record["networks"] = [n for n in dict.fromkeys([*names, *config.get("networks_to_add", [])]) if n not in gone]
    if "vpc_config" in given:
        own = record.setdefault("network_spec", {"network_provider": given["network_provider"]})
        vpc, changes = own.setdefault("vpc_network", {}), dict(given["vpc_config"])
        if "private_cidrs" in changes:
            vpc["vpc_config"] = {"private_cidrs": changes.pop("private_cidrs")}
        vpc.update(changes)


def shown(record: Record, *, newer: bool) -> Record | None:
    """`network_spec` of an Info; on vSphere networking 9.1 tells the networks there too."""
    if record["network_provider"] != "VSPHERE_NETWORK":
        return record.get("network_spec")
    if not newer or not record["networks"]:
        return None
    states = [{"network": name, "config_status": "ACTIVE"} for name in record["networks"]]
    vsphere = {"default_workload_network": record["networks"][0], "networks": states}
    return {"network_provider": "VSPHERE_NETWORK", "vsphere_network": vsphere}
