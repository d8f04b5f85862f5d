# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User data: from a Secret's value to checked cloud-config.

What the lab cannot do must fail the VM with a reason: a step that is skipped in silence would let
a playbook pass here and fail on a real site.
"""

from __future__ import annotations

import base64
import binascii
import gzip
from dataclasses import dataclass, field
from typing import Any

import yaml

HEADER = "#cloud-config"
GZIP_MAGIC = b"\x1f\x8b"

# Key of cloud-config -> what the lab does with it.
EXECUTED = "executed"
TOLD = "accepted, without effect in the lab"
KEYS = {
    "users": EXECUTED,
    "write_files": EXECUTED,
    "runcmd": EXECUTED,
    "ssh_pwauth": EXECUTED,
    "hostname": TOLD,
    "fqdn": TOLD,
    "preserve_hostname": TOLD,
    "manage_etc_hosts": TOLD,
    "locale": TOLD,
    "timezone": TOLD,
    "final_message": TOLD,
}
USER_KEYS = {
    "name", "gecos", "groups", "homedir", "lock_passwd", "passwd", "hashed_passwd", "plain_text_passwd",
    "primary_group", "shell", "ssh_authorized_keys", "sudo",
}  # fmt: skip
FILE_KEYS = {"path", "content", "permissions", "owner", "encoding", "append", "defer"}
ENCODINGS = {"text/plain", "b64", "base64", "gz+b64", "gzip+base64"}


class UserDataError(ValueError):
    """User data that the guest cannot carry out."""


@dataclass(frozen=True)
class User:
    name: str
    passwd: str = ""  # crypt hash
    locked: bool = True
    shell: str = "/bin/sh"
    ssh_authorized_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class File:
    path: str
    content: bytes
    mode: int = 0o644
    owner: str = "root:root"
    append: bool = False
    deferred: bool = False


@dataclass(frozen=True)
class CloudConfig:
    users: tuple[User, ...] = ()
    files: tuple[File, ...] = ()
    commands: tuple[str | list[str], ...] = ()
    password_logins: bool = False
    notes: tuple[str, ...] = field(default=())  # accepted keys without effect


def from_secret(value: str) -> str:
    """User data from a Secret's `.data` value.

    Kubernetes encodes once; VM Operator takes a content that is base64, or gzip in base64, once
    more, and plain text too.
    """
    content = base64.b64decode(value)
    try:
        inner = base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        inner = content
    if inner.startswith(GZIP_MAGIC):
        inner = gzip.decompress(inner)
    return inner.decode()


def parse(text: str) -> CloudConfig:
    """Checked cloud-config; UserDataError names the first thing that is wrong."""
    if not text.lstrip().startswith(HEADER):
        raise UserDataError(f"user data is not cloud-config: it does not begin with {HEADER}")
    try:
        data = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise UserDataError(f"user data is not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise UserDataError("user data is not a mapping")
    if unknown := sorted(set(data) - set(KEYS)):
        names = ", ".join(map(str, unknown))
        raise UserDataError(f"unsupported cloud-config key {names}; supported: {', '.join(KEYS)}")
    return CloudConfig(
        users=tuple(_user(entry) for entry in _list(data, "users") if entry != "default"),
        files=tuple(_file(entry) for entry in _list(data, "write_files")),
        commands=tuple(_commands(_list(data, "runcmd"))),
        password_logins=data.get("ssh_pwauth") is True,
        notes=tuple(f"{key}: {TOLD}" for key in data if KEYS[key] == TOLD),
    )


def _list(data: dict[str, Any], key: str) -> list[Any]:
    value = data.get(key) or []
    if not isinstance(value, list):
        raise UserDataError(f"{key} has to be a list")
    return value


def _check(entry: Any, known: set[str], required: str, what: str) -> dict[str, Any]:
    if not isinstance(entry, dict) or not entry.get(required):
        raise UserDataError(f"{what}: an entry without {required}")
    if unknown := sorted(set(entry) - known):
        raise UserDataError(f"{what} {entry[required]}: unsupported key {', '.join(map(str, unknown))}")
    return entry


def _user(entry: Any) -> User:
    entry = _check(entry, USER_KEYS, "name", "users")
    name = str(entry["name"])
    if entry.get("homedir") not in (None, f"/home/{name}"):
        raise UserDataError(f"users {name}: homedir other than /home/{name} is not supported")
    if "plain_text_passwd" in entry:
        raise UserDataError(f"users {name}: plain_text_passwd is not supported, give passwd (a crypt hash)")
    return User(
        name=name,
        passwd=str(entry.get("passwd") or entry.get("hashed_passwd") or ""),
        locked=entry.get("lock_passwd", True) is not False,
        shell=entry.get("shell") or "/bin/sh",
        ssh_authorized_keys=tuple(entry.get("ssh_authorized_keys") or ()),
    )


def _file(entry: Any) -> File:
    entry = _check(entry, FILE_KEYS, "path", "write_files")
    path, encoding = str(entry["path"]), entry.get("encoding") or "text/plain"
    if encoding not in ENCODINGS:
        raise UserDataError(f"write_files {path}: unsupported encoding {encoding}")
    if not path.startswith("/"):
        raise UserDataError(f"write_files {path}: the path is not absolute")
    content = str(entry.get("content") or "").encode()
    try:
        if encoding != "text/plain":
            content = base64.b64decode(content)
        if encoding.startswith("gz"):
            content = gzip.decompress(content)
    except (ValueError, OSError, EOFError) as error:
        raise UserDataError(f"write_files {path}: the content is not {encoding}: {error}") from error
    try:
        mode = int(str(entry.get("permissions") or "0644"), 8)
    except ValueError as error:
        raise UserDataError(f"write_files {path}: permissions {entry['permissions']!r} are not octal") from error
    return File(
        path=path,
        content=content,
        mode=mode,
        owner=entry.get("owner") or "root:root",
        append=bool(entry.get("append")),
        deferred=bool(entry.get("defer")),
    )


def _commands(entries: list[Any]) -> list[str | list[str]]:
    """As cloud-init: one item of another type, and none of them runs."""
    commands: list[str | list[str]] = []
    for entry in entries:
        if isinstance(entry, list):
            commands.append([str(word) for word in entry])
        elif isinstance(entry, str):
            commands.append(entry)
        else:
            kind = type(entry).__name__
            raise UserDataError(f"runcmd: unable to shellify type '{kind}'. Expected list or string: {entry!r}")
    return commands
