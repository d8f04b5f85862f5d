# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SSH server of a VM: real keys, terminals, file transfer and port forwarding."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import pty
import signal
import termios
import time
from pathlib import Path

import asyncssh

from . import environment
from .cloudinit import PASSWORDS
from .spec import VmSpec

try:
    from passlib.context import CryptContext
except ImportError:  # keys still work
    CryptContext = None  # type: ignore[misc,assignment]  # asked for before it is used

LOG = logging.getLogger(__name__)
PORT = 22
HOST_KEY = "ssh_host_ed25519_key"  # in the VM's folder: the same after a reboot
FLUSH_SECONDS = 0.02  # the last output has to be sent before the exit code


class Server(asyncssh.SSHServer):
    """Who may log in: by authorized_keys, or by the password of the user data."""

    def __init__(self, spec: VmSpec) -> None:
        self._spec = spec

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn

    def begin_auth(self, username: str) -> bool:
        keys = Path(environment.home_of(username)) / ".ssh" / "authorized_keys"
        if keys.exists():
            try:
                self._conn.set_authorized_keys(str(keys))
            except (ValueError, OSError) as error:
                LOG.warning("%s: %s", keys, error)
        return True

    def password_auth_supported(self) -> bool:
        return CryptContext is not None and bool(self._hashes())

    async def validate_password(self, username: str, password: str) -> bool:
        known = self._hashes().get(username)
        if known is None:
            return False
        context = CryptContext(["sha512_crypt", "sha256_crypt", "bcrypt", "md5_crypt"])
        try:
            return await asyncio.to_thread(context.verify, password, known)
        except ValueError as error:
            LOG.warning("the password hash of %s cannot be used: %s", username, error)
            return False

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        return True  # ssh -L, as towards any head node

    def _hashes(self) -> dict[str, str]:
        path = Path(self._spec.folder) / PASSWORDS
        return json.loads(path.read_text()) if path.exists() else {}


class FileTransfer(asyncssh.SFTPServer):
    """With the exit code that scp(1) waits for; the library leaves it out."""

    def exit(self) -> None:
        self.channel.exit(0)


async def serve(spec: VmSpec) -> asyncssh.SSHAcceptor:
    """Listen on port 22 of the VM."""

    async def session(process: asyncssh.SSHServerProcess[bytes]) -> None:
        await _session(spec, process)

    return await asyncssh.create_server(
        lambda: Server(spec),
        "0.0.0.0",
        PORT,
        server_host_keys=[_host_key(spec)],
        reuse_address=True,
        process_factory=session,
        # Bytes as they come, and no line editing of the server's own: programs do that.
        encoding=None,
        line_editor=False,
        agent_forwarding=False,
        sftp_factory=FileTransfer,
        allow_scp=True,
    )


def _host_key(spec: VmSpec) -> asyncssh.SSHKey:
    path = Path(spec.folder) / HOST_KEY
    if not path.exists():
        key = asyncssh.generate_private_key("ssh-ed25519")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(key.export_private_key())
    return asyncssh.read_private_key(path)


async def _session(spec: VmSpec, process: asyncssh.SSHServerProcess[bytes]) -> None:
    user, started = process.get_extra_info("username"), time.monotonic()
    LOG.info("ssh: %s runs %s", user, process.command or "a shell")
    child = await _start(spec, process, user)
    finished = asyncio.ensure_future(child.wait())
    # Loss of the connection ends the command; end of its input does not (`dd of=FILE`).
    gone = asyncio.ensure_future(process.get_extra_info("connection").wait_closed())
    await asyncio.wait([finished, gone], return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    if not finished.done():
        LOG.info("ssh: client of %s is gone, hang up", child.pid)
        os.killpg(child.pid, signal.SIGHUP)
        await finished
        return
    code = finished.result()
    LOG.info("ssh: exit code %s after %.2f s", code, time.monotonic() - started)
    await asyncio.sleep(FLUSH_SECONDS)
    process.exit(code if code >= 0 else 128 - code)


async def _start(spec: VmSpec, process: asyncssh.SSHServerProcess[bytes], user: str) -> asyncio.subprocess.Process:
    env = environment.of_user(spec, user)
    home = environment.home_of(user)
    arguments = ["/bin/bash", *(["-c", process.command] if process.command else ["-l"])]
    where = home if os.path.isdir(home) else "/"
    if process.term_type is None:
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            *arguments, env=env, cwd=where, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr)
        return child
    master, slave = pty.openpty()
    env["TERM"] = process.term_type
    child = await asyncio.create_subprocess_exec(
        *arguments, env=env, cwd=where, stdin=slave, stdout=slave, stderr=slave, preexec_fn=_take_terminal
    )
    os.close(slave)
    await process.redirect(stdin=os.dup(master), stdout=master, send_eof=False)
    return child


def _take_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
