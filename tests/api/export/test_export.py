"""Exports of a user's data: who gets them, what is in them, and their limits. Source: export 1 to 4."""

import io
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from chalicelib.accounts.grant import Grant
from chalicelib.api import routing
from chalicelib.api.operations.table import EXPORT_DATA
from chalicelib.api.routes.data import export
from chalicelib.export import read
from tests.api.conftest import ApiClient, Reply
from tests.api.people import ANNA, BEN
from tests.e2e.client import sample
from tests.fakes.services import FakeServices

OF_ANNA = f"/export/{ANNA.user_id}"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET_OF_TYPE = {
    "basal": "Basal",
    "bloodKetone": "Blood Ketone",
    "bolus": "Bolus",
    "cbg": "CGM",
    "deviceEvent": "Device Event",
    "food": "Food",
    "physicalActivity": "Physical Activity",
    "smbg": "SMBG",
    "upload": "Upload",
    "wizard": "Bolus Calculator",
}


def add(api: ApiClient, token: str, records: list[dict[str, Any]]) -> None:
    """Add records of Anna's in a new continuous data set."""
    data_set = {"type": "upload", "dataSetType": "continuous"}
    reply = api.request("POST", f"/v1/users/{ANNA.user_id}/data_sets", data_set, token=token)
    path = f"/v1/data_sets/{reply.json()['data']['uploadId']}/data"
    assert api.request("POST", path, records, token=token).status == 200


@pytest.fixture
def everything(api: ApiClient, anna: str) -> list[dict[str, Any]]:
    """Records of every type that the Uploader sends, as reading them shows them."""
    add(api, anna, sample("uploader/02_data_all_types.json"))
    records: list[dict[str, Any]] = api.request("GET", f"/data/{ANNA.user_id}", token=anna).json()
    return records


def workbook_of(reply: Reply) -> Workbook:
    assert (reply.status, reply.headers["content-type"]) == (200, EXCEL)
    return openpyxl.load_workbook(io.BytesIO(reply.body))


def rows_of(book: Workbook, name: str) -> list[dict[str, Any]]:
    """The rows of a sheet, by the headers."""
    header, *rows = book[name].iter_rows(values_only=True)
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def reading(time: str, value: float = 5.5) -> dict[str, Any]:
    return {"type": "cbg", "time": time, "units": "mmol/L", "value": value, "deviceId": "d"}


class TestExcel:
    def test_each_record_is_a_row_of_the_sheet_of_its_type(
        self, api: ApiClient, anna: str, everything: list[dict[str, Any]]
    ) -> None:
        book = workbook_of(api.request("GET", OF_ANNA, token=anna))
        expected = Counter(SHEET_OF_TYPE[record["type"]] for record in everything if record["type"] in SHEET_OF_TYPE)
        schedules = {"basalSchedules": "Basal Schedules", "bgTargets": "BG Targets", "carbRatios": "Carb Ratios"}
        schedules |= {"bgTarget": "BG Targets", "carbRatio": "Carb Ratios"}
        schedules |= dict.fromkeys(("insulinSensitivity", "insulinSensitivities"), "Insulin Sensitivities")
        for settings in (record for record in everything if record["type"] == "pumpSettings"):
            for member, name in schedules.items():
                value = settings.get(member) or ()
                lists = value.values() if isinstance(value, dict) else (value,)
                expected[name] += sum(map(len, lists))
        found = {sheet.title: sheet.max_row - 1 for sheet in book}
        assert len(expected) >= 12
        assert found == dict(expected)
        ids = {record["id"] for record in everything if record["type"] in SHEET_OF_TYPE}
        assert ids <= {row["Id"] for sheet in book for row in rows_of(book, sheet.title)}

    def test_times_and_values_are_those_of_the_record(self, api: ApiClient, anna: str) -> None:
        record = reading("2026-01-01T10:00:00Z") | {"timezoneOffset": -420, "deviceTime": "2026-01-01T03:00:00"}
        add(api, anna, [record | {"payload": {"a": [1]}}])
        (row,) = rows_of(workbook_of(api.request("GET", f"{OF_ANNA}?format=xlsx", token=anna)), "CGM")
        assert row["Zulu Time"].isoformat() == "2026-01-01T10:00:00"
        assert row["Local Time"].isoformat() == row["Device Time"].isoformat() == "2026-01-01T03:00:00"
        assert (row["Value"], row["Units"], row["Payload"]) == (5.5, "mmol/L", '{"a":[1]}')
        assert row["Annotations"] is None

    def test_glucose_is_in_the_units_that_are_asked_for(self, api: ApiClient, anna: str) -> None:
        add(api, anna, [reading("2026-01-01T10:00:00Z", 10)])
        for units, value, number_format in (("mmol/L", 10, "0.0"), ("mg/dL", 180.1559, "0")):
            book = workbook_of(api.request("GET", f"{OF_ANNA}?bgUnits={units}", token=anna))
            cell = book["CGM"]["E2"]
            assert (cell.value, cell.number_format, book["CGM"]["F2"].value) == (value, number_format, units)

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://example.org")'])
    def test_a_text_of_a_client_is_no_formula(self, api: ApiClient, anna: str, text: str) -> None:
        add(api, anna, [{"type": "food", "time": "2026-01-01T10:00:00Z", "name": text}])
        cell = workbook_of(api.request("GET", OF_ANNA, token=anna))["Food"]["E2"]
        assert (cell.value, cell.data_type) == (text, "s")

    def test_without_data_it_says_so_and_has_the_sheets_that_readers_count_on(self, api: ApiClient, anna: str) -> None:
        book = workbook_of(api.request("GET", OF_ANNA, token=anna))
        assert set(book.sheetnames) == {"Basal", "Bolus", "NO DATA"}
        assert book["NO DATA"]["A1"].value == "Data is not available within the specified date range."
        assert [book[name].max_row for name in ("Basal", "Bolus")] == [1, 1]

    def test_a_time_that_excel_does_not_have_stays_a_text(self, api: ApiClient, anna: str) -> None:
        add(
            api,
            anna,
            [reading("1899-12-30T00:00:00Z"), reading("0001-01-02T00:00:00Z"), reading("9999-12-31T23:00:00Z")],
        )
        rows = rows_of(workbook_of(api.request("GET", OF_ANNA, token=anna)), "CGM")
        assert [str(row["Zulu Time"])[:10] for row in rows] == ["0001-01-02", "1899-12-30", "9999-12-31"]


class TestJson:
    def test_records_are_flat(self, api: ApiClient, anna: str) -> None:
        record = {
            "type": "food",
            "time": "2026-01-01T10:00:00Z",
            "name": "=1",
            "nutrition": {"carbohydrate": {"net": 5, "units": "grams"}},
        }
        add(api, anna, [record])
        reply = api.request("GET", f"{OF_ANNA}?format=json", token=anna)
        food, upload = reply.json()
        assert reply.headers["content-type"] == "application/json; charset=utf-8"
        assert food == {
            "type": "food",
            "time": "2026-01-01T10:00:00Z",
            "name": "=1",
            "nutrition": '{"carbohydrate":{"net":5,"units":"grams"}}',
            "id": food["id"],
            "uploadId": upload["uploadId"],
        }
        assert upload["type"] == "upload"

    def test_all_records_are_there_in_their_order(
        self, api: ApiClient, anna: str, everything: list[dict[str, Any]]
    ) -> None:
        exported = api.request("GET", f"{OF_ANNA}?format=json", token=anna).json()
        ids = [record["id"] for record in exported if not record["type"].startswith("pumpSettings.")]
        assert ids == [record["id"] for record in everything if record["type"] != "pumpSettings"]
        assert any(record["type"] == "pumpSettings.basalSchedules" for record in exported)

    def test_no_data_is_an_empty_array(self, api: ApiClient, anna: str) -> None:
        assert api.request("GET", f"{OF_ANNA}?format=json", token=anna).json() == []


class TestQuery:
    def test_dates_select_what_is_exported(self, api: ApiClient, anna: str) -> None:
        add(api, anna, [reading(f"2026-01-0{day}T00:00:00Z") for day in (1, 2, 3)])
        query = "startDate=2026-01-02T00:00:00.000Z&endDate=2026-01-02T23:59:59.999Z"
        times = [record["time"] for record in api.request("GET", f"{OF_ANNA}?format=json&{query}", token=anna).json()]
        assert times == ["2026-01-02T00:00:00Z"]
        assert len(rows_of(workbook_of(api.request("GET", f"{OF_ANNA}?{query}", token=anna)), "CGM")) == 1

    @pytest.mark.parametrize(
        "query", ["startDate=today", "endDate=2026-01-01", "bgUnits=mg", "startDate=2026-13-01T00:00:00Z"]
    )
    def test_an_invalid_parameter_is_named(self, api: ApiClient, anna: str, query: str) -> None:
        reply = api.request("GET", f"{OF_ANNA}?{query}", token=anna)
        assert (reply.status, reply.json()["errors"][0]["source"]) == (400, {"parameter": query.partition("=")[0]})

    def test_empty_parameters_select_nothing(self, api: ApiClient, anna: str) -> None:
        reply = api.request("GET", f"{OF_ANNA}?format=json&bgUnits=&startDate=&endDate=", token=anna)
        assert (reply.status, reply.json()) == (200, [])


def test_an_export_is_an_attachment_that_no_cache_keeps_and_whose_address_no_other_site_learns(
    api: ApiClient, anna: str
) -> None:
    for format_, name in (("json", "TidepoolExport.json"), ("excel", "TidepoolExport.xlsx")):
        headers = api.request("GET", f"{OF_ANNA}?format={format_}", token=anna).headers
        assert headers["content-disposition"] == f'attachment; filename="{name}"'
        assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")


class TestAccess:
    def test_readers_get_it_and_nobody_else(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str, server: str
    ) -> None:
        assert api.request("GET", OF_ANNA).status == 401
        assert api.request("GET", OF_ANNA, token=ben).status == 403
        fakes.grant(ANNA.user_id, BEN.user_id, ["view"])
        for token in (anna, ben, server):
            assert api.request("GET", OF_ANNA, token=token).status == 200

    def test_a_view_of_the_last_hours_exports_these_hours(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str
    ) -> None:
        add(api, anna, [reading("2025-12-31T23:30:00Z"), reading("2025-12-31T22:30:00Z")])
        fakes.grants.put(Grant(ANNA.user_id, BEN.user_id, {"view": {"windowHours": 1}}))
        for query in ("", "&startDate=2025-12-01T00:00:00Z"):
            exported = api.request("GET", f"{OF_ANNA}?format=json{query}", token=ben).json()
            assert [record["time"] for record in exported if record["type"] == "cbg"] == ["2025-12-31T23:30:00Z"]


class TestRestrictedTokens:
    """A link to an export has a restricted token in its query."""

    @staticmethod
    def made(api: ApiClient, token: str, user_id: str, **restrictions: Any) -> str:
        path = f"/v1/users/{user_id}/restricted_tokens"
        return str(api.request("POST", path, restrictions, token=token).json()["id"])

    def test_one_for_all_paths_opens_it_and_ends_five_minutes_later(
        self, api: ApiClient, fakes: FakeServices, anna: str
    ) -> None:
        id_ = self.made(api, anna, ANNA.user_id)
        link = f"{OF_ANNA}?format=json&restricted_token={id_}"
        fakes.now_ms += 600_000
        assert api.request("GET", link).status == 200
        fakes.now_ms += 299_000
        assert api.request("GET", link).status == 200
        fakes.now_ms += 1_000
        assert api.request("GET", link).status == 401

    def test_one_for_a_path_opens_this_path_alone_and_keeps_its_end(
        self, api: ApiClient, fakes: FakeServices, anna: str
    ) -> None:
        link = f"{OF_ANNA}?format=json&restricted_token={self.made(api, anna, ANNA.user_id, paths=[OF_ANNA])}"
        elsewhere = self.made(api, anna, ANNA.user_id, paths=["/data"])
        assert api.request("GET", link).status == 200
        fakes.now_ms += 600_000
        assert api.request("GET", link).status == 200
        assert api.request("GET", f"{OF_ANNA}?restricted_token={elsewhere}").status == 401

    def test_one_of_somebody_else_opens_what_that_person_may_read(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str
    ) -> None:
        link = f"{OF_ANNA}?format=json&restricted_token={self.made(api, ben, BEN.user_id)}"
        assert api.request("GET", link).status == 403
        fakes.grant(ANNA.user_id, BEN.user_id, ["view"])
        assert api.request("GET", link).status == 200

    @pytest.mark.parametrize("token", ["", "nonsense", "a&restricted_token=b"])
    def test_nonsense_opens_nothing(self, api: ApiClient, anna: str, token: str) -> None:
        assert api.request("GET", f"{OF_ANNA}?restricted_token={token}").status in (401, 403)


class TestLimits:
    def test_more_than_the_gateway_waits_for_is_refused_with_a_hint(
        self, api: ApiClient, anna: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add(api, anna, [reading("2026-01-01T00:00:00Z"), reading("2026-02-01T00:00:00Z")])
        size_bytes = len(api.request("GET", f"/data/{ANNA.user_id}", token=anna).body)
        for name, query in (("MAX_EXCEL_BYTES", ""), ("MAX_JSON_BYTES", "?format=json")):
            monkeypatch.setattr(read, name, size_bytes)
            assert api.request("GET", f"{OF_ANNA}{query}", token=anna).status == 200
            monkeypatch.setattr(read, name, size_bytes - 1)
            reply = api.request("GET", f"{OF_ANNA}{query}", token=anna)
            assert (reply.status, reply.json()["code"]) == (413, "data_too_large")
            assert "shorter time" in reply.json()["message"]

    def test_a_home_server_has_no_such_limit(
        self, api: ApiClient, fakes: FakeServices, anna: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add(api, anna, [reading("2026-01-01T00:00:00Z")])
        fakes.settings = replace(fakes.settings, has_gateway=False)
        monkeypatch.setattr(routing, "services", lambda: fakes.services)
        monkeypatch.setattr(read, "MAX_EXCEL_BYTES", 1)
        headers = {"X-Tidepool-Session-Token": [anna], "Accept-Encoding": ["gzip"]}
        event = {"pathParameters": {"userId": ANNA.user_id}, "path": OF_ANNA, "multiValueHeaders": headers}
        body = routing.respond(EXPORT_DATA, export, event).to_dict(["*/*"])["body"]
        content = b"".join(body.parts)
        assert len(content) == body.size_bytes
        assert openpyxl.load_workbook(io.BytesIO(content))["CGM"].max_row == 2

    def test_a_large_file_is_elsewhere_under_its_name(
        self, api: ApiClient, fakes: FakeServices, anna: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add(api, anna, [reading("2026-01-01T00:00:00Z")])
        monkeypatch.setattr("chalicelib.api.rendering.LAMBDA_REPLY_BYTES", 100)
        for query, media_type, name in (
            ("", EXCEL, "xlsx"),
            ("?format=json", "application/json; charset=utf-8", "json"),
        ):
            reply = api.request("GET", f"{OF_ANNA}{query}", token=anna)
            assert (reply.status, reply.headers["cache-control"]) == (303, "no-store")
            stored = fakes.download(reply.headers["location"])
            assert stored.media_type == media_type
            assert stored.disposition == f'attachment; filename="TidepoolExport.{name}"'
            content = stored.body.read()
            assert openpyxl.load_workbook(io.BytesIO(content)) if name == "xlsx" else json.loads(content)
