"""Snapshots: the codec, finding tiles by day, and what follows a compaction."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.tiles.snapshot import Applied, Snapshot, TilePlace, decode_snapshot, encode_snapshot, followed_by
from chalicelib.tiles.tile import TileKey, TileTraits

TYPES = ("basal", "bolus", "cbg", "deviceEvent", "dosingDecision", "food", "insulin", "smbg", "water", "wizard")
DATA_SET = "a" * 32

days = st.integers(-(10**7), 10**7)
sizes_bytes = st.integers(0, 2**40)
all_traits = st.builds(
    TileTraits,
    st.lists(st.sampled_from([DATA_SET, "b" * 32, "c" * 32]), unique=True).map(lambda ids: tuple(sorted(ids))),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
some_places = st.dictionaries(
    st.builds(TileKey, st.sampled_from([*TYPES[:3], "ä", ""]), days),
    st.tuples(st.integers(1, 2**40), sizes_bytes, sizes_bytes, all_traits),
).map(lambda these: {key: TilePlace(key, *values) for key, values in these.items()})
all_applied = st.dictionaries(
    st.sampled_from([DATA_SET, "b" * 32]), st.builds(Applied, st.integers(0, 2**40), st.text(), st.booleans())
)


def place(name: str, day: int, version: int = 1, *data_set_ids: str) -> TilePlace:
    return TilePlace(TileKey(name, day), version, 5_000, 0, TileTraits(data_set_ids or (DATA_SET,), True, False, False))


def snapshot_of(*places: TilePlace, version: int = 1) -> Snapshot:
    return followed_by(Snapshot(), version, {}, {it.key: it for it in places})


def places_of(snapshot: Snapshot) -> Mapping[TileKey, TilePlace]:
    return {it.key: it for it in snapshot.every_tile()}


class TestCodec:
    @given(some_places, all_applied)
    def test_what_is_written_is_read(self, places: dict[TileKey, TilePlace], applied: dict[str, Applied]) -> None:
        made = followed_by(Snapshot(epoch=3), 8, applied, places)
        read = decode_snapshot(encode_snapshot(made), 3, 8)
        assert (read.epoch, read.version, read.applied) == (3, 8, applied)
        assert places_of(read) == places
        assert encode_snapshot(read) == encode_snapshot(made)

    def test_the_empty_one(self) -> None:
        assert decode_snapshot(encode_snapshot(Snapshot()), 0, 0) == Snapshot()

    def test_another_format_is_refused(self) -> None:
        with pytest.raises(ValueError, match="unknown format 9"):
            decode_snapshot(b"\x09" + encode_snapshot(Snapshot())[1:], 0, 0)

    def test_ten_years_of_ten_types_fit_into_one_item(self) -> None:
        """An item of DynamoDB holds 400 KB. Sizes and versions differ from tile to tile."""
        sizes = [number * 0x9E3779B1 % 2**32 % 4_000 for number in range(36_500)]
        made = snapshot_of(
            *(
                TilePlace(
                    TileKey(name, day),
                    day - 20_000 + 1,
                    8_000 + sizes[day % 3_650 * 10 + rank],
                    0,
                    TileTraits((DATA_SET, f"{day // 90:032x}"), True, False, False),
                )
                for rank, name in enumerate(TYPES)
                for day in range(20_000, 23_650)
            )
        )
        encoded = encode_snapshot(made)
        assert len(list(made.every_tile())) == 36_500
        assert len(encoded) < 200_000
        assert places_of(decode_snapshot(encoded, 0, 1)) == places_of(made)


class TestFinding:
    @given(some_places, st.none() | days, st.none() | days)
    def test_between_two_days(
        self, places: dict[TileKey, TilePlace], first_day: int | None, last_day: int | None
    ) -> None:
        snapshot = snapshot_of(*places.values())
        for name, of_type in snapshot.tiles.items():
            expected = [
                key
                for key in sorted(places)
                if key.type == name
                and (first_day is None or key.day >= first_day)
                and (last_day is None or key.day <= last_day)
            ]
            assert [it.key for it in of_type.between(first_day, last_day)] == expected

    @given(some_places, st.builds(TileKey, st.sampled_from(TYPES[:3]), days))
    def test_one_by_its_key(self, places: dict[TileKey, TilePlace], key: TileKey) -> None:
        snapshot = snapshot_of(*places.values())
        assert snapshot.tile(key) == places.get(key)
        assert all(snapshot.tile(it) == places[it] for it in places)

    def test_how_much_of_a_log_is_in_tiles(self) -> None:
        snapshot = Snapshot(applied={"a": Applied(3, "s", False), "b": Applied(0, "s", True)})
        assert (snapshot.through("a"), snapshot.through("b"), snapshot.through("c")) == (3, 0, 0)
        assert [snapshot.has_whole_log(name) for name in "abc"] == [False, True, False]
        assert snapshot.throughs() == {"a": 3, "b": 0}


class TestFollowedBy:
    @given(some_places, some_places, st.data())
    def test_it_has_what_was_written_and_what_was_there(
        self, before: dict[TileKey, TilePlace], written: dict[TileKey, TilePlace], data: st.DataObject
    ) -> None:
        gone = data.draw(st.sets(st.sampled_from(sorted(before)))) if before else set()
        changes: dict[TileKey, TilePlace | None] = {**dict.fromkeys(gone), **written}
        after = followed_by(snapshot_of(*before.values()), 2, {"x": Applied(1, "s", False)}, changes)
        assert places_of(after) == {key: it for key, it in before.items() if key not in gone} | written
        assert (after.version, after.applied) == (2, {"x": Applied(1, "s", False)})
        assert all(of_type.days for of_type in after.tiles.values())

    def test_rule_6_the_one_before_stays_as_it_was(self) -> None:
        before = snapshot_of(place("cbg", 1), place("cbg", 2))
        encoded = encode_snapshot(before)
        followed_by(before, 2, {}, {TileKey("cbg", 1): None, TileKey("food", 1): place("food", 1, 2)})
        assert encode_snapshot(before) == encoded

    def test_types_without_changes_are_taken_over(self) -> None:
        before = snapshot_of(place("cbg", 1), place("food", 1))
        after = followed_by(before, 2, {}, {TileKey("cbg", 2): place("cbg", 2, 2)})
        assert after.tiles["food"] is before.tiles["food"]
