# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU and memory of a VM class, told to the guest by files that it reads anyway.

Nothing is enforced: Ray asks the control group files and /proc/meminfo for the machine's size, and
a lab on a laptop wants an honest `ray status`, not machines that are killed.
"""

from __future__ import annotations

# Ray's memory monitor reads what is in use: a small constant, since nobody counts.
USED_BYTES = 100_000_000
CPU_PERIOD = 100_000


def cgroup_files(cpus: int, memory: int) -> dict[str, str]:
    """Content of /sys/fs/cgroup (version 2) by file name."""
    stat = {"anon": USED_BYTES, "file": 0, "shmem": 0, "inactive_file": 0, "active_file": 0}
    return {
        "cgroup.controllers": "cpu memory\n",
        "cpu.max": f"{cpus * CPU_PERIOD} {CPU_PERIOD}\n",
        "cpuset.cpus.effective": f"0-{cpus - 1}\n" if cpus > 1 else "0\n",
        "memory.current": f"{USED_BYTES}\n",
        "memory.high": "max\n",
        "memory.max": f"{memory}\n",
        "memory.stat": "".join(f"{key} {value}\n" for key, value in stat.items()),
        "memory.swap.current": "0\n",
        "memory.swap.max": "0\n",
    }


def meminfo(memory: int) -> str:
    """Content of /proc/meminfo."""
    total, free = memory // 1024, (memory - USED_BYTES) // 1024
    values = {
        "MemTotal": total,
        "MemFree": free,
        "MemAvailable": free,
        "Buffers": 0,
        "Cached": 0,
        "SwapCached": 0,
        "Active": USED_BYTES // 1024,
        "Inactive": 0,
        "Active(file)": 0,
        "Inactive(file)": 0,
        "SwapTotal": 0,
        "SwapFree": 0,
        "Shmem": 0,
        "SReclaimable": 0,
        "Slab": 0,
    }
    return "".join(f"{key + ':':<16}{value:>8} kB\n" for key, value in values.items())
