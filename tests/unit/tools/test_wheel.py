"""Tests what is in the wheel, and what it asks of the environment that it is installed into."""

import ast
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools.environments import locked_versions
from tools.project import ROOT
from tools.release.version import current_version

PLATFORM = "strandline/_platform"
MOST_BYTES = 1_200_000
"""The platform with its page and both APIs takes 1.0 MB, in 650 files. A vendored boto3 would be fifteen times that."""
IMPORT_NAMES = {"argon2-cffi": "argon2"}
"""The names of packages that are imported by another one than that of their distribution."""
NOT_NEEDED = {"boto3", "botocore", "pytest"}
"""Imported by the engine on AWS alone, and by the plugin that pytest loads."""
IN_THE_WHEEL = {"app", "chalice", "chalicelib", "strandline"}
OF_AN_OPERATING_SYSTEM = {"msvcrt"}


def build(folder: Path) -> Path:
    """The wheel, built into a folder."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build(tmp_path_factory.mktemp("wheel")))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def sources(folder: str) -> set[str]:
    """The files of a folder of the repository, without what Python writes beside them."""
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "_platform" not in path.parts
    }


def test_the_wheel_has_the_package_and_the_platform_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    files = {name for name in wheel.namelist() if ".dist-info/" not in name}
    chalice = {f"{PLATFORM}/chalice/{name}" for name in ("__init__.py", "app.py", "LICENSE", "NOTICE")}
    platform = {f"{PLATFORM}/{name}" for name in sources("chalicelib") | {"app.py"}}
    assert files == sources("strandline") | platform | chalice


def test_only_one_package_reaches_site_packages(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0] for name in wheel.namelist()} == {
        "strandline",
        f"strandline-{current_version(ROOT)}.dist-info",
    }


def test_pages_that_are_not_python_are_in_it(wheel: zipfile.ZipFile) -> None:
    page = f"{PLATFORM}/chalicelib/api/openapi/page.html"
    assert wheel.read(page) == (ROOT / "chalicelib/api/openapi/page.html").read_bytes()


def test_the_license_of_chalice_goes_along(wheel: zipfile.ZipFile) -> None:
    assert "Apache License" in wheel.read(f"{PLATFORM}/chalice/LICENSE").decode()
    assert "James Saryerwinnie" in wheel.read(f"{PLATFORM}/chalice/NOTICE").decode()


def test_the_wheel_is_small(wheel: zipfile.ZipFile) -> None:
    assert Path(str(wheel.filename)).stat().st_size < MOST_BYTES


def test_the_same_sources_make_the_same_wheel(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    assert build(tmp_path).read_bytes() == Path(str(wheel.filename)).read_bytes()


def test_the_wheel_runs_on_every_supported_python(metadata: Message) -> None:
    listed = (ROOT / "tools" / "python-versions").read_text().splitlines()
    versions = {line for line in listed if not line.startswith("#")}
    named = {value.rpartition(" ")[2] for value in metadata.get_all("Classifier", []) if ":: 3." in value}
    assert named == versions
    assert metadata["Requires-Python"] == f">={min(versions, key=lambda text: int(text.partition('.')[2]))}"


def requirements(metadata: Message) -> dict[str, Requirement]:
    parsed = [Requirement(text) for text in metadata.get_all("Requires-Dist", [])]
    return {requirement.name: requirement for requirement in parsed}


def test_the_locked_versions_satisfy_its_requirements_and_are_the_oldest_that_do(metadata: Message) -> None:
    locked = locked_versions((ROOT / "requirements-dev.txt").read_text())
    for name, requirement in requirements(metadata).items():
        floors = [part.version for part in requirement.specifier if part.operator == ">="]
        assert requirement.specifier.contains(locked[name])
        assert [locked[name].startswith(floor) for floor in floors] == [True]


def test_the_wheel_requires_what_it_imports_and_nothing_else(metadata: Message) -> None:
    required = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in requirements(metadata)}
    own = IN_THE_WHEEL | OF_AN_OPERATING_SYSTEM | NOT_NEEDED
    assert imported() - own - set(sys.stdlib_module_names) == required


def test_the_wheel_is_built_with_the_chalice_that_is_deployed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (chalice,) = (text for text in project["build-system"]["requires"] if text.startswith("chalice"))
    assert chalice in (ROOT / "requirements-dev.in").read_text().splitlines()


@cache
def imported() -> set[str]:
    """The top-level names of all modules that the files of the wheel import, but for those of type checks."""
    paths = [ROOT / "app.py", *(ROOT / name for name in sources("chalicelib") | sources("strandline"))]
    return {
        name.partition(".")[0]
        for path in paths
        if path.suffix == ".py"
        for name in _imports(ast.parse(path.read_text()))
        if not name.startswith("mypy_boto3_")
    }


def _imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found
