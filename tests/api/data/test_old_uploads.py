"""The old way to upload: memories of devices that come again in each session. Source: data-api 11."""

import json
from typing import Any

import pytest

from chalicelib.log.ports import MAX_DATA_SET_WRITES
from chalicelib.tiles.compact import compact
from tests.api.conftest import ApiClient, Reply
from tests.cases import case
from tests.fakes.services import FakeServices

OWNER = "aaaaaaaaaa"
OTHER = "bbbbbbbbbb"
WEEK_1, WEEK_2 = "upid_0123456789ab", "upid_ba9876543210"
DESCRIPTION_1, RECORDS_1 = case("legacy-week-1-description.json"), case("legacy-week-1-records.json")
DESCRIPTION_2, RECORDS_2 = case("legacy-week-2-description.json"), case("legacy-week-2-records.json")
SMBG = {
    "type": "smbg",
    "time": "2026-02-01T08:00:00Z",
    "units": "mg/dL",
    "value": 101,
    "deviceId": "ExPump-0000001",
}


class Scene:
    """A user of the old way; tiles are made after each request when the scene compacts."""

    def __init__(self, api: ApiClient, fakes: FakeServices, *, compacts: bool) -> None:
        self.api, self.fakes, self.compacts = api, fakes, compacts
        self.token = fakes.sign_in(OWNER)

    def post(self, body: Any, status: int = 200) -> Reply:
        """The answer to an upload, which has this status."""
        reply = self.api.request("POST", f"/data/{OWNER}", body, token=self.token)
        assert reply.status == status, reply.body
        self._compact()
        return reply

    def delete(self, upload_id: str) -> None:
        """Delete a data set."""
        assert self.api.request("DELETE", f"/v1/data_sets/{upload_id}", token=self.token).status == 200
        self._compact()

    def read(self, query: str = "type=smbg") -> list[dict[str, Any]]:
        """The records that can be read."""
        found: list[dict[str, Any]] = self.api.request("GET", f"/data/{OWNER}?{query}", token=self.token).json()
        return found

    def origins(self) -> list[tuple[int, str]]:
        """The day of each visible smbg, and the data set that it is from."""
        return [(int(record["time"][8:10]), record["uploadId"]) for record in self.read()]

    def data_set(self, upload_id: str) -> dict[str, Any]:
        """A data set by its id."""
        found: dict[str, Any] = self.api.request("GET", f"/v1/data_sets/{upload_id}", token=self.token).json()
        return found

    def _compact(self) -> None:
        if self.compacts:
            compact(OWNER, self.fakes.services.tiles, lambda: None)


@pytest.fixture(params=[False, True], ids=["log", "tiles"])
def scene(api: ApiClient, fakes: FakeServices, request: pytest.FixtureRequest) -> Scene:
    return Scene(api, fakes, compacts=request.param)


def days(*numbers: int, of: str) -> list[tuple[int, str]]:
    """Records of these days, from one data set."""
    return [(number, of) for number in numbers]


@pytest.mark.parametrize("rounds", [1, 2])
def test_a_record_of_two_sessions_is_seen_once_from_the_session_that_stored_it_first(scene: Scene, rounds: int) -> None:
    for _ in range(rounds):
        for body in (DESCRIPTION_1, RECORDS_1, DESCRIPTION_2, RECORDS_2):
            assert scene.post(body).json() == []
    assert scene.origins() == days(1, 2, 3, 4, of=WEEK_1) + days(5, 6, 7, of=WEEK_2)


def test_the_order_of_storing_counts_and_not_that_of_times_or_ids(scene: Scene) -> None:
    for body in (DESCRIPTION_1, DESCRIPTION_2, RECORDS_2, RECORDS_1):
        scene.post(body)
    assert scene.origins() == days(1, 2, 3, 4, 5, 6, 7, of=WEEK_2)


def test_deleting_the_later_session_leaves_the_records_of_the_earlier(scene: Scene) -> None:
    for body in (DESCRIPTION_1, RECORDS_1, DESCRIPTION_2, RECORDS_2):
        scene.post(body)
    scene.delete(WEEK_2)
    assert scene.origins() == days(1, 2, 3, 4, of=WEEK_1)


def test_deleting_the_earlier_session_brings_back_the_records_of_the_next(scene: Scene) -> None:
    third = "upid_000000000003"
    for body in (RECORDS_1, RECORDS_2, [SMBG | {"uploadId": third}]):
        scene.post(body)
    scene.delete(WEEK_1)
    assert scene.origins() == days(1, 2, 3, 4, 5, 6, 7, of=WEEK_2)
    scene.delete(WEEK_2)
    assert scene.origins() == days(1, of=third)
    scene.post(RECORDS_1)
    assert scene.origins() == days(1, of=third) + days(2, 3, 4, of=WEEK_1)


def test_deleting_a_record_brings_back_its_next_copy(scene: Scene) -> None:
    scene.post(RECORDS_1)
    scene.post(RECORDS_2)
    first = scene.read()[0]["id"]
    reply = scene.api.request("DELETE", f"/v1/data_sets/{WEEK_1}/data", [{"id": first}], token=scene.token)
    assert reply.status == 200
    assert scene.origins()[0] == (1, WEEK_2)


def test_a_record_that_comes_by_the_new_route_is_the_same_record(scene: Scene) -> None:
    scene.post(RECORDS_1)
    scene.post(DESCRIPTION_2)
    path = f"/v1/data_sets/{WEEK_2}/data"
    assert scene.api.request("POST", path, json.loads(RECORDS_2), token=scene.token).status == 200
    assert scene.origins() == days(1, 2, 3, 4, of=WEEK_1) + days(5, 6, 7, of=WEEK_2)


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({"time": "2026-02-01T09:00:00.000+01:00"}, True),
        ({"value": 101.0, "subType": "linked", "payload": {"x": 1}}, True),
        ({"value": 5.60626, "units": "mmol/L"}, True),
        ({"value": 102}, False),
        ({"time": "2026-02-01T08:00:01Z"}, False),
        ({"deviceId": "Other"}, False),
        ({"deviceId": None}, False),
    ],
)
def test_a_record_is_known_by_type_device_instant_and_value(
    scene: Scene, changes: dict[str, Any], is_same: bool
) -> None:
    scene.post(SMBG | {"uploadId": WEEK_1})
    scene.post(SMBG | changes | {"uploadId": WEEK_2})
    assert len(scene.read()) == (1 if is_same else 2)


@pytest.mark.parametrize(
    ("record", "changes", "is_same"),
    [
        ({"type": "basal", "deliveryType": "scheduled", "rate": 1, "duration": 1}, {"rate": 2}, True),
        (
            {"type": "basal", "deliveryType": "scheduled", "rate": 1, "duration": 1},
            {"deliveryType": "temp"},
            False,
        ),
        ({"type": "bolus", "subType": "normal", "normal": 1}, {"normal": 2}, True),
        ({"type": "bolus", "subType": "normal", "normal": 1}, {"subType": "automated"}, False),
        ({"type": "deviceEvent", "subType": "prime", "primeTarget": "tubing"}, {"primeTarget": "cannula"}, True),
    ],
)
def test_a_record_is_known_by_what_its_type_adds(
    scene: Scene, record: dict[str, Any], changes: dict[str, Any], is_same: bool
) -> None:
    common = {"time": SMBG["time"], "deviceId": "P"}
    scene.post(common | record | {"uploadId": WEEK_1})
    scene.post(common | record | changes | {"uploadId": WEEK_2})
    assert len(scene.read(f"type={record['type']}")) == (1 if is_same else 2)


def test_records_without_a_device_are_known_within_their_data_set_only(scene: Scene) -> None:
    record = {name: value for name, value in SMBG.items() if name != "deviceId"}
    for upload_id in (WEEK_1, WEEK_1, WEEK_2):
        scene.post(record | {"uploadId": upload_id})
    assert scene.origins() == days(1, of=WEEK_1) + days(1, of=WEEK_2)


def test_data_sets_of_other_routes_and_users_hide_nothing(scene: Scene) -> None:
    deduplicator = {"name": "org.tidepool.deduplicator.dataset.drop.hash"}
    body = {"dataSetType": "continuous", "deduplicator": deduplicator}
    opened = scene.api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=scene.token).json()["data"]
    for _ in range(2):
        scene.api.request("POST", f"/v1/data_sets/{opened['uploadId']}/data", [SMBG], token=scene.token)
    scene.post(SMBG | {"uploadId": WEEK_1})
    assert sorted(scene.origins()) == sorted(days(1, of=opened["uploadId"]) + days(1, of=WEEK_1))


def test_the_deduplicator_shown_stays_that_of_the_route(scene: Scene) -> None:
    scene.post(RECORDS_1)
    shown = {"name": "org.tidepool.deduplicator.dataset.drop.hash", "version": "1.0.0"}
    assert (scene.data_set(WEEK_1)["deduplicator"], scene.data_set(WEEK_1)["dataSetType"]) == (shown, "continuous")
    (upload,) = scene.read("type=upload")
    assert upload["_deduplicator"] == shown


# --- descriptions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bodies", [(RECORDS_1, DESCRIPTION_1), (DESCRIPTION_1, RECORDS_1, DESCRIPTION_1)])
def test_a_description_may_come_after_its_records_and_again(scene: Scene, bodies: tuple[bytes, ...]) -> None:
    for body in bodies:
        scene.post(body)
    path = f"/v1/users/{OWNER}/data_sets?deviceId=ExPump-0000001&size=1"
    (found,) = scene.api.request("GET", path, token=scene.token).json()
    assert found["client"]["private"]["delta"] == {"lastRecord": 4}
    assert (found["uploadId"], found["timezone"], found["deviceModel"]) == (WEEK_1, "Europe/Rome", "Ex")
    assert found["deviceTags"] == ["bgm", "insulin-pump"]
    assert found["time"] == "2026-02-05T06:30:00Z"
    assert len(scene.read()) == 4
    freshness = scene.api.request("GET", f"/v1/users/{OWNER}/freshness", token=scene.token)
    assert b"org.tidepool.uploader" in freshness.body
    scene.post([SMBG | {"uploadId": WEEK_1, "time": "2026-02-09T08:00:00Z"}])
    assert len(scene.read()) == 5


def test_a_description_that_comes_again_changes_nothing_and_another_one_does(scene: Scene) -> None:
    scene.post(DESCRIPTION_1)
    first = scene.data_set(WEEK_1)
    scene.fakes.now_ms += 60_000
    scene.post(DESCRIPTION_1)
    assert scene.data_set(WEEK_1) == first
    scene.post(json.loads(DESCRIPTION_1) | {"deviceModel": "Ey"})
    changed = scene.data_set(WEEK_1)
    assert (changed["deviceModel"], changed["modifiedTime"]) == ("Ey", "2026-01-01T00:01:00Z")
    assert {name for name in changed if changed[name] != first.get(name)} == {"deviceModel", "modifiedTime"}


def test_a_closed_data_set_takes_its_description_again_but_no_record_and_no_other_description(scene: Scene) -> None:
    for body in (DESCRIPTION_1, RECORDS_1, RECORDS_1):
        scene.post(body)
    path = f"/dataservices/v1/datasets/{WEEK_1}"
    assert scene.api.request("PUT", path, {"dataState": "closed"}, token=scene.token).status == 200
    assert (len(scene.read()), len(scene.read("type=upload"))) == (4, 1)
    scene.post(DESCRIPTION_1)
    scene.post([SMBG | {"uploadId": WEEK_1}], 409)
    scene.post(json.loads(DESCRIPTION_1) | {"deviceModel": "Ey"}, 409)
    assert len(scene.read()) == 4


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([SMBG, {"type": "upload", "uploadId": WEEK_1, "version": 5}], "/1/version"),
        ({"type": "upload", "uploadId": WEEK_1, "version": 5}, "/version"),
        ([SMBG, SMBG | {"uploadId": "wrong"}], "/1/uploadId"),
        ([SMBG, SMBG | {"uploadId": 5}], "/1/uploadId"),
        ([SMBG, SMBG | {"uploadId": WEEK_1, "value": -1}], "/1/value"),
        (SMBG | {"value": -1}, "/value"),
        ([SMBG, 5], "/1"),
        (5, None),
    ],
)
def test_a_fault_is_pointed_to_and_nothing_is_stored(scene: Scene, body: Any, pointer: str | None) -> None:
    error = scene.post(body, 400).json()
    assert error.get("source", {}).get("pointer") == pointer
    assert scene.read("") == []


# --- many data sets in one request ------------------------------------------------------------------------------------


def one_data_set_each(count: int) -> list[dict[str, Any]]:
    """Records of the case by its rule."""
    example = json.loads(case("legacy-own-data-set-each.json"))[0]
    return [
        example | {"uploadId": f"upid_{number:012x}", "time": f"2026-02-{1 + number // 24:02}T{number % 24:02}:00:00Z"}
        for number in range(1, count + 1)
    ]


def test_a_few_data_sets_in_one_request_are_stored_together(scene: Scene) -> None:
    scene.post(case("legacy-own-data-set-each.json"))
    assert len(scene.read()) == 3
    scene.post(one_data_set_each(MAX_DATA_SET_WRITES))
    assert len(scene.read("type=upload")) == MAX_DATA_SET_WRITES


@pytest.mark.parametrize("count", [MAX_DATA_SET_WRITES + 1, 400, 5_000])
def test_more_data_sets_than_one_transaction_holds_are_refused_and_nothing_is_stored(scene: Scene, count: int) -> None:
    records = one_data_set_each(400) * (count // 400 + 1)
    error = scene.post([record | {"uploadId": f"upid_{at:012x}"} for at, record in enumerate(records[:count])], 400)
    assert error.json()["source"]["pointer"] == f"/{MAX_DATA_SET_WRITES}/uploadId"
    assert scene.read("") == []


def test_a_request_of_which_one_data_set_is_closed_stores_nothing(scene: Scene) -> None:
    scene.post(RECORDS_1)
    path = f"/v1/data_sets/{WEEK_1}"
    assert scene.api.request("PUT", path, {"dataState": "closed"}, token=scene.token).status == 200
    late = SMBG | {"time": "2026-02-20T08:00:00Z"}
    scene.post([late | {"uploadId": WEEK_2}, late | {"uploadId": WEEK_1}], 409)
    assert len(scene.read("")) == 5


# --- ids of erased data -----------------------------------------------------------------------------------------------


def test_the_upload_ids_of_an_erased_account_are_free_again(api: ApiClient, fakes: FakeServices) -> None:
    old, new = fakes.sign_in(OTHER), fakes.sign_in(OWNER)
    assert api.request("POST", f"/data/{OTHER}", RECORDS_1, token=old).status == 200
    assert api.request("POST", f"/data/{OWNER}", RECORDS_1, token=new).status == 403
    server = fakes.sign_in("server", is_server=True)
    assert api.request("DELETE", f"/v1/users/{OTHER}/data", token=server).status == 200
    assert api.request("POST", f"/data/{OWNER}", RECORDS_1, token=new).status == 200
    assert len(api.request("GET", f"/data/{OWNER}?type=smbg", token=new).json()) == 4
    assert api.request("GET", f"/data/{OTHER}?type=smbg", token=old).json() == []


def test_a_data_set_may_be_opened_with_an_id_of_erased_data(api: ApiClient, fakes: FakeServices) -> None:
    old, new = fakes.sign_in(OTHER), fakes.sign_in(OWNER)
    body = {"uploadId": WEEK_1, "dataSetType": "continuous"}
    assert api.request("POST", f"/v1/users/{OTHER}/data_sets", body, token=old).status == 201
    assert api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=new).status == 409
    server = fakes.sign_in("server", is_server=True)
    assert api.request("DELETE", f"/v1/users/{OTHER}/data", token=server).status == 200
    assert api.request("POST", f"/v1/users/{OWNER}/data_sets", body, token=new).status == 201


def test_one_who_signs_up_again_can_send_the_same_file(api: ApiClient) -> None:
    body = {"username": "a@example.org", "emails": ["a@example.org"], "password": "password1", "roles": ["patient"]}
    for _ in range(2):
        user = api.request("POST", "/auth/user", body)
        token, user_id = user.headers["x-tidepool-session-token"], user.json()["userid"]
        assert api.request("POST", f"/data/{user_id}", RECORDS_1, token=token).status == 200
        assert len(api.request("GET", f"/data/{user_id}?type=smbg", token=token).json()) == 4
        gone = api.request("DELETE", f"/auth/user/{user_id}", {"password": "password1"}, token=token)
        assert gone.status in (200, 202, 204)
