"""Tests of outlines: what they hold, which entries have none, and how few bytes they take."""

from chalicelib.log.outline import MAX_RECORDS, TYPES, decode_outline, outline_of
from chalicelib.log.records import origin_key
from chalicelib.model.datum import Datum

DAY_MS = 86_400_000
DAY = 20_454


def datum(name: str = "cbg", day: int = DAY, origin: dict[str, str] | None = None) -> Datum:
    body: dict[str, object] = {"type": name}
    return Datum(body if origin is None else body | {"origin": origin}, day * DAY_MS + 5, "")


def test_an_outline_names_types_days_and_origin_ids() -> None:
    data = [datum(origin={"id": "1"}), datum("food", DAY - 1), datum("bolus", origin={"name": "app"}), datum("bolus")]
    outline = outline_of(data)
    assert outline is not None
    decoded = decode_outline(outline)
    assert decoded.keys == {("cbg", DAY), ("food", DAY - 1), ("bolus", DAY)}
    assert decoded.origin_keys == {origin_key("1")}


def test_days_before_1970_have_one_too() -> None:
    outline = outline_of([datum(day=-719_163), datum(day=-719_162)])
    assert outline is not None
    assert decode_outline(outline).keys == {("cbg", -719_163), ("cbg", -719_162)}


def test_the_outline_of_a_reading_takes_few_bytes() -> None:
    """An entry of a phone should fit into one kilobyte, the unit of what a write costs."""
    outline = outline_of([datum(origin={"id": "an id of a phone"})])
    assert outline is not None
    assert len(outline) == 11


def test_entries_that_would_have_a_long_one_have_none() -> None:
    assert outline_of([datum()] * MAX_RECORDS) is not None
    assert outline_of([datum()] * (MAX_RECORDS + 1)) is None
    assert outline_of([datum(day=DAY + days) for days in range(33)]) is None
    assert outline_of([datum(), datum(day=DAY + 256)]) is None
    assert outline_of([datum("a type of tomorrow")]) is None


def test_types_keep_their_indexes() -> None:
    """Stored outlines hold indexes."""
    assert (TYPES[0], TYPES[5], TYPES[21], len(TYPES)) == ("alert", "cbg", "wizard", 22)
