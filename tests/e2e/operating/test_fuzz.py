"""`make fuzz` in short, with a fixed seed: requests to a home server, and runs of the command line."""

import re
import subprocess
import sys

import pytest

from tools.fuzz.__main__ import SHORT_COMMANDS, SHORT_HOSTILE
from tools.fuzz.people import READER, ROLES, UPLOADER
from tools.project import ROOT

MIN_REQUESTS, MIN_NIGHTSCOUT_REQUESTS = 200, 60
"""Of each role: about one to each operation, of which some have a single possible request."""


@pytest.mark.home
def test_no_request_from_the_description_gets_a_reply_that_it_does_not_have() -> None:
    command = [sys.executable, "-m", "tools.fuzz", "--short", "--seed", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 answers 5xx, 0 failures" in done.stdout
    sent = {
        role: int(requests) for role, requests in re.findall(r"^(\w+), .*fuzzing: (\d+) requests", done.stdout, re.M)
    }
    assert sent.keys() == set(ROLES)
    for role, requests in sent.items():
        assert requests > (MIN_NIGHTSCOUT_REQUESTS if role in (READER, UPLOADER) else MIN_REQUESTS), sent
    hostile = re.findall(r"^(\w+), hostile requests: (\d+) requests", done.stdout, re.M)
    assert hostile == [(role, str(SHORT_HOSTILE)) for role in ROLES]
    assert f"hostile folders and servers: {SHORT_COMMANDS} runs, 0 failures" in done.stdout
