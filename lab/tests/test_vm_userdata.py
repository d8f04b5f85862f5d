# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User data: decoded as VM Operator does, and refused where the lab cannot carry it out."""

from __future__ import annotations

import base64
import gzip

import pytest

from vcf_lab.vm.cloudinit import shown
from vcf_lab.vm.userdata import UserDataError, from_secret, parse

TEXT = "#cloud-config\nruncmd: [uptime]\n"


def encode(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        base64.b64encode(TEXT.encode()),
        base64.encodebytes(TEXT.encode()),
        base64.b64encode(gzip.compress(TEXT.encode(), mtime=0)),
        gzip.compress(TEXT.encode(), mtime=0),
    ],
)
def test_a_secret_may_hold_text_or_base64_or_gzip(content: bytes) -> None:
    assert from_secret(encode(content)) == TEXT


def test_users_files_and_commands() -> None:
    config = parse(
        """#cloud-config
ssh_pwauth: true
locale: C.UTF-8
users:
  - default
  - {name: rayvm, sudo: "ALL=(ALL) NOPASSWD:ALL", lock_passwd: false, passwd: $6$x$y, shell: /bin/bash}
write_files:
  - {path: /home/rayvm/key, content: secret, permissions: "0600"}
  - {path: /etc/motd, content: aGk=, encoding: b64, append: true}
runcmd:
  - chown -R rayvm:rayvm /home/rayvm
  - [echo, 1]
"""
    )
    (user,) = config.users
    assert (user.name, user.passwd, user.locked, user.shell) == ("rayvm", "$6$x$y", False, "/bin/bash")
    key, motd = config.files
    assert (key.path, key.content, key.mode) == ("/home/rayvm/key", b"secret", 0o600)
    assert (motd.content, motd.mode, motd.append) == (b"hi", 0o644, True)
    assert config.commands == ("chown -R rayvm:rayvm /home/rayvm", ["echo", "1"])
    assert config.password_logins
    assert config.notes == ("locale: accepted, without effect in the lab",)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("runcmd: [uptime]", "#cloud-config"),
        ("#cloud-config\npackages: [docker]", "packages"),
        ("#cloud-config\n- a", "mapping"),
        ("#cloud-config\nruncmd: [", "YAML"),
        ("#cloud-config\nruncmd: uptime", "runcmd has to be a list"),
        ("#cloud-config\nusers: [{name: a, uid: 7}]", "users a: unsupported key uid"),
        ("#cloud-config\nusers: [{name: a, homedir: /srv}]", "homedir"),
        ("#cloud-config\nusers: [{shell: /bin/sh}]", "without name"),
        ("#cloud-config\nwrite_files: [{path: /a, source: {uri: x}}]", "source"),
        ("#cloud-config\nwrite_files: [{path: /a, encoding: rot13}]", "rot13"),
        ("#cloud-config\nwrite_files: [{path: a}]", "absolute"),
        ("#cloud-config\nwrite_files: [{path: /a, permissions: rw}]", "octal"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(text: str, named: str) -> None:
    with pytest.raises(UserDataError, match=named):
        parse(text)


def test_a_colon_in_a_bare_command_breaks_all_of_runcmd() -> None:
    """The operator's quoting trap: `su user -c 'echo a: b'` as a bare YAML item is a mapping."""
    with pytest.raises(UserDataError, match="unable to shellify type 'dict'"):
        parse("#cloud-config\nruncmd:\n  - uptime\n  - su rayvm -c 'echo a: b'\n")


def test_passwords_are_not_shown() -> None:
    assert shown("docker login r --username u --password s3cret") == "docker login r --username u --password ***"
    assert shown(["docker", "login", "-p", "s3cret"]) == "docker login -p ***"
