"""Tests that importing the application prepares nothing that a copy of the process must not share.

Environments of a function may come from one snapshot of an imported process (docs/adr/0023-no-snapstart.md).
"""

import subprocess
import sys

from tools.project import ROOT

IMPORTED = """
import os, socket, sys
happened = []
def told(name, function):
    def call(*arguments, **named):
        happened.append(name)
        return function(*arguments, **named)
    return call
socket.socket.connect = told("a connection", socket.socket.connect)
socket.getaddrinfo = told("a look-up", socket.getaddrinfo)
os.urandom = told("randomness", os.urandom)
import app
from chalicelib.engine.aws import dynamodb, kinesis, s3, secrets_manager, sqs
for made in (dynamodb._transport, kinesis.client, s3._client, secrets_manager.client, sqs.queue):
    if made.cache_info().currsize:
        happened.append(f"a client of {made.__module__}")
from chalicelib import services
if services._services is not None:
    happened.append("services")
print(happened, "botocore.session" in sys.modules)
"""


def test_an_import_connects_to_nothing_reads_no_secret_and_makes_no_client() -> None:
    run = subprocess.run([sys.executable, "-c", IMPORTED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout == "[] False\n", run.stderr
