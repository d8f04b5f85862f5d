# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate authority of a Supervisor, from the vCenter that it belongs to.

vCenter gives what it trusts without a login, so all depends on its being the right vCenter: its own certificate is verified
first, which nothing can switch off. What it gives is no answer yet either: an authority counts only when the Supervisor's
certificate can be verified against it, as subjects repeat when a vCenter is set up anew.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
import typing as t
import zipfile
from contextlib import contextmanager

from .._errors import RayError
from .._http import Http
from .._ports import Json
from . import proxy, vcenter
from . import supervisor as supervisor_client

OPTIONS = {name: vcenter.ARGSPEC[name] for name in ("hostname", "port", "ca_path", "proxy_host", "proxy_port")}
ARGSPEC = {"vcenter": {"type": "dict", "options": OPTIONS}}
DOWNLOAD = "/certs/download.zip"
# Beside the authorities there are lists of what they have revoked (.r0), and the same for other systems.
AUTHORITY = re.compile(r"certs/lin/[^/]+\.\d+")
LIMIT = 4 * 1024 * 1024
BANNER = "/wcp/loginbanner"


@contextmanager
def trusted(params: Json) -> t.Iterator[Json]:
    """The options of a Supervisor with a ``ca_path``: their own, or a file with what vCenter vouches for, which is removed at the end."""
    source = params.get("vcenter")
    if not source or params.get("ca_path") or not params["validate_certs"]:
        yield params
        return
    authorities = _downloaded(source)
    with tempfile.TemporaryDirectory(prefix="vcf-ray-") as folder:
        path = os.path.join(folder, "ca.pem")
        # One alone if one alone will do; a chain with an intermediate authority needs more than one.
        for pem in [*authorities, "\n".join(authorities)]:
            with open(path, "w", encoding="utf-8") as file:
                file.write(pem)
            if _verifies(path, params):
                break
        else:
            raise RayError(
                f"None of the {len(authorities)} certificate authorities that vCenter {source['hostname']} trusts has issued the certificate of the "
                f"Supervisor {params['hostname']}.", code="TLS",
                hint="Is it a Supervisor of this vCenter? If its certificate was replaced, give the authority that has issued the new one as ca_path.")
        yield {**params, "ca_path": path}


def _downloaded(source: Json) -> list[str]:
    """The authorities in PEM, each once."""
    http, content = vcenter.open_http({**source, "validate_certs": True}), bytearray()

    def take(piece: bytes) -> None:
        content.extend(piece)
        if len(content) > LIMIT:
            raise _unusable(source, f"is longer than {LIMIT} bytes")

    try:
        http.request("GET", DOWNLOAD, into=take)
    finally:
        http.close()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [m for m in archive.infolist() if AUTHORITY.fullmatch(m.filename) and m.file_size <= LIMIT]
            texts = [archive.read(member).decode("ascii") for member in members]
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError, RuntimeError) as error:
        raise _unusable(source, f"cannot be read ({type(error).__name__})") from error
    found = list(dict.fromkeys(text for text in texts if "BEGIN CERTIFICATE" in text))
    if not found:
        raise _unusable(source, "holds no certificate authority")
    return found


def _verifies(path: str, params: Json) -> bool:
    """Whether a connection to the Supervisor is trusted with the authorities in this file. No login goes along."""
    try:
        http = Http(supervisor_client.address_of(params["hostname"]), ca_path=path, timeout=supervisor_client.TIMEOUT, proxy=proxy.url(params),
                    what="Supervisor")
    except RayError:
        # No certificate that can be used; there may be others.
        return False
    try:
        http.request("GET", BANNER, accept=range(200, 600))
    except RayError as error:
        if error.code != "TLS":
            raise
        return False
    finally:
        http.close()
    return True


def _unusable(source: Json, why: str) -> RayError:
    return RayError(f"What vCenter {source['hostname']} gives as {DOWNLOAD} {why}.", code="FAILED",
                    hint="Fetch the authority of the Supervisor in another way, and give it as ca_path.")
