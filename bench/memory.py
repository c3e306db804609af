"""The peak memory of the processes that run the function, from `/proc` of Linux."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A running process. `peak_kib` is its peak resident memory."""

    command: str
    peak_kib: int


def peaks_mb(processes: Iterator[Process], *parts: str) -> list[float]:
    """The peak memory of each process whose command contains all these parts, largest first."""
    peaks = [process.peak_kib * 1024 / 1e6 for process in processes if all(part in process.command for part in parts)]
    return sorted(peaks, reverse=True)


def running() -> Iterator[Process]:
    """The processes of this machine that may be inspected; empty without `/proc`."""
    for folder in PROCESSES.glob("[0-9]*"):
        try:
            status, command = (folder / "status").read_text(), (folder / "cmdline").read_bytes()
        except OSError:  # the process has ended
            continue
        peak_kib = peak_kib_in(status)
        if peak_kib is not None:
            yield Process(command.replace(b"\0", b" ").decode(errors="replace"), peak_kib)


def peak_kib_in(status: str) -> int | None:
    """The peak memory in the text of a process's `status`; None for kernel threads, which have none."""
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0])
    return None
