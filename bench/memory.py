"""What the processes that run the function hold in memory, by Linux's own account of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A running process. `peak_kib` is the most that it ever held."""

    command: str
    peak_kib: int


def peaks_mb(processes: Iterator[Process], *parts: str) -> list[float]:
    """The most that each process held whose command has all these parts, largest first."""
    found = [process.peak_kib * 1024 / 1e6 for process in processes if all(part in process.command for part in parts)]
    return sorted(found, reverse=True)


def running() -> Iterator[Process]:
    """All processes of this machine that may be looked at; none where there is no `/proc`."""
    for folder in PROCESSES.glob("[0-9]*"):
        try:
            status, command = (folder / "status").read_text(), (folder / "cmdline").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        peak_kib = peak_kib_in(status)
        if peak_kib is not None:
            yield Process(command.replace(b"\0", b" ").decode(errors="replace"), peak_kib)


def peak_kib_in(status: str) -> int | None:
    """The peak that the text of a process's `status` tells; None for the kernel's own, which have no memory."""
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0])
    return None
