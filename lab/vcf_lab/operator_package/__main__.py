# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the package: `python -m vcf_lab.operator_package`."""

from __future__ import annotations

from vcf_lab.operator_package import PACKAGE, render

PACKAGE.write_text(render())
