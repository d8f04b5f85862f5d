# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The subscriber's side of VCSP: reach a publisher, believe it or not, read its two indexes."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp

FILE_SECONDS = 120.0
INDEX_SECONDS = HANDSHAKE_SECONDS = 10.0
USER = "vcsp"  # of every library that vCenter publishes with a password
SHA1_DIGITS, SHA256_DIGITS = 40, 64


@dataclass
class ProbeFailed(Exception):
    """Why a publisher cannot be used, in the words of the probe operation."""

    status: str
    text: str

    def __str__(self) -> str:
        return self.text


class Publisher:
    """One subscription's publisher, reached under the trust that the subscription names."""

    def __init__(self, info: dict[str, Any], roots: Iterable[str]) -> None:
        self.url: str = info.get("subscription_url", "")
        self._info = info
        self._roots = "\n".join(roots)
        self._session: aiohttp.ClientSession | None = None
        # What the publisher showed of itself, believed or not.
        self.thumbprint: str | None = None
        self.certificate: str | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Publisher]:
        """A session whose TLS has been judged; ProbeFailed otherwise."""
        connector = aiohttp.TCPConnector(ssl=await self._trust())
        auth = None
        if self._info.get("authentication_method") == "BASIC":
            auth = aiohttp.BasicAuth(self._info.get("user_name", USER), self._info.get("password", ""))
        async with aiohttp.ClientSession(connector=connector, auth=auth) as session:
            self._session = session
            yield self

    async def library(self) -> dict[str, Any]:
        """The first index."""
        found = await self._json(self.url)
        if "itemsHref" not in found:
            raise ProbeFailed("INVALID_URL", f"{self.url} is not the index of a content library.")
        return found

    async def items(self, library: dict[str, Any]) -> list[dict[str, Any]]:
        """The second index; references of files become whole addresses."""
        url = urljoin(self.url, library["itemsHref"])
        items: list[dict[str, Any]] = (await self._json(url)).get("items", [])
        for item in items:
            for file in item.get("files", []):
                file["url"] = urljoin(url, file["hrefs"][0])
        return items

    async def content(self, url: str) -> bytes:
        """One file."""
        async with self._get(url, FILE_SECONDS) as answer:
            return await answer.read()

    async def _json(self, url: str) -> dict[str, Any]:
        async with self._get(url, INDEX_SECONDS) as answer:
            try:
                found: dict[str, Any] = await answer.json(content_type=None)
            except ValueError as error:
                raise ProbeFailed("INVALID_URL", f"{url} is not JSON.") from error
        return found

    @asynccontextmanager
    async def _get(self, url: str, seconds: float) -> AsyncIterator[aiohttp.ClientResponse]:
        assert self._session is not None
        try:
            async with self._session.get(url, timeout=aiohttp.ClientTimeout(total=seconds)) as answer:
                if answer.status in (401, 403):
                    raise ProbeFailed("INVALID_CREDENTIALS", f"The publisher refused the credentials for {url}.")
                if answer.status != 200:
                    raise ProbeFailed("RESOURCE_NOT_FOUND", f"{url} answered {answer.status}.")
                yield answer
        except asyncio.TimeoutError as error:
            raise ProbeFailed("TIMED_OUT", f"{url} did not answer in time.") from error
        except aiohttp.ClientError as error:
            raise ProbeFailed("UNKNOWN_ERROR", f"{url}: {error}") from error

    async def _trust(self) -> ssl.SSLContext | aiohttp.Fingerprint | bool:
        """Whom to believe: a pinned certificate when one is named, else the trusted roots."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ProbeFailed("INVALID_URL", f"'{self.url}' is not an http or https URL.")
        await _resolve(parts.hostname)
        if parts.scheme == "http":
            return True
        port = parts.port or 443
        wanted = _digits(self._info.get("ssl_thumbprint", ""))
        if pem := self._info.get("ssl_certificate"):
            wanted = hashlib.sha256(_der(pem)).hexdigest()
        presented = await _presented(parts.hostname, port)
        self.thumbprint, self.certificate = thumbprint(presented), ssl.DER_cert_to_PEM_cert(presented)
        if not wanted:
            return await self._verified(parts.hostname, port)
        kind = hashlib.sha1 if len(wanted) == SHA1_DIGITS else hashlib.sha256
        if kind(presented).hexdigest() != wanted:
            text = f"The certificate of {parts.hostname} does not have the given thumbprint."
            raise ProbeFailed("CERTIFICATE_ERROR", text)
        return aiohttp.Fingerprint(hashlib.sha256(presented).digest())

    async def _verified(self, host: str, port: int) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self._roots)
        try:
            await _handshake(host, port, context)
        except ssl.SSLCertVerificationError as error:
            text = f"The certificate of {host} is not trusted: {error.verify_message}"
            raise ProbeFailed("CERTIFICATE_ERROR", text) from error
        return context


def thumbprint(der: bytes) -> str:
    """SHA-256 in pairs with colons."""
    digest = hashlib.sha256(der).hexdigest().upper()
    return ":".join(digest[place : place + 2] for place in range(0, SHA256_DIGITS, 2))


def valid_thumbprint(text: str) -> bool:
    """Of the length of SHA-256, or of SHA-1 for old subscriptions."""
    digits = _digits(text)
    return len(digits) in (SHA1_DIGITS, SHA256_DIGITS) and all(digit in "0123456789abcdef" for digit in digits)


def _digits(text: str) -> str:
    return text.replace(":", "").replace(" ", "").lower()


def _der(pem: str) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(pem.strip() + "\n")
    except ValueError as error:
        raise ProbeFailed("CERTIFICATE_ERROR", f"ssl_certificate is not a certificate: {error}") from error


async def _resolve(host: str) -> None:
    try:
        await asyncio.get_running_loop().getaddrinfo(host, None)
    except socket.gaierror as error:
        raise ProbeFailed("HOST_NOT_FOUND", f"The host {host} cannot be found.") from error


async def _presented(host: str, port: int) -> bytes:
    """The certificate a server shows, believed or not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return await _handshake(host, port, context)


async def _handshake(host: str, port: int, context: ssl.SSLContext) -> bytes:
    try:
        opening = asyncio.open_connection(host, port, ssl=context)
        _, writer = await asyncio.wait_for(opening, HANDSHAKE_SECONDS)
    except asyncio.TimeoutError as error:
        raise ProbeFailed("TIMED_OUT", f"{host}:{port} did not answer in time.") from error
    except ssl.SSLCertVerificationError:
        raise
    except OSError as error:
        raise ProbeFailed("UNKNOWN_ERROR", f"{host}:{port} cannot be reached: {error}") from error
    presented = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return bytes(presented)
