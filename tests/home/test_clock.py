"""A clock that is set back by an hour: nothing is lost, and everything goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.blobs.blob import BlobKind
from chalicelib.engine.embedded.files import GRACE_MS
from chalicelib.engine.objects import UploadTerms
from chalicelib.events.tasks import dispatch_tasks, run_task
from chalicelib.tiles.compact import compact
from strandline.home.work.records import SCHEDULED, sqs_event
from tests.home.conftest import Clock, Person, person_of, readings, sign_in

HOUR_MS = 3_600_000


@pytest.fixture
def clock() -> Clock:
    """The machine's clock, which the test sets back."""
    return Clock()


@pytest.fixture
def person(data_folder: Path, clock: Clock) -> Iterator[Person]:
    """A person with readings, on a server with this clock."""
    with person_of(data_folder, clock) as person:
        assert person.add(person.open_data_set(), readings(0, 300)).status == 200
        yield person


def run_due_tasks(person: Person) -> dict[str, Any]:
    """Dispatch and run all tasks that are due, and return the platform's tasks by name."""
    dispatch_tasks(SCHEDULED, None)
    queue = person.home.engine.task_queue
    while messages := queue.receive():
        run_task(sqs_event(messages), None)
        queue.delete(messages)
    headers = {"X_Tidepool_Server_Name": "test", "X_Tidepool_Server_Secret": person.home.services.server_secret()}
    token = person.api.request("POST", "/auth/serverlogin", **headers).headers["x-tidepool-session-token"]
    tasks = person.api.request("GET", "/v1/tasks?size=100", token=token).json()
    return {task["name"]: task for task in tasks}


def test_data_is_added_and_read_and_its_state_changes(person: Person, clock: Clock) -> None:
    before = person.request("GET", f"/v1/users/{person.user_id}/freshness").json()
    etag = person.request("GET", f"/data/{person.user_id}").headers["etag"]
    clock.offset_ms -= HOUR_MS
    assert person.add(person.open_data_set(), readings(300, 100)).status == 200
    assert len(person.read()) == 400
    after = person.request("GET", f"/v1/users/{person.user_id}/freshness").json()
    assert after["changes"] > before["changes"]
    (newest,) = after["clients"][0]["types"]
    assert newest["newestTime"] > before["clients"][0]["types"][0]["newestTime"]
    assert newest["newestStoredTime"] == before["clients"][0]["types"][0]["newestStoredTime"]
    assert person.request("GET", f"/data/{person.user_id}", If_None_Match=etag).status == 200


def test_sessions_and_addresses_last_as_much_longer(person: Person, clock: Clock) -> None:
    objects = person.home.engine.objects
    upload = objects.sign_upload("blobs/1", UploadTerms(1, "DMF1ucDxtqgxw5niaXcmYQ==", "text/plain"), 60)
    clock.offset_ms -= HOUR_MS
    assert person.request("GET", "/auth/user").status == 200
    token = sign_in(person.api)
    assert person.api.request("GET", "/auth/user", token=token).status == 200
    target = upload.url.removeprefix(person.home.settings.base_url)
    headers = {name.lower(): value for name, value in upload.headers.items()}
    assert objects._signer.verify_upload(target, headers)[0] == "blobs/1"
    clock.offset_ms += HOUR_MS
    assert person.api.request("GET", "/auth/user", token=token).status == 200


def test_nothing_is_swept_that_is_in_use(person: Person, clock: Clock) -> None:
    blob_id = person.store_blob(b"content").json()["id"]
    gone = person.store_blob(b"more").json()["id"]
    assert person.request("DELETE", f"/v1/blobs/{gone}").status == 204
    clock.offset_ms -= HOUR_MS
    person.home.engine.sweep()
    assert len(list((person.home.data_dir / "objects").iterdir())) == 2  # the deleted one waits
    clock.offset_ms += HOUR_MS + GRACE_MS
    person.home.engine.sweep()
    assert len(list((person.home.data_dir / "objects").iterdir())) == 1
    (blob,) = person.home.services.blobs.blobs.of_user(BlobKind.BLOBS, person.user_id)
    assert blob.id == blob_id
    assert person.request("GET", "/auth/user").status == 200


def test_a_lease_that_a_crash_left_ends_when_the_clock_is_where_it_was(person: Person, clock: Clock) -> None:
    tiles = person.home.services.tiles
    owner, _ = tiles.tiles.current(person.user_id)
    now_ms = clock()
    assert tiles.tiles.acquire(owner, "a process that crashed", now_ms, now_ms + 600_000) is not None
    clock.offset_ms -= HOUR_MS
    assert compact(person.user_id, tiles, lambda: None).is_held
    assert person.add(person.open_data_set(), readings(300, 10)).status == 200
    clock.offset_ms += HOUR_MS + 600_001
    assert compact(person.user_id, tiles, lambda: None).entries > 0
    assert len(person.read()) == 310


def test_a_compaction_that_began_before_is_completed(person: Person, clock: Clock) -> None:
    def set_back() -> None:
        clock.offset_ms -= HOUR_MS // 4

    assert compact(person.user_id, person.home.services.tiles, set_back).tiles > 0
    assert len(person.read()) == 300


def test_tasks_run_again_when_the_clock_is_where_it_was(person: Person, clock: Clock) -> None:
    run_due_tasks(person)  # adds the jobs, which are due soon after
    clock.offset_ms += 301_000
    runs = {name: task["runTime"] for name, task in run_due_tasks(person).items()}
    assert len(runs) >= 5
    clock.offset_ms -= HOUR_MS
    assert {name: task["runTime"] for name, task in run_due_tasks(person).items()} == runs
    clock.offset_ms += HOUR_MS + 901_000
    later = run_due_tasks(person)
    assert later["strandline.data.compact"]["runTime"] > runs["strandline.data.compact"]
    assert {task["state"] for task in later.values()} == {"pending"}
    assert len(person.read()) == 300
