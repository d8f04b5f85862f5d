# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate authorities of the system, which requests does not look at: it brings a list of its own, in which no company's CA is."""

from __future__ import annotations

import typing as t

try:
    from requests.adapters import HTTPAdapter
    from urllib3.util.ssl_ import create_urllib3_context
except ImportError:
    HTTPAdapter = object  # type: ignore[misc, assignment]


class SystemTrust(HTTPAdapter):
    """Connections that are verified against the authorities of the system, beside those of requests."""

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        return super().init_poolmanager(*args, ssl_context=system_context(), **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        return super().proxy_manager_for(proxy, ssl_context=system_context(), **kwargs)


def system_context() -> t.Any:
    """That of urllib3, which compares names by itself: its oldest releases cannot with one of Python's for an address without a name."""
    context = create_urllib3_context()
    context.load_default_certs()
    return context
