"""Runs the commands of docs/first-steps.md literally and checks what the page promises."""

import json
import re
import secrets
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

PAGE = Path(__file__).parents[3] / "docs" / "first-steps.md"
ADDRESS = "http://127.0.0.1:8000"


def commands() -> str:
    """The one shell block of the page."""
    (block,) = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(block)


def test_five_curl_lines_sign_up_log_in_and_read_two_readings_back(platform: "Platform") -> None:
    script = commands()
    assert len(re.findall(r"^(?:\w+=\$\()?curl ", script, re.MULTILINE)) == 5
    assert script.count(ADDRESS) == 1
    script = script.replace(ADDRESS, platform.base_url).replace("ada@", f"ada-{secrets.token_hex(4)}@")
    result = subprocess.run(
        ["sh", "-eu", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert result.stderr == ""
    readings = json.loads(result.stdout[result.stdout.rindex("\n[") :])
    assert [(reading["origin"]["id"], reading["value"], reading["units"]) for reading in readings] == [
        ("reading-1", 6.60539, "mmol/L"),
        ("reading-2", 6.88293, "mmol/L"),
    ]
