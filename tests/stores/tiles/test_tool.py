"""Tests `python -m tools.tiles`, which verifies, rebuilds and compacts tiles. For the local cloud see `tests/e2e`."""

import sys
from typing import Any

import pytest

from chalicelib.access.call import Caller
from chalicelib.access.policy import UPLOADERS
from chalicelib.accounts.account import Account
from chalicelib.accounts.stores.accounts import StoredAccounts
from chalicelib.config import Settings
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.table import Item, Query
from chalicelib.log.data_set import OwnerState
from chalicelib.log.ports import DataPorts
from chalicelib.log.stores.archive import StoredArchive
from chalicelib.log.stores.data_sets import StoredDataSets
from chalicelib.log.stores.keys import continuous_log_partition
from chalicelib.log.stores.record_log import StoredRecordLog
from chalicelib.services import system_now_ms
from chalicelib.tiles.stores.keys import tiles_partition
from chalicelib.tiles.stores.tiles import StoredTiles
from chalicelib.uploads import add as uploads
from tests.fakes.calls import NO_GRANTS, call_by
from tests.stores.log.test_calls import cbg, delete
from tests.stores.log.test_data_stores import ANNA, NOW_MS, data_set
from tools import tiles
from tools.project import ToolError

DAYS = 3


@pytest.fixture
def anna(stage: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A stage where Anna has readings of some days, none of them in tiles."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    StoredAccounts(aws_engine(stage).accounts).create(Account(ANNA, NOW_MS))
    StoredDataSets(aws_engine(stage).data).create(data_set())
    for day in range(DAYS):
        add(stage, cbg(10, 288 * day))
    return stage


def add(settings: Settings, items: list[dict[str, Any]]) -> None:
    """Add data as Anna."""
    ids = iter(range(2**32))
    uploads.append_data(
        call_by(Caller(user_id=ANNA), UPLOADERS, NO_GRANTS, NOW_MS, lambda: f"{next(ids):032x}"),
        "a" * 32,
        lambda: items,
        DataPorts(StoredDataSets(aws_engine(settings).data), StoredRecordLog(aws_engine(settings).data)),
    )


def run(monkeypatch: pytest.MonkeyPatch, what: str, user_id: str = ANNA) -> int:
    """The exit code of the command."""
    monkeypatch.setattr(sys, "argv", ["tiles", what, "test", "--user", user_id])
    return tiles.main()


def items(settings: Settings, partition: str) -> list[Item]:
    """The items of a partition."""
    return list(aws_engine(settings).data.query(Query(partition)))


def test_compacted_tiles_are_verified(
    anna: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "compact") == 0
    out = capsys.readouterr().out
    assert "compacting: step 1 ...\n" in out
    assert out.endswith("3 entries, 3 tiles written\n")
    assert StoredTiles(aws_engine(anna).data).current(ANNA)[1].position("a" * 32) == DAYS
    assert run(monkeypatch, "verify") == 0
    assert capsys.readouterr().out.endswith("3 tiles compared, 0 wrong\n")


def test_a_wrong_tile_is_named_and_rebuilt(
    anna: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "compact")
    first, second, third = (item for item in items(anna, tiles_partition(ANNA, 0)) if not item["sk"].endswith("#S"))
    for changed in (second | {"body": first["body"]}, third | {"body": b"?"}):
        aws_engine(anna).data.put(changed)
    assert run(monkeypatch, "verify") == 1
    out = capsys.readouterr().out
    assert "wrong: cbg/20455 (2026-01-02)\nwrong: cbg/20456 (2026-01-03)\n" in out
    assert "3 tiles compared, 2 wrong\n" in out
    assert run(monkeypatch, "rebuild") == 0
    assert "3 entries, 3 tiles written\n" in capsys.readouterr().out
    assert run(monkeypatch, "verify") == 0


def test_deleted_data_is_no_fault(
    anna: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "compact")
    delete(anna)
    assert run(monkeypatch, "verify") == 0
    assert capsys.readouterr().out.endswith("0 tiles compared, 0 wrong\n")


def test_a_running_compaction_is_reported(anna: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    now_ms = system_now_ms()
    assert StoredTiles(aws_engine(anna).data).acquire(OwnerState(ANNA), "other", now_ms, now_ms + 60_000)
    for what in ("compact", "rebuild"):
        with pytest.raises(ToolError, match="another compaction is at work"):
            run(monkeypatch, what)


def test_entries_missing_from_the_archive_are_reported(anna: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, "compact")
    StoredArchive(aws_engine(anna).objects).remove_entries(OwnerState(ANNA), "a" * 32, [2])
    for item in items(anna, continuous_log_partition(ANNA, 0)):
        aws_engine(anna).data.delete({"pk": item["pk"], "sk": item["sk"]})
    for what in ("verify", "rebuild"):
        with pytest.raises(ToolError, match=f"entries of data set {'a' * 32} are missing"):
            run(monkeypatch, what)


def test_an_unknown_user_is_reported(anna: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolError, match="no user has the id bbbbbbbbbb"):
        run(monkeypatch, "verify", "bbbbbbbbbb")
