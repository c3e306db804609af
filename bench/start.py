"""Measures a cold start: a new process each time imports the deployed package."""

import io
import os
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from tools.packaging.application import LOCAL_STAGE, make_package

IMPORT = "import sys; sys.path.insert(0, '.'); import app"
FIRST_CLIENT = (
    f"{IMPORT}; from chalicelib.engine.aws import dynamodb; from chalicelib.config import Settings;"
    " dynamodb.transport(Settings())"
)
COUNT = f"import sys; bare = len(sys.modules); {IMPORT}; print(len(sys.modules) - bare)"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "an-id", "AWS_SECRET_ACCESS_KEY": "a-key"}
"""Lambda has them in the environment; without them botocore would look elsewhere."""
CASES = {"bare": "pass", "import": IMPORT, "client": FIRST_CLIENT}


def figures(*, is_quick: bool) -> Iterator[Figure]:
    """The figures of the start and the package."""
    package = make_package(LOCAL_STAGE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        zipfile.ZipFile(io.BytesIO(package.code)).extractall(folder)
        times = _in_turns(folder, rounds=5 if is_quick else 11)
        modules = int(subprocess.check_output([sys.executable, "-c", COUNT], cwd=folder))
    bare_ms = statistics.median(times["bare"]) * 1000
    for case, what, target in (
        ("import", "import of the API function: CPU, over bare Python", 20),
        ("client", "  with what sends the first request to DynamoDB", 25),
    ):
        ratio = statistics.median(mine / bare for mine, bare in zip(times[case], times["bare"], strict=True))
        yield Figure(what, ratio, "x", target=target, floor_ms=bare_ms)
    yield Figure("modules imported by the API function", modules, "modules")
    yield Figure("packaged zip", len(package.code) / 1e6, "MB", target=10)


def _in_turns(folder: Path, rounds: int) -> dict[str, list[float]]:
    """The CPU seconds of each case, after a warm-up that compiles the modules."""
    times: dict[str, list[float]] = {case: [] for case in CASES}
    for number in range(1 + rounds):
        for case, code in CASES.items():
            took = _cpu_of_process_s(code, folder)
            if number:
                times[case].append(took)
    return times


def _cpu_of_process_s(code: str, folder: Path) -> float:
    process = subprocess.Popen([sys.executable, "-c", code], cwd=folder, env=os.environ | CREDENTIALS)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"error: {code!r} failed")
    return usage.ru_utime + usage.ru_stime
