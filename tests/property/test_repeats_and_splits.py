"""Tests that visible records do not depend on retries, splits and repeats of the same data. Source: dedup 5.1, 5.3."""

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.access.call import Caller
from chalicelib.access.policy import READERS, UPLOADERS
from chalicelib.data_sets import lifecycle as data_sets
from chalicelib.reading import read as query
from chalicelib.reading.query import DataQuery
from chalicelib.uploads import add as uploads
from tests.fakes.calls import NO_GRANTS, call_by
from tests.fakes.services import FakeServices
from tests.property.deduplication import DROP_HASH, ORIGIN

ANNA = "aaaaaaaaaa"
OWNER = Caller(user_id=ANNA)
Item = dict[str, Any]


def visible_after(deduplicator: str, requests: Sequence[Sequence[Item]]) -> Counter[str]:
    """The records after these requests to a new continuous data set, without generated ids."""
    fakes = FakeServices()
    data = fakes.services.data

    created = data_sets.create(
        call_by(OWNER, UPLOADERS, NO_GRANTS, 0, fakes.new_id),
        ANNA,
        lambda: {"dataSetType": "continuous", "deduplicator": {"name": deduplicator}},
        data,
    )
    for request in requests:
        uploads.append_data(
            call_by(OWNER, UPLOADERS, NO_GRANTS, 0, fakes.new_id),
            created["id"],
            partial(list, request),
            data,
        )
    found = query.read_data(
        call_by(OWNER, READERS, NO_GRANTS),
        ANNA,
        DataQuery(),
        fakes.services.reading,
    )
    read = json.loads(found.records.plain())
    return Counter(
        json.dumps({name: value for name, value in record.items() if name != "id"}, sort_keys=True)
        for record in read
        if record["type"] != "upload"
    )


def reading(place: int, value: float) -> Item:
    """A reading with an origin of its own."""
    return {
        "type": "cbg",
        "time": f"2026-01-01T00:{place:02d}:00Z",
        "units": "mmol/L",
        "value": value,
        "origin": {"id": f"origin {place}"},
    }


readings = st.builds(reading, st.integers(0, 9), st.sampled_from([5.0, 6.0, 7.0]))
requests = st.lists(
    st.lists(readings, min_size=1, max_size=4, unique_by=lambda item: item["origin"]["id"]), min_size=1, max_size=5
)


@given(requests, st.data())
def test_a_request_that_is_sent_again_changes_nothing(requests: list[list[Item]], data: st.DataObject) -> None:
    repeated = [request for request in requests for _ in range(data.draw(st.integers(1, 3)))]
    assert visible_after(ORIGIN, repeated) == visible_after(ORIGIN, requests)


@given(requests)
def test_all_requests_sent_again_change_nothing(requests: list[list[Item]]) -> None:
    assert visible_after(ORIGIN, requests + requests) == visible_after(ORIGIN, requests)


@given(requests, st.data())
def test_a_request_may_be_split(requests: list[list[Item]], data: st.DataObject) -> None:
    split = []
    for request in requests:
        place = data.draw(st.integers(0, len(request)))
        split += [part for part in (request[:place], request[place:]) if part]
    assert visible_after(ORIGIN, split) == visible_after(ORIGIN, requests)


@given(st.permutations([reading(place, 5.0) for place in range(6)]), st.data())
def test_data_without_a_common_origin_may_come_in_any_order(items: list[Item], data: st.DataObject) -> None:
    place = data.draw(st.integers(1, 5))
    in_order = sorted(items, key=lambda item: item["time"])
    assert visible_after(ORIGIN, [items[:place], items[place:]]) == visible_after(ORIGIN, [in_order])


@given(requests, st.data())
def test_known_hashes_may_come_in_any_order_and_often(requests: list[list[Item]], data: st.DataObject) -> None:
    by_hash = {json.dumps(item, sort_keys=True): item for request in requests for item in request}
    shuffled = data.draw(st.permutations([*requests, *requests]))
    assert visible_after(DROP_HASH, shuffled).keys() == visible_after(DROP_HASH, [list(by_hash.values())]).keys()
    assert set(visible_after(DROP_HASH, shuffled).values()) == {1}
