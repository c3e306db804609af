"""Tests that commands, options, variables, folders and tags that documents name exist."""

import argparse
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from strandline.cli.main import COMMANDS
from tests.unit.test_documents import DOCUMENTS, ROOT

FOLDERS = ("infra", "tools", "docs", "bench", "tests", "strandline/cli", "strandline/home", "chalicelib", ".chalice")
OF_PYTHON = ("build", "http.server", "pip", "pytest", "venv")
"""Modules of Python and of packages that documents run."""


@pytest.fixture(params=DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def text(request: pytest.FixtureRequest) -> str:
    """Each document."""
    document: Path = request.param
    return document.read_text()


def code(text: str) -> list[str]:
    """The lines of blocks, and what stands between backticks. A line that ends with a backslash goes on."""
    blocks = re.findall(r"^ *```.*?^ *```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [*lines, *re.findall(r"`([^`\n]+)`", text)]


@cache
def variables_of_make() -> frozenset[str]:
    """The variables that the Makefile reads."""
    makefile = (ROOT / "Makefile").read_text()
    (settings,) = re.findall(r"^SETTINGS := ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    read = re.findall(r"\$\(([A-Z_]+)\)|origin ([A-Z_]+)|foreach name,([A-Z_]+) ", makefile)
    return frozenset({*settings.replace("\\\n", " ").split(), *(name for names in read for name in names), "PYTHON"})


@cache
def options_of_commands() -> dict[str, frozenset[str]]:
    """The options of each command of `strandline`, those of its verbs among them."""
    parser = argparse.ArgumentParser(prog="strandline")
    commands = parser.add_subparsers()
    for command in COMMANDS:
        command.add_to(commands)
    return {name: frozenset(options_of(command)) for name, command in commands.choices.items()}


def options_of(command: argparse.ArgumentParser) -> Iterator[str]:
    """The options of a command and of its verbs."""
    for action in command._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from options_of(verb)


def calls_of_strandline(text: str) -> Iterator[tuple[str, set[str]]]:
    """The commands of `strandline` in a document, each with its options."""
    for line in code(text):
        for call in re.findall(
            r"(?:^|[ ;&|])(?:-u strandline )?strandline ([a-z][a-z-]+(?: [^|;&#]*)?)(?=$|[|;&#])", line.strip()
        ):
            name, *rest = call.split()
            yield name, {word.partition("=")[0] for word in rest if word.startswith("--")}


def test_variables_of_make_exist(text: str) -> None:
    named = {
        variable
        for line in code(text)
        for call in re.findall(r"\bmake [a-z][a-z0-9-]*((?: +[A-Z_]+=\S*)+)", line)
        for variable in re.findall(r"([A-Z_]+)=", call)
    }
    assert named - variables_of_make() == set()


def test_commands_and_options_of_strandline_exist(text: str) -> None:
    known = options_of_commands()
    for name, options in calls_of_strandline(text):
        assert name in known, name
        assert options - known[name] == set(), name


def test_the_commands_of_strandline_are_found() -> None:
    named = {name for document in DOCUMENTS for name, _ in calls_of_strandline(document.read_text())}
    assert {"export", "import", "compare", "serve"} <= named


def test_the_page_of_the_home_server_names_each_of_its_options() -> None:
    page = (ROOT / "docs" / "home-server.md").read_text()
    named = set(re.findall(r"`(--[a-z-]+)", page))
    assert options_of_commands()["serve"] - {"-h", "--help"} - named == set()


def test_modules_that_documents_run_exist(text: str) -> None:
    for name in {module for line in code(text) for module in re.findall(r"python3? -m ([\w.]+)", line)}:
        path = ROOT / name.replace(".", "/")
        assert name in OF_PYTHON or path.with_suffix(".py").exists() or (path / "__main__.py").exists(), name


def test_files_and_folders_exist(text: str, request: pytest.FixtureRequest) -> None:
    if "reference" in request.node.callspec.params["text"].parts:
        return  # these pages name files of Tidepool's repositories
    names = "|".join(map(re.escape, FOLDERS))
    for name in re.findall(rf"`((?:{names})/[\w./-]*)`", text):
        is_module_of_a_package = any((ROOT / "chalicelib").rglob(f"{name}.py"))
        assert (ROOT / name).exists() or is_module_of_a_package, name


def test_headings_that_links_lead_to_exist(text: str, request: pytest.FixtureRequest) -> None:
    document: Path = request.node.callspec.params["text"]
    for target, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)]*)\)", text):
        page = document.parent / target if target else document
        if page.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
            assert anchor in {anchor_of(heading) for heading in headings}, (target, anchor)


def anchor_of(heading: str) -> str:
    """The name that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def test_tags_exist(text: str) -> None:
    tags = subprocess.run(["git", "tag"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    named = re.findall(r"git (?:switch|checkout)(?: --\w+)* (v\d[\w.]*)", text)
    assert set(named) - set(tags) == set()
