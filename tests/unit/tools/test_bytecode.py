"""Tests the content of a zip after its modules are compiled."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.packaging.bytecode import compile_zip
from tools.project import ToolError

TAG = sys.implementation.cache_tag
FILES = {
    "app.py": "from chalicelib import names\nimport required.inner\nimport single\n\nFOUND = names.KNOWN\n",
    "chalicelib/__init__.py": "",
    "chalicelib/names.py": "KNOWN = frozenset({'a', 'b', 'c', 'd', 'e'})\n\n\ndef fail():\n    raise ValueError\n",
    "chalicelib/data.json": "{}",
    "native.so": "not really",
}
REQUIREMENTS = {
    "required/__init__.py": "from required import inner\n",
    "required/inner.py": "import single\n",
    "required/data.json": "{}",
    "single.py": "",
}


def zip_of(path: Path, files: dict[str, str]) -> Path:
    """A zip of these files, in the order given."""
    with zipfile.ZipFile(path, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)
    return path


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    path = zip_of(tmp_path / "deployment.zip", FILES | REQUIREMENTS)
    compile_zip(path)
    return path


def test_every_module_has_its_bytecode_and_no_source_of_ours_is_lost(compiled: Path) -> None:
    with zipfile.ZipFile(compiled) as made:
        assert set(made.namelist()) == {
            *FILES,
            f"__pycache__/app.{TAG}.pyc",
            f"chalicelib/__pycache__/__init__.{TAG}.pyc",
            f"chalicelib/__pycache__/names.{TAG}.pyc",
            "required/__init__.pyc",
            "required/inner.pyc",
            "required/data.json",
            "single.pyc",
        }
        assert {name: made.read(name).decode() for name in FILES} == FILES


def test_bytecode_is_used_for_any_time_of_the_source(compiled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(compiled) as made:
        made.extractall(folder)
    (folder / "chalicelib" / "names.py").write_text("raise AssertionError('compiled again')\n")
    os.utime(folder / "chalicelib" / "names.py", (2e9, 2e9))
    code = "import app; print(sorted(app.FOUND))"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=folder, text=True) == "['a', 'b', 'c', 'd', 'e']\n"


def test_the_same_files_give_the_same_zip(compiled: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    other = zip_of(tmp_path / "elsewhere" / "other.zip", dict(reversed((FILES | REQUIREMENTS).items())))
    compile_zip(other)
    assert other.read_bytes() == compiled.read_bytes()


def test_all_files_are_readable_and_programs_executable(compiled: Path) -> None:
    with zipfile.ZipFile(compiled) as made:
        modes = {name: made.getinfo(name).external_attr >> 16 for name in ("app.py", "native.so")}
    assert modes == {"app.py": 0o100644, "native.so": 0o100755}


def test_a_module_with_a_syntax_error_is_an_error(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "deployment.zip", {"app.py": "def"})
    before = path.read_bytes()
    with pytest.raises(ToolError, match="cannot compile"):
        compile_zip(path)
    assert path.read_bytes() == before
