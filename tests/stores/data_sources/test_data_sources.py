"""The store of data sources, on each engine."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.data_sources.data_source import DataSource
from chalicelib.data_sources.ports import DataSources
from chalicelib.data_sources.stores.data_sources import StoredDataSources
from chalicelib.engine.engine import Engine
from chalicelib.errors import ConflictError
from chalicelib.log.stores.data_sets import StoredDataSets

NOW_MS = 1_767_225_600_000
PROVIDER = ("oauth", "twiist")


@pytest.fixture
def store(engine: Engine) -> DataSources:
    """An empty store."""
    return StoredDataSources(engine.data)


def source(name: str = "a", user_id: str = "aaaaaaaaaa", state: str = "disconnected", **fields: Any) -> DataSource:
    """A data source; `name` is a letter of its id."""
    members = {"providerType": "oauth", "providerName": "twiist", "state": state, "metadata": {"small": 1e-09}}
    return DataSource(name * 32, user_id, NOW_MS, members | fields)


def changed(before: DataSource, **fields: Any) -> DataSource:
    """The data source after a change."""
    now = {name: value for name, value in (dict(before.fields) | fields).items() if value is not None}
    return replace(before, fields=now, modified_time_ms=NOW_MS + 1, revision=before.revision + 1)


def test_a_data_source_comes_back_as_it_was(store: DataSources) -> None:
    store.add(source())
    assert store.find("a" * 32) == source()
    assert store.find("b" * 32) is None


def test_an_id_belongs_to_one_data_source(store: DataSources) -> None:
    assert store.add(source())
    assert not store.add(source(providerName="other"))
    assert store.find("a" * 32) == source()
    assert store.of_user("aaaaaaaaaa") == [source()]


def test_the_data_sources_of_a_user_come_newest_first(store: DataSources) -> None:
    older, newer = source("b"), replace(source("a"), created_time_ms=NOW_MS + 1)
    for stored in (older, newer, source("c", "bbbbbbbbbb")):
        store.add(stored)
    assert store.of_user("aaaaaaaaaa") == [newer, older]
    assert store.of_user("cccccccccc") == []


def test_a_change_of_an_older_state_is_not_made(store: DataSources) -> None:
    store.add(source())
    first = changed(source(), metadata={"first": True})
    assert store.replace(source(), first)
    assert not store.replace(source(), changed(source(), metadata={"second": True}))
    assert not store.remove(source())
    assert store.find("a" * 32) == first


def test_a_connected_data_source_is_found_by_session_and_link(store: DataSources) -> None:
    connected = changed(source(), state="connected", providerSessionId="session", providerExternalId="link")
    store.add(source())
    assert store.replace(source(), connected)
    assert store.of_session("session") == connected
    assert store.of_link(PROVIDER, "link") == connected
    assert store.of_link(("oauth", "other"), "link") is None

    disconnected = changed(connected, state="disconnected", providerSessionId=None)
    assert store.replace(connected, disconnected)
    assert store.of_session("session") is None
    assert store.of_link(PROVIDER, "link") is None


@pytest.mark.parametrize("state", ["connected", "error"])
def test_one_data_source_of_a_user_and_provider_is_connected_or_in_error(store: DataSources, state: str) -> None:
    first, second = source("a"), source("b")
    for stored in (first, second, source("c", "bbbbbbbbbb"), source("d", providerName="other")):
        store.add(stored)
    bound = changed(first, state=state)
    assert store.replace(first, bound)
    with pytest.raises(ConflictError):
        store.replace(second, changed(second, state="connected"))
    assert store.find(second.id) == second
    assert store.replace(source("c", "bbbbbbbbbb"), changed(source("c", "bbbbbbbbbb"), state=state))
    other = source("d", providerName="other")
    assert store.replace(other, changed(other, state=state))

    assert store.replace(bound, changed(bound, state="disconnected"))
    assert store.replace(second, changed(second, state="connected"))


def test_removing_a_data_source_leaves_no_item_that_names_it(store: DataSources) -> None:
    connected = changed(source(), state="connected", providerSessionId="session", providerExternalId="link")
    store.add(source())
    assert store.replace(source(), connected)
    assert store.remove(connected)
    assert (store.find(connected.id), store.of_session("session"), store.of_link(PROVIDER, "link")) == (None,) * 3
    assert store.of_user(connected.user_id) == []
    store.add(source("b"))
    assert store.replace(source("b"), changed(source("b"), state="connected"))


def test_a_user_with_a_data_source_is_marked(engine: Engine, store: DataSources) -> None:
    """Reading looks for data sources of marked users only."""
    data_sets = StoredDataSets(engine.data)
    assert not data_sets.owner("aaaaaaaaaa").has_sources
    store.add(source())
    assert data_sets.owner("aaaaaaaaaa").has_sources
    data_sets.erase("aaaaaaaaaa", NOW_MS)
    assert data_sets.owner("aaaaaaaaaa").has_sources
