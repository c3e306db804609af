"""The modules of the page: small, valid, with all their texts, and without what would make markup of a text."""

import re
import subprocess

import pytest

from tests.e2e.npm import require_programs
from tests.unit.api.page.node import MODULES, STATIC

MAX_LINES = 400
MAX_LINE_LENGTH = 160
WORDS = "texts.js"
"""A table, which stays in one file so that another language is another one."""
UNSAFE = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "localStorage")
SOURCES = {path.relative_to(STATIC).as_posix(): path.read_text(encoding="utf-8") for path in MODULES}
TEXTS = set(re.findall(r'^  "([\w.]+)": "', SOURCES[WORDS], re.MULTILINE))


def test_the_modules_are_valid() -> None:
    require_programs("node")
    for path in MODULES:
        checked = subprocess.run(["node", "--check", str(path)], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("name", SOURCES)
def test_a_module_is_small_and_documented(name: str) -> None:
    source = SOURCES[name]
    lines = source.splitlines()
    if name != WORDS:
        assert len(lines) <= MAX_LINES
        assert [line for line in lines if len(line) > MAX_LINE_LENGTH] == []
    assert lines[0].startswith("// ")
    undocumented = re.findall(r"(?<!\*/\n)^export (?:async )?function (\w+)", source, re.MULTILINE)
    assert undocumented == []


@pytest.mark.parametrize("name", SOURCES)
def test_a_module_makes_no_markup_of_texts_and_keeps_nothing_in_the_browser(name: str) -> None:
    assert [word for word in UNSAFE if word in SOURCES[name]] == []


@pytest.mark.parametrize("name", SOURCES)
def test_a_module_imports_modules_that_are_there(name: str) -> None:
    imported = re.findall(r'\b(?:from|import\()\s*"([^"]+)"', SOURCES[name])
    folder = (STATIC / name).parent
    assert [path for path in imported if not (path.startswith(("./", "../")) and (folder / path).exists())] == []


def test_each_text_is_there_and_each_is_used() -> None:
    source = "\n".join(text for name, text in SOURCES.items() if name != WORDS)
    named = set(re.findall(r'"([a-z]\w*\.\w+)"', source)) - set(SOURCES) - {"strandline.flow"}
    families = {key.replace("\\", "") for key in re.findall(r"`(\w+\.)\$\{", source)}
    assert named - TEXTS == set()
    assert {key for key in TEXTS - named if not key.startswith(tuple(families))} == set()
