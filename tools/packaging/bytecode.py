"""Compiles the modules of a zip, so a function need not compile them at its start: Lambda cannot keep bytecode.

Compiling would take half of the CPU time of a start. The modules of the requirements are packaged as bytecode alone:
with their sources, which nobody reads on Lambda, the zip would be a megabyte larger. The same files give the same zip,
byte for byte, at any time and in any folder: entries are sorted and have a fixed date, and the bytecode has no times or
paths.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tools.project import ToolError

DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip can store."""
SMALLEST = 9
"""The level of compression. Lambda unpacks a package of any level alike."""
OWN = ("app.py", "chalicelib")
"""Files and folders whose sources are packaged, too, so that a traceback has the lines."""
FILE_MODE, PROGRAM_MODE = 0o100644, 0o100755


def compile_zip(path: Path) -> None:
    """Rewrite a zip with the bytecode of all its modules, for the Python that runs this, and the sources of our own.

    Raises:
        ToolError: a module is not valid Python.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(path) as old:
            old.extractall(folder)
        _compile(folder)
        _leave_out_sources(folder)
        draft = path.with_name(f"{path.name}.draft")
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as new:
            for file in sorted(file for file in folder.rglob("*") if file.is_file()):
                entry = _entry(file, str(file.relative_to(folder)))
                new.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED, SMALLEST)
        draft.replace(path)


def _compile(folder: Path) -> None:
    # The bytecode has the hash of the source instead of its time. Imports do not check it, because both are packaged
    # together. A separate process with a fixed hash seed makes the order of sets and shared constants reproducible.
    options = ["-q", "-f", "--invalidation-mode", "unchecked-hash", "-s", str(folder)]
    environ = os.environ | {"PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "compileall", *options, str(folder)]
    answer = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if answer.returncode:
        lines = [line for line in (answer.stdout + answer.stderr).splitlines() if line.strip()]
        raise ToolError(f"cannot compile what is packaged: {lines[-1].strip() if lines else 'no output'}")


def _leave_out_sources(folder: Path) -> None:
    """Put the bytecode of requirements in the place of their sources, where Python finds it as well."""
    tag = sys.implementation.cache_tag
    for source in sorted(folder.rglob("*.py")):
        if source.relative_to(folder).parts[0] not in OWN:
            (source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc").rename(source.with_suffix(".pyc"))
            source.unlink()


def _entry(file: Path, name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, DATE)
    entry.external_attr = (PROGRAM_MODE if file.suffix == ".so" else FILE_MODE) << 16
    return entry
