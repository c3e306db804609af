"""`make soak` in short, on a home server that is killed once."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.project import ROOT

KINDS = {"add", "repeat", "latest", "poll", "send a note", "send entries", "poll entries"}
MIN_REQUESTS = 300


@pytest.mark.home
def test_nothing_is_lost_or_doubled_in_some_seconds_with_a_kill() -> None:
    command = [sys.executable, "-m", "tools.soak", "--minutes", "0.1", "--min-requests", str(MIN_REQUESTS)]
    command += ["--clients", "2", "--seed", "of-a-test"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"^report: (.+)$", done.stdout, re.MULTILINE)
    assert found is not None, done.stdout
    report = json.loads(Path(found[1]).with_suffix(".json").read_text())
    assert report["restarts"] == 1
    assert report["findings"] == []
    assert report["requests"] >= MIN_REQUESTS
    assert report["compared"]["records"] > 0
    assert report["latency_ms"].keys() >= KINDS
    assert "| add |" in Path(found[1]).read_text()
