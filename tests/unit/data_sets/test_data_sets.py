"""Data sets: what they look like, who may do what with them, and their life. Source: data-api 6 and 7, clients 1.3."""

from typing import Any

import pytest

from chalicelib.access.call import SERVICE, Caller
from chalicelib.conflicts import WriteConflictError
from chalicelib.data_sets.list_query import parse_list_query
from chalicelib.engine.definitions import DATA
from chalicelib.errors import (
    DataSetClosedError,
    DataSetExistsError,
    DataSetNotFoundError,
    InvalidFieldsError,
    MalformedJsonError,
    StrandlineError,
    UnauthorizedError,
    UnavailableError,
)
from chalicelib.model.times import format_time
from tests.fakes.data_scene import ANNA, CUSTODIAN, STRANGER, UPLOADER, VIEWER, DataScene, cbg
from tests.fakes.services import START_MS

UNKNOWN = "0" * 32
LOOP = {
    "client": {"name": "org.tidepool.Loop", "version": "1.3.2+41"},
    "dataSetType": "continuous",
    "deduplicator": {"name": "org.tidepool.deduplicator.dataset.delete.origin"},
    "deviceTags": ["insulin-pump", "bgm", "cgm"],
    "type": "upload",
}


@pytest.fixture
def scene() -> DataScene:
    return DataScene()


class TestCreate:
    def test_what_loop_sends(self, scene: DataScene) -> None:
        created_time = format_time(START_MS + 1)
        assert scene.create(LOOP) == {
            "byUser": ANNA.user_id,
            "client": {"name": "org.tidepool.Loop", "version": "1.3.2+41"},
            "createdTime": created_time,
            "createdUserId": ANNA.user_id,
            "dataSetType": "continuous",
            "deduplicator": {"name": "org.tidepool.deduplicator.dataset.delete.origin", "version": "1.0.0"},
            "deviceTags": ["bgm", "cgm", "insulin-pump"],
            "id": f"{1:032x}",
            "modifiedTime": created_time,
            "time": created_time,
            "type": "upload",
            "uploadId": f"{1:032x}",
        }

    @pytest.mark.parametrize("body", [{}, None])
    def test_nothing_is_required(self, scene: DataScene, body: Any) -> None:
        created = scene.create(body)
        assert (created["dataSetType"], created["type"]) == ("normal", "upload")
        assert created["deduplicator"] == {"name": "org.tidepool.deduplicator.none", "version": "1.0.0"}

    @pytest.mark.parametrize(
        ("members", "expected"),
        [
            ({"id": "z" * 32}, ("z" * 32, "z" * 32)),
            ({"uploadId": "upid_0123456789ab"}, ("upid_0123456789ab", "upid_0123456789ab")),
            ({"id": "z" * 32, "uploadId": "a" * 32}, ("z" * 32, "a" * 32)),
        ],
    )
    def test_a_client_may_choose_the_ids(
        self, scene: DataScene, members: dict[str, str], expected: tuple[str, str]
    ) -> None:
        created = scene.create(members)
        assert (created["id"], created["uploadId"]) == expected
        assert scene.get(created["uploadId"]) == created

    def test_an_id_is_taken_once(self, scene: DataScene) -> None:
        scene.create(uploadId="a" * 32)
        with pytest.raises(DataSetExistsError):
            scene.create(uploadId="a" * 32)

    @pytest.mark.parametrize(
        ("caller", "expected"),
        [(ANNA, ANNA.user_id), (UPLOADER, UPLOADER.user_id), (SERVICE, "someone")],
    )
    def test_its_creator_is_the_caller_or_the_one_whom_a_server_names(
        self, scene: DataScene, caller: Caller, expected: str
    ) -> None:
        created = scene.create(LOOP | {"createdUserId": "someone", "byUser": "another"}, caller)
        assert (created.get("createdUserId"), created.get("byUser")) == (expected, expected)

    @pytest.mark.parametrize("caller", [VIEWER, CUSTODIAN, STRANGER])
    def test_callers_without_permission_may_not(self, scene: DataScene, caller: Caller) -> None:
        with pytest.raises(UnauthorizedError):
            scene.create(LOOP, caller)

    @pytest.mark.parametrize(
        ("members", "expected"),
        [
            ({"deduplicator": {"name": "org.tidepool.continuous.origin"}}, "dataset.delete.origin"),
            ({"dataSetType": "continuous"}, "dataset.delete.origin"),
            ({"deviceId": "d", "deviceManufacturers": ["Animas"]}, "device.truncate.dataset"),
            ({"deviceId": "d", "deviceManufacturers": ["Medtronic"], "deviceModel": "723"}, "device.deactivate.hash"),
            ({"deviceManufacturers": ["Medtronic"], "deviceModel": "723"}, "none"),
        ],
    )
    def test_the_deduplicator_depends_on_the_data_set(
        self, scene: DataScene, members: dict[str, Any], expected: str
    ) -> None:
        assert scene.create(**members)["deduplicator"]["name"] == f"org.tidepool.deduplicator.{expected}"

    def test_an_unknown_deduplicator_is_refused_and_nothing_stored(self, scene: DataScene) -> None:
        with pytest.raises(InvalidFieldsError) as caught:
            scene.create(deduplicator={"name": "org.example.nothing"})
        (error,) = caught.value.errors
        assert (error.code, error.pointer) == ("value-not-allowed", "/deduplicator/name")
        assert scene.fakes.items(DATA, sort_key="HEAD") == []

    def test_private_data_of_a_client_is_returned_unchanged(self, scene: DataScene) -> None:
        private = {"blobId": "x", "delta": 0.1, "small": 1e-9, "deep": {"list": [1, 2.5, None, {}]}}
        created = scene.create(client={"name": "org.example.app", "private": private})
        assert scene.get(created["id"])["client"]["private"] == private

    def test_an_array_is_refused(self, scene: DataScene) -> None:
        with pytest.raises(MalformedJsonError):
            scene.create([])


class TestList:
    def test_newest_first_in_pages(self, scene: DataScene) -> None:
        ids = [scene.open("none") for _ in range(5)]
        assert [data_set["id"] for data_set in scene.listed()] == ids[::-1]
        assert [data_set["id"] for data_set in scene.listed(page="1", size="2")] == [ids[2], ids[1]]
        assert [data_set["id"] for data_set in scene.listed(page="2", size="2")] == [ids[0]]
        assert scene.listed(page="3", size="2") == []

    def test_filters_select_data_sets(self, scene: DataScene) -> None:
        wanted = scene.open("none", deviceId="pump", client={"name": "AAPS"})
        scene.open("none", deviceId="pump", client={"name": "info.nightscout.androidaps"})
        scene.open("none")
        assert [data_set["id"] for data_set in scene.listed(client_name="AAPS")] == [wanted]
        assert len(scene.listed(deviceId="pump")) == 2
        assert scene.listed(client_name="AAP") == []

    def test_deleted_ones_are_added_not_selected(self, scene: DataScene) -> None:
        kept, deleted = scene.open("none"), scene.open("none")
        scene.delete(deleted)
        assert [data_set["id"] for data_set in scene.listed()] == [kept]
        assert [data_set["id"] for data_set in scene.listed(deleted="true")] == [deleted, kept]

    def test_open_normal_ones_are_not_listed(self, scene: DataScene) -> None:
        data_set = scene.open("none", "normal")
        assert scene.listed(deleted="true") == []
        scene.close(data_set)
        assert len(scene.listed()) == 1

    @pytest.mark.parametrize("caller", [ANNA, UPLOADER, VIEWER, CUSTODIAN, SERVICE])
    def test_permitted_callers_may(self, scene: DataScene, caller: Caller) -> None:
        scene.open("none")
        assert len(scene.listed(caller)) == 1

    def test_strangers_may_not(self, scene: DataScene) -> None:
        with pytest.raises(UnauthorizedError):
            scene.listed(STRANGER)

    def test_the_envelope_route_knows_no_filters(self) -> None:
        with pytest.raises(InvalidFieldsError) as caught:
            parse_list_query({"client.name": ("AAPS",), "page": ("0",)}, has_filters=False)
        assert [(error.code, error.parameter) for error in caught.value.errors] == [("not-parsed", "client.name")]


class TestGet:
    def test_a_data_set_is_found_in_any_state(self, scene: DataScene) -> None:
        data_set = scene.open("none", "normal")
        assert scene.get(data_set)["id"] == data_set
        scene.delete(data_set)
        assert "deletedTime" in scene.get(data_set)
        assert scene.get(data_set, SERVICE)["id"] == data_set

    @pytest.mark.parametrize("caller", [UPLOADER, VIEWER, CUSTODIAN, STRANGER])
    def test_others_may_not(self, scene: DataScene, caller: Caller) -> None:
        with pytest.raises(UnauthorizedError):
            scene.get(scene.open("none"), caller)

    def test_an_unknown_data_set_is_not_found(self, scene: DataScene) -> None:
        with pytest.raises(DataSetNotFoundError):
            scene.get(UNKNOWN, STRANGER)


class TestClose:
    @pytest.mark.parametrize("caller", [ANNA, UPLOADER, SERVICE])
    @pytest.mark.parametrize("body", [{"dataState": "closed"}, {}, [5], None])
    def test_a_normal_one_closes_whatever_the_body(self, scene: DataScene, caller: Caller, body: Any) -> None:
        data_set = scene.open("none", "normal")
        closed = scene.update(data_set, body, caller)
        assert closed == scene.get(data_set)
        assert closed["modifiedTime"] == format_time(scene.now_ms)
        with pytest.raises(DataSetClosedError):
            scene.add(data_set, cbg())

    @pytest.mark.parametrize("data_set_type", ["normal", "continuous"])
    def test_closing_again_conflicts(self, scene: DataScene, data_set_type: str) -> None:
        data_set = scene.open("none", data_set_type)
        scene.close(data_set)
        with pytest.raises(DataSetClosedError):
            scene.close(data_set)

    @pytest.mark.parametrize("caller", [ANNA, UPLOADER])
    @pytest.mark.parametrize("body", [{"dataState": "closed"}, {"state": "closed"}])
    def test_users_may_close_a_continuous_one(self, scene: DataScene, caller: Caller, body: Any) -> None:
        data_set = scene.open("none")
        scene.add(data_set, cbg(1))
        scene.update(data_set, body, caller)
        assert scene.visible() == [1]
        assert len(scene.listed()) == 1
        with pytest.raises(DataSetClosedError):
            scene.add(data_set, cbg())

    @pytest.mark.parametrize(
        "body", [{}, None, [], {"state": "open"}, {"state": "closed", "deviceId": "pump"}, {"deviceId": "pump"}]
    )
    def test_the_other_fields_are_for_servers(self, scene: DataScene, body: Any) -> None:
        data_set = scene.open("none")
        with pytest.raises(UnauthorizedError):
            scene.update(data_set, body)
        scene.add(data_set, cbg())

    @pytest.mark.parametrize("data_set_type", ["normal", "continuous"])
    @pytest.mark.parametrize("caller", [VIEWER, CUSTODIAN, STRANGER])
    def test_others_may_not(self, scene: DataScene, caller: Caller, data_set_type: str) -> None:
        with pytest.raises(UnauthorizedError):
            scene.update(scene.open("none", data_set_type), {"state": "closed"}, caller)

    def test_an_unknown_data_set_is_not_found(self, scene: DataScene) -> None:
        with pytest.raises(DataSetNotFoundError):
            scene.update(UNKNOWN, {}, STRANGER)


class TestUpdate:
    def test_a_server_changes_some_fields(self, scene: DataScene) -> None:
        data_set = scene.open("none", client={"name": "org.example.app"})
        changes = {"deviceId": "D-2", "time": "2024-02-01T00:00:00Z", "timezoneOffset": 60}
        before = scene.get(data_set)
        assert scene.update(data_set, changes, SERVICE) == before | changes | {
            "modifiedTime": format_time(scene.now_ms)
        }
        scene.add(data_set, cbg())

    def test_a_server_closes(self, scene: DataScene) -> None:
        data_set = scene.open("none")
        assert scene.update(data_set, {"state": "closed", "deviceId": "D-2"}, SERVICE)["deviceId"] == "D-2"
        with pytest.raises(DataSetClosedError):
            scene.add(data_set, cbg())

    def test_a_servers_body_is_checked(self, scene: DataScene) -> None:
        with pytest.raises(InvalidFieldsError) as caught:
            scene.update(scene.open("none"), {"state": "ajar", "time": 5}, SERVICE)
        assert [error.pointer for error in caught.value.errors] == ["/time"]


class TestDelete:
    @pytest.mark.parametrize("caller", [ANNA, CUSTODIAN, SERVICE])
    def test_permitted_callers_may(self, scene: DataScene, caller: Caller) -> None:
        data_set = scene.open("none")
        scene.add(data_set, cbg())
        scene.delete(data_set, caller)
        assert scene.visible() == []

    @pytest.mark.parametrize("caller", [UPLOADER, VIEWER, STRANGER])
    def test_others_may_not(self, scene: DataScene, caller: Caller) -> None:
        with pytest.raises(UnauthorizedError):
            scene.delete(scene.open("none"), caller)

    def test_an_uploader_may_delete_a_data_set_that_they_created(self, scene: DataScene) -> None:
        data_set = scene.create(LOOP, UPLOADER)["id"]
        scene.delete(data_set, UPLOADER)
        assert "deletedTime" in scene.get(data_set)

    def test_without_the_permission_having_created_it_is_not_enough(self, scene: DataScene) -> None:
        data_set = scene.create(LOOP, UPLOADER)["id"]
        scene.fakes.grant(str(ANNA.user_id), str(UPLOADER.user_id), ["view"])
        with pytest.raises(UnauthorizedError):
            scene.delete(data_set, UPLOADER)

    @pytest.mark.parametrize("is_closed", [False, True])
    def test_deleting_again_changes_nothing(self, scene: DataScene, is_closed: bool) -> None:
        data_set = scene.open("none", "normal")
        scene.add(data_set, cbg())
        if is_closed:
            scene.close(data_set)
        scene.delete(data_set)
        before = scene.get(data_set)
        assert before["deletedTime"] == before["modifiedTime"] == format_time(scene.now_ms)
        scene.delete(data_set)
        assert scene.get(data_set) == before

    def test_an_unknown_data_set_is_not_found(self, scene: DataScene) -> None:
        with pytest.raises(DataSetNotFoundError):
            scene.delete(UNKNOWN, STRANGER)


class TestErase:
    @pytest.mark.parametrize("caller", [ANNA, UPLOADER, CUSTODIAN, STRANGER])
    def test_only_servers_may(self, scene: DataScene, caller: Caller) -> None:
        with pytest.raises(UnauthorizedError):
            scene.erase(caller)

    def test_nothing_is_found_afterwards(self, scene: DataScene) -> None:
        data_set = scene.open("none")
        scene.erase()
        attempts: list[Any] = [
            lambda: scene.get(data_set),
            lambda: scene.update(data_set, {"state": "closed"}),
            lambda: scene.delete(data_set),
            lambda: scene.add(data_set, cbg()),
        ]
        for attempt in attempts:
            with pytest.raises(DataSetNotFoundError):
                attempt()

    def test_unknown_users_are_no_error(self, scene: DataScene) -> None:
        scene.erase()
        scene.erase()


class TestUploadRecords:
    """The form of data sets in a reply. Source: data-api 9."""

    def test_the_stored_form(self, scene: DataScene) -> None:
        scene.create(LOOP)
        (upload,) = scene.read()
        assert upload == {
            "_dataState": "open",
            "_deduplicator": {"name": "org.tidepool.deduplicator.dataset.delete.origin", "version": "1.0.0"},
            "_state": "open",
            "byUser": ANNA.user_id,
            "client": {"name": "org.tidepool.Loop", "version": "1.3.2+41"},
            "createdUserId": ANNA.user_id,
            "dataSetType": "continuous",
            "deviceTags": ["bgm", "cgm", "insulin-pump"],
            "id": f"{1:032x}",
            "revision": 1,
            "time": format_time(START_MS + 1),
            "type": "upload",
            "uploadId": f"{1:032x}",
        }

    def test_a_deleted_one_is_shown_as_such(self, scene: DataScene) -> None:
        data_set = scene.open("none")
        scene.delete(data_set)
        scene.delete(data_set)
        (upload,) = scene.read()
        assert (upload["deletedTime"], upload["revision"]) == (scene.get(data_set)["deletedTime"], 2)


class TestContention:
    def test_a_change_is_decided_again_after_a_conflict(self, scene: DataScene) -> None:
        data_set, others = scene.open("none"), iter(range(3))
        replace = scene.data_sets.replace

        def late(before: Any, after: Any) -> None:
            if next(others, None) is not None:
                raise WriteConflictError
            replace(before, after)

        scene.data_sets.replace = late  # type: ignore[method-assign]  # the store is made to lose a race
        scene.close(data_set)
        head = scene.data_sets.head(data_set)
        assert head is not None
        assert head.is_closed

    def test_endless_conflicts_make_it_unavailable(self, scene: DataScene) -> None:
        data_set = scene.open("none")

        def never(before: Any, after: Any) -> None:
            raise WriteConflictError

        scene.data_sets.replace = never  # type: ignore[method-assign]  # the store is made to lose every race
        with pytest.raises(UnavailableError):
            scene.close(data_set)
        assert issubclass(UnavailableError, StrandlineError)
