# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/proof.md out of the outcomes of the integration tests.

``python tests/integration/table.py OUTCOMES [--check]``: writes the page, or says in which lines it differs and fails.
"""

from __future__ import annotations

import difflib
import json
import pathlib
import sys
import typing as t

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1])]
from cases import CASES, VERSIONS, Case  # noqa: E402

PAGE = pathlib.Path(__file__).parents[2] / "docs/proof.md"
CHECK = ("test_check_mode_says_what_the_real_run_does", "test_check_mode_writes_nothing")
AGAIN = ("test_the_second_run_changes_nothing", "test_reading_changes_nothing")
FAULTS = ("test_a_fault_at_a_write_is_survived", "test_a_fault_at_a_removal_is_survived", "test_a_fault_at_a_read_changes_nothing")
REFUSED = ("test_an_older_vcenter_is_refused_before_any_write",)
NAMED = ("test_a_login_that_fails_is_told_and_not_repeated", "test_an_endpoint_that_is_not_trusted_gets_no_password", "test_what_heals_is_waited_for",
         "test_an_error_that_stays_is_told_with_what_vcenter_says_and_the_next_run_heals", "test_a_service_that_is_not_allowed_is_explained")
HEAD = """# What was seen to hold

Made by `tests/integration/table.py` from the outcomes of the integration tests; `make test` fails when they say something else.
The tests run each module against the [lab](lab.md) as vCenter {versions}: made in check mode, made, made again, changed, removed, removed again.

- **check mode**: it says `changed` and the diff of the real run, and writes nothing (the state of the lab is the same before and after).
  For a module that only reads: it changes nothing.
- **second run**: nothing changed, no request that writes.
- **requests**: to vCenter when there is nothing to change (or for the first reading of its case), without login and logout.
  On 9.1; older versions differ by one or two where they have another path. {no_requests} for a module that does not speak to vCenter's REST API or SSO.
- **faults**: survived at a write, a removal, or a read, with the object as asked for, made once, and a clean second run
  ({faults}).
- **refused**: versions on which it ends before any write, with the version that it needs.

"""


class Outcomes:
    """What the tests said; a thing holds if some test saw it and none failed."""

    def __init__(self, rows: list[dict]) -> None:
        self._rows = rows

    def holds(self, tests: t.Iterable[str], **which: t.Any) -> bool:
        found = [row["outcome"] for row in self._rows if row["test"] in tests and all(row[key] == value for key, value in which.items())]
        return "passed" in found and "failed" not in found

    def values(self, key: str, tests: t.Iterable[str]) -> list[str]:
        return sorted({row[key] for row in self._rows if row["test"] in tests and row[key]})


def versions(outcomes: Outcomes, case: Case, tests: tuple[str, ...]) -> str:
    held = [version for version in VERSIONS if outcomes.holds(tests, module=case.module, version=version)]
    return "all" if held == list(VERSIONS) else ", ".join(held) or "-"


def row(outcomes: Outcomes, case: Case) -> list[str]:
    reads = not case.create
    faults = outcomes.values("fault", FAULTS)
    survived = [fault for fault in faults if outcomes.holds(FAULTS, module=case.module, fault=fault)]
    return [f"`{case.module}`", versions(outcomes, case, AGAIN if reads else CHECK), versions(outcomes, case, AGAIN),
            "-" if case.idle is None else str(case.idle_on(VERSIONS[-1])), "all" if survived == faults else ", ".join(survived) or "-", versions(outcomes, case, REFUSED)]


def page(outcomes: Outcomes) -> str:
    lines = [HEAD.format(versions=", ".join(VERSIONS), no_requests="`-`", faults="; ".join(outcomes.values("fault", FAULTS)))]
    lines += ["| module | check mode | second run | requests | faults | refused |", "|---|---|---|---|---|---|"]
    lines += ["| " + " | ".join(row(outcomes, case)) + " |" for case in sorted(CASES, key=lambda case: case.module)]
    lines += ["", "## Faults of their own", "", "Each told so that the user knows what to do, with nothing written that was not asked for, and healed by the next run:", ""]
    lines += [f"- {name}" for name in outcomes.values("name", NAMED) if outcomes.holds(NAMED, name=name)]
    return "\n".join(lines) + "\n"


def main() -> int:
    text = page(Outcomes(json.loads(pathlib.Path(sys.argv[1]).read_text())))
    if "--check" not in sys.argv[2:]:
        PAGE.write_text(text)
        return 0
    there = PAGE.read_text() if PAGE.exists() else ""
    sys.stdout.writelines(difflib.unified_diff(there.splitlines(True), text.splitlines(True), str(PAGE), "what the tests saw"))
    return int(there != text)


if __name__ == "__main__":
    sys.exit(main())
