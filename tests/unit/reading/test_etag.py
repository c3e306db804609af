"""Tags of answers: what makes another one, and how a client names those that it has."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.log.data_set import DataSet, OwnerState
from chalicelib.log.freshness import Freshness, Ingested
from chalicelib.reading.etag import (
    NotModifiedError,
    etag_if_settled,
    etag_of,
    parse_known_etags,
    require_modified,
)
from chalicelib.reading.query import DataQuery, parse_data_query

OWNER = OwnerState("aaaaaaaaaa", epoch=1, change_count=7)
TAG = 'W/"0123"'


def tag(**parameters: str) -> str | None:
    """The tag of a query for the owner's data."""
    return etag_of(OWNER, parse_data_query({name: (value,) for name, value in parameters.items()}), None)


class TestTag:
    def test_an_etag_is_weak_and_the_same_in_every_process(self) -> None:
        assert tag(type="cbg", subType="a,b,c") == 'W/"bf039aa5db841f4aa4782ac9d68f5094"'

    @pytest.mark.parametrize(
        "changed", [{"id": "bbbbbbbbbb"}, {"epoch": 2}, {"change_count": 8}], ids=lambda changed: next(iter(changed))
    )
    def test_an_etag_changes_with_the_data(self, changed: dict[str, Any]) -> None:
        assert etag_of(replace(OWNER, **changed), DataQuery(), None) != etag_of(OWNER, DataQuery(), None)

    def test_an_etag_does_not_depend_on_other_data_of_the_owner(self) -> None:
        other = replace(OWNER, close_count=3, state_count=4, freshness=Freshness({"a": Ingested("b", 3)}))
        assert etag_of(other, DataQuery(), None) == etag_of(OWNER, DataQuery(), None)

    def test_each_query_has_its_own_etag(self) -> None:
        queries: list[dict[str, str]] = [
            {},
            {"type": "cbg"},
            {"type": "cbg,smbg"},
            {"subType": "cbg"},
            {"subType": "normal,square"},
            {"startDate": "2026-01-01T00:00:00Z"},
            {"endDate": "2026-01-01T00:00:00Z"},
            {"deviceId": "cbg"},
            {"uploadId": "cbg"},
            {"latest": "true"},
            {"dosingDecision.reason": "loop"},
            {"sampleIntervalMinimum": "300000"},
            {"cbgFilter": "false"},
            {"carelink": "true"},
            {"carelink": "false"},
            {"medtronic": "true"},
            {"medtronic": "false"},
        ]
        assert len({tag(**query) for query in queries}) == len(queries)

    def test_equivalent_queries_share_an_etag(self) -> None:
        assert tag(type="smbg,cbg") == tag(type="cbg,smbg,cbg")
        assert tag(subType="square,normal") == tag(subType="normal,square")
        assert tag(startDate="2026-01-01T01:00:00+01:00") == tag(startDate="2026-01-01T00:00:00.000Z")
        assert tag(dexcom="true") == tag(cbgFilter="false")

    def test_the_order_of_types_counts_where_it_is_that_of_the_answer(self) -> None:
        assert tag(type="smbg,cbg", latest="1") != tag(type="cbg,smbg", latest="1")

    def test_a_view_of_the_last_hours_has_no_etag(self) -> None:
        assert etag_of(OWNER, DataQuery(), 1_767_225_600_000) is None


class TestKnown:
    @pytest.mark.parametrize(
        "named",
        ['W/"0123"', '"0123"', '"a", W/"0123"', 'W/"0123" , "b"', '"a,b","0123"', "*", " * ", '"",W/"0123"'],
    )
    def test_one_matching_etag_among_several_is_enough(self, named: str) -> None:
        with pytest.raises(NotModifiedError) as raised:
            require_modified(TAG, parse_known_etags(named))
        assert raised.value.etag == TAG

    @pytest.mark.parametrize(
        "named", ["", '"012"', 'W/"01234"', "0123", '"*"', '"a, 0123"', "W/0123", '"0123', 'w"0123x"', "**", ","]
    )
    def test_other_texts_do_not_match(self, named: str) -> None:
        require_modified(TAG, parse_known_etags(named))

    def test_a_reply_without_an_etag_never_matches(self) -> None:
        require_modified(None, parse_known_etags("*"))


class TestSettled:
    """A reader may meet the parts of a transaction one by one."""

    owner = replace(OWNER, state_count=3, freshness=Freshness({"a": Ingested("app", 5), "b": Ingested("app", 2)}))

    @staticmethod
    def data_sets(*state_versions: int, **changed: Any) -> list[DataSet]:
        base = DataSet("a", OWNER.id, 1, 0, 0, {"deduplicator": {"name": "org.tidepool.deduplicator.none"}})
        return [
            replace(base, id="ab"[place], state_version=version, **changed)
            for place, version in enumerate(state_versions)
        ]

    def settled(self, data_sets: list[DataSet], **last_numbers: int) -> bool:
        return etag_if_settled(TAG, self.owner, data_sets, last_numbers) == TAG

    def test_all_that_was_counted_was_read(self) -> None:
        assert self.settled(self.data_sets(2, 1), a=5, b=2)

    def test_more_than_that_may_have_been_read(self) -> None:
        assert self.settled(self.data_sets(2, 2), a=6, b=2, c=1)

    @pytest.mark.parametrize("last_numbers", [{"a": 4, "b": 2}, {"a": 5}, {"a": 9, "b": 1}])
    def test_an_entry_is_missing(self, last_numbers: dict[str, int]) -> None:
        assert not self.settled(self.data_sets(2, 1), **last_numbers)

    @pytest.mark.parametrize("state_versions", [(1, 1), (2,), ()])
    def test_a_state_of_a_data_set_is_missing(self, state_versions: tuple[int, ...]) -> None:
        assert not self.settled(self.data_sets(*state_versions), a=5, b=2)

    def test_entries_that_were_deleted_may_be_gone(self) -> None:
        assert self.settled(self.data_sets(2, 1, deleted_through=5))
        assert not self.settled(self.data_sets(2, 1, deleted_through=4))

    def test_entries_that_were_truncated_may_be_gone(self) -> None:
        device = {"deviceId": "pump", "deduplicator": {"name": "org.tidepool.deduplicator.device.truncate.dataset"}}
        for last_number, settled in ((4, False), (5, True)):
            closing = DataSet("c", OWNER.id, 1, 0, 0, device, close_sequence=1, truncated_at_close={"a": last_number})
            assert self.settled([*self.data_sets(2, 1), closing], b=2) is settled
        before = self.data_sets(2, 1, close_sequence=1)[0]
        assert self.settled([before, self.data_sets(2, 1)[1], replace(closing, close_sequence=2)], b=2)

    def test_a_reply_that_may_have_no_etag_gets_none(self) -> None:
        assert etag_if_settled(None, self.owner, self.data_sets(2, 1), {"a": 5, "b": 2}) is None
