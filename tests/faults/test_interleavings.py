"""Two requests of one user at the same time: 200 pairs by seed. `make interleavings` runs all of them."""

from collections.abc import Iterator
from itertools import product

import pytest

from chalicelib.data_sources import manage
from chalicelib.data_sources.ports import DataSourcePorts
from tests.faults.interleavings import Interleavings
from tests.faults.preparation import prepare
from tests.faults.scene import scene
from tests.faults.trials import seeded
from tests.faults.use_cases import INTERLEAVED

PAIRS = 186
SEED = 3
FOUND_BEFORE = (
    ("delete all data sources", "change a data source"),
    ("delete a data source", "change a data source"),
    ("change a data source", "change a data source"),
    ("store a device log", "store a device log"),
    ("delete entries", "erase all data"),
    ("delete a treatment", "erase all data"),
    ("withdraw an invitation", "withdraw an invitation"),
    ("change the address", "change the address"),
    ("delete the account", "refresh tokens"),
    ("set a forgotten password", "change the password"),
    ("change the password", "set another forgotten password"),
    ("list logins", "sign out"),
    ("list logins", "end all sessions"),
    ("delete a blob", "delete a blob"),
    ("upload a content", "upload a content"),
)
"""Pairs that ended in neither order once."""


@pytest.fixture(scope="module")
def interleavings() -> Iterator[Interleavings]:
    """Pairs on SQLite."""
    with scene() as stage:
        prepare(stage)
        yield Interleavings(stage, stage.save())


def test_two_requests_end_as_one_after_the_other(interleavings: Interleavings) -> None:
    pairs = seeded(SEED).sample(list(product(INTERLEAVED, repeat=2)), PAIRS)
    for first, second in (*FOUND_BEFORE, *pairs):
        interleavings.pair(first, second)
    assert interleavings.failures == []
    assert interleavings.count > 2 * PAIRS


def test_states_are_compared_when_others_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.faults.interleavings.MAX_KNOWN_STATES", 1)
    with scene() as stage:
        prepare(stage)
        assert Interleavings(stage, stage.save()).pair("change a data source", "delete a data source")


def test_a_change_that_is_lost_between_two_calls_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def remove_once(user_id: str, ports: DataSourcePorts) -> None:
        for source in ports.sources.of_user(user_id):
            ports.sources.remove(source)

    monkeypatch.setattr(manage, "remove_all", remove_once)
    with scene() as stage:
        prepare(stage)
        interleavings = Interleavings(stage, stage.save())
        assert not interleavings.pair("delete all data sources", "change a data source")
