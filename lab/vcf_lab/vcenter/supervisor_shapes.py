# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The structure of the specifications that enable a Supervisor, field by field and release by release."""

from __future__ import annotations

_RANGES = [{"address*": str, "count*": int}]
_CIDRS = [{"address*": str, "prefix*": int}]
_DNS = {"servers*": [str], "search_domains*": [str]}
_NTP = {"servers*": [str]}
_SERVICES = {"dns": _DNS, "ntp": _NTP}
_SERVER = {"host*": str, "port*": int}
_IP_MANAGEMENT = {
    "dhcp_enabled": bool,
    "gateway_address": str,
    "ip_assignments": [{"assignee": ("NODE", "POD", "SERVICE"), "ranges*": _RANGES}],
}
PROXY = {
    "proxy_settings_source*": ("VC_INHERITED", "CLUSTER_CONFIGURED", "NONE"),
    "https_proxy_config": str,
    "http_proxy_config": str,
    "no_proxy_config": [str],
    "tls_root_ca_bundle": str,
}
SIZES = ("TINY", "SMALL", "MEDIUM", "LARGE")
_CONTROL_PLANE = {
    "network*": {
        "network": str,
        "backing*": {
            "backing*": ("NETWORK", "NETWORK_SEGMENT@8.0.3"),
            "network": str,
            "network_segment@8.0.3": {"networks*": [str]},
        },
        "services": _SERVICES,
        "ip_management": _IP_MANAGEMENT,
        "floating_IP_address": str,
        "proxy": PROXY,
    },
    "size": SIZES,
    "size_v2@9.1": str,
    "storage_policy": str,
    "count@9.0": int,
    "login_banner": str,
    "enable_namespace_api_fairness@9.1": bool,
}
_WORKLOAD_NETWORK = {
    "network": str,
    "network_type*": ("VSPHERE", "NSXT", "NSX_VPC@9.0"),
    "vsphere": {"dvpg*": str},
    "nsx": {"dvs*": str, "namespace_subnet_prefix": int},
    "nsx_vpc@9.0": {"nsx_project": str, "vpc_connectivity_profile": str, "default_private_cidrs*": _CIDRS},
    "services": _SERVICES,
    "ip_management": _IP_MANAGEMENT,
}
_ACCOUNT = {"username*": str, "password*": str, "certificate_authority_chain*": str}
_FOUNDATION = {
    "deployment_target": {
        "zones": [str],
        "storage_policy": str,
        "deployment_size": ("SMALL", "MEDIUM", "LARGE", "X_LARGE"),
        "availability": ("SINGLE_NODE", "ACTIVE_PASSIVE"),
    },
    "interfaces": [
        {
            "personas*": [("MANAGEMENT", "WORKLOAD", "FRONTEND")],
            "network*": {
                "network_type*": ("DVPG", "SUPERVISOR_MANAGEMENT", "PRIMARY_WORKLOAD"),
                "dvpg_network": {
                    "name*": str,
                    "network*": str,
                    "ipam*": ("STATIC", "DHCP"),
                    "ip_config": {"ip_ranges*": _RANGES, "gateway*": str},
                },
            },
        }
    ],
    "network_services": {"dns": _DNS, "ntp": _NTP, "syslog": {"endpoint": str, "certificate_authority_pem": str}},
}
_NSX = {
    "edge_cluster_ID": str,
    "default_ingress_TLS_certificate": str,
    "routing_mode": ("ROUTED", "NAT"),
    "egress_IP_ranges": _RANGES,
    "t0_gateway": str,
    "load_balancer_size": ("SMALL", "MEDIUM", "LARGE"),
}
_EDGE = {
    "id": str,
    "provider": ("HAPROXY", "NSX", "NSX_ADVANCED", "NSX_VPC@9.0", "VSPHERE_FOUNDATION@9.0"),
    "load_balancer_address_ranges": _RANGES,
    "haproxy": {"servers*": [_SERVER], **_ACCOUNT},
    "nsx_advanced": {"server*": _SERVER, **_ACCOUNT, "cloud_name@8.0.3": str},
    "nsx": _NSX,
    "foundation@9.0": _FOUNDATION,
}
REGISTRY = {
    "hostname*": str,
    "port": int,
    "username@8.0.3": str,
    "password@8.0.3": str,
    "certificate_chain@8.0.3": str,
}
LIBRARIES = [
    {
        "content_library*": str,
        "supervisor_services@9.0": [str],
        "resource_naming_strategy@9.0": ("FROM_ITEM_ID", "PREFER_ITEM_SOURCE_ID"),
    }
]
_ENABLE = {
    "name*": str,
    "control_plane*": _CONTROL_PLANE,
    "workloads*": {
        "network*": _WORKLOAD_NETWORK,
        "edge*": _EDGE,
        "kube_API_server_options": {"security": {"certificate_dns_names*": [str]}},
        "images": {
            "registry": REGISTRY,
            "repository": str,
            "kubernetes_content_library": str,
            "content_libraries@8.0.3": LIBRARIES,
        },
        "storage": {
            "ephemeral_storage_policy": str,
            "image_storage_policy": str,
            "cloud_native_file_volume": {"vsan_clusters*": [str]},
        },
    },
}
ENABLE_ON_CLUSTER = {"zone": str, **_ENABLE}
ENABLE_ON_ZONES = {"zones*": [str], **_ENABLE}

# Of 7.0, by cluster; deprecated since, but served.
_V1_PROVIDERS = ("NSXT_CONTAINER_PLUGIN", "VSPHERE_NETWORK", "NSX_VPC@9.0")
_V1_VSPHERE_NETWORK = {
    "portgroup*": str,
    "ip_assignment_mode": ("DHCP", "STATICRANGE", "NONE@9.1"),
    "address_ranges*": _RANGES,
    "gateway*": str,
    "subnet_mask*": str,
    "mode@9.0": ("MANAGEMENT", "WORKLOAD"),
}
WORKLOAD_NETWORK = {
    "network*": str,
    "network_provider*": _V1_PROVIDERS,
    "vsphere_network": _V1_VSPHERE_NETWORK,
    "nsx_network": dict,
}
ENABLE_V1 = {
    "size_hint*": SIZES,
    "service_cidr*": _CIDRS[0],
    "network_provider*": _V1_PROVIDERS,
    "ncp_cluster_network_spec": {
        "pod_cidrs*": _CIDRS,
        "ingress_cidrs*": _CIDRS,
        "egress_cidrs*": _CIDRS,
        "cluster_distributed_switch": str,
        "nsx_edge_cluster": str,
        "nsx_tier0_gateway": str,
        "namespace_subnet_prefix": int,
        "routed_mode": bool,
    },
    "workload_networks_spec": {
        "supervisor_primary_workload_network*": WORKLOAD_NETWORK,
        "network_list": [WORKLOAD_NETWORK],
    },
    "workload_ntp_servers": [str],
    "load_balancer_config_spec": {
        "id*": str,
        "address_ranges*": _RANGES,
        "provider*": ("HA_PROXY", "AVI"),
        "ha_proxy_config_create_spec": {"servers*": [_SERVER], **_ACCOUNT},
        "avi_config_create_spec": {"server*": _SERVER, **_ACCOUNT, "cloud_name@8.0.3": str},
    },
    "master_management_network*": {
        "floating_IP": str,
        "network*": str,
        "network_segment@8.0.3": {"networks*": [str]},
        "mode*": ("DHCP", "STATICRANGE"),
        "address_range": {"starting_address*": str, "address_count*": int, "subnet_mask*": str, "gateway*": str},
    },
    "master_DNS": [str],
    "worker_DNS": [str],
    "master_DNS_search_domains": [str],
    "master_NTP_servers": [str],
    "master_storage_policy*": str,
    "ephemeral_storage_policy*": str,
    "cns_file_config": {"vsan_clusters*": [str]},
    "login_banner": str,
    "Master_DNS_names": [str],
    "image_storage*": {"storage_policy*": str},
    "default_image_registry": {"hostname*": str, "port": int},
    "default_image_repository": str,
    "default_kubernetes_service_content_library": str,
    "cluster_proxy_config": PROXY,
    "content_libraries@8.0.3": LIBRARIES,
    "count@9.0": int,
    "enable_namespace_api_fairness@9.1": bool,
}
