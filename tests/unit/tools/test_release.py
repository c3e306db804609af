"""Tests that a release is refused where it has to be, and what it writes."""

import subprocess
from datetime import date
from pathlib import Path

import pytest

from chalicelib.config import Settings
from tools.project import ROOT, ToolError
from tools.release import __main__ as release
from tools.release import artifacts
from tools.release.artifacts import notes
from tools.release.changelog import released, section_of, unreleased, versions_of
from tools.release.version import PLACES, check_version, current_version, in_sources, tag_text

CHANGES = "### Added\n\n- A thing.\n\n### Security\n\n- A fix."
CHANGELOG = f"# Changelog\n\n## [Unreleased]\n\n{CHANGES}\n\n## [0.1.0] - 2026-01-01\n\n- The first one.\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with version 0.1.0 and changes after it."""
    (tmp_path / "chalicelib").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.1.0"\n')
    (tmp_path / "chalicelib" / "config.py").write_text('class Settings:\n    version: str = "0.1.0"\n')
    (tmp_path / "README.md").write_text("# It\n\nVersion 0.1.0. **Nothing else**\n")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    for command in (
        ("init", "-q"),
        ("config", "user.name", "A"),
        ("config", "user.email", "a@example.org"),
        ("add", "-A"),
        ("commit", "-q", "-m", "Add it"),
        ("tag", "v0.1.0"),
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_the_next_version_may_be_released(project: Path) -> None:
    for version in ("0.1.1", "0.2.0", "1.0.0", "0.10.0"):
        check_version(version, project)


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("0.1.0", "exists already"),
        ("0.0.9", "is not higher than 0.1.0"),
        ("v0.2.0", "is not a version"),
        ("0.2", "is not a version"),
        ("0.02.0", "is not a version"),
        ("0.2.0; rm -rf", "is not a version"),
        ("", "is not a version"),
    ],
)
def test_another_version_is_refused(project: Path, version: str, reason: str) -> None:
    with pytest.raises(ToolError, match=reason):
        check_version(version, project)


@pytest.mark.parametrize("name", ["CHANGELOG.md", "a-new-file"])
def test_a_tree_with_changes_is_refused(project: Path, name: str) -> None:
    with (project / name).open("a") as file:
        file.write("changed")
    with pytest.raises(ToolError, match="the work tree has 1 changes"):
        check_version("0.2.0", project)


def test_a_tag_without_a_section_is_a_version_too(project: Path) -> None:
    subprocess.run(["git", "tag", "v0.2.0"], cwd=project, check=True)
    with pytest.raises(ToolError, match=r"0\.2\.0 exists already"):
        check_version("0.2.0", project)


def test_a_release_needs_changes(project: Path) -> None:
    (project / "CHANGELOG.md").write_text(CHANGELOG.replace(CHANGES, ""))
    subprocess.run(["git", "commit", "-qam", "Remove it"], cwd=project, check=True)
    with pytest.raises(ToolError, match="nothing under Unreleased"):
        check_version("0.2.0", project)


def test_sources_that_disagree_are_refused(project: Path) -> None:
    (project / "pyproject.toml").write_text('version = "0.1.1"\n')
    with pytest.raises(ToolError, match="different versions"):
        current_version(project)


def test_the_version_is_written_where_it_stands(project: Path) -> None:
    changed = in_sources("0.2.0", project)
    assert changed.keys() == PLACES.keys()
    for name, text in changed.items():
        before = (project / name).read_text()
        assert text == before.replace("0.1.0", "0.2.0") != before


def test_the_sources_of_this_project_name_one_version() -> None:
    assert current_version(ROOT) == Settings().version


def test_what_was_unreleased_becomes_a_version() -> None:
    text = released(CHANGELOG, "0.2.0", date(2026, 12, 1))
    assert versions_of(text) == ["0.2.0", "0.1.0"]
    assert "## [0.2.0] - 2026-12-01\n" in text
    assert (unreleased(text), section_of(text, "0.2.0"), section_of(text, "0.1.0")) == ("", CHANGES, "- The first one.")
    assert released(text, "0.3.0", date(2026, 12, 2)).count("## [Unreleased]") == 1


def test_the_changelog_of_this_project_can_be_released_and_has_been() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    text = released(changelog, "99.0.0", date(2026, 12, 1))
    since_the_last_one = section_of(text, "99.0.0")
    assert versions_of(text) == ["99.0.0", *versions_of(changelog)]
    assert since_the_last_one.startswith("### ") or not since_the_last_one
    # The first version was not released.
    assert Settings().version in {*versions_of(changelog), "0.1.0"}


def test_a_tag_has_no_line_that_git_takes_for_a_comment() -> None:
    text = tag_text("0.2.0", CHANGES)
    assert text.splitlines()[:3] == ["Strandline 0.2.0", "", "Added:"]
    assert not any(line.startswith("#") for line in text.splitlines())


def test_a_dry_run_writes_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release, "ROOT", project)
    monkeypatch.setattr("sys.argv", ["release", "0.2.0", "--dry-run"])
    assert release.main() == 0
    assert "would write 0.2.0 into CHANGELOG.md" in capsys.readouterr().out
    assert subprocess.run(["git", "status", "--porcelain"], cwd=project, capture_output=True, check=True).stdout == b""


@pytest.mark.parametrize("fails", [False, True])
def test_a_release_changes_the_sources_and_only_if_its_artifacts_can_be_built(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fails: bool
) -> None:
    def build(version: str, folder: Path, section: str) -> None:
        assert (version, section) == ("0.2.0", CHANGES)
        assert current_version(project) == "0.2.0"
        if fails:
            raise ToolError("no wheel")

    monkeypatch.setattr(release, "ROOT", project)
    monkeypatch.setattr(release, "BUILD", project / "build")
    monkeypatch.setattr(release, "build_artifacts", build)
    monkeypatch.setattr("sys.argv", ["release", "0.2.0"])
    if fails:
        with pytest.raises(ToolError, match="no wheel"):
            release.main()
        assert (current_version(project), (project / "CHANGELOG.md").read_text()) == ("0.1.0", CHANGELOG)
        return
    assert release.main() == 0
    printed = capsys.readouterr().out
    assert "git tag -a v0.2.0 -F build/release/0.2.0/tag.txt" in printed
    assert versions_of((project / "CHANGELOG.md").read_text()) == ["0.2.0", "0.1.0"]
    assert (project / "build/release/0.2.0/tag.txt").read_text() == tag_text("0.2.0", CHANGES)
    log = subprocess.run(["git", "log", "--oneline"], cwd=project, capture_output=True, check=True).stdout
    tags = subprocess.run(["git", "tag"], cwd=project, capture_output=True, check=True).stdout
    assert (len(log.splitlines()), tags) == (1, b"v0.1.0\n")


def test_notes_have_the_changes_and_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = tmp_path / "figures"
    figures.mkdir()
    report = '{"seed": 1, "date": "2026-12-01", "commit": "abc", "asked_again": 123456, "minutes": 38.957}'
    (figures / "soak-home.json").write_text(report)
    monkeypatch.setattr(artifacts, "FIGURES", figures)
    monkeypatch.setattr(artifacts, "BENCH", tmp_path / "bench.json")
    (tmp_path / "a.whl").write_bytes(b"x" * 1234)
    text = notes("0.2.0", CHANGES, tmp_path)
    assert text.startswith(f"# Strandline 0.2.0\n\n{CHANGES}\n\n## Figures\n")
    assert "- a.whl: 1,234 bytes\n- soak-home (2026-12-01, commit abc): 123,456 asked again, 39.0 minutes\n" in text
    assert text.endswith("- `make bench`: not run for this release\n")
