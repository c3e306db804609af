"""Packages the application for deployment: one zip and one template.

`chalice package` runs in a separate folder with a copy of the sources and, as `vendor/`, the locked requirements:
wheels of this machine for the local cloud, wheels of AWS Lambda for a stage on AWS. A package whose sources have not
changed is reused.
"""

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.packaging.bytecode import compile_zip
from tools.packaging.overlay import PARTS, read_overlay
from tools.packaging.template import Template, with_catch_alls
from tools.project import BUILD, ROOT, ToolError, step

LOCAL_STAGE = "local"
STAGE_NAME = "[a-z][a-z0-9-]{0,19}"
SOURCES = ("app.py", "chalicelib", ".chalice/config.json", "requirements.txt", *PARTS)
PACKAGING = ("tools/packaging",)
LAMBDA_PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_28_x86_64")
LAMBDA_RUNTIMES = ((3, 12), (3, 13))
POWERTOOLS = "aws_lambda_powertools"
UNUSED_REQUIREMENTS = (
    "pycparser",  # cffi needs it to build modules, not to run them
    f"{POWERTOOLS}/event_handler",
    *(
        f"{POWERTOOLS}/utilities/{name}"
        for name in (
            "auth_alpha",
            "circuit_breaker",
            "data_masking",
            "feature_flags",
            "idempotency",
            "kafka",
            "parameters",
            "parser",
            "streaming",
            "validation",
        )
    ),
)
"""Parts of the requirements that no function imports: 1.6 MB of the zip."""
UNUSED_SOURCES = ("chalicelib/engine/embedded",)
"""Folders of the sources that no function imports."""
ZIP, TEMPLATE, DIGEST, OVERLAY = "deployment.zip", "template.json", "digest", "overlay.json"


@dataclass(frozen=True, slots=True)
class Package:
    """A zip and a template; `digest` identifies the sources that they were made from."""

    stage: str
    digest: str
    code: bytes
    template: Template


def make_package(stage: str) -> Package:
    """The package of a stage, rebuilt only if its sources changed.

    Raises:
        ToolError: the sources cannot be packaged, or AWS Lambda does not have this version of Python.
    """
    check_stage(stage, sys.version_info[:2])
    digest = source_digest(stage)
    folder = BUILD / stage
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        if _digest_of(folder) != digest:
            with step(f"packaging the application for stage {stage}"):
                _build(stage, folder)
                (folder / DIGEST).write_text(digest)
        return Package(stage, digest, (folder / ZIP).read_bytes(), json.loads((folder / TEMPLATE).read_text()))


def check_stage(stage: str, python: tuple[int, int]) -> None:
    """Raise unless the name of the stage is valid and, on AWS, Lambda has this version of Python.

    Raises:
        ToolError: one of these is not so.
    """
    check_stage_name(stage)
    if stage != LOCAL_STAGE and python not in LAMBDA_RUNTIMES:
        raise ToolError(
            "packaging for AWS needs Python 3.12 or 3.13, since Lambda runs what it was packaged with, and this is "
            f"{python[0]}.{python[1]}: say make PYTHON=/path/to/python3.13 package STAGE={stage}"
        )


def check_stage_name(stage: str) -> None:
    """Raise unless the name of the stage fits into the names of its resources.

    Raises:
        ToolError: it does not.
    """
    if not re.fullmatch(STAGE_NAME, stage):
        raise ToolError(f"{stage!r} is no name for a stage: lower-case letters, digits and dashes, at most 20.")


def source_digest(stage: str) -> str:
    """The digest of everything in the package, including the Python and the platform that it is made for."""
    digest = hashlib.sha256()
    target = f"{platform.system()} {platform.machine()}" if stage == LOCAL_STAGE else " ".join(LAMBDA_PLATFORMS)
    digest.update(f"{stage}\0{sys.version_info[:2]}\0{target}\0".encode())
    for path in sorted(_source_files()):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def _source_files() -> Iterator[Path]:
    for name in (*SOURCES, *PACKAGING):
        path = ROOT / name
        yield from (file for file in path.rglob("*") if _is_source(file)) if path.is_dir() else (path,)
    yield from (ROOT / ".chalice").glob("policy-*.json")


def _is_source(path: Path) -> bool:
    is_unused = any(path.is_relative_to(ROOT / name) for name in UNUSED_SOURCES)
    return path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc" and not is_unused


def _digest_of(folder: Path) -> str | None:
    complete = all((folder / name).is_file() for name in (ZIP, TEMPLATE, DIGEST))
    return (folder / DIGEST).read_text() if complete else None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock the stage: of two processes that package it, the second waits and then finds the work done."""
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(stage: str, folder: Path) -> None:
    project = folder / "project"
    shutil.rmtree(project, ignore_errors=True)
    for name in ("app.py", "chalicelib", ".chalice"):
        _copy(ROOT / name, project / name)
    for name in UNUSED_SOURCES:
        shutil.rmtree(project / name)
    # Chalice would fetch the requirements for Lambda's platform only, and without looking at the lock's hashes.
    (project / "requirements.txt").write_text("")
    shutil.copytree(_vendored(stage), project / "vendor")
    environ = {**os.environ, "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "us-east-1")}
    chalice = str(Path(sys.executable).with_name("chalice"))
    (project / OVERLAY).write_text(json.dumps(read_overlay()))
    command = [chalice, "package", "--stage", stage, "--merge-template", OVERLAY, "out"]
    _run(command, project, environ, "chalice package")
    merged = json.loads((project / "out" / "sam.json").read_text())
    for name, resource in merged["Resources"].items():
        if "Type" not in resource:
            raise ToolError(f"infra/ adds to {name}, which the application does not have.")
    template = with_catch_alls(merged)
    compile_zip(project / "out" / ZIP)
    (folder / DIGEST).unlink(missing_ok=True)
    shutil.move(project / "out" / ZIP, folder / ZIP)
    (folder / TEMPLATE).write_text(json.dumps(template, indent=2) + "\n")
    shutil.rmtree(project)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "deployments", "venv"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _vendored(stage: str) -> Path:
    """The folder of the unpacked requirements; it is kept, because they rarely change."""
    lock = ROOT / "requirements.txt"
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    target = "this-machine" if stage == LOCAL_STAGE else "lambda"
    digest = hashlib.sha256(lock.read_bytes() + "\n".join(UNUSED_REQUIREMENTS).encode()).hexdigest()[:16]
    folder = BUILD / "vendor" / f"{target}-{version}-{digest}"
    if folder.is_dir():
        return folder
    options = []
    if stage != LOCAL_STAGE:
        options = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", version]
        options += [option for name in LAMBDA_PLATFORMS for option in ("--platform", name)]
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--quiet",
        "--no-compile",
    ]
    _run([*pip, "--require-hashes", *options, "--target", str(draft), "-r", str(lock)], ROOT, None, "pip install")
    shutil.rmtree(draft / "bin", ignore_errors=True)
    for name in UNUSED_REQUIREMENTS:
        if not (draft / name).is_dir():
            raise ToolError(f"{name} is not among what pip installs any more: take it out of what is left out.")
        shutil.rmtree(draft / name)
    try:
        draft.rename(folder)
    except OSError:  # another process made it meanwhile
        shutil.rmtree(draft)
    return folder


def _run(command: list[str], folder: Path, environ: dict[str, str] | None, name: str) -> None:
    answer = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if answer.returncode:
        lines = [line for line in (answer.stdout + answer.stderr).splitlines() if line.strip()]
        raise ToolError(f"{name} failed: {lines[-1].strip() if lines else 'no output'}")
