# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bodies of library requests may hold, and what answers do not show.

Source: bindings of vmware-vcenter 9.1.1.0. A whole model may be sent back as it was read:
what only the server sets is "not used", so it is taken and ignored.
"""

from __future__ import annotations

from typing import Any

SUBSCRIPTION = {
    "subscription_url": str,
    "authentication_method": ("NONE", "BASIC"),
    "automatic_sync_enabled": bool,
    "on_demand": bool,
    "ssl_thumbprint": str,
    "ssl_certificate@9.0": str,
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
BACKING = {"type": ("DATASTORE", "OTHER"), "datastore_id": str, "storage_uri": str}
MODEL = {
    "id": str,
    "name": str,
    "type": ("LOCAL", "SUBSCRIBED"),
    "description": str,
    "storage_backings": [BACKING],
    "subscription_info": SUBSCRIPTION,
    "publish_info": PUBLISH,
    "security_policy_id": str,
    "unset_security_policy_id": bool,
    "optimization_info": {"optimize_remote_publishing": bool},
    "version": str,
    "server_guid": str,
    "creation_time": str,
    "last_modified_time": str,
    "last_sync_time": str,
    "state_info@9.0": {"state": ("ACTIVE", "MAINTENANCE"), "message": str},
    "configuration_info@9.1": {"apply_library_usage_to_items": bool},
}
FIND = {"name": str, "type": ("LOCAL", "SUBSCRIBED"), "storage_backing@9.0": BACKING}
SET_AT_CREATION = ("name", "description", "storage_backings", "security_policy_id", "optimization_info", "configuration_info")

ITEM = {
    "id": str,
    "library_id": str,
    "name": str,
    "description": str,
    "type": str,
    "version": str,
    "source_id": str,
    "content_version": str,
    "metadata_version": str,
    "creation_time": str,
    "last_modified_time": str,
    "last_sync_time": str,
    "cached": bool,
    "size": int,
    "security_compliance": bool,
}
ITEM_FIND = {"name": str, "library_id": str, "source_id": str, "type": str, "cached": bool}

# Kept for the lab itself.
HIDDEN = ("sync_error", "client_token")
# "Will not be present in the return value": clients cannot compare what they pinned.
WRITE_ONLY = ("password", "current_password", "ssl_certificate", "ssl_thumbprint")


def shown(library: dict[str, Any]) -> dict[str, Any]:
    """A library as clients see it: passwords never, nor what the publisher is trusted by."""
    model = {key: value for key, value in library.items() if key not in HIDDEN}
    for part in ("subscription_info", "publish_info"):
        if part in model:
            model[part] = {key: value for key, value in model[part].items() if key not in WRITE_ONLY}
    return model
