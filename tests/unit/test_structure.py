"""The size of files, folders, functions and views: each is small enough to be read at once."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest

from tools.project import ROOT

FOLDERS = ("chalicelib", "strandline", "tests", "tools", "bench")
MAX_FILE_LINES = 400
MAX_FILES_OF_A_FOLDER = 20
MAX_PARAMETERS = 5
MAX_VIEW_STATEMENTS = 5
MAX_VIEW_LINES = 10

Function = ast.FunctionDef | ast.AsyncFunctionDef


def long_files(sizes: dict[PurePath, int]) -> set[PurePath]:
    """The files with too many lines, of files with their numbers of lines."""
    return {path for path, lines in sizes.items() if lines > MAX_FILE_LINES}


def full_folders(paths: set[PurePath]) -> set[PurePath]:
    """The folders with too many of these files; `__init__.py` does not count."""
    files = Counter(path.parent for path in paths if path.name != "__init__.py")
    return {folder for folder, count in files.items() if count > MAX_FILES_OF_A_FOLDER}


def long_signatures(source: str) -> list[str]:
    """The names of the functions with too many parameters, beside `self` and `cls`."""
    return [function.name for function in _functions(source) if _parameter_count(function) > MAX_PARAMETERS]


def long_views(source: str) -> list[str]:
    """The names of the views with too many statements or lines, beside the docstring."""
    return [function.name for function in _functions(source) if _is_view(function) and _is_long(function)]


def _functions(source: str) -> Iterator[Function]:
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, Function))


def _parameter_count(function: Function) -> int:
    given = function.args
    named = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in named if name not in ("self", "cls")]) + bool(given.vararg) + bool(given.kwarg)


def _is_view(function: Function) -> bool:
    return any(ast.unparse(decorator).startswith("blueprint.operation(") for decorator in function.decorator_list)


def _is_long(function: Function) -> bool:
    body = function.body[ast.get_docstring(function) is not None :]
    lines = 1 + (body[-1].end_lineno or 0) - body[0].lineno if body else 0
    return len(body) > MAX_VIEW_STATEMENTS or lines > MAX_VIEW_LINES


FILES = {path.relative_to(ROOT): path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}
RULES = [str(path) for path in FILES if path.parts[0] == "chalicelib" and not {"engine", "stores"} & set(path.parts)]
VIEWS = [path for path in RULES if path.startswith("chalicelib/api/routes/")]


def _source(path: str) -> str:
    return Path(ROOT, path).read_text()


def test_no_file_is_too_long() -> None:
    assert len(FILES) > 500
    assert long_files({path: len(file.read_text().splitlines()) for path, file in FILES.items()}) == set()


def test_no_folder_has_too_many_files() -> None:
    assert full_folders(set(FILES)) == set()


def test_no_function_has_too_many_parameters() -> None:
    assert {path: names for path in RULES if (names := long_signatures(_source(path)))} == {}


def test_no_view_is_too_long() -> None:
    assert sum(_source(path).count("@blueprint.operation(") for path in VIEWS) > 50
    assert {path: names for path in VIEWS if (names := long_views(_source(path)))} == {}


# --- the checks themselves find what they are for ---------------------------------------------------------------------


def test_a_file_of_401_lines_is_too_long() -> None:
    assert long_files({PurePath("a.py"): 400, PurePath("b.py"): 401}) == {PurePath("b.py")}


def test_a_folder_of_21_files_is_too_full() -> None:
    paths: set[PurePath] = {PurePath("a", f"{number}.py") for number in range(20)} | {PurePath("a/__init__.py")}
    assert full_folders(paths) == set()
    assert full_folders(paths | {PurePath("a/b/21.py")}) == set()
    assert full_folders(paths | {PurePath("a/21.py")}) == {PurePath("a")}


@pytest.mark.parametrize("parameters", ["a, b, c, d, e, f", "a, /, b, *, c, d, e, f", "a, b, c, d, e, *f", "a, **b"])
def test_a_sixth_parameter_is_too_many(parameters: str) -> None:
    expected = ["wrong"] if "f" in parameters else []
    assert long_signatures(f"def wrong({parameters}): ...") == expected
    assert long_signatures(f"class Wrong:\n    def wrong(self, {parameters}): ...") == expected
    assert long_signatures(f"def outer():\n    async def wrong({parameters}): ...") == expected


@pytest.mark.parametrize(
    ("body", "is_long"),
    [
        (["one()"] * 5, False),
        (["one()"] * 6, True),
        (["try:", *["    one()"] * 7, "finally:", "    two()"], False),
        (["try:", *["    one()"] * 8, "finally:", "    two()"], True),
    ],
)
def test_a_view_of_six_statements_or_eleven_lines_is_too_long(body: list[str], is_long: bool) -> None:
    lines = ["def view(request):", '    """The docstring', '    does not count."""', *(f"    {line}" for line in body)]
    function = "\n".join(lines)
    assert long_views(f"@blueprint.operation(ROW, reader)\n{function}") == (["view"] if is_long else [])
    assert long_views(function) == []
