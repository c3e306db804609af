"""Tests that code, documents and tests avoid words and openings that CONTRIBUTING.md rules out."""

import ast
import itertools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("chalicelib", "docs", "tests", "tools", "bench", "strandline", "infra", ".ci", ".chalice")
SUFFIXES = {"", ".css", ".html", ".js", ".json", ".md", ".mjs", ".py", ".sh", ".svg", ".toml", ".yaml", ".yml"}
REFERENCE = ROOT / "docs" / "reference"
RECORDED = ROOT / "tests" / "data"
"""The reference pages and the recorded exchanges quote others."""
BANNED = (
    "whoever",
    "anew",
    "superfluous",
    "put aside",
    "puts aside",
    "tell of",
    "tells of",
    "nothing, when",
    "hold that",
)
BRITISH = ("artefact", "behaviour", "judgement", "neighbour", "normalis", "recognis", "serialis")
"""Beginnings of words in British spelling."""
PATTERN = re.compile(rf"\b(?:(?:{'|'.join(map(re.escape, BANNED))})\b|(?:{'|'.join(BRITISH)})\w*)", re.IGNORECASE)
QUOTED = {ROOT / "CONTRIBUTING.md": ["superfluous"]}
"""Banned words that a page gives as examples of what not to write."""


def _texts() -> dict[Path, str]:
    """The texts of the project, without this list."""
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")] + list(ROOT.glob("*"))
    return {
        path: path.read_text()
        for path in sorted(paths)
        if path.is_file()
        and path.suffix in SUFFIXES
        and path != Path(__file__)
        and not path.is_relative_to(REFERENCE)
        and not path.is_relative_to(RECORDED)
        and not {"node_modules", "__pycache__"} & set(path.parts)
    }


def _banned(text: str) -> list[str]:
    """The banned words of a text, those in names and across the ends of lines included."""
    return PATTERN.findall(re.sub(r"[\s_#]+", " ", text))


def test_no_text_has_a_banned_word() -> None:
    texts = _texts()
    assert {ROOT / "README.md", ROOT / "app.py", ROOT / "Makefile", ROOT / "docs" / "glossary.md"} <= texts.keys()
    found = {path: words for path, text in texts.items() if (words := _banned(text))}
    assert found == QUOTED


@pytest.mark.parametrize(
    "text",
    [
        "Whoever may",
        "def test_whoever_may():",
        "it is\n    # put aside",
        "what the token\n    tells of",
        "(Anew)",
        "its behaviour",
        "test_it_is_normalised",
    ],
)
def test_a_banned_word_is_found(text: str) -> None:
    assert len(_banned(text)) == 1


@pytest.mark.parametrize(
    "text", ["a new tile", "We hold the tiles that", "It tells others", "its behavior is normalized"]
)
def test_similar_words_are_allowed(text: str) -> None:
    assert _banned(text) == []


def _opens_with_a_clause(module: str) -> bool:
    """Whether a module's docstring opens with a question word instead of a noun or a verb."""
    return re.match(r"(?:What|How|Which|Whether)\b", ast.get_docstring(ast.parse(module)) or "") is not None


def test_no_module_docstring_opens_with_a_question_word() -> None:
    modules = {path: text for path, text in _texts().items() if path.suffix == ".py"}
    assert ROOT / "chalicelib" / "services.py" in modules
    assert [path for path, text in modules.items() if _opens_with_a_clause(text)] == []


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ('"""What a store does."""', True),
        ('"""\nHow it works."""', True),
        ('"""Whatever a client sends."""', False),
        ('"""Stores, and what they do."""', False),
        ("count = 1", False),
    ],
)
def test_openings_with_a_question_word_are_found(module: str, expected: bool) -> None:
    assert _opens_with_a_clause(module) is expected


QUESTION_WORDS = re.compile(r"(?:What|How|Which|Whether|Who|When|Where|Why|See)\b")


def _attributes_that_ask(module: str) -> list[str]:
    """The docstrings of attributes and constants that open with a question word, or only point elsewhere."""
    nodes = [node for node in ast.walk(ast.parse(module)) if isinstance(node, ast.Module | ast.ClassDef)]
    pairs = [pair for node in nodes for pair in itertools.pairwise(node.body)]
    texts = [
        after.value.value
        for before, after in pairs
        if isinstance(before, ast.Assign | ast.AnnAssign)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    ]
    return [text for text in texts if QUESTION_WORDS.match(text)]


def test_docstrings_of_attributes_open_with_what_the_attribute_is() -> None:
    modules = {path: text for path, text in _texts().items() if path.suffix == ".py"}
    assert {path: found for path, text in modules.items() if (found := _attributes_that_ask(text))} == {}


@pytest.mark.parametrize(
    ("module", "count"),
    [
        ('WAIT_S = 5\n"""How long a thread waits."""', 1),
        ('class Tile:\n    is_whole: bool\n    """Whether it is."""\n    outline: bytes\n    """See `Entry`."""', 2),
        ('WAIT_S = 5\n"""Seconds that a thread waits."""', 0),
        ('"""What a module does."""', 0),
        ('def find():\n    """What is stored."""', 0),
    ],
)
def test_docstrings_of_attributes_that_open_with_a_question_word_are_found(module: str, count: int) -> None:
    assert len(_attributes_that_ask(module)) == count


PREDICATE = re.compile(r"\b(?:bool|TypeGuard)\b")


def _definitions_that_ask(module: str) -> list[str]:
    """The classes and functions whose docstrings open with a question word; `Whether` is for what returns a bool."""
    nodes = ast.walk(ast.parse(module))
    return [node.name for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef) and _asks(node)]


def _asks(definition: ast.ClassDef | ast.FunctionDef) -> bool:
    found = QUESTION_WORDS.match(ast.get_docstring(definition) or "")
    if found is None or found[0] == "See":  # a method of a store or an engine points to its port
        return False
    returns = definition.returns if isinstance(definition, ast.FunctionDef) else None
    return found[0] != "Whether" or returns is None or PREDICATE.search(ast.unparse(returns)) is None


def test_docstrings_of_classes_and_functions_open_with_what_they_are_or_do() -> None:
    modules = {path: text for path, text in _texts().items() if path.suffix == ".py"}
    assert {path: names for path, text in modules.items() if (names := _definitions_that_ask(text))} == {}


@pytest.mark.parametrize(
    ("definition", "is_found"),
    [
        ('def found() -> int:\n    """How many were found."""', True),
        ('def state() -> str:\n    """Whether it is open."""', True),
        ('class Page:\n    """What a call returns."""', True),
        ('def is_open() -> bool:\n    """Whether it is open."""', False),
        ('def get(key: str) -> str:\n    """See `Table.get`."""', False),
        ('def found() -> int:\n    """The number that was found."""', False),
    ],
)
def test_docstrings_of_definitions_that_open_with_a_question_word_are_found(definition: str, is_found: bool) -> None:
    assert bool(_definitions_that_ask(definition)) is is_found


ERRORS = {"CommandError", "FolderError", "NotReadyError", "TestServerError", "ToolError"}
"""Errors whose text is shown after `error: `, or after another text and a colon."""


def _capitalized_errors(module: str) -> list[str]:
    """The texts of errors of a module that begin like a sentence rather than in lower case or with a name."""
    calls = (node for node in ast.walk(ast.parse(module)) if isinstance(node, ast.Call) and node.args)
    texts = (ast.unparse(call.args[0]) for call in calls if isinstance(call.func, ast.Name) and call.func.id in ERRORS)
    return [text for text in texts if re.match(r"""f?['"](?:[A-Z][a-z]|A )""", text)]


def test_no_error_of_a_command_begins_with_a_capital_letter() -> None:
    modules = {path: text for path, text in _texts().items() if path.suffix == ".py"}
    assert sum(text.count("raise CommandError(") for text in modules.values()) > 100
    assert {path: found for path, text in modules.items() if (found := _capitalized_errors(text))} == {}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('"The disk is full."', 1),
        ('f"A disk of {folder} fails."', 1),
        ('(\n    f"There is no file {file}. "\n    "Name another one."\n)', 1),
        ('"the disk is full."', 0),
        ('f"{folder} is full."', 0),
        ('f"GET {path} failed."', 0),
        ('"MAIL_FROM needs DOMAIN."', 0),
        ("str(error)", 0),
    ],
)
def test_errors_that_begin_like_a_sentence_are_found(text: str, count: int) -> None:
    assert len(_capitalized_errors(f"raise CommandError({text}) from error")) == count
    assert _capitalized_errors(f"raise LookupError({text})") == []


PRONOUNS = {"each", "it", "one", "thing"}


def _pronouns(module: str) -> set[str]:
    """The variables and parameters of a module that are called by a pronoun."""
    nodes = list(ast.walk(ast.parse(module)))
    variables = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return PRONOUNS & (variables | {node.arg for node in nodes if isinstance(node, ast.arg)})


def test_no_variable_is_called_by_a_pronoun() -> None:
    modules = {path: text for path, text in _texts().items() if path.suffix == ".py"}
    assert {path: names for path, text in modules.items() if (names := _pronouns(text))} == {}


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("ids = [one.id for one in entries]", {"one"}),
        ("for each in entries: pass", {"each"}),
        ("lambda it: it.id", {"it"}),
        ("ids = [entry.id for entry in entries]\none_day = 1", set()),
    ],
)
def test_pronouns_are_found(module: str, names: set[str]) -> None:
    assert _pronouns(module) == names
