"""Figures that a run keeps: the JSON beside the pages, and the block of the page."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools import kept_figures
from tools.fuzz.commands import COMMANDS
from tools.fuzz.failures import Summary
from tools.fuzz.report import FuzzFigures, Part
from tools.kept_figures import FIGURES, PAGE, edges, keep_figures
from tools.mutants.edit import Edit
from tools.mutants.report import Outcome, keep_outcomes
from tools.mutants.trial import Run, Verdict
from tools.power_loss import states
from tools.power_loss.report import PowerLossFigures
from tools.soak.report import keep_report

NAMES = ("soak-home", "soak-cloud", "fuzz", "power-loss", "mutants")
"""The blocks of runs; those of `tests/faults` have a test of their own."""


class Kept:
    """The figures that were kept."""

    def __init__(self, folder: Path) -> None:
        self.figures, self.page = folder / "figures", folder / "page.md"

    def report(self, name: str) -> dict[str, Any]:
        """The JSON of a run."""
        report: dict[str, Any] = json.loads((self.figures / f"{name}.json").read_text())
        return report

    def block(self, name: str) -> str:
        """The text of a block of the page."""
        first, last = edges(name)
        return self.page.read_text().partition(first)[2].partition(last)[0].strip()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """A page with a block of each run, in the place of that of the documents."""
    kept = Kept(tmp_path)
    kept.page.write_text("\n".join(f"<!-- begin {name} -->\nyesterday\n<!-- end {name} -->" for name in NAMES))
    monkeypatch.setattr(kept_figures, "PAGE", kept.page)
    monkeypatch.setattr(kept_figures, "FIGURES", kept.figures)
    monkeypatch.setattr(kept_figures, "commit", lambda: "0123456")
    monkeypatch.setattr(kept_figures, "machine", lambda: "a machine")
    return kept


def test_a_block_is_replaced_and_the_rest_of_the_page_stays(kept: Kept) -> None:
    before = kept.page.read_text()
    keep_figures("fuzz", "first\n", {"requests": 1})
    keep_figures("fuzz", "second\n", {"requests": 2})
    assert kept.page.read_text() == before.replace(
        "<!-- begin fuzz -->\nyesterday\n<!-- end fuzz -->", "<!-- begin fuzz -->\n\nsecond\n\n<!-- end fuzz -->"
    )
    assert kept.report("fuzz") == {"requests": 2}


@pytest.mark.parametrize("name", NAMES)
def test_the_page_has_a_block_for_each_run(name: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [text.count(edge) for edge in edges(name)] == [1, 1]


@pytest.mark.parametrize("path", sorted(FIGURES.glob("*.json")), ids=lambda path: path.stem)
def test_each_report_names_its_commit_and_has_its_block(path: Path) -> None:
    report, (first, _) = json.loads(path.read_text(encoding="utf-8")), edges(path.stem)
    shown = PAGE.read_text(encoding="utf-8").partition(first)[2].strip()
    assert shown.startswith(f"{report['date']}, commit {report['commit']}, {report['machine']}")


def test_changed_code_is_named_and_a_changed_page_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_figures, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    for name in ("rule.py", "docs/page.md"):
        (tmp_path / name).write_text("")
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (("init", "-q"), ("add", "."), (*identity, "commit", "-q", "-m", "Add")):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)
    commit = kept_figures.commit()
    assert len(commit) == 9
    (tmp_path / "docs/page.md").write_text("figures")
    assert kept_figures.commit() == commit
    (tmp_path / "rule.py").write_text("changed")
    assert kept_figures.commit() == f"{commit}, changed"


def test_a_soak_is_kept_without_the_list_of_findings(kept: Kept) -> None:
    report = json.loads((FIGURES / "soak-home.json").read_text()) | {"findings": ["lost: a record"]}
    keep_report(report)
    assert kept.report("soak-home") == {name: value for name, value in report.items() if name != "findings"}
    assert kept.block("soak-home").count("| add |") == 1
    assert kept.block("soak-cloud") == "yesterday"


def test_wrong_versions_are_kept_with_their_number(kept: Kept) -> None:
    edit = Edit("age", "eighteen is too young", "rule.py", ">= 18", "> 18", ("test_rule.py",))
    runs = (Run(Verdict.RED, 1.5, "test_a.py::test_first"), Run(Verdict.GREEN, 1.5))
    keep_outcomes([Outcome(edit, run) for run in runs])
    assert (kept.report("mutants")["wrong_versions"], kept.report("mutants")["noticed"]) == (2, 1)
    assert kept.block("mutants").partition("\n")[2] == (
        "**1 of 2 wrong versions turned the tests red.**\n\n"
        "| area | wrong version | file | tests | first test that fails |\n| --- | --- | --- | --- | --- |\n"
        "| age | eighteen is too young | `rule.py` | red | `test_a.py::test_first` |\n"
        "| age | eighteen is too young | `rule.py` | green |  |"
    )


def test_fuzz_is_kept_by_role(kept: Kept) -> None:
    file = Path("a-failure.json")
    parts = [
        Part("made-up ids", Summary("owner", 1200, 1, (file,))),
        Part("hostile requests", Summary("owner", 30, 0, (file,))),
        Part("hostile folders and servers", Summary(COMMANDS, 7, 0, ())),
    ]
    FuzzFigures(30.2, 17, parts).keep()
    report = kept.report("fuzz")
    assert [report[name] for name in ("requests", "server_errors", "failures", "seed")] == [1230, 1, 1, 17]
    text = kept.block("fuzz")
    assert text.startswith(
        f"{report['date']}, commit 0123456, a machine, seed 17:\n30 minutes, 1,230 requests, 7 commands"
    )
    assert "**1 answers 5xx, 1 kinds of failures**" in text
    assert "| owner | made-up ids | 1,200 |" in text


def test_a_loss_of_power_is_kept_with_what_was_recorded(kept: Kept) -> None:
    tried = [states.Outcome(1, 2, 30, 40, ()), states.Outcome(2, 2, 0, 50, ("a note is missing",), True)]
    PowerLossFigures(3, {"write": 5441, "bytes": 12_400_000}, tried, 61.0).keep()
    report = kept.report("power-loss")
    assert [report[name] for name in ("states", "answers_compared", "faulty", "seed")] == [2, 90, 1, 3]
    text = kept.block("power-loss")
    assert "| recorded | 5,441 write, 12,400,000 bytes |" in text
    assert "| states | 2, of which 1 with writes that were not synced |" in text
    assert "| states with a fault | 1 |" in text
