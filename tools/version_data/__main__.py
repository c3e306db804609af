"""`make version-data VERSION=0.2.0`: keep the data that a version writes, for the tests of upgrades.

    python -m tools.version_data VERSION [--kind home|tables] [--commit COMMIT]

It writes `tests/data/versions/VERSION` with the sources of this work tree, or of a commit.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.project import ROOT, ToolError, run_tool
from tools.release.version import git

VERSIONS = ROOT / "tests" / "data" / "versions"
WRITER = Path(__file__).with_name("writer.py")
FILES = {"home": "home.tar.gz", "tables": "tables.json.gz"}
"""The file of each kind of data: a home server's folder, and the tables and the bucket of a stage."""


def main() -> int:
    """Write the files of a version."""
    parser = argparse.ArgumentParser(prog="make version-data", description="Keep the data that a version writes.")
    parser.add_argument("version", help="such as 0.2.0")
    parser.add_argument("--kind", choices=FILES, help="only this; the default is both")
    parser.add_argument("--commit", help="the sources to write with; the default is this work tree")
    arguments = parser.parse_args()
    folder = VERSIONS / arguments.version
    with _sources(arguments.commit) as sources:
        for kind in [arguments.kind] if arguments.kind else FILES:
            write_data(kind, sources, folder)
    return 0


def write_data(kind: str, sources: Path, folder: Path) -> None:
    """Write the data of one kind, and what the version answers about it, with the sources of a version.

    Raises:
        ToolError: the version does not do what every version does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(WRITER), kind, str(folder / FILES[kind])]
    answer = subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ToolError(f"{kind}: {answer.stderr.strip().splitlines()[-1]}")
    print(answer.stdout.strip().splitlines()[-1])


@contextmanager
def _sources(commit: str | None) -> Iterator[Path]:
    if commit is None:
        yield ROOT
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "sources"
        git(ROOT, "worktree", "add", "--detach", str(folder), commit)
        try:
            yield folder
        finally:
            git(ROOT, "worktree", "remove", "--force", str(folder))


if __name__ == "__main__":
    run_tool(main)
