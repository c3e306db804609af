"""`make release VERSION=0.2.0`: write a version into the sources, build its artifacts, and print what is left to do.

    python -m tools.release VERSION [--dry-run]

It needs a clean work tree and a version that does not exist. It commits, tags and pushes nothing: those commands are
printed, for a person to run.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from tools.project import BUILD, ROOT, run_tool
from tools.release.artifacts import build_artifacts
from tools.release.changelog import released, section_of
from tools.release.version import CHANGELOG, check_version, in_sources, tag_text

TO_DO = """
The sources have version {version}, and {folder} has its artifacts. Now:

  1. git diff                                  read what was changed
  2. make version-data VERSION={version}          data of this version, which later ones have to read
  3. make check && make pythons && make test && make e2e
  4. make soak MINUTES=20 KEEP=1 && make fuzz MINUTES=30 && make power-loss && make mutants KEEP=1 && make bench
                                               new figures; build the artifacts again if the sources changed
  5. git add -A && git commit -m 'Release {version}'
  6. git tag -a v{version} -F {folder}/tag.txt
  7. git push origin main v{version}
  8. publish the files of {folder} with notes.md as the text of the release
"""


def main() -> int:
    """Print the checklist of a release; with `--dry-run` print what would be written."""
    parser = argparse.ArgumentParser(prog="make release", description="Prepare a release.")
    parser.add_argument("version", help="such as 0.2.0")
    parser.add_argument("--dry-run", action="store_true", help="check and show, and write nothing")
    arguments = parser.parse_args()
    version: str = arguments.version
    check_version(version, ROOT)
    today = datetime.now(UTC).date()
    changelog = released((ROOT / CHANGELOG).read_text(encoding="utf-8"), version, today)
    changed = {CHANGELOG: changelog, **in_sources(version, ROOT)}
    text = tag_text(version, section_of(changelog, version))
    if arguments.dry_run:
        print(f"would write {version} into {', '.join(changed)}\n\n{text}")
        return 0
    folder = BUILD / "release" / version
    _write_all(changed, folder, version, text)
    print(TO_DO.format(version=version, folder=folder.relative_to(ROOT)))
    return 0


def _write_all(changed: dict[str, str], folder: Path, version: str, text: str) -> None:
    """Write the sources and the artifacts; if these cannot be built, the sources stay as they were."""
    before = {name: (ROOT / name).read_text(encoding="utf-8") for name in changed}
    try:
        for name, content in changed.items():
            (ROOT / name).write_text(content, encoding="utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tag.txt").write_text(text, encoding="utf-8")
        build_artifacts(version, folder, section_of(changed[CHANGELOG], version))
    except BaseException:
        for name, content in before.items():
            (ROOT / name).write_text(content, encoding="utf-8")
        raise


if __name__ == "__main__":
    run_tool(main)
