"""Tests that `make soak` says at once why a target cannot be tried."""

import socket
import sys
from pathlib import Path

import pytest

from strandline.home.launching import home_server
from strandline.home.log import LOG_NAME
from tools.project import ToolError
from tools.soak.__main__ import main
from tools.soak.targets import AddressTarget, CloudTarget, HomeTarget, size_bytes, target_of


@pytest.mark.parametrize(
    "name",
    [
        *("hom", "", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://127.0.0.1:port", "http://127.0.0.1:99999"),
        *("http://127.0.0.1:0", "http://127.0.0.1:8000/stage", "http://anna@127.0.0.1", "http://127.0.0.1?a=b"),
    ],
)
def test_a_target_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ToolError, match="TARGET is home, cloud, or an address"), target_of(name, None):
        pass


def test_an_address_where_nothing_answers_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ToolError, match=f"no server answers at {address}"), target_of(address, None):
        pass


def test_a_running_server_is_tried_with_the_right_secret_or_none(tmp_path: Path) -> None:
    with home_server(tmp_path / "data") as server:
        for secret in (None, server.server_secret):
            with target_of(f"{server.base_url}/", secret) as target:
                assert (target.name, target.base_url) == (server.base_url, server.base_url)
                assert (target.restart_name, target.process_id, target.stored_bytes()) == ("", None, None)
        with pytest.raises(ToolError, match="refuses the secret in STRANDLINE_SERVER_SECRET"):
            AddressTarget(server.base_url, "another secret")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--minutes", "0"], "needs some time"),
        (["--clients", "0"], "needs a client"),
        (["--target", "http://127.0.0.1:1", "--keep"], "KEEP=1 shows the figures of a home server or of a local cloud"),
    ],
)
def test_a_run_that_cannot_be_is_refused_before_a_server_starts(
    monkeypatch: pytest.MonkeyPatch, options: list[str], problem: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["soak", *options])
    with pytest.raises(ToolError, match=problem):
        main()


def test_events_that_a_server_has_counted_as_lost_are_read_from_its_log(tmp_path: Path) -> None:
    home = HomeTarget.__new__(HomeTarget)
    home._folder = tmp_path
    assert home.lost_events() == 0
    lines = (
        '{"metric":"LostMetricsEvents","value":1}',
        '{"message":"\\"LostMetricsEvents\\""}',
        '{"metric":"LostMetricsEvents","va',
    )
    (tmp_path / LOG_NAME).write_text("\n".join((*lines, lines[0])) + "\n")
    assert home.lost_events() == 2
    cloud = CloudTarget.__new__(CloudTarget)
    cloud._folder, cloud._lost_before = tmp_path, 5
    (tmp_path / "functions.log").write_text('START\n{"LostMetricsEvents":[1.0],"stage":"local"}\n')
    assert cloud.lost_events() == 6


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "in" / "b").write_bytes(b"123")
    (tmp_path / "link").symlink_to("in")
    assert size_bytes(tmp_path) == 8
    assert size_bytes(tmp_path / "link") == 3
    assert size_bytes(tmp_path / "none") == 0
