# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module supports."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    support: full
    description:
      - Can run in C(check_mode) and return the changed status prediction without modifying the target.
      - Where the answer depends on an object that an earlier task of the same run would make, the result is C(changed) and says
        under RV(ignore:unknown) what could not be known.
  diff_mode:
    support: full
    description: Returns details on what has changed, or would change in C(check_mode), in diff mode.
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode) and return the changed status prediction without modifying the target. It only reads.
  diff_mode:
    support: N/A
    description: Returns details on what has changed, or would change in C(check_mode), in diff mode.
"""
