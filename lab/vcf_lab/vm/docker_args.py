# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines of `docker`, as far as Ray, the operator and their users need it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# Options that take a value in the next word; all others are switches.
VALUED = {
    "-e", "--env", "--env-file", "-f", "--format", "--gpus", "--name", "--net", "--network", "-p", "--password",
    "--restart", "--runtime", "--shm-size", "--tail", "-n", "-u", "--user", "--username", "--ulimit", "-v", "--volume",
    "-w", "--workdir", "--entrypoint", "-h", "--hostname", "--filter", "-t", "--time", "-s", "--signal", "-l",
    "--label",
    "-m", "--memory", "--cpus", "--publish", "--pull", "--device", "--cap-add", "--security-opt",
    "--ipc", "--pid", "--add-host",
}  # fmt: skip
# The same letter is a switch elsewhere: `logs -f`, `exec -t`, `run -t`, `rm -f`, `rm -v`, `ps -n`.
SWITCHES = {
    "run": {"-t", "-i", "-d"},
    "exec": {"-t", "-i", "-d"},
    "logs": {"-f", "-t"},
    "rm": {"-f", "-v", "-l"},
    "ps": {"-l", "-s"},
}
IMAGE = re.compile(
    r"^(?P<repository>(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[a-z0-9]+:[0-9a-f]{32,}))?$"
)
# Any registry and project, e.g. rayproject/ray, harbor.site/ml/ray-ml.
RAY_REPOSITORY = re.compile(r"(?:^|/)ray(?:-[a-z0-9-]+)?$")
MISSING = "missing"


class DockerError(Exception):
    """What docker prints before it exits with `code`."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Call:
    """A verb, its options in order, and the words after them."""

    verb: str
    options: list[tuple[str, str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def values(self, *names: str) -> list[str]:
        return [value for name, value in self.options if name in names]

    def value(self, *names: str) -> str | None:
        return next(iter(reversed(self.values(*names))), None)

    def has(self, *names: str) -> bool:
        return any(name in names for name, _ in self.options)


def parse(arguments: list[str]) -> Call:
    """Options end at the first word for `run` and `exec`: the rest belongs to the container."""
    if not arguments:
        raise DockerError("Usage:  docker [OPTIONS] COMMAND")
    call, rest = Call(arguments[0]), list(arguments[1:])
    stops = call.verb in ("run", "exec")
    while rest:
        word = rest.pop(0)
        if word == "--":
            call.words += rest
            break
        if not word.startswith("-") or word == "-":
            call.words.append(word)
            if stops:
                call.words += rest
                break
            continue
        _option(call, word, rest)
    return call


def _option(call: Call, word: str, rest: list[str]) -> None:
    switches = SWITCHES.get(call.verb, set())
    name, equals, value = word.partition("=")
    if equals and word.startswith("--"):
        call.options.append((name, value))
    elif word in VALUED and word not in switches:
        if not rest:
            raise DockerError(f"flag needs an argument: {word}", 125)
        call.options.append((word, rest.pop(0)))
    elif re.fullmatch(r"-[a-z]{2,}", word):  # `-it`
        call.options += [(f"-{letter}", "") for letter in word[1:]]
    else:
        call.options.append((word, ""))


def check_image(reference: str) -> None:
    """Refuse what a registry would not have, in docker's words."""
    match = IMAGE.match(reference)
    if match is None:
        raise DockerError("invalid reference format")
    repository, tag = match["repository"], match["tag"] or "latest"
    if not RAY_REPOSITORY.search(repository):
        raise DockerError(
            f"Error response from daemon: pull access denied for {repository}, repository does not exist or may "
            "require 'docker login': denied: requested access to the resource is denied"
        )
    if MISSING in tag:
        raise DockerError(
            f"Error response from daemon: manifest for {repository}:{tag} not found: manifest unknown: manifest unknown"
        )


def environment(call: Call, inherited: dict[str, str]) -> dict[str, str]:
    """What `-e` and `--env-file` say; a bare name takes the caller's value."""
    values: dict[str, str] = {}
    for path in call.values("--env-file"):
        with open(path) as file:
            lines = [line.rstrip("\n") for line in file]
        pairs = (line.partition("=") for line in lines if not line.startswith("#"))
        values.update({name: value for name, equals, value in pairs if equals})
    for entry in call.values("-e", "--env"):
        name, equals, value = entry.partition("=")
        if equals:
            values[name] = value
        elif name in inherited:
            values[name] = inherited[name]
    return values


def mounts(call: Call) -> list[tuple[str, str]]:
    """(source, target) of `-v`; named volumes do not exist here."""
    pairs = []
    for entry in call.values("-v", "--volume"):
        source, _, target = entry.partition(":")
        target = target.split(":")[0]
        if not source.startswith("/") or not target.startswith("/"):
            raise DockerError(f"docker: the lab has bind mounts of absolute paths only, not {entry}", 125)
        pairs.append((source, target))
    return pairs
