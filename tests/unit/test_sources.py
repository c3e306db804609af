"""Every page and section that code and tests cite exists, and every file that the code names."""

import re
from pathlib import Path

import pytest

from tests.unit.citations import ROOT, citations_in, fault

FOLDERS = ("chalicelib", "strandline", "tools", "bench", "infra", "tests")
WRONG_ON_PURPOSE = {Path(__file__), ROOT / "tests" / "unit" / "citations.py"}
FILES = [ROOT / "app.py", *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))]


def test_cited_pages_and_sections_exist() -> None:
    faults = {
        f"{path.relative_to(ROOT)}: {citation}": reason
        for path in FILES
        if path not in WRONG_ON_PURPOSE
        for citation in citations_in(path.read_text(encoding="utf-8"))
        if (reason := fault(citation))
    }
    assert faults == {}


def test_files_that_the_code_names_exist() -> None:
    named = re.compile(r"`((?:[\w-]+/)+[\w-]+\.(?:py|md|yaml))`")
    missing = {
        f"{path.relative_to(ROOT)}: {file}"
        for path in FILES
        if not path.is_relative_to(ROOT / "tests")
        for file in named.findall(path.read_text(encoding="utf-8"))
        if not ((ROOT / file).exists() or (ROOT / "chalicelib" / file).exists())
    }
    assert missing == set()


def test_the_application_cites_its_sources() -> None:
    cited = [citation for path in FILES for citation in citations_in(path.read_text(encoding="utf-8"))]
    assert len(cited) > 400


@pytest.mark.parametrize(
    "citation",
    [
        "dedup",
        "data-api 8",
        "data-api 4 to 11",
        "task-api 8.3, 8.4 and 9",
        "access-api A2 and A4",
        "access-api A",
        "data-api 7, PUT",
        "data-api 9, cbgFilter",
        "data-model 4, cgmAlerts",
        "auth-api 5, route 8",
        "data-api 1, routes 14 to 21, 23 and 25",
        "clients 0, fact 9",
        "limits 1",
        "docs/metrics.md",
        'docs/metrics.md, "Exactly once"',
        "RFC 9110, 8.8 and 13.1.2",
        "OpenID Connect RP-Initiated Logout 1.0",
        "https://www.rfc-editor.org/rfc/rfc9700",
    ],
)
def test_a_correct_citation_has_no_error(citation: str) -> None:
    assert fault(citation) is None


@pytest.mark.parametrize(
    ("citation", "reason"),
    [
        ("data-api 99", "no section 99 in data-api"),
        ("task-api 8.3 and 8.9", "no section 8.9 in task-api"),
        ("data-api 11 to 14", "no section 14 in data-api"),
        ("access-api C1", "no section C1 in access-api"),
        ("deliveries-api 1", "no page deliveries-api"),
        ("architecture 7", "no page architecture"),
        ("data-api 7, PATCH", "nothing is called 'PATCH' there"),
        ("auth-api 5, route 99", "nothing is called 'route 99' there"),
        ("clients 0, fact 15", "nothing is called 'fact 15' there"),
        ("docs/nowhere.md", "no document docs/nowhere.md"),
        ('docs/metrics.md, "Never"', "no heading 'Never' in docs/metrics.md"),
        ("the reference", "not a citation"),
        ("dedup, and the rulings", "nothing is called 'and the rulings' there"),
        ("data-api 5 (order of checks) and 8", "not a citation"),
    ],
)
def test_the_error_of_a_wrong_citation_is_named(citation: str, reason: str) -> None:
    assert fault(citation) == reason


@pytest.mark.parametrize(
    ("text", "citations"),
    [
        ('"""Adds data. Source: data-api 8, dedup 5.2."""', ["data-api 8", "dedup 5.2"]),
        (
            "    Source: data-api 7, PUT; errors 2.3 and\n    2.5.\n",
            ["data-api 7", "data-api 7, PUT", "errors 2.3 and 2.5"],
        ),
        ("# as the Uploader does (clients 5)", ["clients 5"]),
        ("# as Loop does (clients,\n", []),
        ("# closed by default (architecture, rulings)", ["architecture, rulings"]),
        ('"""Source: RFC 9110, 8.8 and 13.1.2.\n\nMore: errors follow."""', ["RFC 9110, 8.8 and 13.1.2"]),
    ],
)
def test_citations_are_found_with_their_location(text: str, citations: list[str]) -> None:
    assert sorted(set(citations_in(text))) == citations
