# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Session tokens of the Supervisor, and the API server's question whose they are."""

from __future__ import annotations

import logging
import ssl
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from aiohttp import web
from jwt.types import Options

from .. import pki, settings
from ..settings import Lab

LOG = logging.getLogger(__name__)
ALGORITHM = "RS256"
ISSUER = "https://supervisor.lab/wcp"


@dataclass(frozen=True)
class User:
    """Who logged in: `name@domain` and the full names of the groups."""

    name: str
    groups: tuple[str, ...]

    @property
    def username(self) -> str:
        """The name that RBAC sees."""
        return f"sso:{self.name}"

    @property
    def kubernetes_groups(self) -> list[str]:
        """The groups that RBAC sees; the API server adds system:authenticated."""
        return [f"sso:{group}" for group in self.groups]


class Tokens:
    """Signs and reads session tokens; the key outlives a restart, so sessions do too."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.lifetime = float(settings.TOKEN_SECONDS)
        self._clock = clock
        self._key = pki.rsa_key(folder / "token.key")

    def issue(self, user: User) -> str:
        """A token for the user, valid for `lifetime` seconds."""
        now = self._clock()
        claims = {
            "iss": ISSUER,
            "sub": user.name,
            "group_names": list(user.groups),
            "iat": int(now),
            "exp": int(now + self.lifetime),
            "jti": str(uuid.uuid4()),
        }
        return jwt.encode(claims, self._key, ALGORITHM, headers={"kid": "supervisor"})

    def read(self, token: str) -> User:
        """The user of a token; `jwt.InvalidTokenError` for any other string."""
        options: Options = {"verify_exp": False, "verify_iat": False, "require": ["exp", "sub"]}
        claims = jwt.decode(token, self._key.public_key(), [ALGORITHM], issuer=ISSUER, options=options)
        if claims["exp"] <= self._clock():
            raise jwt.ExpiredSignatureError("the token has expired")
        return User(claims["sub"], tuple(claims.get("group_names", [])))


def webhook(tokens: Tokens) -> web.Application:
    """The application that answers the API server's TokenReviews."""

    async def authenticate(request: web.Request) -> web.Response:
        review = await request.json()
        status: dict[str, Any] = {"authenticated": False}
        try:
            user = tokens.read(review.get("spec", {}).get("token", ""))
            identity = {"username": user.username, "uid": user.name, "groups": user.kubernetes_groups}
            status = {"authenticated": True, "user": identity}
        except jwt.InvalidTokenError as error:
            status["error"] = str(error)
        return web.json_response({"apiVersion": review["apiVersion"], "kind": "TokenReview", "status": status})

    app = web.Application()
    app.router.add_post("/authenticate", authenticate)
    return app


async def serve(lab: Lab, tokens: Tokens) -> web.AppRunner:
    """Listen where the API server's configuration points to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pki.issue(lab, "webhook", ["127.0.0.1", "localhost"]))
    runner = web.AppRunner(webhook(tokens), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", settings.WEBHOOK_PORT, ssl_context=context).start()
    return runner
