"""Requests made from the published description, with a fixed seed, to a home server: `make fuzz` in short."""

import re
import subprocess
import sys

import pytest

from tools.fuzz.people import GRANTEE, NOBODY, OWNER, SERVER
from tools.project import ROOT

MIN_REQUESTS = 200
"""Of each role: about one to each operation, of which some have a single possible request."""


@pytest.mark.home
def test_no_request_from_the_description_gets_a_reply_that_it_does_not_have() -> None:
    command = [sys.executable, "-m", "tools.fuzz", "--short", "--seed", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 answers 5xx, 0 failures" in done.stdout
    sent = {role: int(requests) for role, requests in re.findall(r"^(\w+), .*: (\d+) requests", done.stdout, re.M)}
    assert sent.keys() == {NOBODY, OWNER, GRANTEE, SERVER}
    assert min(sent.values()) > MIN_REQUESTS, sent
