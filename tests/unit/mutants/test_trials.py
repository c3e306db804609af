"""Tests of `make mutants` on a small project: edits are tried in a copy, and what nobody notices is said."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tools.mutants.__main__ import OUTDATED, chosen_edits, main
from tools.mutants.edit import Edit
from tools.mutants.trial import Verdict, copy_of
from tools.project import ToolError

RULE = "def may(age):\n    return age >= 18\n"
TESTS = "from rule import may\n\n\ndef test_adults_may():\n    assert may(18)\n"
NOTICED = Edit("age", "eighteen is too young", "rule.py", ">= 18", "> 18", ("test_rule.py",))
UNNOTICED = replace(NOTICED, meaning="all may", old="age >= 18", new="True")
BROKEN = replace(NOTICED, meaning="no Python", old="return", new="retur")
OLD = replace(NOTICED, meaning="a rule of the past", old=">= 21")


def git(folder: Path, *arguments: str) -> None:
    """A command of git."""
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A work tree with a rule, its test, a file that git ignores, and one that it does not know yet."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    for name, text in {
        "rule.py": RULE,
        "test_rule.py": TESTS,
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
        ".gitignore": "secret\n",
        "removed.py": "",
    }.items():
        (folder / name).write_text(text)
    git(folder, "add", ".")
    (folder / "removed.py").unlink()
    (folder / "secret").write_text("secret")
    (folder / "new.py").write_text("")
    return folder


def test_a_copy_has_all_files_that_git_does_not_ignore(project: Path, tmp_path: Path) -> None:
    copy_of(project, tmp_path / "copy")
    copied = {path.name for path in (tmp_path / "copy").rglob("*") if path.is_file()}
    assert copied == {"rule.py", "test_rule.py", "pyproject.toml", ".gitignore", "new.py"}


def test_a_folder_without_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="git cannot list the files"):
        copy_of(tmp_path, tmp_path / "copy")


def test_each_edit_is_tried_on_the_sources_as_they_are(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An edit that follows another one meets the rule as it is, and the work tree never changes."""
    changed_ns = (project / "rule.py").stat().st_mtime_ns
    assert main([], [UNNOTICED, NOTICED, BROKEN, NOTICED], project) == 1
    shown = capsys.readouterr()
    assert [line for line in shown.out.splitlines() if line.startswith("| age")] == [
        "| age | all may | `rule.py` | green |  |",
        "| age | eighteen is too young | `rule.py` | red | `test_rule.py::test_adults_may` |",
        "| age | no Python | `rule.py` | broken |  |",
        "| age | eighteen is too young | `rule.py` | red | `test_rule.py::test_adults_may` |",
    ]
    assert shown.out.endswith("2 of 4 wrong versions turned the tests red.\n")
    assert "SyntaxError" in shown.err
    assert ((project / "rule.py").read_text(), (project / "rule.py").stat().st_mtime_ns) == (RULE, changed_ns)


def test_a_run_ends_well_when_each_edit_is_noticed(project: Path) -> None:
    assert main([], [NOTICED], project) == 0


def test_an_edit_whose_text_is_gone_or_occurs_twice_ends_it_before_anything_runs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "rule.py").write_text(RULE + RULE)
    lost = replace(NOTICED, meaning="a rule of a lost file", file="lost.py")
    assert main([], [OLD, NOTICED, lost], project) == OUTDATED == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "rule.py: the text of 'a rule of the past' occurs 0 times instead of once: '>= 21'",
        "rule.py: the text of 'eighteen is too young' occurs 2 times instead of once: '>= 18'",
        "lost.py: the text of 'a rule of a lost file' occurs 0 times instead of once: '>= 18'",
    ]


def test_tests_that_fail_without_an_edit_prove_nothing(project: Path) -> None:
    (project / "test_rule.py").write_text(TESTS.replace("may(18)", "may(17)"))
    with pytest.raises(ToolError, match=r"(?s)the tests are red without an edit.*test_adults_may"):
        main([], [NOTICED], project)


def test_tests_without_an_end_are_stopped(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tools.mutants.trial.TIMEOUT_S", 0.01)
    copy = copy_of(project, tmp_path / "copy")
    assert copy.try_edit(NOTICED).verdict is Verdict.SLOW
    assert (tmp_path / "copy" / "rule.py").read_text() == RULE


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        ("", [NOTICED, UNNOTICED, OLD]),
        ("2", [UNNOTICED]),
        ("3, 1", [NOTICED, OLD]),
        ("age,3", [NOTICED, UNNOTICED, OLD]),
        ("age", [NOTICED, UNNOTICED]),
    ],
)
def test_edits_are_chosen_by_area_and_number(only: str, chosen: list[Edit]) -> None:
    others = replace(OLD, area="time")
    expected = [others if edit is OLD else edit for edit in chosen]
    assert chosen_edits(only, [NOTICED, UNNOTICED, others]) == expected


def test_an_unknown_area_is_refused() -> None:
    with pytest.raises(ToolError, match="no area and no number 2, fold; there are 1, age"):
        chosen_edits("2,fold,1", [NOTICED])
