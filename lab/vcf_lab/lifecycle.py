# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab up` and `lab down`."""

from __future__ import annotations

import json
import os
import secrets
import signal
import string
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import build, controlplane, instance, namespaces, operator_image, pki, registry, settings, site_vars
from .instance import Instance
from .parts import environment
from .settings import Lab, write_private

UP_WITHIN = 120.0
LOG_LINES = 5
Say = Callable[[str], None]


class UpError(Exception):
    """What keeps the lab from coming up."""


def up(state: Path, wanted: dict[str, Any], say: Say) -> Lab:
    """Start the lab of `state`, or report the one that runs.

    `wanted` holds the options that were given; a running lab must agree.
    """
    with instance.locked(state):
        if instance.find(state) or instance.inside(state):
            return _running(state, wanted, say)
        for name in ("ssh", "openssl"):  # what runs in the machines calls them
            namespaces.program(name)
        command = namespaces.unshare()
        binaries = build.ensure(say)
        image = operator_image.ensure(say)
        instance.clean(state, keep_folder=True)
        started = time.monotonic()
        try:
            with _private_files():
                lab = _prepare(state, binaries, image, wanted)
                _spawn(lab, command)
            _wait(lab, started, say)
            say(f"the lab is up after {time.monotonic() - started:.1f} s: {state}")
        except KeyboardInterrupt:
            say("stopped: taking the lab down")
            down(state, say=say)
            raise
    return lab


@contextmanager
def _private_files() -> Iterator[None]:
    """Nothing that the lab writes is for other users; what its user writes is not ours to say."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _running(state: Path, wanted: dict[str, Any], say: Say) -> Lab:
    lab = settings.read(state)
    other = {name: getattr(lab, name) for name, value in wanted.items() if getattr(lab, name) != value}
    if other:
        told = ", ".join(f"{name} {value}" for name, value in other.items())
        raise UpError(f"the lab in {state} runs already, with {told}: `lab down` first, or use another --state")
    say(f"the lab runs already: {state}")
    _wait(lab, time.monotonic(), say)  # it may still be on its way: its `lab up` was killed
    return lab


def _prepare(state: Path, binaries: Path, image: Path, wanted: dict[str, Any]) -> Lab:
    """Write everything that the parts read at their start."""
    lab = Lab(
        state=state,
        bin=binaries,
        version=settings.DEFAULT_VERSION,
        speed=settings.SPEEDS[0],
        operator=True,
        password=_password(),
    )
    lab = replace(lab, **wanted)
    state.chmod(0o700)
    lab.save()
    for name in ("logs", "pids", "tmp", "vms", "vcenter"):
        (state / name).mkdir()
    pki.make_ca(state / "pki")
    controlplane.write_files(lab)
    registry.write_files(lab)
    lab.operator_image.symlink_to(image)
    write_private(state / "vars.yml", site_vars.text(lab))
    return lab


def _password() -> str:
    """Random, of the four kinds of characters of the default policy, none of them repeated, short of its 20 with a suffix."""
    return f"Lab-{''.join(secrets.SystemRandom().sample(string.hexdigits[:16], 8))}!1"


def _spawn(lab: Lab, command: list[str]) -> None:
    """Start the namespaces in a session of their own, away from our terminal."""
    with open(lab.logs / "lab.log", "ab") as log:
        process = subprocess.Popen(
            [*command, sys.executable, "-m", "vcf_lab.init"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=environment(lab),
        )
    try:
        Instance.of(process.pid).save(lab.state)
    except BaseException:
        process.kill()
        raise


def _wait(lab: Lab, started: float, say: Say) -> None:
    """Tell each part as it comes up; fail with what the dead ones said."""
    told: dict[str, str] = {}
    while time.monotonic() - started < UP_WITHIN:
        if not (instance.find(lab.state) or instance.inside(lab.state)):
            raise UpError(f"the lab ended while it came up:\n{_tail(lab, 'lab')}")
        conditions = status(lab.state)
        for name, condition in conditions.items():
            if condition["state"] in ("ready", "dead", "not started") and told.get(name) != condition["state"]:
                told[name] = condition["state"]
                say(f"{name}: {condition['state']} {condition['detail']}".rstrip() + _after(condition))
        if conditions and len(told) == len(conditions):
            break
        time.sleep(0.05)
    bad = [name for name, condition in status(lab.state).items() if condition["state"] != "ready"]
    if bad:
        parts = "\n".join(f"{name}:\n{_tail(lab, name)}" for name in bad if (lab.logs / f"{name}.log").exists())
        raise UpError(f"not ready: {', '.join(bad)}. The rest runs; `lab down` ends it.\n{parts}")


def _after(condition: dict[str, Any]) -> str:
    return f" after {condition['seconds']} s" if condition["state"] == "ready" else ""


def _tail(lab: Lab, name: str) -> str:
    lines = (lab.logs / f"{name}.log").read_text(errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in lines[-LOG_LINES:])


def status(state: Path) -> dict[str, dict[str, Any]]:
    """Conditions of the parts as PID 1 wrote them last."""
    try:
        return json.loads((state / "status.json").read_text())  # type: ignore[no-any-return]
    except FileNotFoundError:
        return {}


def down(state: Path, *, keep: bool = False, say: Say) -> None:
    """End the lab and remove its folder. Nothing to do is success."""
    # A second Ctrl-C must not leave half a folder behind.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        if instance.inside(state):
            raise UpError("this command runs inside the lab: `lab down` must be run outside")
        if running := instance.find(state):
            instance.need(state)
            running.end()
        elif not state.exists():
            say(f"no lab in {state}")
            return
        if keep:
            (state / "instance.json").unlink(missing_ok=True)
            say(f"the lab is down; its folder stays: {state}")
            return
        instance.clean(state)
        say("the lab is down")
    finally:
        signal.signal(signal.SIGINT, before)
