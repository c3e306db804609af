"""Runs the commands of docs/first-steps.md literally and checks what the page promises."""

import json
import re
import secrets
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    first = readings_of(script)
    assert [(reading["origin"]["id"], reading["value"], reading["units"]) for reading in first] == [
        ("reading-1", 6.60539, "mmol/L"),
        ("reading-2", 6.88293, "mmol/L"),
    ]
    pasted_again = readings_of(script)
    assert [reading["origin"]["id"] for reading in pasted_again] == ["reading-1", "reading-2"]
    assert {reading["uploadId"] for reading in pasted_again} == {first[0]["uploadId"]}


def readings_of(script: str) -> list[dict[str, Any]]:
    """The readings that the last line of the block prints."""
    result = subprocess.run(
        ["sh", "-eu", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert result.stderr == ""
    readings: list[dict[str, Any]] = json.loads(result.stdout[result.stdout.rindex("\n[") :])
    return readings
