"""The table of a run, for the terminal and for the page of the documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.mutants.edit import Edit
from tools.mutants.trial import Run, Verdict
from tools.project import ROOT

PAGE = ROOT / "docs" / "reliability.md"
HEAD = ("| area | wrong version | file | tests | first test that fails |", "| --- | --- | --- | --- | --- |")
_FIRST, _LAST = "<!-- begin mutants -->", "<!-- end mutants -->"


@dataclass(frozen=True, slots=True)
class Outcome:
    """An edit, and how its tests ended."""

    edit: Edit
    run: Run

    @property
    def row(self) -> str:
        """The row of the table."""
        found = f"`{self.run.failed}`" if self.run.failed else ""
        return f"| {self.edit.area} | {self.edit.meaning} | `{self.edit.file}` | {self.run.verdict} | {found} |"


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many edits were noticed, in one sentence."""
    red = sum(outcome.run.verdict is Verdict.RED for outcome in outcomes)
    return f"{red} of {len(outcomes)} wrong versions turned the tests red."


def show_on_page(heading: str, outcomes: Sequence[Outcome], page: Path = PAGE) -> None:
    """Put the table under this heading into its block of the page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(_FIRST)
    table = "\n".join([*HEAD, *(outcome.row for outcome in outcomes)])
    shown = f"{_FIRST}\n\n{heading}\n**{summary(outcomes)}**\n\n{table}\n\n{_LAST}"
    page.write_text(f"{before}{shown}{rest.partition(_LAST)[2]}", encoding="utf-8")
