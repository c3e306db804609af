"""The artifacts of a version: wheel, zip, template, bill of materials, licenses, and notes with figures."""

import hashlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from chalicelib.api.operations.table import OPERATIONS
from tools.packaging.application import make_package
from tools.project import BUILD, ROOT, ToolError, step
from tools.release.sbom import bill_of_materials, libraries_of, license_texts

STAGE = "release"
SBOM, LICENSES, NOTES, DIGESTS = "sbom.cdx.json", "LICENSES.txt", "notes.md", "SHA256SUMS"
SHIPPED = {".whl", ".zip"}
BENCH = BUILD / "bench.json"
FIGURES = ROOT / "docs" / "figures"
"""The reports that `docs/reliability.md` shows."""


def build_artifacts(version: str, folder: Path, section: str) -> None:
    """Build everything of a version into a folder.

    Raises:
        ToolError: the wheel or the package cannot be built.
    """
    with step("building the wheel"):
        _build_wheel(folder)
    package = make_package(STAGE)
    archive = folder / f"strandline-{version}-lambda.zip"
    archive.write_bytes(package.code)
    (folder / "template.json").write_text(json.dumps(package.template, indent=2) + "\n")
    libraries = libraries_of(ZipFile(io.BytesIO(package.code)))
    bill = bill_of_materials(version, package.code, libraries)
    (folder / SBOM).write_text(json.dumps(bill, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / LICENSES).write_text(license_texts(libraries), encoding="utf-8")
    if BENCH.is_file():
        shutil.copyfile(BENCH, folder / BENCH.name)
    (folder / NOTES).write_text(notes(version, section, folder), encoding="utf-8")
    files = sorted(path for path in folder.iterdir() if path.name != DIGESTS)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / DIGESTS).write_text("".join(lines))


def notes(version: str, section: str, folder: Path) -> str:
    """The text of the release: what changed, then its figures."""
    shipped = [path for path in sorted(folder.iterdir()) if path.suffix in SHIPPED]
    figures = [
        f"{len(OPERATIONS)} operations of the API",
        *(f"{path.name}: {path.stat().st_size:,} bytes" for path in shipped),
        *(_summary(path) for path in sorted(FIGURES.glob("*.json"))),
        f"`make bench`: {BENCH.name}" if BENCH.is_file() else "`make bench`: not run for this release",
    ]
    return f"# Strandline {version}\n\n{section}\n\n## Figures\n\n" + "".join(f"- {line}\n" for line in figures)


def _summary(path: Path) -> str:
    """One line of a report: its name, when and from which commit it was made, and the numbers it begins with."""
    report = json.loads(path.read_text(encoding="utf-8"))
    measured = [(name, value) for name, value in report.items() if type(value) in (int, float) and name != "seed"]
    numbers = [f"{round(value, 1):,} {name.replace('_', ' ')}" for name, value in measured]
    made = f"{report.get('date', 'no date')}, commit {report.get('commit', 'unknown')}"
    return f"{path.stem} ({made}): {', '.join(numbers)}"


def _build_wheel(folder: Path) -> None:
    for old in folder.glob("*.whl"):
        old.unlink()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if answer.returncode:
        lines = [line for line in answer.stderr.splitlines() if line.strip()]
        raise ToolError(f"the wheel cannot be built: {lines[-1].strip() if lines else 'no output'}")
