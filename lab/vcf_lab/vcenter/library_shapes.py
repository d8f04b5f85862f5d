# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bodies of library requests may hold."""

from __future__ import annotations

SUBSCRIPTION = {
    "subscription_url": str,
    "authentication_method": ("NONE", "BASIC"),
    "automatic_sync_enabled": bool,
    "on_demand": bool,
    "ssl_thumbprint": str,
    "ssl_certificate": str,
    "user_name": str,
    "password": str,
    "source_info": {"source_library": str, "subscription": str},
}
PUBLISH = {
    "published": bool,
    "authentication_method": ("NONE", "BASIC"),
    "publish_url": str,
    "user_name": str,
    "password": str,
    "current_password": str,
    "persist_json_enabled": bool,
}
MODEL = {
    "name": str,
    "type": ("LOCAL", "SUBSCRIBED"),
    "description": str,
    "storage_backings": [{"type": ("DATASTORE", "OTHER"), "datastore_id": str, "storage_uri": str}],
    "subscription_info": SUBSCRIPTION,
    "publish_info": PUBLISH,
    "security_policy_id": str,
    "unset_security_policy_id": bool,
    "persist_json_enabled": bool,
    "optimization_info": {"optimize_remote_publishing": bool},
    "version": str,
    "server_guid": str,
}
