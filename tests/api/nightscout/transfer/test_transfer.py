"""Documents as a whole: listed for an export, and stored by an import as they are."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.engine.definitions import DATA
from tests.api.conftest import ApiClient, Reply
from tests.api.nightscout.device import Device
from tests.api.nightscout.records import at, cbg
from tests.api.nightscout.v3 import V3
from tests.api.people import ANNA, BEN
from tests.fakes.services import START_MS, FakeServices

MINUTE_MS = 60_000
SECOND = f"{START_MS // 1000 - 1200:08x}"
"""As an `_id` of MongoDB begins: ten minutes after the bolus."""
MONGO_ID = f"{SECOND}0000000000000001"
OTHER_ID = f"{SECOND}0000000000000002"
BOLUS = {"_id": MONGO_ID, "eventType": "Correction Bolus", "created_at": at(30), "insulin": 1.5, "utcOffset": -300}
READING = {
    "_id": MONGO_ID,
    "type": "sgv",
    "sgv": 120,
    "direction": "Flat",
    "device": "share2",
    "date": START_MS - 5 * MINUTE_MS,
    "dateString": at(5),
    "sysTime": at(5),
    "utcOffset": 60,
}
PROFILE = {
    "defaultProfile": "a",
    "units": "mg/dl",
    "store": {
        "a": {
            "dia": 5,
            "timezone": "UTC",
            "basal": [{"time": "00:00", "timeAsSeconds": 0, "value": 1.2}],
            "carbratio": [{"time": "00:00", "timeAsSeconds": 0, "value": 10}],
            "sens": [{"time": "00:00", "timeAsSeconds": 0, "value": 50}],
            "target_low": [{"time": "00:00", "timeAsSeconds": 0, "value": 100}],
            "target_high": [{"time": "00:00", "timeAsSeconds": 0, "value": 110}],
        }
    },
}
COLLECTIONS = ("profile", "entries", "treatments", "food", "activity")
"""Profiles first: a temporary basal may be a percentage of theirs."""


def path_of(user_id: str, collection: str) -> str:
    """The path of a user's documents of a collection."""
    return f"/v1/users/{user_id}/nightscout_documents/{collection}"


class Account:
    """An account into which documents are restored, and from which they are listed."""

    def __init__(self, api: ApiClient, user_id: str, token: str) -> None:
        self._api = api
        self.user_id = user_id
        self.token = token

    def send(self, method: str, collection: str, body: Any = None, query: str = "") -> Reply:
        """The reply to a request of the account's owner."""
        return self._api.request(method, f"{path_of(self.user_id, collection)}{query}", body, token=self.token)

    def restore(self, collection: str, *documents: dict[str, Any]) -> tuple[int, int]:
        """The numbers of documents that were stored, and of those that were known."""
        reply = self.send("POST", collection, list(documents))
        assert reply.status == 200, reply.body
        return reply.json()["stored"], reply.json()["known"]

    def pages(self, collection: str, size: int = 10_000) -> Iterator[list[dict[str, Any]]]:
        """The pages of a collection."""
        query: str | None = f"?size={size}"
        while query is not None:
            reply = self.send("GET", collection, query=query)
            assert reply.status == 200, reply.body
            yield reply.json()["documents"]
            following = reply.json().get("next")
            query = None if following is None else f"?size={size}&after={following}"

    def documents(self, collection: str) -> list[dict[str, Any]]:
        """All documents of a collection without `srvModified`, which is of the server that stored them."""
        return [
            {name: value for name, value in document.items() if name != "srvModified"}
            for page in self.pages(collection)
            for document in page
        ]

    def data(self) -> list[dict[str, Any]]:
        """The user's data in the Tidepool API, without what differs from account to account."""
        records = self._api.request("GET", f"/data/{self.user_id}", token=self.token).json()
        assert all("time" in record for record in records)
        ours = ("id", "uploadId", "guid", "createdTime", "modifiedTime", "createdUserId", "revision")
        stripped = [{name: value for name, value in record.items() if name not in ours} for record in records]
        return sorted(
            (record for record in stripped if record["type"] != "upload"),
            key=lambda record: str(sorted(record.items(), key=str)),
        )


@pytest.fixture
def hers(api: ApiClient, anna: str) -> Account:
    """Anna's account."""
    return Account(api, ANNA.user_id, anna)


@pytest.fixture
def his(api: ApiClient, fakes: FakeServices) -> Account:
    """Ben's account, which is empty."""
    fakes.accounts.create(BEN)
    return Account(api, BEN.user_id, fakes.sign_in(BEN.user_id))


def fill(device: Device, v3: V3) -> None:
    """Store documents of all kinds, as apps send them by v1 and v3; some are changed, some are deleted."""
    device.store(*({"type": "sgv", "sgv": 100 + number, "date": START_MS - number * 300_000} for number in range(40)))
    device.store({"type": "mbg", "mbg": 90, "date": START_MS - 10**6}, {"note": "no type", "date": START_MS - 10**7})
    device.send("POST", "/api/v1/profile", PROFILE | {"startDate": at(99_000)})
    percentage = {"eventType": "Temp Basal", "duration": 30, "percent": -50, "created_at": at(700)}
    device.send("POST", "/api/v1/treatments", percentage)
    temporary = {"eventType": "Temp Basal", "duration": 30, "absolute": 1.2, "enteredBy": "loop"}
    for minutes in (50, 40, 20):
        device.send("POST", "/api/v1/treatments", temporary | {"created_at": at(minutes), "rate": minutes / 10})
    meal = {"eventType": "Meal Bolus", "created_at": "2025-12-31T12:00:00-05:00", "insulin": 3, "carbs": 40}
    identified = {"_id": "0123abcd-0000-4000-8000-000000000000", "eventType": "Temporary Override", "duration": 60}
    device.send("POST", "/api/v1/treatments", [meal, identified | {"created_at": at(90)}])
    deleted = device.send("POST", "/api/v1/treatments", meal | {"created_at": at(500)}).json()[0]
    assert device.send("DELETE", f"/api/v1/treatments/{deleted['_id']}").json()["deletedCount"] == 1
    for profile in ({"startDate": at(120_000), "store": {"a": {"dia": 5}}}, PROFILE | {"startDate": at(100)}):
        device.send("POST", "/api/v1/profile", profile)
    device.send("POST", "/api/v1/food", [{"name": "Apple", "carbs": 14}, {"name": "Pear", "carbs": 12}])
    device.send("POST", "/api/v1/activity", {"type": "hr-bpm", "bpm": 70, "created_at": at(3)})
    for body in (
        {"eventType": "Temporary Target", "duration": 20, "targetTop": 120, "targetBottom": 120, "units": "mg/dl"},
        {"eventType": "Meal Bolus", "carbs": 20},
    ):
        assert v3.send("POST", "treatments", body | {"app": "AAPS", "date": START_MS - 7 * 10**6}).status == 201
    reading = {"type": "sgv", "sgv": 111, "app": "AAPS", "date": START_MS - 12_345, "utcOffset": 60}
    assert v3.send("POST", "entries", reading).status == 201


class TestRoundTrip:
    @pytest.mark.parametrize("compacts", [False, True])
    def test_another_account_has_the_same_documents_and_the_same_data(
        self, device: Device, v3: V3, hers: Account, his: Account, compacts: bool
    ) -> None:
        fill(device, v3)
        if compacts:
            device.compact()
        for collection in COLLECTIONS:
            documents = [document for page in hers.pages(collection) for document in page]
            assert documents
            assert his.restore(collection, *documents) == (len(documents), 0)
            assert his.documents(collection) == hers.documents(collection)
        assert his.data() == hers.data() != []
        assert {record["type"] for record in his.data()} >= {"cbg", "smbg", "bolus", "food", "basal", "pumpSettings"}
        assert [record["rate"] for record in his.data() if record.get("percent") is not None] == [0.6]

    def test_a_repetition_stores_nothing(self, device: Device, v3: V3, hers: Account, his: Account) -> None:
        fill(device, v3)
        all_documents = {name: [document for page in hers.pages(name) for document in page] for name in COLLECTIONS}
        for collection, documents in all_documents.items():
            his.restore(collection, *documents)
        before = device.fakes.items(DATA)
        device.fakes.now_ms += 1000
        for collection, documents in all_documents.items():
            assert his.restore(collection, *documents) == (0, len(documents))
            assert hers.restore(collection, *documents) == (0, len(documents))
        assert device.fakes.items(DATA) == before

    def test_apps_of_v1_and_v3_find_again_what_was_moved(
        self, api: ApiClient, hers: Account, device: Device, v3: V3
    ) -> None:
        hers.restore("treatments", BOLUS)
        hers.restore("entries", READING)
        assert device.found() == [READING]
        (found,) = device.treatments("find[created_at][$gte]=2020")
        assert {name: value for name, value in found.items() if value is not None} == BOLUS
        assert v3.send("GET", f"treatments/{MONGO_ID}").status == 200

    def test_one_that_was_stored_soon_after_midnight_is_found_by_its_id(self, hers: Account, device: Device) -> None:
        late = {"_id": f"{START_MS // 1000 + 60:08x}0000000000000001"}
        hers.restore("treatments", BOLUS | late)
        assert device.send("DELETE", f"/api/v1/treatments/{late['_id']}").json()["deletedCount"] == 1
        assert hers.documents("treatments") == []


class TestListing:
    def test_pages_go_on_where_the_last_one_ended(self, device: Device, hers: Account) -> None:
        device.store(
            *({"type": "sgv", "sgv": 100 + number, "date": START_MS - number * 7200_000} for number in range(30))
        )
        device.store(*({"type": f"t{number}", "date": START_MS} for number in range(5)))
        (whole,) = hers.pages("entries")
        assert [entry["date"] for entry in whole] == sorted(entry["date"] for entry in whole)
        for size in (1, 7, 34):
            pages = list(hers.pages("entries", size))
            assert [entry for page in pages for entry in page] == whole
            assert all(len(page) == size for page in pages[:-1])

    def test_a_page_ends_before_it_is_too_large(
        self, device: Device, hers: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        device.store(*({"type": "sgv", "noise": "a" * 900, "date": START_MS - number} for number in range(5)))
        monkeypatch.setattr("chalicelib.nightscout.transfer.list.MAX_PAGE_BYTES", 2500)
        assert [len(page) for page in hers.pages("entries")] == [2, 2, 1]

    def test_data_of_another_api_is_not_listed(self, device: Device, hers: Account) -> None:
        device.send_to_tidepool([cbg(100, 5)])
        assert len(device.found()) == 1
        assert hers.documents("entries") == []

    @pytest.mark.parametrize(
        "query", ["?after=1", "?after=", "?after=1-0123456789abcdeg", "?size=0", "?size=10001", "?x=1"]
    )
    def test_a_wrong_query_is_400(self, hers: Account, query: str) -> None:
        assert hers.send("GET", "entries", query=query).status == 400

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_an_unknown_collection_is_404(self, hers: Account, method: str) -> None:
        for name in ("subjects", "devicestatuses", "entriesModified"):
            assert hers.send(method, name, [] if method == "POST" else None).status == 404

    def test_device_statuses_are_not_listed(self, hers: Account) -> None:
        assert hers.send("GET", "devicestatus").status == 404


class TestRestoring:
    def test_a_document_keeps_each_member(self, hers: Account, device: Device) -> None:
        strange = {"preBolus": 15, "carbs": 0, "units": "mmol", "notes": "", "eventTime": "x", "n": {"a": [1.5, None]}}
        document = BOLUS | strange | {"srvCreated": 5, "subject": "aaps", "identifier": "a"}
        assert hers.restore("treatments", document | {"srvModified": 7}) == (1, 0)
        assert hers.documents("treatments") == [document]
        (shown,) = (page[0] for page in hers.pages("treatments"))
        assert shown["srvModified"] >= START_MS

    def test_what_does_not_belong_into_documents_is_left_out(self, hers: Account) -> None:
        hers.restore("treatments", BOLUS | {"secret": "a", "token": "b", "notes": "x<script>alert(1)</script>y"})
        assert hers.documents("treatments") == [BOLUS | {"notes": "xy"}]

    def test_what_an_app_sent_here_before_is_the_same_document(self, hers: Account, device: Device) -> None:
        device.send("POST", "/api/v1/treatments", {name: value for name, value in BOLUS.items() if name != "_id"})
        device.store({name: value for name, value in READING.items() if name != "_id"})
        assert hers.restore("treatments", BOLUS) == (0, 1)
        assert hers.restore("entries", READING) == (0, 1)
        assert sorted(record["type"] for record in device.data()) == ["bolus", "cbg"]

    def test_an_app_that_sends_again_what_was_moved_changes_the_same_document(
        self, hers: Account, device: Device
    ) -> None:
        hers.restore("treatments", BOLUS)
        hers.restore("entries", READING)
        device.send("POST", "/api/v1/treatments", {name: value for name, value in BOLUS.items() if name != "_id"})
        device.store({name: value for name, value in READING.items() if name != "_id"})
        assert [len(hers.documents(name)) for name in ("treatments", "entries")] == [1, 1]
        assert sorted(record["type"] for record in device.data()) == ["bolus", "cbg"]

    def test_two_of_one_time_and_type_both_stay(self, hers: Account, device: Device) -> None:
        other = BOLUS | {"_id": OTHER_ID, "insulin": 0.5}
        other_reading = READING | {"_id": OTHER_ID, "sgv": 121}
        for _ in range(2):
            hers.restore("treatments", BOLUS, other)
            hers.restore("entries", READING, other_reading)
        assert hers.documents("treatments") in ([BOLUS, other], [other, BOLUS])
        assert hers.documents("entries") in ([READING, other_reading], [other_reading, READING])

    def test_what_was_deleted_here_is_not_restored(self, hers: Account, device: Device) -> None:
        hers.restore("treatments", BOLUS)
        assert device.send("DELETE", f"/api/v1/treatments/{MONGO_ID}").json()["deletedCount"] == 1
        assert hers.restore("treatments", BOLUS) == (0, 1)
        assert (hers.documents("treatments"), device.data()) == ([], [])

    @pytest.mark.parametrize("compacts", [False, True])
    def test_an_app_replaces_what_was_moved_by_its_id(self, hers: Account, device: Device, compacts: bool) -> None:
        hers.restore("treatments", BOLUS)
        if compacts:
            device.compact()
        replaced = device.send("PUT", "/api/v1/treatments", BOLUS | {"insulin": 2}).json()
        assert (replaced["_id"], replaced["insulin"]) == (MONGO_ID, 2)
        assert len(hers.documents("treatments")) == 1
        assert [record["normal"] for record in device.data()] == [2]

    def test_what_xdrip_sent_is_found_by_the_id_that_it_chose(self, hers: Account, device: Device) -> None:
        sent = BOLUS | {
            "uuid": f"{MONGO_ID[:8]}-{MONGO_ID[8:12]}-{MONGO_ID[12:16]}-{MONGO_ID[16:20]}-{MONGO_ID[20:]}12345678"
        }
        hers.restore("treatments", sent)
        device.send("PUT", "/api/v1/treatments", sent | {"insulin": 3, "created_at": at(29)})
        assert [record["normal"] for record in device.data()] == [3]

    def test_without_a_time_the_id_tells_it(self, hers: Account) -> None:
        food = {"_id": MONGO_ID, "name": "Apple"}
        assert hers.restore("food", food) == (1, 0)
        assert hers.documents("food") == [food]

    def test_device_statuses_are_stored_with_their_id_and_offset(self, hers: Account, device: Device) -> None:
        status = {"_id": MONGO_ID, "created_at": at(5), "utcOffset": -300, "loop": {"iob": {"iob": 1.5}}}
        for _ in range(2):
            assert hers.restore("devicestatus", status, status) == (2, 0)
        assert device.send("GET", "/api/v1/devicestatus.json").json() == [status]

    @pytest.mark.parametrize(
        ("bad", "pointer"),
        [
            (5, "/1"),
            ({}, "/1/_id"),
            ({"_id": "x"}, "/1/_id"),
            ({"_id": MONGO_ID.upper()}, "/1/_id"),
            ({"_id": OTHER_ID, "notes": "a" * 310_000}, "/1"),
        ],
    )
    @pytest.mark.parametrize("collection", ["treatments", "devicestatus"])
    def test_a_bad_document_is_pointed_to_and_nothing_is_stored(
        self, hers: Account, fakes: FakeServices, collection: str, bad: Any, pointer: str
    ) -> None:
        before = fakes.items(DATA)
        reply = hers.send("POST", collection, [BOLUS, bad])
        assert (reply.status, reply.json()["source"]["pointer"]) == (400, pointer)
        assert fakes.items(DATA) == before

    @pytest.mark.parametrize("body", [{}, None, "a", 5])
    def test_a_body_that_is_no_array_is_400(self, hers: Account, body: Any) -> None:
        assert hers.send("POST", "entries", body).status == 400

    def test_too_many_are_400(self, hers: Account) -> None:
        assert hers.send("POST", "entries", [READING] * 5001).status == 400

    def test_none_are_none(self, hers: Account, fakes: FakeServices) -> None:
        before = fakes.items(DATA)
        for collection in (*COLLECTIONS, "settings", "devicestatus"):
            assert hers.restore(collection) == (0, 0)
        assert fakes.items(DATA) == before


class TestRights:
    def test_a_grantee_lists_with_view_and_restores_with_upload(
        self, api: ApiClient, fakes: FakeServices, hers: Account, his: Account, server: str
    ) -> None:
        path = path_of(ANNA.user_id, "entries")
        for permissions, statuses in (([], (403, 403)), (["view"], (200, 403)), (["upload"], (403, 200))):
            fakes.grant(ANNA.user_id, BEN.user_id, permissions)
            replies = [api.request("GET", path, token=his.token), api.request("POST", path, [], token=his.token)]
            assert tuple(reply.status for reply in replies) == statuses
        assert api.request("GET", path).status == 401
        assert api.request("GET", path, token=server).status == 200

    def test_a_view_of_the_last_hours_lists_nothing(self, api: ApiClient, hers: Account, his: Account) -> None:
        limited = {"view": {"windowHours": 24}}
        assert api.request("POST", f"/access/{ANNA.user_id}/{BEN.user_id}", limited, token=hers.token).status == 200
        assert api.request("GET", path_of(ANNA.user_id, "entries"), token=his.token).status == 403

    def test_a_device_has_no_part_in_it(self, device: Device) -> None:
        assert device.send("GET", path_of(ANNA.user_id, "entries")).status == 401
