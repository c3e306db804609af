"""The figures of a run, for the terminal and for the page of the documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.fuzz.commands import COMMANDS
from tools.fuzz.failures import Summary
from tools.kept_figures import heading, keep_figures, provenance


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a run: what was tried as one role, and the result."""

    tried: str
    summary: Summary

    @property
    def line(self) -> str:
        """The line of the terminal."""
        unit = "runs" if self.summary.role == COMMANDS else "requests"
        failures = len(self.summary.failures)
        return f"{self.summary.role}, {self.tried}: {self.summary.requests} {unit}, {failures} failures"


@dataclass(frozen=True, slots=True)
class FuzzFigures:
    """The figures of a run."""

    minutes: float
    seed: int
    parts: Sequence[Part]

    @property
    def requests(self) -> int:
        """Number of requests, without those that the commands sent."""
        return sum(part.summary.requests for part in self.parts if part.summary.role != COMMANDS)

    @property
    def commands(self) -> int:
        """Number of runs of the command line."""
        return sum(part.summary.requests for part in self.parts if part.summary.role == COMMANDS)

    @property
    def server_errors(self) -> int:
        """Number of answers 5xx that are not meant."""
        return sum(part.summary.server_errors for part in self.parts)

    @property
    def failures(self) -> Sequence[Path]:
        """The file of each kind of failure, once."""
        return list(dict.fromkeys(path for part in self.parts for path in part.summary.failures))

    def keep(self) -> None:
        """Keep the figures, and show them on the page of the documents."""
        numbers = {"requests": self.requests, "commands": self.commands, "server_errors": self.server_errors}
        rows = [{"role": part.summary.role, "tried": part.tried, "sent": part.summary.requests} for part in self.parts]
        made = provenance() | {"minutes": round(self.minutes, 1), "seed": self.seed}
        report = made | numbers | {"failures": len(self.failures), "parts": rows}
        keep_figures("fuzz", "\n".join([f"{heading(report)}, seed {self.seed}:", *self._lines()]), report)

    def _lines(self) -> list[str]:
        return [
            f"{self.minutes:.0f} minutes, {self.requests:,} requests, {self.commands:,} commands: "
            f"**{self.server_errors} answers 5xx, {len(self.failures)} kinds of failures**.",
            "",
            "| role | tried | requests, commands |",
            "| --- | --- | ---: |",
            *(f"| {part.summary.role} | {part.tried} | {part.summary.requests:,} |" for part in self.parts),
        ]
