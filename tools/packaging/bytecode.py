"""Compiles the modules of a zip, so that a function that starts does not: Lambda cannot keep what it compiles.

Half of the CPU time that a start takes would go there. The zip comes out the same, byte for byte, whenever and in
whatever folder it is made of the same files: entries in order, all of one date, and bytecode without times and paths.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tools.project import ToolError

DATE = (1980, 1, 1, 0, 0, 0)
"""The first that a zip can tell."""
FILE_MODE, PROGRAM_MODE = 0o100644, 0o100755


def compile_zip(path: Path) -> None:
    """Write a zip anew with the bytecode of all its modules, for the Python that runs this.

    Raises:
        ToolError: a module is not valid Python.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(path) as old:
            old.extractall(folder)
        _compile(folder)
        draft = path.with_name(f"{path.name}.draft")
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as new:
            for file in sorted(file for file in folder.rglob("*") if file.is_file()):
                new.writestr(_entry(file, str(file.relative_to(folder))), file.read_bytes(), zipfile.ZIP_DEFLATED)
        draft.replace(path)


def _compile(folder: Path) -> None:
    # The hash of the source stands in for its time, and is not compared when the module is imported: both are packaged
    # together. A process of its own, and one seed for its hashes, since sets and shared constants come out otherwise.
    options = ["-q", "-f", "--invalidation-mode", "unchecked-hash", "-s", str(folder)]
    environ = os.environ | {"PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "compileall", *options, str(folder)]
    answer = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if answer.returncode:
        lines = [line for line in (answer.stdout + answer.stderr).splitlines() if line.strip()]
        raise ToolError(f"cannot compile what is packaged: {lines[-1].strip() if lines else 'no output'}")


def _entry(file: Path, name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, DATE)
    entry.external_attr = (PROGRAM_MODE if file.suffix == ".so" else FILE_MODE) << 16
    return entry
