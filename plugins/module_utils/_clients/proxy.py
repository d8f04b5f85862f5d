# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP proxy that a client goes through, as two options say; those of the environment are never used."""

from __future__ import annotations

import re
import typing as t

from .._errors import RayError

ARGSPEC = {
    "proxy_host": {"type": "str"},
    "proxy_port": {"type": "int"},
}
PORT = 3128
# A scheme, a path, a port or a login belongs into no name; an IPv6 address may have brackets.
HOST = re.compile(r"[\w.-]+|\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%\w+)?\]?")


def url(params: t.Mapping[str, t.Any]) -> str | None:
    """The proxy of the options of ARGSPEC as a URL, None without one. TLS goes through it untouched (CONNECT), so it never sees what is sent.

    Raises:
        RayError: ``INPUT``.
    """
    host, port = params.get("proxy_host"), params.get("proxy_port")
    if not host:
        return None
    if not HOST.fullmatch(host):
        # Not repeated, as a login may stand in it.
        raise RayError("proxy_host is not the name or address of a proxy alone.", code="INPUT",
                       hint="Give the name without http://, and the port as proxy_port. A proxy that asks for a login is not supported.")
    if port is not None and not 0 < port < 65536:
        raise RayError(f"proxy_port {port} is no port.", code="INPUT", hint=f"Give one from 1 to 65535; without it, it is {PORT}.")
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{port or PORT}"
