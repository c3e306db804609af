"""Tests the report of `make soak`, and that the page of the documents shows the figures that were kept."""

import json
from pathlib import Path

import pytest

from tools.kept_figures import FIGURES, PAGE, block
from tools.soak.report import Report, tables, write_report

KEPT = sorted(FIGURES.glob("soak-*.json"))


@pytest.fixture
def report() -> Report:
    """A report with a finding."""
    return {
        "target": "home",
        "seed": "1",
        "date": "2026-11-29",
        "commit": "da3f5db00",
        "machine": "Linux x86_64, 2 cores, 8 GB, Python 3.13.0",
        "load": 2.5,
        "minutes": 20.0,
        "clients": 8,
        "people": 16,
        "requests": 123_456,
        "asked_to_repeat": {"add": 2},
        "restart": "kill -9 and a start on the same folder",
        "restarts": 50,
        "compared": {"records": 40_000, "notes": 300},
        "found": {"lost": 1, "doubled": 0},
        "findings": ["lost: records of anna: 17"],
        "latency_ms": {"add": {"count": 1000, "p50": 9.5, "p95": 20.1, "max": 300.0}},
        "memory": [
            {
                "label": "home server",
                "processes": 1,
                "life_s": 600,
                "at_rest_mb": [60, 70, 71, 72],
                "peak_mb": 80,
                "growth_percent": 2.9,
            },
            {
                "label": "functions",
                "processes": 3,
                "life_s": 600,
                "at_rest_mb": [60, 70, 80, 90],
                "peak_mb": 95,
                "growth_percent": 28.6,
            },
        ],
    }


def test_the_report_shows_all_figures(report: Report, tmp_path: Path) -> None:
    path = write_report(report, tmp_path)
    text = path.read_text()
    assert "Python 3.13.0, load 2.5 at the end, seed 1:" in text
    assert "123,456 requests, of which 2 were asked to repeat. Restarts: 50 (kill -9 and" in text
    assert "Found: **1 lost, 0 doubled**. Compared at the end: 40,000 records, 300 notes." in text
    assert "| home server | 1 | 600 s | 60, 70, 71, 72 | 80 | +2.9 % (flat) |" in text
    assert "| functions | 3 | 600 s | 60, 70, 80, 90 | 95 | +28.6 % (grows) |" in text
    assert "| add | 1,000 | 9.5 | 20.1 | 300.0 |" in text
    assert "- lost: records of anna: 17" in text
    assert json.loads(path.with_suffix(".json").read_text()) == report


@pytest.mark.parametrize(
    ("before_mb", "after_mb", "judgment"),
    [(90, 88, "grows with the data"), (90, 60, "grows"), (None, None, "grows"), (90, None, "grows")],
)
def test_memory_that_a_start_on_the_same_data_takes_as_well_is_no_leak(
    report: Report, before_mb: int | None, after_mb: int | None, judgment: str
) -> None:
    report["memory"][1] |= {"stored_mb": [1.5, 2.5, 3.5, 4.5], "before_start_mb": before_mb, "after_start_mb": after_mb}
    text = tables(report)
    assert f"| functions | 3 | 600 s | 60, 70, 80, 90 | 95 | +28.6 % ({judgment}) |" in text
    assert "What the server stored meanwhile took 1.5, 2.5, 3.5, 4.5 MB on the disk." in text
    assert ("Functions: 90 MB at the end, 88 MB after a start on the same data." in text) is (after_mb == 88)


def test_events_that_the_server_has_counted_as_lost_are_named(report: Report) -> None:
    assert "events as lost" not in tables(report)
    report["events_counted_as_lost"] = 3
    assert "300 notes. The server counted 3 events as lost; these may be missing." in tables(report)


def test_growth_in_a_short_life_is_not_judged(report: Report) -> None:
    report["memory"][1]["life_s"] = 74
    assert "| functions | 3 | 74 s | 60, 70, 80, 90 | 95 | +28.6 % (too short to tell) |" in tables(report)


def test_a_seed_may_have_any_letters(report: Report, tmp_path: Path) -> None:
    assert write_report(report | {"seed": "../a b", "target": "http://127.0.0.1:8000"}, tmp_path).parent == tmp_path


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_the_page_shows_the_figures_that_were_kept(path: Path) -> None:
    kept = json.loads(path.read_text())
    assert block(path.stem, tables(kept)) in PAGE.read_text()
    assert set(kept["found"].values()) == {0}
