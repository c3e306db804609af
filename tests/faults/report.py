"""The figures of a run, kept as JSON and shown on the page of the documents."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.faults.dynamo_servers import MemoryServer, MotoServer
from tests.faults.seam import CLOCK_STEPS, FaultKind
from tools.kept_figures import heading, keep_figures, provenance
from tools.project import BUILD

FOLDER = BUILD / "faults"
MAX_SHOWN_FAILURES = 50
COLUMNS: Mapping[str, frozenset[FaultKind]] = {
    "died": frozenset({FaultKind.DIED_BEFORE, FaultKind.DIED_AFTER}),
    "throttled, refused": frozenset({FaultKind.THROTTLED, FaultKind.REFUSED}),
    "timed out": frozenset({FaultKind.TIMED_OUT_BEFORE, FaultKind.TIMED_OUT_AFTER}),
    "late": frozenset({FaultKind.LATE}),
    "conflict": frozenset({FaultKind.CONFLICT}),
    "sent twice": frozenset({FaultKind.SENT_TWICE}),
    "partial": frozenset({FaultKind.PARTIAL}),
    "disk full": frozenset({FaultKind.DISK_FULL}),
    "clock set": frozenset(CLOCK_STEPS),
}
"""The columns of the table, and the faults that each counts."""
PLACES = {"": "", MemoryServer.name: " on the server of `tests/fakes/dynamodb`", MotoServer.name: " on moto"}


@dataclass
class Row:
    """The trials of one use case with one fault."""

    use_case: str
    calls: int
    faults: dict[str, int] = field(default_factory=dict)
    """By column."""
    wrong: int = 0


@dataclass
class FaultFigures:
    """The figures of a run of faults."""

    engine: str
    server: str
    """The server of DynamoDB; empty on SQLite."""
    seeds: int
    rows: list[Row] = field(default_factory=list)
    histories: int = 0
    of_histories: dict[str, int] = field(default_factory=dict)
    """The faults of histories, by kind."""
    wrong: int = 0
    minutes: float = 0.0

    def add(self, met: Mapping[str, int], histories: int) -> None:
        """Count the faults of some histories."""
        self.of_histories |= {kind: self.of_histories.get(kind, 0) + count for kind, count in met.items()}
        self.histories += histories

    @property
    def faults(self) -> int:
        """All faults that were met."""
        return sum(sum(row.faults.values()) for row in self.rows) + sum(self.of_histories.values())

    def totals(self) -> dict[str, int]:
        """The number of all faults, with which the report begins."""
        return {"faults": self.faults}

    @property
    def name(self) -> str:
        """The name of the block on the page."""
        return f"faults-{_name_of(self.engine, self.server)}"

    def lines(self) -> list[str]:
        """The figures in Markdown."""
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(self.of_histories.items()))
        one_by_one = self.faults - sum(self.of_histories.values())
        head = ["use case", "crash points", *COLUMNS, "wrong"]
        place = PLACES[self.server]
        first = (
            f"**{self.faults:,} faults, {self.wrong} wrong{place}.** {one_by_one:,} of them one at a time, in the table"
        )
        rest = f"; the others in {self.histories:,} histories of {self.seeds} seeds: {kinds}" if self.histories else ""
        return [
            f"{first}{rest}.",
            "",
            "| " + " | ".join(head) + " |",
            "| --- |" + " ---: |" * (len(head) - 1),
            *(
                f"| {row.use_case} | {row.calls} | "
                + " | ".join(str(row.faults.get(column, 0) or "") for column in COLUMNS)
                + f" | {row.wrong} |"
                for row in self.rows
            ),
        ]


@dataclass
class PairFigures:
    """The figures of a run of interleavings."""

    engine: str
    server: str
    use_cases: int
    pairs: int = 0
    interleavings: int = 0
    wrong: int = 0
    minutes: float = 0.0

    def totals(self) -> dict[str, int]:
        """Empty: all counts are members."""
        return {}

    @property
    def name(self) -> str:
        """The name of the block on the page."""
        return f"interleavings-{_name_of(self.engine, self.server)}"

    def lines(self) -> list[str]:
        """The figures in Markdown."""
        place, possible = PLACES[self.server], self.use_cases**2
        pairs = f"all {possible:,} pairs" if self.pairs == possible else f"{self.pairs:,} of the {possible:,} pairs"
        count = f"{self.interleavings:,} interleavings, {self.wrong} wrong{place}"
        return [f"**{count}**, of {pairs} of {self.use_cases} use cases."]


class Findings:
    """A file of what went wrong, which grows while a run goes on."""

    def __init__(self, name: str) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        self._path = FOLDER / f"{name}-found.txt"
        self._path.write_text("", encoding="utf-8")
        self._count = 0

    def keep(self, failures: Sequence[object]) -> None:
        """Append those that are new."""
        if len(failures) > self._count:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(f"{failure}\n" for failure in failures[self._count :])
            self._count = len(failures)


def column_of(kind: FaultKind) -> str:
    """The column that counts a fault."""
    return next(name for name, kinds in COLUMNS.items() if kind in kinds)


def write_report(figures: FaultFigures | PairFigures, failures: Sequence[str], *, is_kept: bool) -> Path:
    """Write the figures and what went wrong, and return the path. If they are kept, they go on the page as well."""
    made = provenance()
    text = "\n".join([f"{heading(made)}, {figures.minutes:.0f} minutes:", "", *figures.lines(), ""])
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{figures.name}.md"
    listed = "".join(f"- {failure}\n" for failure in failures[:MAX_SHOWN_FAILURES])
    path.write_text(f"# {figures.name}\n\n{text}\n{listed}", encoding="utf-8")
    if is_kept:
        keep_figures(figures.name, text, made | figures.totals() | asdict(figures))
    return path


def _name_of(engine: str, server: str) -> str:
    """The engine, and moto if that is the server of DynamoDB."""
    return f"{engine}-{server}" if server == MotoServer.name else engine
