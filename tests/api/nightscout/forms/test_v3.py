"""Documents and queries of v3 in all their forms."""

from typing import Any

import pytest

from tests.api.nightscout.v3 import AT_MS, V3, entry

AT = "2025-12-31T00:00:00.000Z"


def note(**members: Any) -> dict[str, Any]:
    """A note of the day before the clock of the tests."""
    return {"eventType": "Note", "date": AT_MS, "utcOffset": 0, "app": "AAPS", "device": "pump", **members}


class TestCreating:
    @pytest.mark.parametrize(
        "times",
        [
            {"date": "Wed, 31 Dec 2025 00:00:00 GMT"},
            {"date": "20251231T000000Z"},
            {"date": f"{AT_MS}"},
            {"date": AT_MS / 1000 + 0.5},
            {"date": "soon", "created_at": AT},
            {"date": 0, "created_at": AT},
            {"date": 5, "created_at": AT},
            {"date": None, "created_at": AT},
        ],
    )
    def test_the_date_is_read_in_several_forms_else_the_time_of_creation_counts(self, v3: V3, times: Any) -> None:
        found = v3.result(f"treatments/{v3.create('treatments', note(**times))}")
        assert (found["date"], found["created_at"]) == (AT_MS, AT)

    @pytest.mark.parametrize("collection", ["entries", "treatments", "devicestatus"])
    def test_a_number_before_the_year_2000_is_in_seconds_however_far_that_is(self, v3: V3, collection: str) -> None:
        identifier = v3.create(collection, note(date=946_684_799_999))
        assert v3.create(collection, note(date=946_684_799_999)) == identifier
        found = v3.result(f"{collection}/{identifier}")
        assert found["created_at"] == "+031969-03-31T23:59:59.000Z"
        assert v3.send("GET", f"{collection}?date$gt=1").status == 200
        assert v3.send("GET", "lastModified").status == 200
        assert v3.device.send("GET", f"/api/v1/{collection}.json").status == 200
        v3.create("entries", entry(946_684_799_999, identifier="far"))
        assert v3.device.data() == []

    @pytest.mark.parametrize("identifier", ["", None])
    def test_an_empty_identifier_is_none(self, v3: V3, identifier: Any) -> None:
        assert v3.create("treatments", note(identifier=identifier)) == v3.create("treatments", note())

    def test_a_device_of_null_is_another_one_than_none(self, v3: V3) -> None:
        bare = {name: value for name, value in note().items() if name != "device"}
        assert v3.create("treatments", bare | {"device": None}) != v3.create("treatments", bare)

    def test_only_true_makes_a_document_read_only(self, v3: V3) -> None:
        v3.create("treatments", note(isReadOnly="true"))
        assert v3.create("treatments", note(isReadOnly="true", notes="changed"))


class TestDurations:
    @pytest.mark.parametrize(
        ("change", "minutes"),
        [
            ({"duration": 15}, 15),
            ({"durationInMilliseconds": 120_000}, 2),
            ({"endmills": AT_MS + 300_000}, 5),
            ({"endmills": AT_MS + 90_000, "duration": 7}, 2),
            ({"notes": "changed"}, 30),
        ],
    )
    def test_a_change_completes_all_forms_of_it(self, v3: V3, change: Any, minutes: int) -> None:
        path = f"treatments/{v3.create('treatments', note(duration=30))}"
        assert v3.send("PATCH", path, change).status == 200
        found = v3.result(path)
        duration_ms = 90_000 if "endmills" in change and minutes == 2 else minutes * 60_000
        assert (found["duration"], found["durationInMilliseconds"]) == (minutes, duration_ms)
        assert found["endmills"] == AT_MS + duration_ms

    def test_an_end_before_the_beginning_completes_nothing(self, v3: V3) -> None:
        path = f"treatments/{v3.create('treatments', note())}"
        v3.send("PATCH", path, {"endmills": AT_MS - 1})
        assert v3.result(path).keys().isdisjoint({"duration", "durationInMilliseconds"})


@pytest.fixture
def readings(v3: V3) -> V3:
    """Three readings, one each minute."""
    for number in range(3):
        v3.create("entries", entry(AT_MS + number * 60_000, sgv=100 + number))
    return v3


class TestSearching:
    @pytest.mark.parametrize(
        ("query", "wanted"),
        [
            ("limit=", [100, 101, 102]),
            ("skip=&limit=2.9", [100, 101]),
            ("skip=1.5", [101, 102]),
            ("sort$desc=", [100, 101, 102]),
            ("sgv=%2B101", [101]),
            ("sgv=%20101", [101]),
            ("sgv$gt=1.01e2", [102]),
            ("sgv$lte=101.", [100, 101]),
            (f"date$gt='{AT_MS}'", [101, 102]),
            ("date$gte=Wed, 31 Dec 2025 00:01:00 GMT", [101, 102]),
            ("date$gte=20251231T000200Z", [102]),
            ("date$gt=5", [100, 101, 102]),
            ("date$lt=5", []),
            ("created_at$lt='2025-12-31T01:01:00%2B01:00'", [100]),
        ],
    )
    def test_values_are_read_in_several_forms(self, readings: V3, query: str, wanted: list[int]) -> None:
        found = readings.result(f"entries?sort=date&fields=sgv&{query}")
        assert [entry["sgv"] for entry in found] == wanted

    @pytest.mark.parametrize("header", ["Wed, 31 Dec 2025 00:00:00 GMT", "2025-12-31T00:00:00Z"])
    def test_the_time_of_the_history_is_read_in_several_forms(self, readings: V3, header: str) -> None:
        reply = readings.send("GET", "entries/history?limit=2&fields=sgv", Last_Modified=header)
        assert [entry["sgv"] for entry in reply.json()["result"]] == [100, 101]


class TestFormats:
    def test_documents_come_as_csv(self, v3: V3) -> None:
        v3.create("entries", entry(note='a "b", c', flag=True, no=False, nothing=None, nested={"a": [1, 2.5]}))
        v3.create("entries", entry(AT_MS + 1000, note="d"))
        path = "entries.csv?sort=date&fields=note,flag,no,nothing,nested,sgv"
        assert v3.send("GET", path).body.decode().splitlines() == [
            "note,flag,no,nothing,nested,sgv",
            '"a ""b"", c",1,,,"{""a"":[1,2.5]}",100',
            "d,,,,,100",
        ]
        assert v3.send("GET", "entries.csv?sgv=7").body == b""

    def test_documents_come_as_xml(self, v3: V3) -> None:
        sent = entry(note="a & <b>\x01", flag=True, nothing=None, list=[1, {"x": "y"}], _kind=5)
        identifier = v3.create("entries", sent | {"2 names": {}})
        fields = "note,flag,nothing,list,_kind,2 names"
        expected = """<?xml version='1.0' encoding='utf-8'?>
<item kind="5">
  <note>a &amp; &lt;b&gt;</note>
  <flag>true</flag>
  <nothing />
  <list>
    <list>1</list>
    <list>
      <x>y</x>
    </list>
  </list>
  <_2_names />
</item>
"""
        assert v3.send("GET", f"entries/{identifier}.xml?fields={fields}").body.decode() == expected
        listed = v3.send("GET", "entries.xml?fields=sgv").body.decode()
        assert "<items>\n  <item>\n    <sgv>100</sgv>\n  </item>\n</items>\n" in listed
        assert "<items />" in v3.send("GET", "entries.xml?sgv=7").body.decode()

    @pytest.mark.parametrize(
        ("accept", "media_type"),
        [
            ("*/*", "application/json"),
            ("application/*", "application/json"),
            ("text/csv", "text/csv; charset=utf-8"),
            ("application/json;q=0.1, application/xml", "application/xml; charset=utf-8"),
        ],
    )
    @pytest.mark.parametrize("path", ["entries", "entries/history/1", "devicestatus"])
    def test_the_format_may_be_asked_for_in_accept(self, v3: V3, path: str, accept: str, media_type: str) -> None:
        v3.create("entries", entry())
        reply = v3.send("GET", path, Accept=accept)
        assert (reply.status, reply.headers["content-type"].startswith(media_type)) == (200, True)
        assert ("etag" in reply.headers) == ("history" in path)

    @pytest.mark.parametrize("path", ["entries", "entries/history/1", "devicestatus"])
    def test_another_format_is_406(self, v3: V3, path: str) -> None:
        assert v3.send("GET", path, Accept="text/html").status == 406
