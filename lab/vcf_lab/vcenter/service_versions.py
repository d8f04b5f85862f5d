# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/sdk/vimServiceVersions.xml: which release this is, told to anybody, before any login.

The simulator would name a release of its own. Clients such as pyVmomi choose the newest version that
they know themselves out of this list.
"""

from __future__ import annotations

from aiohttp import web

# vim25 as the releases counted it, oldest first (the versions that pyVmomi 9.1 knows).
VIM25 = (
    "2.5", "2.5u2", "2.5u2server", "4.0", "4.1", "5.0", "5.1", "5.5", "6.0", "6.5", "6.7", "6.7.1", "6.7.2", "6.7.3",
    "6.8.7", "6.9.1", "7.0.0.0", "7.0.0.2", "7.0.1.0", "7.0.1.1", "7.0.2.0", "7.0.2.1", "7.0.3.0", "8.0.0.0", "8.0.0.1",
    "8.0.0.2", "8.0.1.0", "8.0.2.0", "8.0.3.0", "9.0.0.0", "9.1.0.0",
)  # fmt: skip

routes = web.RouteTableDef()


@routes.get("/sdk/vimServiceVersions.xml")
async def service_versions(request: web.Request) -> web.Response:
    """The release, and every older one whose clients it understands."""
    return web.Response(text=document(request.app["lab"].version), content_type="text/xml", charset="utf-8")


def api_version(release: str) -> str:
    """`9.0` as vim25 writes it: four numbers."""
    return ".".join([*release.split("."), "0", "0", "0"][:4])


def document(release: str) -> str:
    """The whole answer for a release."""
    own = api_version(release)
    older = "".join(f"   <version>{version}</version>\n" for version in reversed(VIM25[: VIM25.index(own)]))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<namespaces version="1.0">\n <namespace>\n  <name>urn:vim25</name>\n'
        f"  <version>{own}</version>\n  <priorVersions>\n{older}  </priorVersions>\n </namespace>\n"
        " <namespace>\n  <name>urn:vim2</name>\n  <version>2.0</version>\n </namespace>\n</namespaces>\n"
    )
