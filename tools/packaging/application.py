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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.packaging.bytecode import compile_zip
from tools.packaging.overlay import PARTS, read_overlay
from tools.packaging.template import X86_64, Template, for_architecture, with_catch_alls
from tools.packaging.vendored import LAMBDA_PLATFORMS, vendored
from tools.project import BUILD, ROOT, ToolError, step

LOCAL_STAGE = "local"
STAGE_NAME = "[a-z][a-z0-9-]{0,19}"
SOURCES = ("app.py", "chalicelib", ".chalice/config.json", "requirements.txt", *PARTS)
PACKAGING = ("tools/packaging",)
LAMBDA_RUNTIMES = ((3, 12), (3, 13))
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


def make_package(stage: str, architecture: str = X86_64) -> Package:
    """The package of a stage, rebuilt only if its sources changed.

    Args:
        architecture: of the functions on AWS; the package of the local stage is for this machine.

    Raises:
        ToolError: the sources cannot be packaged, or AWS Lambda does not have this version of Python.
    """
    check_stage(stage, sys.version_info[:2])
    digest = source_digest(stage, architecture)
    folder = BUILD / stage
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        if _digest_of(folder) != digest:
            with step(f"packaging the application for stage {stage}"):
                _build(stage, architecture, folder)
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
            f"{python[0]}.{python[1]}: run make PYTHON=/path/to/python3.13 package STAGE={stage}"
        )


def check_stage_name(stage: str) -> None:
    """Raise unless the name of the stage fits into the names of its resources.

    Raises:
        ToolError: it does not.
    """
    if not re.fullmatch(STAGE_NAME, stage):
        raise ToolError(f"{stage!r} is not a name for a stage: lower-case letters, digits and dashes, at most 20.")


def source_digest(stage: str, architecture: str = X86_64) -> str:
    """The digest of everything in the package, including the Python and the platform that it is made for."""
    digest = hashlib.sha256()
    platforms = LAMBDA_PLATFORMS[architecture]
    target = f"{platform.system()} {platform.machine()}" if stage == LOCAL_STAGE else " ".join(platforms)
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


def _build(stage: str, architecture: str, folder: Path) -> None:
    project = folder / "project"
    shutil.rmtree(project, ignore_errors=True)
    for name in ("app.py", "chalicelib", ".chalice"):
        _copy(ROOT / name, project / name)
    for name in UNUSED_SOURCES:
        shutil.rmtree(project / name)
    # Chalice would fetch the requirements for Lambda's platform only, and without looking at the lock's hashes.
    (project / "requirements.txt").write_text("")
    shutil.copytree(vendored(None if stage == LOCAL_STAGE else architecture), project / "vendor")
    chalice = str(Path(sys.executable).with_name("chalice"))
    (project / OVERLAY).write_text(json.dumps(read_overlay()))
    command = [chalice, "package", "--stage", stage, "--merge-template", OVERLAY, "out"]
    _run(command, project, isolated(os.environ), "chalice package")
    merged = json.loads((project / "out" / "sam.json").read_text())
    for name, resource in merged["Resources"].items():
        if "Type" not in resource:
            raise ToolError(f"infra/ adds to {name}, which the application does not have.")
    template = for_architecture(with_catch_alls(merged), architecture)
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


def isolated(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of `chalice package`: without the user's AWS account, the network, and their settings.

    Chalice looks for credentials although it asks AWS nothing. It would read profiles, and wait for the metadata
    service of a machine in the cloud. The region appears nowhere in a template.
    """
    proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    kept = {name: environ[name] for name in environ if not name.startswith("AWS_") and name.lower() not in proxies}
    return kept | {
        "AWS_ACCESS_KEY_ID": "not-a-key",
        "AWS_SECRET_ACCESS_KEY": "not-a-key",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _run(command: list[str], folder: Path, environ: dict[str, str], name: str) -> None:
    answer = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if answer.returncode:
        lines = [line for line in (answer.stdout + answer.stderr).splitlines() if line.strip()]
        raise ToolError(f"{name} failed: {lines[-1].strip() if lines else 'no output'}")
