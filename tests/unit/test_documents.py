"""Tests that files, targets of make, tests and modules that documents name exist."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = sorted(
    path for pattern in ("*.md", "docs/**/*.md") for path in ROOT.glob(pattern) if path.name != "CHANGELOG.md"
)
FIRST_SCREEN_LINES = 25
KINDS_OF_FAULTS = 29
RECORDED = ROOT / "tests" / "data" / "golden" / "http"


def _ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_main_documents_are_checked() -> None:
    assert {"README.md", "CONTRIBUTING.md"} <= {path.name for path in DOCUMENTS}
    assert ROOT / "docs" / "compatibility.md" in DOCUMENTS


@pytest.mark.parametrize("document", DOCUMENTS, ids=_ids)
def test_targets_of_links_exist(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_ids)
def test_a_block_of_code_begins_and_ends_on_a_line_of_its_own(document: Path) -> None:
    fences = [line for line in document.read_text().splitlines() if "```" in line]
    assert [line for line in fences if not re.fullmatch(r" *```\w*", line)] == []
    assert len(fences) % 2 == 0


@pytest.mark.parametrize("document", DOCUMENTS, ids=_ids)
def test_targets_of_make_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z][a-z0-9-]*)(?=[`\s])", _code(document))) - targets == set()


def test_the_first_screen_of_the_readme_shows_how_to_start() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:FIRST_SCREEN_LINES])
    commands = re.findall(r"^(make [a-z]+) ", first_screen, re.MULTILINE)
    assert commands == ["make demo", "make serve", "make run", "make test"]
    assert "](docs/images/" in first_screen


def test_the_map_of_the_readme_names_every_folder_of_the_application() -> None:
    block = (ROOT / "README.md").read_text().partition("## Map of the repository")[2]
    named = set(re.findall(r"\b([a-z_]+)/", block))
    packages = {path.parent.name for path in (ROOT / "chalicelib").glob("*/__init__.py") if any(_modules(path.parent))}
    assert packages
    assert packages - named == set()


def test_the_layout_names_every_module_and_package_of_the_application() -> None:
    layout = (ROOT / "docs" / "architecture.md").read_text().partition("## Layout")[2].partition("\n## ")[0]
    rows = "\n".join(line for line in layout.splitlines() if line.startswith("|"))
    named = set(re.findall(r"`(?:chalicelib/)?([\w.]+)`", rows))
    modules = {path.name for path in (ROOT / "chalicelib").glob("*.py") if path.name != "__init__.py"}
    packages = {path.parent.name for path in (ROOT / "chalicelib").glob("*/__init__.py") if any(_modules(path.parent))}
    assert modules | packages <= named


def test_the_floors_of_the_architecture_are_those_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (contract for contract in contracts if contract.get("containers") == ["chalicelib"])
    page = (ROOT / "docs" / "architecture.md").read_text()
    listed = page.partition("From the ground:")[2].partition(".\n")[0].split(";")
    assert [set(re.findall(r"`(\w+)`", floor)) for floor in reversed(listed)] == [
        set(floor.split(" | ")) for floor in contract["layers"]
    ]


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    pages = [
        path.relative_to(ROOT / "docs") for pattern in ("*.md", "adr/*.md") for path in (ROOT / "docs").glob(pattern)
    ]
    assert [str(page) for page in pages if f"]({page})" not in index and page.name != "README.md"] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_ids)
def test_tests_that_documents_name_exist(document: Path) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::([\w:]+))?`", document.read_text())
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not (ROOT / file).exists() or (test and test not in _tests(ROOT / file))
    ]
    assert missing == []


def test_each_kind_of_fault_that_was_tried_has_its_tests() -> None:
    table = (ROOT / "docs" / "attacks.md").read_text().partition("## Kinds of faults")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE)
    assert [int(number) for number, *_ in rows] == list(range(1, KINDS_OF_FAULTS + 1))
    assert [number for number, _, tests, _ in rows if "::test_" not in tests] == []


def test_recorded_exchanges_exist_and_all_differing_ones_are_listed() -> None:
    text = (ROOT / "docs" / "compatibility.md").read_text()
    named = set(re.findall(r"`((?:data|read|dedup|general|dataset)[\w-]*-\d\d-[\w-]+)`", text))
    rulings = (ROOT / "tests" / "golden" / "test_http_exchanges.py").read_text()
    differing = set(re.findall(r'^    "([\w-]+)": Ruling\(', rulings, re.MULTILINE))
    assert {name for name in named if not (RECORDED / f"{name}.json").exists()} == set()
    assert differing
    assert differing - named == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=_ids)
def test_modules_that_documents_name_exist(document: Path) -> None:
    """A module is named by its path in the repository, or by the end of its path in the application."""
    named = re.findall(r"`((?:[a-z_]+/)+\w+\.py)`", document.read_text())
    missing = [name for name in named if not (ROOT / name).exists() and not any((ROOT / "chalicelib").rglob(name))]
    assert missing == []


def _tests(file: Path) -> set[str]:
    """The tests of a file, those of a class as pytest takes them: with its name."""
    found = set()
    for statement in ast.parse(file.read_text()).body:
        if isinstance(statement, ast.FunctionDef):
            found.add(statement.name)
        elif isinstance(statement, ast.ClassDef):
            methods = (node.name for node in statement.body if isinstance(node, ast.FunctionDef))
            found |= {f"{statement.name}::{name}" for name in methods}
    return found


def _modules(package: Path) -> list[Path]:
    """The files of a package that hold code."""
    return [path for path in package.rglob("*.py") if path.name != "__init__.py"]


def _code(document: Path) -> str:
    """The text in blocks and between backticks: prose may say "make sure"."""
    text = document.read_text()
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`[^`\n]+`", text)])


def test_the_readme_has_the_bill_of_the_page_about_deploying() -> None:
    bill = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8").partition("## The bill")[2]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w ,]+) \| `(\w+)` \| ([\d.,]+) \| ([\d.]+) \|$", readme, re.M)
    assert len(rows) == 4
    for who, profile, a_month, a_user in rows:
        assert re.search(rf"^\| {who}, `{profile}` \| {a_month} \| [\d.,]+ \| {a_user} \|$", bill, re.M), who
