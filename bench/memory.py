"""The memory of the processes of a home, from `/proc` of Linux."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A running process, with its peak resident memory and that of now."""

    command: str
    peak_kib: int
    resident_kib: int = 0
    id: int = 0
    parent_id: int = 0


def peaks_mb(processes: Iterator[Process], *parts: str) -> list[float]:
    """The peak memory of each process whose command contains all these parts, largest first."""
    peaks = [process.peak_kib * 1024 / 1e6 for process in processes if all(part in process.command for part in parts)]
    return sorted(peaks, reverse=True)


def resident_mb(processes: Iterator[Process], process_id: int) -> float:
    """The resident memory of a process and all that it started, now. What they share counts more than once."""
    by_parent: dict[int, list[Process]] = defaultdict(list)
    total_kib = 0
    for process in processes:
        by_parent[process.parent_id].append(process)
        if process.id == process_id:
            total_kib += process.resident_kib
    parents = [process_id]
    while parents:
        children = by_parent.pop(parents.pop(), [])
        total_kib += sum(child.resident_kib for child in children)
        parents += [child.id for child in children]
    return total_kib * 1024 / 1e6


def running() -> Iterator[Process]:
    """The processes of this machine that may be inspected; empty without `/proc`."""
    for folder in PROCESSES.glob("[0-9]*"):
        try:
            status, command = (folder / "status").read_text(), (folder / "cmdline").read_bytes()
        except OSError:  # the process has ended
            continue
        process = process_of(command.replace(b"\0", b" ").decode(errors="replace"), status)
        if process is not None:
            yield process


def process_of(command: str, status: str) -> Process | None:
    """A process by the text of its `status`; None for kernel threads, which have no memory of their own."""
    values = {name: value.split() for name, _, value in (line.partition(":") for line in status.splitlines())}
    if "VmHWM" not in values:
        return None
    numbers = [int(values[name][0]) for name in ("VmHWM", "VmRSS", "Pid", "PPid")]
    return Process(command, *numbers)
