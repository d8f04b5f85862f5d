# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine of the lab: namespaces, a private file system, cloud-init, SSH, docker.

`python -m vcf_lab.vm SPEC` is PID 1 of such a machine. It says what happens inside as JSON lines
on standard output, as VMware Tools tell the platform about a guest.
"""
