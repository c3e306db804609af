"""Tests the whole demo on a scripted server."""

import copy
import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest

from tools.demo import __main__ as demo
from tools.demo.comparison import as_shown
from tools.project import ToolError, run_tool

Record = dict[str, Any]


class FakeServer:
    """Keeps what it is sent and shows it as it must, but for what `spoil` does to it."""

    def __init__(self, spoil: Callable[[list[Record]], None] = lambda records: None) -> None:
        self.chunks: list[int] = []
        self.profiles: list[str] = []
        self._records: list[Record] = []
        self._spoil = spoil
        self._ids = (f"{number:032x}" for number in itertools.count(1))

    def sign_up(self, email: str, password: str) -> str:
        assert email.endswith("@example.org")
        assert 8 <= len(password) <= 72
        return "a1b2c3d4e5"

    def write_profile(self, user_id: str) -> None:
        self.profiles.append(user_id)

    def create_data_set(self, user_id: str) -> str:
        return "d" * 32

    def add_data(self, data_set_id: str, records: list[Record]) -> None:
        self.chunks.append(len(records))
        for sent in records:
            shown = [record | {"id": next(self._ids), "uploadId": data_set_id} for record in as_shown(sent)]
            if sent["type"] == "wizard":
                shown[0]["bolus"] = shown[1]["id"]
            self._records += shown

    def read_data(self, user_id: str) -> list[Record]:
        records = copy.deepcopy(self._records)
        self._spoil(records)
        return [*records, {"type": "upload", "id": "d" * 32}]


def test_a_week_goes_up_in_chunks_of_a_thousand_and_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    server = FakeServer()
    demo.run(server, days=7, seed=1)
    out, err = capsys.readouterr()
    assert server.profiles == ["a1b2c3d4e5"]
    assert server.chunks[:-1] == [1000] * (len(server.chunks) - 1)
    assert 0 < server.chunks[-1] <= 1000
    assert err == f"uploading: {sum(server.chunks)}/{sum(server.chunks)}\n"
    assert re.search(r"^cbg +2016 ", out, re.MULTILINE)
    assert re.search(r"^mean glucose +\d+ mg/dL \(\d+\.\d mmol/L\)$", out, re.MULTILINE)
    assert re.search(r"^time in range +\d+% \(70-180 mg/dL\)", out, re.MULTILINE)
    assert out.count("┤") == 4


def test_a_server_that_loses_a_record_ends_the_demo() -> None:
    with pytest.raises(ToolError, match=r"1 differences between .*\n  cbg with origin id '\S+' is lost"):
        demo.run(FakeServer(lambda records: records.remove(next(r for r in records if r["type"] == "cbg"))), 1, 1)


def test_a_server_that_converts_nothing_ends_the_demo_with_a_short_list() -> None:
    def spoil(records: list[Record]) -> None:
        for record in records:
            if record["type"] == "cbg":
                record["units"] = "mg/dL"

    with pytest.raises(ToolError) as caught:
        demo.run(FakeServer(spoil), days=1, seed=1)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("288 differences")
    assert len(lines) == 12
    assert lines[-1] == "  and 278 more"


def test_a_failure_gives_exit_code_one_and_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run_tool(lambda: demo.main(["--days", "1", "--base-url", "http://127.0.0.1:1"]))
    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith("error: http://127.0.0.1:1 does not answer: ConnectionRefusedError")


def test_an_invalid_address_is_reported() -> None:
    with pytest.raises(ToolError, match="'localhost:8000' is not an http or https address"):
        demo.main(["--base-url", "localhost:8000"])


@pytest.mark.parametrize("arguments", [["--days", "0"], ["--days", "367"], ["--days", "x"], ["--nothing"]])
def test_wrong_arguments_are_exit_code_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        demo.main(arguments)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err
