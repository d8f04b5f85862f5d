# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ..modules.carvel_package_copy import main  # noqa: F401  # pylint: disable=unused-import
from ..plugin_utils._run import ActionModule  # noqa: F401  # pylint: disable=unused-import
