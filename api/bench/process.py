"""What a process costs, from the kernel's own account."""

import os
import platform
from pathlib import Path

MIB = 2**20


def machine() -> str:
    """Return the machine's size and Python in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return f"{os.cpu_count()} cores, {memory} GiB, Python {platform.python_version()}"


def resident_mib(pid: int, *, peak: bool = False) -> float:
    """Return resident memory in MiB, now or at its highest; 0 when the process is gone."""
    name = "VmHWM:" if peak else "VmRSS:"
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), 0.0)


def descriptors(pid: int) -> int:
    """Return how many files and sockets a process holds open; 0 when it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def folder_mib(folder: Path) -> float:
    """Return the size of all files below a folder, MiB; files that vanish meanwhile count as nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total / MIB
