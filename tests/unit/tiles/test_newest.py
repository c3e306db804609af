"""Tests of the newest records beside a manifest: what they hold, and that they do with few bytes."""

from collections.abc import Mapping, Sequence

import pytest

from chalicelib.log.stores.keys import id_part
from chalicelib.tiles.manifest import TileRef
from chalicelib.tiles.newest import (
    MAX_ITEM_BYTES,
    MAX_TEXT_BYTES,
    NewestRecord,
    decode_newest,
    encode_newest,
    newest_records,
)
from chalicelib.tiles.tile import Tile, TileKey, origin_key
from tests.fakes.compaction_scene import ANNA_ID, FIRST_DAY, CompactionScene, on
from tests.fakes.data_scene import cbg, food


def record(text: bytes | None = b"{}", origin: int | None = None) -> NewestRecord:
    return NewestRecord(20_000, 3, 1_728_000_000_000, "a" * 32, origin, text)


def kept(scene: CompactionScene) -> Mapping[str, NewestRecord]:
    """The records beside the current manifest."""
    owner, manifest = scene.tiles.current(ANNA_ID)
    found = scene.tiles.newest(owner, manifest)
    assert found is not None
    return found


def test_what_is_written_is_read() -> None:
    records = {"cbg": record('{"note":"ä"}'.encode(), 7), "food": record(None), "": record()}
    assert decode_newest(encode_newest(records)) == records


def test_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown version 9"):
        decode_newest(b"\x09" + encode_newest({})[1:])


def test_the_longest_texts_are_left_out_of_a_large_item() -> None:
    """A client may make up types, so their number has no bound."""
    records = {f"type {number}": record(b"x" * (100 + number)) for number in range(1000)}
    found = decode_newest(encode_newest(records))
    assert found.keys() == records.keys()
    texts = {name: record.text for name, record in found.items() if record.text is not None}
    assert MAX_ITEM_BYTES / 2 < sum(map(len, texts.values())) <= MAX_ITEM_BYTES
    assert max(map(len, texts.values())) <= min(
        len(record.text or b"") for name, record in records.items() if name not in texts
    )


def test_a_long_text_is_left_out() -> None:
    scene = CompactionScene()
    data_set = scene.open("dataset.delete.origin")
    note = {"note": "x" * (MAX_TEXT_BYTES * 3 // 4)}
    long = on(0, 2, "2") | {"payload": note, "origin": {"id": "2", "payload": note}}
    scene.add(data_set, on(0, 1, "1"), long)
    scene.compact()
    assert kept(scene)["cbg"].text is None
    assert scene.visible(latest="true") == [2]


def test_each_type_has_its_last_visible_record() -> None:
    scene = CompactionScene()
    data_set = scene.open("dataset.delete.origin")
    scene.add(data_set, on(1, 1, "1"), on(0, 2, "2"), food("bread", "3", None))
    scene.compact()
    newest = kept(scene)
    assert sorted(newest) == ["cbg", "food"]
    reading = newest["cbg"]
    assert (reading.day, reading.origin_key, reading.data_set_id) == (FIRST_DAY + 1, origin_key("1"), data_set)
    assert reading.text is not None
    assert b'"value":1' in reading.text


def test_a_tile_is_read_only_if_the_newest_of_its_type_is_another() -> None:
    scene = CompactionScene()
    data_set = scene.open("dataset.delete.origin")
    scene.add(data_set, on(0, 1, "1"), on(1, 2, "2"), food("bread", "3", None))
    scene.compact()
    known, manifest = kept(scene), scene.manifest
    read: list[TileKey] = []

    def reading(refs: Sequence[TileRef]) -> Mapping[TileKey, Tile]:
        read.extend(ref.key for ref in refs)
        return {ref.key: Tile(scene.tile(ref)) for ref in refs}

    assert newest_records(manifest, known, reading) == known
    assert read == []
    assert newest_records(manifest, {"cbg": known["cbg"]}, reading) == known
    assert [key.type for key in read] == ["food"]


@pytest.mark.parametrize("later", [None, "record", "other type"])
def test_the_latest_records_come_without_a_tile(later: str | None) -> None:
    """Also on a day that has a tile, as with a phone that sends a reading every five minutes."""
    scene = CompactionScene()
    data_set = scene.open("dataset.delete.origin")
    scene.add(data_set, on(0, 1, "1"), on(1, 2, "2"))
    scene.compact()
    if later == "record":
        scene.add(data_set, on(1, 3, "3") | {"time": "2026-01-02T12:05:00Z"})
    if later == "other type":
        scene.add(data_set, food("bread", "4", None))
    assert scene.visible(latest="true", type="cbg") == [3 if later == "record" else 2]
    assert scene.tiles.read == []


@pytest.mark.parametrize("change", ["replaced", "moved", "deleted", "data set deleted", "earlier", "equal time"])
def test_the_latest_record_is_right_after_a_change_of_the_tail(change: str) -> None:
    scene = CompactionScene()
    data_set, other = scene.open("dataset.delete.origin"), scene.open("none")
    scene.add(data_set, on(0, 1, "1"), on(1, 2, "2"))
    scene.compact()
    if change == "replaced":
        scene.add(data_set, on(1, 3, "2"))
    elif change == "moved":
        scene.add(data_set, on(-3, 3, "2"))
    elif change == "deleted":
        scene.delete_data(data_set, {"origin": {"id": "2"}})
    elif change == "data set deleted":
        scene.delete(data_set)
    elif change == "earlier":
        scene.add(other, on(0, 3, "2"))
    else:
        scene.add(other, on(1, 3, "7"))
    expected = {
        "replaced": [3],
        "moved": [1],
        "deleted": [1],
        "data set deleted": [],
        "earlier": [2],
        "equal time": [3],
    }
    assert scene.visible(latest="true", type="cbg") == expected[change]
    scene.compact()
    assert scene.visible(latest="true", type="cbg") == expected[change]


def test_manifests_of_earlier_versions_have_no_newest_records() -> None:
    scene = CompactionScene()
    scene.add(scene.open("none"), cbg(1))
    scene.compact()
    owner, manifest = scene.tiles.current(ANNA_ID)
    scene.fakes.engine.data.delete({"pk": f"NEWEST#{id_part(ANNA_ID)}#0", "sk": f"{manifest.version:012d}#"})
    assert scene.tiles.newest(owner, manifest) is None
    assert scene.visible(latest="true") == [1]
