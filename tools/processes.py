"""The memory and the CPU time of processes, from `/proc` of Linux."""

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A running process, with its peak resident memory and that of now, and its CPU time so far."""

    command: str
    peak_kib: int
    resident_kib: int = 0
    id: int = 0
    parent_id: int = 0
    cpu_s: float = 0
    """With that of the children that have ended."""


def peaks_mb(processes: Iterator[Process], *parts: str) -> list[float]:
    """The peak memory of each process whose command contains all these parts, largest first."""
    peaks = [process.peak_kib * 1024 / 1e6 for process in processes if all(part in process.command for part in parts)]
    return sorted(peaks, reverse=True)


def resident_mb(processes: Iterator[Process], process_id: int) -> float:
    """The resident memory of a process and all that it started, now. What they share counts more than once."""
    return sum(process.resident_kib for process in process_tree(processes, process_id)) * 1024 / 1e6


def cpu_s(processes: Iterator[Process], process_id: int) -> float:
    """The CPU time that a process and all that it started have taken, with those that have ended."""
    return sum(process.cpu_s for process in process_tree(processes, process_id))


def process_tree(processes: Iterator[Process], process_id: int) -> Iterator[Process]:
    """A process and all that it started."""
    by_parent: dict[int, list[Process]] = defaultdict(list)
    for process in processes:
        by_parent[process.parent_id].append(process)
        if process.id == process_id:
            yield process
    parents = [process_id]
    while parents:
        children = by_parent.pop(parents.pop(), [])
        yield from children
        parents += [child.id for child in children]


def running() -> Iterator[Process]:
    """The processes of this machine that may be inspected; empty without `/proc`."""
    for folder in PROCESSES.glob("[0-9]*"):
        try:
            status, command = (folder / "status").read_text(), (folder / "cmdline").read_bytes()
            stat = (folder / "stat").read_text()
        except OSError:  # the process has ended
            continue
        process = process_of(command.replace(b"\0", b" ").decode(errors="replace"), status, stat)
        if process is not None:
            yield process


def process_of(command: str, status: str, stat: str) -> Process | None:
    """A process by the texts of its `status` and `stat`; None for kernel threads, which have no memory of their own."""
    values = {name: value.split() for name, _, value in (line.partition(":") for line in status.splitlines())}
    if "VmHWM" not in values:
        return None
    peak_kib, resident_kib, id_, parent_id = (int(values[name][0]) for name in ("VmHWM", "VmRSS", "Pid", "PPid"))
    # After the name, which may hold spaces and parentheses: state, parent, … and in clock ticks the user and system
    # time of the process, and of its children that have ended.
    ticks = stat.rpartition(")")[2].split()[11:15]
    cpu_time_s = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    return Process(command, peak_kib, resident_kib, id_, parent_id, cpu_time_s)
