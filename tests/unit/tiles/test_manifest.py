"""Manifests: the codec, finding tiles by day, and what follows a compaction."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import json_text
from chalicelib.encoding.raw_deflate import deflate
from chalicelib.tiles import manifest as manifests
from chalicelib.tiles.manifest import LogPosition, Manifest, TileRef, decode_manifest, encode_manifest, followed_by
from chalicelib.tiles.tile import TileKey, TileStats

TYPES = ("basal", "bolus", "cbg", "deviceEvent", "dosingDecision", "food", "insulin", "smbg", "water", "wizard")
DATA_SET = "a" * 32

days = st.integers(-(10**7), 10**7)
sizes_bytes = st.integers(0, 2**40)
all_traits = st.builds(
    TileStats,
    st.lists(st.sampled_from([DATA_SET, "b" * 32, "c" * 32]), unique=True).map(lambda ids: tuple(sorted(ids))),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
some_places = st.dictionaries(
    st.builds(TileKey, st.sampled_from([*TYPES[:3], "ä", ""]), days),
    st.tuples(st.integers(1, 2**40), sizes_bytes, sizes_bytes, all_traits),
).map(lambda these: {key: TileRef(key, *values) for key, values in these.items()})
all_applied = st.dictionaries(
    st.sampled_from([DATA_SET, "b" * 32]), st.builds(LogPosition, st.integers(0, 2**40), st.text(), st.booleans())
)


def ref(name: str, day: int, version: int = 1, *data_set_ids: str) -> TileRef:
    return TileRef(TileKey(name, day), version, 5_000, 0, TileStats(data_set_ids or (DATA_SET,), True, False, False))


def manifest_of(*refs: TileRef, version: int = 1) -> Manifest:
    return followed_by(Manifest(), version, {}, {tile.key: tile for tile in refs})


def refs_of(manifest: Manifest) -> Mapping[TileKey, TileRef]:
    return {ref.key: ref for ref in manifest.tile_refs()}


class TestCodec:
    @given(some_places, all_applied)
    def test_what_is_written_is_read(self, refs: dict[TileKey, TileRef], applied: dict[str, LogPosition]) -> None:
        made = followed_by(Manifest(epoch=3), 8, applied, refs)
        read = decode_manifest(encode_manifest(made), 3, 8)
        assert (read.epoch, read.version, read.logs) == (3, 8, applied)
        assert refs_of(read) == refs
        assert encode_manifest(read) == encode_manifest(made)

    def test_the_empty_one(self) -> None:
        assert decode_manifest(encode_manifest(Manifest()), 0, 0) == Manifest()

    def test_another_format_is_refused(self) -> None:
        with pytest.raises(ValueError, match="unknown format 9"):
            decode_manifest(b"\x09" + encode_manifest(Manifest())[1:], 0, 0)

    def test_ten_years_of_ten_types_fit_into_one_item(self) -> None:
        """An item of DynamoDB holds 400 KB. Sizes and versions differ from tile to tile."""
        sizes = [number * 0x9E3779B1 % 2**32 % 4_000 for number in range(36_500)]
        made = manifest_of(
            *(
                TileRef(
                    TileKey(name, day),
                    day - 20_000 + 1,
                    8_000 + sizes[day % 3_650 * 10 + rank],
                    0,
                    TileStats((DATA_SET, f"{day // 90:032x}"), True, False, False),
                )
                for rank, name in enumerate(TYPES)
                for day in range(20_000, 23_650)
            )
        )
        encoded = encode_manifest(made)
        assert len(list(made.tile_refs())) == 36_500
        assert len(encoded) < 200_000
        assert refs_of(decode_manifest(encoded, 0, 1)) == refs_of(made)


class TestFinding:
    @given(some_places, st.none() | days, st.none() | days)
    def test_between_two_days(self, refs: dict[TileKey, TileRef], first_day: int | None, last_day: int | None) -> None:
        manifest = manifest_of(*refs.values())
        for name, of_type in manifest.tiles.items():
            expected = [
                key
                for key in sorted(refs)
                if key.type == name
                and (first_day is None or key.day >= first_day)
                and (last_day is None or key.day <= last_day)
            ]
            assert [tile.key for tile in of_type.between(first_day, last_day)] == expected

    @given(some_places, st.builds(TileKey, st.sampled_from(TYPES[:3]), days))
    def test_one_by_its_key(self, refs: dict[TileKey, TileRef], key: TileKey) -> None:
        manifest = manifest_of(*refs.values())
        assert manifest.tile(key) == refs.get(key)
        assert all(manifest.tile(tile) == refs[tile] for tile in refs)

    def test_how_much_of_a_log_is_in_tiles(self) -> None:
        manifest = Manifest(logs={"a": LogPosition(3, "s", False), "b": LogPosition(0, "s", True)})
        assert (manifest.position("a"), manifest.position("b"), manifest.position("c")) == (3, 0, 0)
        assert [manifest.has_whole_log(name) for name in "abc"] == [False, True, False]
        assert manifest.positions() == {"a": 3, "b": 0}


class TestFollowedBy:
    @given(some_places, some_places, st.data())
    def test_it_has_what_was_written_and_what_was_there(
        self, before: dict[TileKey, TileRef], written: dict[TileKey, TileRef], data: st.DataObject
    ) -> None:
        gone = data.draw(st.sets(st.sampled_from(sorted(before)))) if before else set()
        changes: dict[TileKey, TileRef | None] = {**dict.fromkeys(gone), **written}
        after = followed_by(manifest_of(*before.values()), 2, {"x": LogPosition(1, "s", False)}, changes)
        assert refs_of(after) == {key: ref for key, ref in before.items() if key not in gone} | written
        assert (after.version, after.logs) == (2, {"x": LogPosition(1, "s", False)})
        assert all(list(of_type.between(None, None)) for of_type in after.tiles.values())

    def test_rule_6_the_one_before_stays_as_it_was(self) -> None:
        before = manifest_of(ref("cbg", 1), ref("cbg", 2))
        encoded = encode_manifest(before)
        followed_by(before, 2, {}, {TileKey("cbg", 1): None, TileKey("food", 1): ref("food", 1, 2)})
        assert encode_manifest(before) == encoded

    def test_types_without_changes_are_taken_over(self) -> None:
        before = manifest_of(ref("cbg", 1), ref("food", 1))
        after = followed_by(before, 2, {}, {TileKey("cbg", 2): ref("cbg", 2, 2)})
        assert after.tiles["food"] is before.tiles["food"]


class TestChunks:
    def test_a_read_of_a_day_decodes_one_chunk_of_its_type(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However many years are stored."""
        decoded: list[int] = []
        decode = manifests._decode_chunk

        def counted(deflated: bytes, owners: Sequence[tuple[str, ...]]) -> manifests.TileColumns:
            decoded.append(len(deflated))
            return decode(deflated, owners)

        monkeypatch.setattr(manifests, "_decode_chunk", counted)
        made = manifest_of(*(ref(name, day) for name in TYPES for day in range(3_650)))
        read = decode_manifest(encode_manifest(made), 0, 1)
        assert read.positions() == {}
        assert decoded == []
        assert read.tile(TileKey("cbg", 1_000)) == ref("cbg", 1_000)
        assert next(read.tiles["food"].between(None, None, newest_first=True)) == ref("food", 3_649)
        assert len(decoded) == 2
        assert len(list(read.tiles["food"].between(1_000, 1_013))) == 14
        assert len(decoded) == 3

    def test_manifests_of_earlier_versions_are_read(self) -> None:
        """As `encode_manifest` wrote them until chunks came: one stream, with days and owners by type."""
        earlier = {
            "applied": {"x": [3, "state", True]},
            "tiles": {
                "cbg": {
                    "days": [7, 2],
                    "columns": [[1, 2], [50, 60], [0, 9], [1, 7], [0, 1]],
                    "owners": [["x"], ["y", "x"]],
                }
            },
        }
        read = decode_manifest(b"\x01" + deflate(json_text.encode(earlier), 6), 4, 2)
        assert (read.epoch, read.version, read.has_newest) == (4, 2, False)
        assert read.logs == {"x": LogPosition(3, "state", True)}
        assert list(read.tile_refs()) == [
            TileRef(TileKey("cbg", 7), 1, 50, 0, TileStats(("x",), True, False, False)),
            TileRef(TileKey("cbg", 9), 2, 60, 9, TileStats(("y", "x"), True, True, True)),
        ]
