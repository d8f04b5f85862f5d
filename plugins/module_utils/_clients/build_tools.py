# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that a Makefile calls: there, and the ones that it means, all looked at before it starts."""

from __future__ import annotations

import re
import typing as t

from .._errors import RayError
from .programs import Program, found, how_to_get

# What the Makefile of the operator calls, as its text names it.
NAMED = {"kustomize": r"\bkustomize\b", "yq": r"\byq\b", "sed": r"\bg?sed\b", "docker": r"docker"}
# Seconds for a program to say its version, and for docker's daemon to answer.
SOON = 20
NOT_MEANT = {"yq": "is not Mike Farah's yq 4", "sed": "is not GNU sed", "make": "is not GNU make"}
SIGNS = {"yq": re.compile(r"^yq (\(.*mikefarah.*\) )?version v?4\."), "sed": re.compile(r"GNU sed"), "make": re.compile(r"GNU Make")}


def named_in(makefile: str) -> list[str]:
    """The programs that a Makefile names outside of its comments; those that its scripts call are not seen."""
    text = "\n".join(line for line in makefile.splitlines() if not line.lstrip().startswith("#"))
    return [name for name, sign in NAMED.items() if re.search(sign, text, re.IGNORECASE if name == "docker" else 0)]


def checked(names: t.Iterable[str], makefile: str, make_path: str | None = None) -> Program:
    """``make``, when it and all of the named programs are there and are the ones that are meant.

    Raises:
        RayError: ``INPUT``, with everything that is missing, and how to get each.
    """
    wanted = [("make", make_path), *((_spelt(name, makefile), None) for name in names if name != "make")]
    wrong = {name: fault for name, path in wanted if (fault := _fault(name, path))}
    if wrong:
        raise RayError(f"The build needs what is not here: {'; '.join(wrong.values())}.", code="INPUT",
                       hint=" ".join(dict.fromkeys(_next_step(name, fault) for name, fault in wrong.items())), details={"missing": list(wrong)})
    return t.cast(Program, found("make", make_path))


def _spelt(name: str, makefile: str) -> str:
    """On macOS GNU sed is gsed, and a Makefile that knows it takes it."""
    return "gsed" if name == "sed" and re.search(r"\bgsed\b", makefile) and found("gsed") else name


def _fault(name: str, path: str | None) -> str | None:
    """What is wrong with a program, in words that name it, or None."""
    one = found(name, path)
    if one is None:
        return f"{path} is no file that can be run" if path else f"no {name} is on the PATH"
    if name == "docker":
        return _daemon_fault(one)
    meant = name.removeprefix("g") if name == "gsed" else name
    if meant not in SIGNS:
        return None
    try:
        said = one.run(["--version"], timeout=SOON)
    except RayError:
        said = ""
    if SIGNS[meant].search(said):
        return None
    first = next(iter(said.strip().splitlines()), "")
    return f"{one.path} {NOT_MEANT[meant]}" + (f" (it says {first!r})" if first else "")


def _daemon_fault(docker: Program) -> str | None:
    """The program alone can do nothing; it is there on many machines without a daemon."""
    try:
        docker.run(["version", "--format", "{{.Server.Version}}"], timeout=SOON)
    except RayError as error:
        words = str(error.details.get("said") or error.message).strip().splitlines()[-1]
        return f"docker's daemon does not answer: {words.rstrip('.?')}"
    return None


def _next_step(name: str, fault: str) -> str:
    if fault.startswith("docker's daemon"):
        return "Start docker, or let this user reach its daemon; where the Makefile does without it, say with tools which programs it calls."
    return how_to_get(name.removeprefix("g") if name == "gsed" else name)
