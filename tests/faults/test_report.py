"""The commands: exit codes, reports, and the figures on the page of the documents."""

import json
from pathlib import Path

import pytest

from tests.faults import __main__ as command
from tests.faults import report
from tests.faults.interleavings import Interleavings
from tests.faults.preparation import ANNA
from tests.faults.scene import SERVER
from tests.faults.trials import Trials
from tests.faults.use_cases import REQUESTS, USE_CASES, Ask
from tools import kept_figures

WITHOUT_KEY = Ask("POST", f"/v1/users/{ANNA}/data_sources", {"providerType": "oauth", "providerName": "dexcom"}, SERVER)


BLOCKS = (
    "faults-sqlite",
    "faults-dynamodb",
    "faults-dynamodb-moto",
    "interleavings-sqlite",
    "interleavings-dynamodb",
)
PAGE = kept_figures.PAGE


@pytest.fixture(autouse=True)
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page with two empty blocks, in the place of that of the documents."""
    page = tmp_path / "page.md"
    page.write_text("\n".join(f"<!-- begin {name} -->\nyesterday\n<!-- end {name} -->" for name in BLOCKS))
    monkeypatch.setattr(kept_figures, "PAGE", page)
    monkeypatch.setattr(kept_figures, "FIGURES", tmp_path / "figures")
    monkeypatch.setattr(report, "FOLDER", tmp_path / "build")
    return page


def only(monkeypatch: pytest.MonkeyPatch, name: str, use_case: Ask | None = None) -> None:
    """Let there be one use case."""
    monkeypatch.setattr(command, "USE_CASES", {name: USE_CASES[name]})
    monkeypatch.setattr(command, "INTERLEAVED", {name: REQUESTS[name]})
    monkeypatch.setattr(command, "random_history", lambda _chance: (name,))
    if use_case is not None:
        monkeypatch.setitem(USE_CASES, name, use_case)


def test_faults_are_counted_by_use_case_and_kept(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "remove a note")
    assert command.main(["faults", "--faults", "40", "--seeds", "2", "--keep"]) == 0
    text = page.read_text()
    assert "yesterday" in text.partition("end faults-sqlite")[2]
    assert "yesterday" not in text.partition("end faults-sqlite")[0]
    assert "| remove a note | 3 | 4 | 3 | 4 | 3 | 1 |  |  | 1 | 6 | 0 |" in text
    assert "faults, 0 wrong.** 22 of them one at a time" in text
    kept = json.loads((kept_figures.FIGURES / "faults-sqlite.json").read_text())
    assert (kept["engine"], kept["wrong"]) == ("sqlite", 0)
    assert sum(kept["of_histories"].values()) == kept["faults"] - 22 >= 18


@pytest.mark.parametrize(
    ("server", "name", "place"),
    [("memory", "faults-dynamodb", "the server of `tests/fakes/dynamodb`"), ("moto", "faults-dynamodb-moto", "moto")],
)
def test_figures_of_dynamodb_name_the_server(
    page: Path, monkeypatch: pytest.MonkeyPatch, server: str, name: str, place: str
) -> None:
    only(monkeypatch, "list notes")
    arguments = ["faults", "--faults", "0", "--engine", "dynamodb", "--server", server, "--keep"]
    assert command.main(arguments) == 0
    assert f" faults, 0 wrong on {place}.**" in page.read_text().partition(f"begin {name} ")[2].partition("<!--")[0]
    assert json.loads((kept_figures.FIGURES / f"{name}.json").read_text())["server"] == server


def test_what_goes_wrong_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "create a data source", WITHOUT_KEY)
    assert command.main(["faults", "--faults", "0"]) == 1
    text = (report.FOLDER / "faults-sqlite.md").read_text()
    found = "create a data source with timed out after the effect at call 3 (data.TransactWriteItems): "
    assert f"- {found}" in text
    assert found in (report.FOLDER / "faults-sqlite-found.txt").read_text()


def test_a_limit_of_minutes_ends_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "remove a note")
    assert command.main(["faults", "--minutes", "0"]) == command.main(["interleavings", "--minutes", "0"]) == 0
    assert "**0 faults, 0 wrong.**" in (report.FOLDER / "faults-sqlite.md").read_text()


def test_an_interrupt_ends_a_run_with_the_figures_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> bool:
        raise KeyboardInterrupt

    only(monkeypatch, "list notes")
    monkeypatch.setattr(Trials, "with_faults", interrupt)
    assert command.main(["faults", "--faults", "1000"]) == 0
    assert "faults, 0 wrong.** 19 of them one at a time" in (report.FOLDER / "faults-sqlite.md").read_text()
    monkeypatch.setattr(Interleavings, "pair", interrupt)
    assert command.main(["interleavings"]) == 0
    assert (
        "**0 interleavings, 0 wrong**, of 0 of the 1 pairs" in (report.FOLDER / "interleavings-sqlite.md").read_text()
    )


@pytest.mark.parametrize(
    ("engine", "place"), [("sqlite", ""), ("dynamodb", " on the server of `tests/fakes/dynamodb`")]
)
def test_pairs_are_counted(page: Path, monkeypatch: pytest.MonkeyPatch, engine: str, place: str) -> None:
    only(monkeypatch, "remove a note")
    assert command.main(["interleavings", "--engine", engine, "--keep"]) == 0
    block = page.read_text().partition(f"begin interleavings-{engine} ")[2].partition("<!--")[0]
    assert f"**2 interleavings, 0 wrong{place}**, of all 1 pairs of 1 use cases." in block


@pytest.mark.parametrize("name", BLOCKS)
def test_the_page_of_the_documents_has_a_block_for_each_run(name: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count(f"<!-- begin {name} -->") == text.count(f"<!-- end {name} -->") == 1


@pytest.mark.parametrize("path", sorted(kept_figures.FIGURES.glob("[fi]*-*.json")), ids=lambda path: path.stem)
def test_the_figures_that_are_kept_have_no_failure(path: Path) -> None:
    assert json.loads(path.read_text())["wrong"] == 0
