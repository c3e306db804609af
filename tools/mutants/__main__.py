"""`make mutants [ONLY=fold,17] [KEEP=1]`: make one rule at a time wrong, and see that the tests notice.

    python -m tools.mutants [--only fold,17] [--keep]

Each edit of `tools/mutants/edits` is made in a copy of the work tree, where its tests run until one fails. Exit code
0 if each turned them red, 1 if one did not, 2 if the text of an edit is no longer in its file, before anything runs.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.mutants.edit import Edit, outdated
from tools.mutants.edits import EDITS
from tools.mutants.report import HEAD, Outcome, keep_outcomes, summary
from tools.mutants.trial import Copy, Verdict, copy_of
from tools.project import ROOT, ToolError, run_tool, step

OUTDATED = 2
SHOWN_LINES = 30


def main(arguments: Sequence[str] | None = None, edits: Sequence[Edit] = EDITS, root: Path = ROOT) -> int:
    """Try edits and print the table."""
    parser = argparse.ArgumentParser(prog="make mutants", description="Make rules wrong and see that the tests notice.")
    parser.add_argument("--only", default="", help="areas and numbers, separated by commas: fold,17")
    parser.add_argument("--keep", action="store_true", help="show the table in docs/reliability.md")
    given = parser.parse_args(arguments)
    chosen = chosen_edits(given.only, edits)
    if problems := outdated(chosen, root):
        print("\n".join(problems), file=sys.stderr)
        return OUTDATED
    with tempfile.TemporaryDirectory(prefix="strandline-mutants-") as temporary:
        copy = copy_of(root, Path(temporary))
        _require_green(copy, chosen)
        outcomes = _outcomes(copy, chosen)
    print(f"\n{summary(outcomes)}")
    if given.keep:
        keep_outcomes(outcomes)
    return 0 if all(outcome.run.verdict is Verdict.RED for outcome in outcomes) else 1


def chosen_edits(only: str, edits: Sequence[Edit]) -> list[Edit]:
    """The edits of some areas and numbers, counted from 1; all if none is named.

    Raises:
        ToolError: there is no such area or number.
    """
    names = [name for name in only.replace(",", " ").split() if name]
    known = {edit.area for edit in edits} | {str(number) for number in range(1, len(edits) + 1)}
    if unknown := [name for name in names if name not in known]:
        raise ToolError(f"there is no area and no number {', '.join(unknown)}; there are {', '.join(sorted(known))}.")
    numbered = enumerate(edits, 1)
    return [edit for number, edit in numbered if not names or edit.area in names or str(number) in names]


def _require_green(copy: Copy, edits: Sequence[Edit]) -> None:
    """Without an edit the tests pass; a test that fails anyway would notice nothing."""
    with step("running the tests without an edit"):
        run = copy.run(sorted({test for edit in edits for test in edit.tests}))
    if run.verdict is not Verdict.GREEN:
        shown = "\n".join(run.output.splitlines()[-SHOWN_LINES:])
        raise ToolError(f"the tests are {run.verdict} without an edit, so nothing was tried:\n{shown}")


def _outcomes(copy: Copy, edits: Sequence[Edit]) -> list[Outcome]:
    print("\n" + "\n".join(HEAD), flush=True)
    outcomes = []
    for edit in edits:
        outcomes.append(Outcome(edit, copy.try_edit(edit)))
        print(outcomes[-1].row, flush=True)
        if outcomes[-1].run.verdict is Verdict.BROKEN:
            print("\n".join(outcomes[-1].run.output.splitlines()[-SHOWN_LINES:]), file=sys.stderr)
    return outcomes


if __name__ == "__main__":
    run_tool(main)
