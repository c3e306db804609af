"""The Tidepool Uploader: a normal data set, read from a device, that is seen once it is closed."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.e2e.client import User, sample
from tests.e2e.clients import javascript

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

PREFIX = "/dataservices/v1"


def _uploaded(user: User, description: dict[str, Any]) -> str:
    """The id of a data set with everything in it, not closed yet."""
    reply = user.request("POST", f"{PREFIX}/users/{user.id}/datasets", description)
    assert reply.status == 201, reply.body
    upload_id = str(reply.json()["data"]["uploadId"])
    for file in ("uploader/02_data_all_types.json", "uploader/03_block_1000.json"):
        user.add(f"{PREFIX}/datasets/{upload_id}/data", sample(file))
    return upload_id


def _close(user: User, upload_id: str) -> None:
    reply = user.request("PUT", f"{PREFIX}/datasets/{upload_id}", sample("uploader/04_finish.json"))
    assert reply.status == 200, reply.body


def test_an_upload_is_visible_once_it_is_closed_and_a_newer_one_replaces_it(platform: "Platform") -> None:
    user = User(platform.base_url)
    description = sample("uploader/01_create_data_set.json")
    records = [*sample("uploader/02_data_all_types.json"), *sample("uploader/03_block_1000.json")]
    wanted = Counter(record["type"] for record in records)
    wanted["bolus"] += wanted["wizard"]  # each wizard brings its bolus

    first = _uploaded(user, description)
    assert user.records() == []
    _close(user, first)
    assert Counter(record["type"] for record in user.records()) == wanted

    # The device is read again: everything is there twice, and only the newest of each is seen.
    second = _uploaded(user, description)
    assert {record["uploadId"] for record in user.records()} == {first}
    _close(user, second)
    seen = user.records()
    assert Counter(record["type"] for record in seen) == wanted
    assert {record["uploadId"] for record in seen} == {second}

    assert user.request("DELETE", f"/v1/datasets/{second}").status == 200
    seen = user.records()
    assert Counter(record["type"] for record in seen) == wanted
    assert {record["uploadId"] for record in seen} == {first}


def test_private_data_of_the_uploader_is_returned_unchanged(platform: "Platform") -> None:
    user = User(platform.base_url)
    description = sample("uploader/01_create_data_set.json")
    path = f"{PREFIX}/users/{user.id}/data_sets?deviceId={description['deviceId']}&size=1"
    upload_id = _uploaded(user, description)
    assert user.request("GET", path).json() == []
    _close(user, upload_id)
    (found,) = user.request("GET", path).json()
    assert found["uploadId"] == upload_id
    assert found["client"]["private"] == description["client"]["private"]


def test_a_closed_upload_accepts_no_more_records(platform: "Platform") -> None:
    user = User(platform.base_url)
    reply = user.request("POST", f"{PREFIX}/users/{user.id}/datasets", sample("uploader/01_create_data_set.json"))
    upload_id = reply.json()["data"]["uploadId"]
    _close(user, upload_id)
    reply = user.request("POST", f"{PREFIX}/datasets/{upload_id}/data", [])
    assert (reply.status, reply.json()["errors"][0]["code"]) == (409, "data-set-closed")


def test_the_whole_life_of_an_upload_through_the_npm_client(platform: "Platform") -> None:
    """The Uploader's own words: every call is one of `tidepool-platform-client`, as the Uploader makes it."""
    node, user = javascript.installed(), User(platform.base_url)
    description, records = sample("uploader/01_create_data_set.json"), sample("uploader/03_block_1000.json")
    seen = ("getDeviceDataForUser", user.id, {"type": ",".join(sorted({record["type"] for record in records}))})
    listed = ("getUploadRecordsForDevice", user.id, description["deviceId"], 1)

    def uploaded() -> tuple[str, list[Any]]:
        """The id of an upload, and what its owner reads while it is open and once it is closed."""
        (created,) = node.platform_client(user, ("createDatasetForUser", user.id, description))
        upload_id = str(created["data"]["uploadId"])
        added, while_open, listed_open, _, once_closed, listed_closed = node.platform_client(
            user,
            ("addDataToDataset", upload_id, records),
            seen,
            listed,
            ("finalizeDataset", upload_id),
            seen,
            listed,
        )
        assert added["data"] == []
        assert upload_id not in [data_set["uploadId"] for data_set in listed_open]
        assert [data_set["uploadId"] for data_set in listed_closed] == [upload_id]
        assert upload_id not in {record["uploadId"] for record in while_open}
        assert {record["uploadId"] for record in once_closed} == {upload_id}
        return upload_id, once_closed

    first, of_first = uploaded()
    second, of_second = uploaded()
    assert len(of_first) == len(of_second) == len(records)
    assert user.request("DELETE", f"/v1/datasets/{second}").status == 200  # the npm client has no word for this
    (again,) = node.platform_client(user, seen)
    assert again == of_first
    assert {record["uploadId"] for record in again} == {first}
