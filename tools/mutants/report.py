"""The table of a run, for the terminal and for the page of the documents."""

from collections.abc import Sequence
from dataclasses import dataclass

from tools.kept_figures import heading, keep_figures, provenance
from tools.mutants.edit import Edit
from tools.mutants.trial import Run, Verdict

HEAD = ("| area | wrong version | file | tests | first test that fails |", "| --- | --- | --- | --- | --- |")


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
    """The number of edits that were noticed, in one sentence."""
    return f"{_noticed(outcomes)} of {len(outcomes)} wrong versions turned the tests red."


def keep_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Keep the numbers, and show the table on the page of the documents."""
    made = provenance()
    table = "\n".join([*HEAD, *(outcome.row for outcome in outcomes)])
    numbers = {"wrong_versions": len(outcomes), "noticed": _noticed(outcomes)}
    keep_figures("mutants", f"{heading(made)}:\n**{summary(outcomes)}**\n\n{table}", made | numbers)


def _noticed(outcomes: Sequence[Outcome]) -> int:
    return sum(outcome.run.verdict is Verdict.RED for outcome in outcomes)
