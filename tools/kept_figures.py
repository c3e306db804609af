"""Figures of a run that are kept: as JSON in `docs/figures`, and as Markdown in a block of `docs/reliability.md`."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tools.project import ROOT

FIGURES = ROOT / "docs" / "figures"
PAGE = ROOT / "docs" / "reliability.md"


def provenance() -> dict[str, str]:
    """The date of today, the commit of the sources, and the machine, with which each report begins."""
    return {"date": datetime.now(UTC).date().isoformat(), "commit": commit(), "machine": machine()}


def heading(report: Mapping[str, Any]) -> str:
    """The provenance of a report in words, with which its text begins."""
    return f"{report['date']}, commit {report['commit']}, {report['machine']}"


def commit() -> str:
    """The commit, with a note if code differs from it. Pages do not count: a run with KEEP=1 changes one."""
    commit = _git("describe", "--always", "--abbrev=9", "--exclude=*")
    return f"{commit}, changed" if _git("status", "--porcelain", "-uno", "--", ".", ":!docs") else commit


def machine() -> str:
    """The machine in words: system, processors, memory, Python."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    system = f"{platform.system()} {platform.machine()}"
    return f"{system}, {os.cpu_count()} cores, {memory_gb:.0f} GB, Python {platform.python_version()}"


def keep_figures(name: str, text: str, report: Mapping[str, Any]) -> None:
    """Write a report to `docs/figures/NAME.json`, and its text into the block `NAME` of the page, in the place of the
    last one."""
    FIGURES.mkdir(exist_ok=True)
    (FIGURES / f"{name}.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    first, last = edges(name)
    before, _, rest = page.partition(first)
    PAGE.write_text(f"{before}{block(name, text)}{rest.partition(last)[2]}", encoding="utf-8")


def block(name: str, text: str) -> str:
    """A block of the page with its text."""
    first, last = edges(name)
    return f"{first}\n\n{text.strip()}\n\n{last}"


def edges(name: str) -> tuple[str, str]:
    """The first and the last line of a block."""
    return f"<!-- begin {name} -->", f"<!-- end {name} -->"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or ("unknown" if done.returncode else "")
