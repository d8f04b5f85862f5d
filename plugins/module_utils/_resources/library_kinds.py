# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Local and subscribed content libraries: their paths, vCenter's words for our options, and which option belongs to which."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .._errors import RayError
from .._names import canonical
from .._ports import Json

PATHS = {"subscribed": "/api/content/subscribed-library", "local": "/api/content/local-library"}
# The structure of each kind, and in it the option of ours and what vCenter calls it.
PART = {"subscribed": "subscription_info", "local": "publish_info"}
FIELDS = {
    "subscribed": {
        "subscription_url": "subscription_url",
        "on_demand": "on_demand",
        "automatic_sync": "automatic_sync_enabled",
        "ssl_thumbprint": "ssl_thumbprint",
        "ssl_certificate": "ssl_certificate",
        "library_username": "user_name",
    },
    "local": {"published": "published", "persist_json": "persist_json_enabled"},
}
# vCenter need not tell these again, so they cannot always be compared.
TRUST = ("ssl_thumbprint", "ssl_certificate")
FOREIGN = {"subscribed": ("published", "persist_json", "library_current_password"), "local": (*FIELDS["subscribed"], "sync", "evict")}
# What a new library is, where the options say nothing.
NEW = {
    "subscribed": {"on_demand": True, "automatic_sync": True, "authentication": "none"},
    "local": {"published": False, "authentication": "none", "persist_json": False},
}
# Steps that follow from the outcome of a probe; all begin at vCenter, whose way to the publisher is another than ours.
REMEDIES = {
    "INVALID_URL": "subscription_url must be the whole address of the publisher's lib.json, with https://.",
    "HOST_NOT_FOUND": "vCenter itself has to find {host}: check the spelling, and the DNS servers of vCenter.",
    "TIMED_OUT": "vCenter itself has to reach {host}: check the firewall between them, and the proxy of vCenter.",
    "RESOURCE_NOT_FOUND": "{host} answers, but has nothing there: check the path; it ends with lib.json.",
    "INVALID_CREDENTIALS": "Set authentication to basic and check library_username and library_password; a vCenter that publishes wants the user "
                           "vcsp. A wrong path is answered so too by some; it ends with lib.json.",
}


def described(info: Json) -> Json:
    """A library in our words; of what only its kind has, that which vCenter tells."""
    kind = info["type"].lower()
    part = info.get(PART[kind]) or {}
    own = {option: part.get(theirs) for option, theirs in FIELDS[kind].items()}
    if kind == "local":
        own = {option: bool(value) for option, value in own.items()}
    own.update({"publish_url": part.get("publish_url") if own.get("published") else None, "ssl_thumbprint": spelt(own.get("ssl_thumbprint")),
                "ssl_certificate": (own.get("ssl_certificate") or "").strip() or None})
    return {
        "id": canonical(info["id"]),
        "name": info["name"],
        "type": kind,
        "description": info.get("description") or "",
        "datastore": next((b.get("datastore_id") for b in info.get("storage_backings") or []), None),
        "security_policy": canonical(info.get("security_policy_id") or ""),
        "authentication": (part.get("authentication_method") or "NONE").lower(),
        **{option: value for option, value in own.items() if value is not None},
        "last_sync_time": info.get("last_sync_time"),
    }


def spelt(thumbprint: str | None) -> str | None:
    """A thumbprint in the one way that compares: capitals in pairs with colons."""
    digits = re.sub(r"[:\s]", "", thumbprint or "").upper()
    return ":".join(digits[i:i + 2] for i in range(0, len(digits), 2)) or None


def checked_thumbprint(given: str | None) -> str | None:
    """A thumbprint as the user wrote it; one of another length is that of another algorithm, or cut."""
    found = spelt(given)
    if found and not re.fullmatch(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}|[0-9A-F]{2}(:[0-9A-F]{2}){19}", found):
        raise RayError(f"{given!r} is no thumbprint of a certificate: it must be the 32 bytes of SHA-256 in hexadecimal (old releases: 20 of SHA-1).",
                       code="INPUT", hint="openssl x509 -noout -fingerprint -sha256 prints it, behind the equals sign.")
    return found


def checked_certificate(given: str | None) -> str | None:
    """A certificate as the user gave it, without the blanks around it."""
    found = (given or "").strip() or None
    if found and not re.fullmatch(r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", found):
        raise RayError("ssl_certificate is not one certificate in PEM.", code="INPUT",
                       hint="Give the text from BEGIN CERTIFICATE to END CERTIFICATE, as lookup('file', ...) reads it.")
    return found


def refuse_foreign(kind: str, desired: Json) -> None:
    """An option of the other kind would be ignored in silence."""
    wrong = [option for option in FOREIGN[kind] if desired.get(option) not in (None, False)]
    if wrong:
        other = "local" if kind == "subscribed" else "subscribed"
        raise RayError(f"A {kind} content library has no {' and no '.join(wrong)}; a {other} one has.", code="INPUT",
                       hint=f"Leave it out, or set type to {other}.")


def structure(kind: str, values: Json) -> Json:
    """subscription_info or publish_info without its password."""
    own = {theirs: values[option] for option, theirs in FIELDS[kind].items() if values.get(option) is not None}
    return {**own, "authentication_method": (values.get("authentication") or "none").upper()}


def refused_probe(info: Json, answer: Json) -> RayError:
    """Why vCenter could not use a publisher, with the step that helps."""
    url, status = info["subscription_url"], answer["status"]
    said = [m if isinstance(m, str) else m.get("localized") or m.get("default_message") or "" for m in answer.get("error_messages") or []]
    said_text = " ".join(text.strip().rstrip(".") for text in said if text) or "no reason given"
    message = f"vCenter cannot subscribe to {url}: {said_text} ({status})."
    thumbprint = answer.get("ssl_thumbprint")
    if status == "CERTIFICATE_ERROR" and thumbprint:
        given = info.get("ssl_thumbprint")
        other = f", and not {given}" if given else ""
        hint = (f"Its certificate has the thumbprint {thumbprint}{other}. "
                "If that is right, by another way than this one, set ssl_thumbprint to it.")
        return RayError(message, code=status, hint=hint, details={"ssl_thumbprint": thumbprint})
    remedy = REMEDIES.get(status, "Check subscription_url, and that vCenter itself can reach and trust {host}.")
    return RayError(message, code=status, hint=remedy.format(host=urlsplit(url).hostname or url))
