# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command `lab`."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from . import __version__, forward, inside, instance, lifecycle, settings
from .ask import Unanswered
from .forward import ForwardError
from .instance import NotRunning
from .lifecycle import UpError
from .namespaces import NamespaceError
from .parts import PARTS, exports
from .toolchain import BuildError

_EXPECTED = (BuildError, ForwardError, NamespaceError, NotRunning, Unanswered, UpError)


def say(text: str) -> None:
    """Progress goes to stderr: stdout belongs to what was asked for."""
    print(text, file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="lab", description="A small VCF with RayOnVCF on this machine, without root.")
    top.add_argument("--version", action="version", version=f"vcf-lab {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--state", type=_folder, help="folder of the lab (default: $LAB_STATE or below ~/.local/state)")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[common])

    _up_options(add("up", "start the lab; a running one is reported"))
    run = add("run", "up, run a command inside, down")
    _up_options(run)
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    add("exec", "run a command inside").add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    add("shell", "a shell inside")
    add("tour", "how to look around in this lab")
    add("env", "print the shell exports for clients")
    add("status", "parts and virtual machines")
    add("doctor", "ask every part for a sign of life; exit code 1 names the ill one")
    add("digest", "one number for the whole state").add_argument("--show", action="store_true", help="print the state")
    form = add("requests", "what vCenter was asked").add_mutually_exclusive_group()
    forms = {"--json": "all that is known of each", "--privileges": "what they need of a user that is no administrator"}
    for name, text in forms.items():
        form.add_argument(name, dest="form", action="store_const", const=name, help=text)
    _fault_options(add("fault", "let a part of the lab fail in a chosen way"))
    add("forward", "an address of the lab on 127.0.0.1").add_argument("where", metavar="[LOCALPORT:]ADDRESS:PORT")
    logs = add("logs", "logs of the parts")
    logs.add_argument("part", nargs="?", help="a part, or a file of the logs folder")
    logs.add_argument("-f", "--follow", action="store_true")
    kill = add("kill", "kill one part, to see what others make of it")
    kill.add_argument("part", choices=[part.name for part in PARTS])
    down = add("down", "end the lab and remove its folder")
    down.add_argument("--keep", action="store_true", help="keep the folder")
    return top


def _up_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--version", choices=settings.VERSIONS, default=argparse.SUPPRESS, help="of vCenter")
    sub.add_argument("--speed", choices=settings.SPEEDS, default=argparse.SUPPRESS, help="fast, or as slow as the real one")
    sub.add_argument(
        "--token-seconds", type=_seconds, default=argparse.SUPPRESS, help="life of a token of the Supervisor's login"
    )
    sub.add_argument(
        "--operator", choices=("none", "stand-in"), default=argparse.SUPPRESS, help="none: leave its place free"
    )


def _fault_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("action", choices=("add", "list", "clear", "names"))
    sub.add_argument("words", nargs="*", metavar="NAME [KEY=VALUE ...]", help="of `add`; `clear` takes a NAME or clears all")


def _seconds(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return int(text)


def _folder(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _wanted(options: argparse.Namespace) -> dict[str, Any]:
    """Options that were given; what was not given agrees with any running lab."""
    given = {name: getattr(options, name) for name in ("version", "speed", "token_seconds") if hasattr(options, name)}
    if hasattr(options, "operator"):
        given["operator"] = options.operator != "none"
    return given


def _words(options: argparse.Namespace) -> list[str]:
    words: list[str] = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not words:
        raise UpError(f"lab {options.command}: which command?")
    return words


def _run(state: Path, options: argparse.Namespace) -> int:
    words = _words(options)
    ours = not (instance.find(state) or instance.inside(state))
    code = 1
    try:
        lifecycle.up(state, _wanted(options), say)
        code = _in_child(state, words)
    finally:
        if ours:
            lifecycle.down(state, say=say)
    return code


def _in_child(state: Path, words: list[str]) -> int:
    """Enter in a child: whoever is inside could not take the lab down."""
    child = os.fork()
    if child == 0:
        os._exit(_reported(lambda: inside.execute(state, words)))
    return inside.accompany(child)


def _logs(state: Path, part: str | None, follow: bool) -> int:
    folder = state / "logs"
    files = sorted(folder.rglob("*.log"))
    if part:
        files = [file for file in files if part in (file.stem, str(file.relative_to(folder)))]
    if not files:
        raise NotRunning(f"no log of {part} in {folder}" if part else f"no logs in {folder}")
    os.execvp("tail", ["tail", *(["-F"] if follow else []), "-n", "+1" if part and not follow else "20", *map(str, files)])


def _status(state: Path) -> int:
    if not (instance.find(state) or instance.inside(state)):
        print(f"no lab runs in {state}")
        return 3  # as service managers tell "not running"
    lab = settings.read(state)
    print(f"lab {lab.state}  vCenter {lab.version}, {lab.speed}")
    for name, condition in lifecycle.status(state).items():
        print(f"part  {name:24} {condition['pid'] or '-':>7}  {condition['state']}  {condition['detail']}".rstrip())
    return inside.python(state, "report", "machines")


def _kill(state: Path, part: str) -> int:
    pid = lifecycle.status(state).get(part, {}).get("pid")
    if not pid:
        raise NotRunning(f"{part} does not run")
    return inside.execute(state, ["kill", "-KILL", str(pid)])


def _fault(state: Path, options: argparse.Namespace) -> int:
    if options.action != "names":
        return inside.python(state, "fault", options.action, *options.words)
    from .fault import names  # the servers' own modules: too much to load for every other command

    print(names())
    return 0


def _command(options: argparse.Namespace) -> str:
    """How this command was called, for printed advice: `.venv/bin/lab`, with the folder if it was named."""
    called = os.path.relpath(sys.argv[0])
    called = sys.argv[0] if called.startswith("..") else called
    return f"{called} --state {shlex.quote(str(options.state))}" if options.state else called


def dispatch(options: argparse.Namespace) -> int:
    state = options.state or settings.default_state()
    command = options.command
    if command == "up":
        lifecycle.up(state, _wanted(options), say)
        return 0
    if command == "env":
        for name, value in exports(settings.read(state)).items():
            print(f"export {name}={shlex.quote(value)}")
        return 0
    if command == "down":
        lifecycle.down(state, keep=options.keep, say=say)
        return 0
    actions = {
        "run": lambda: _run(state, options),
        "exec": lambda: inside.execute(state, _words(options)),
        "shell": lambda: inside.execute(state, [os.environ.get("SHELL") or "/bin/sh"]),
        "status": lambda: _status(state),
        "tour": lambda: inside.python(state, "report", "tour", _command(options)),
        "doctor": lambda: inside.python(state, "doctor"),
        "digest": lambda: inside.python(state, "digest", *(["--show"] if options.show else [])),
        "requests": lambda: inside.python(state, "report", "requests", *filter(None, [options.form])),
        "fault": lambda: _fault(state, options),
        "forward": lambda: forward.forward(state, options.where),
        "logs": lambda: _logs(state, options.part, options.follow),
        "kill": lambda: _kill(state, options.part),
    }
    return actions[command]()


def _reported(action: Callable[[], int]) -> int:
    """Expected failures are one sentence; everything else is a bug with its traceback."""
    try:
        return int(action())
    except _EXPECTED as error:
        say(f"lab: {error}")
    except FileNotFoundError as error:
        if error.filename is None or Path(str(error.filename)).name != "lab.json":
            raise
        say("lab: no lab there: start one by `lab up`")
    except KeyboardInterrupt:
        return 130
    return 1


def main() -> NoReturn:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends `lab up` as Ctrl-C does
    options = parser().parse_args()
    sys.exit(_reported(lambda: dispatch(options)))


if __name__ == "__main__":
    main()
