"""The figures of a stage: for servers, right after each change, and bounded for any number of users."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count, islice
from typing import Any

import pytest

from chalicelib import stage_figures as figures
from chalicelib.accounts.account import Account
from chalicelib.accounts.stores.accounts import StoredAccounts
from chalicelib.accounts.stores.keys import listed_account_key
from chalicelib.log.data_set import OwnerState
from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.log.stores.data_sets import StoredDataSets
from chalicelib.log.stores.growth import BYTES
from chalicelib.log.stores.keys import owner_key
from chalicelib.tasks.task import ScheduleState, State, Task
from tests.api.conftest import ApiClient, Reply
from tests.fakes.services import START_MS, FakeServices

OWNER = "aaaaaaaaaa"
DAY_MS = 24 * 3_600_000


def stage(api: ApiClient, fakes: FakeServices) -> Any:
    """The figures as a server sees them."""
    reply = api.request("GET", "/v1/stage", token=fakes.sign_in("server", is_server=True))
    assert reply.status == 200, reply.body
    return reply.json()


def open_data_set(api: ApiClient, fakes: FakeServices) -> str:
    """The path of the records of a data set of the owner."""
    created = api.request(
        "POST", f"/v1/users/{OWNER}/data_sets", {"dataSetType": "continuous"}, token=fakes.sign_in(OWNER)
    )
    return f"/v1/data_sets/{created.json()['data']['uploadId']}/data"


def add(api: ApiClient, fakes: FakeServices, path: str, **members: Any) -> Reply:
    """The reply to an upload of one reading."""
    reading = {"type": "cbg", "time": "2025-12-31T23:00:00Z", "units": "mmol/L", "value": 5}
    return api.request("POST", path, [reading | members], token=fakes.sign_in(OWNER))


def test_an_empty_stage_has_figures(api: ApiClient, fakes: FakeServices) -> None:
    tasks = {"pending": 0, "running": 0, "failed": 0, "completed": 0, "lastFailed": []}
    assert stage(api, fakes) == {
        "stage": fakes.settings.stage,
        "version": fakes.settings.version,
        "time": "2026-01-01T00:00:00Z",
        "users": {"count": 0, "isAtLeast": False},
        "data": {"lastTime": None, "users": 0, "dataBytes": 0, "blobBytes": 0, "isAtLeast": False},
        "tasks": {"count": 0, "isAtLeast": False} | tasks,
        "refusals": {"count": 0, "days": []},
    }


def test_the_figures_of_a_stage_with_users_and_data(api: ApiClient, fakes: FakeServices) -> None:
    fakes.sign_in("bbbbbbbbbb")
    path = open_data_set(api, fakes)
    fakes.now_ms += 1000
    assert add(api, fakes, path).status == 200
    api.request("POST", f"/v1/users/{OWNER}/blobs", b"content", token=fakes.sign_in(OWNER), Content_Type="text/plain")
    found = stage(api, fakes)
    assert found["users"] == {"count": 2, "isAtLeast": False}
    assert found["data"] == {
        "lastTime": "2026-01-01T00:00:01Z",
        "users": 2,
        "dataBytes": fakes.data_sets.owner(OWNER).stored_bytes,
        "blobBytes": fakes.blobs.stored_bytes([OWNER])[0],
        "isAtLeast": False,
    }
    assert found["data"]["dataBytes"] > 0


def test_nightscout_documents_count_as_data(api: ApiClient, fakes: FakeServices) -> None:
    fakes.sign_in(OWNER)
    fakes.engine.data.put(owner_key(documents_owner_id(OWNER)) | {BYTES: 1234})
    assert stage(api, fakes)["data"]["dataBytes"] == 1234


def test_only_servers_get_them(api: ApiClient, fakes: FakeServices) -> None:
    assert api.request("GET", "/v1/stage").status == 401
    assert api.request("GET", "/v1/stage", token=fakes.sign_in(OWNER)).status == 403
    assert api.request("POST", "/v1/stage", {}, token=fakes.sign_in("server", is_server=True)).status in (404, 405)


def test_a_deleted_account_is_not_counted(api: ApiClient, fakes: FakeServices) -> None:
    fakes.sign_in(OWNER)
    fakes.sign_in("bbbbbbbbbb")
    account = fakes.accounts.find(OWNER)
    assert account is not None
    fakes.accounts.delete(account, fakes.now_ms)
    assert stage(api, fakes)["users"]["count"] == 1


def test_an_account_of_an_earlier_version_is_counted_from_its_next_change_on(
    api: ApiClient, fakes: FakeServices
) -> None:
    for user_id in (OWNER, "bbbbbbbbbb"):
        fakes.sign_in(user_id)
        fakes.engine.accounts.delete(listed_account_key(fakes.now_ms, user_id))
    account, other = (fakes.accounts.find(user_id) for user_id in (OWNER, "bbbbbbbbbb"))
    assert account is not None
    assert other is not None
    fakes.accounts.replace(account, replace(account, version=account.version + 1, roles=("clinic",)))
    assert stage(api, fakes)["users"]["count"] == 1
    fakes.accounts.delete(other, fakes.now_ms)
    assert stage(api, fakes)["users"]["count"] == 1


def test_refused_uploads_are_counted_by_day_for_two_weeks(api: ApiClient, fakes: FakeServices) -> None:
    path = open_data_set(api, fakes)
    for hours in (0, 1, 24):
        fakes.now_ms = START_MS + hours * 3_600_000
        assert add(api, fakes, path, units="stones").status == 400
    days = [
        {"date": "2026-01-02", "count": 1, "lastTime": "2026-01-02T00:00:00Z"},
        {"date": "2026-01-01", "count": 2, "lastTime": "2026-01-01T01:00:00Z"},
    ]
    assert stage(api, fakes)["refusals"] == {"count": 3, "days": days}
    fakes.now_ms = START_MS + 15 * DAY_MS
    assert stage(api, fakes)["refusals"] == {"count": 1, "days": days[:1]}
    fakes.now_ms += DAY_MS
    assert stage(api, fakes)["refusals"] == {"count": 0, "days": []}


def test_tasks_are_counted_by_state_and_failed_ones_are_named(api: ApiClient, fakes: FakeServices) -> None:
    states = [State.PENDING, *[State.FAILED] * 12, State.COMPLETED]
    for number, state in enumerate(states):
        error = ({"code": "told-to-fail"},) if state is State.FAILED else ()
        fakes.tasks.add(
            Task(
                f"{number:032x}",
                "strandline.diagnostics.echo",
                START_MS + number,
                state=state,
                schedule_state=ScheduleState.UNSCHEDULED,
                data={"secret": 1},
                errors=error,
            )
        )
    tasks = stage(api, fakes)["tasks"]
    assert [tasks[name] for name in ("count", "pending", "running", "failed", "completed")] == [14, 1, 0, 12, 1]
    assert [task["id"] for task in tasks["lastFailed"]] == [f"{number:032x}" for number in range(12, 2, -1)]
    assert tasks["lastFailed"][0] == {
        "id": f"{12:032x}",
        "type": "strandline.diagnostics.echo",
        "error": {"code": "told-to-fail"},
    }


def test_what_is_counted_is_bounded(api: ApiClient, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    measured: list[int] = []

    def endless(_store: StoredAccounts, limit: int) -> Iterator[str]:
        for number in islice(count(), limit):
            taken.append("")
            yield str(number)

    def owners(_store: StoredDataSets, owner_ids: Sequence[str]) -> list[OwnerState]:
        measured.append(len(owner_ids))
        return []

    monkeypatch.setattr(StoredAccounts, "newest_ids", endless)
    monkeypatch.setattr(StoredDataSets, "owners", owners)
    monkeypatch.setattr(figures, "MAX_COUNTED_TASKS", 2)
    for number in range(3):
        fakes.tasks.add(Task(f"{number:032x}", "a", START_MS, schedule_state=ScheduleState.UNKNOWN))
    found = stage(api, fakes)
    assert found["users"] == {"count": figures.MAX_COUNTED_USERS, "isAtLeast": True}
    assert len(taken) == figures.MAX_COUNTED_USERS + 1
    assert measured == [2 * figures.MAX_MEASURED_USERS]
    assert (found["data"]["users"], found["data"]["isAtLeast"]) == (figures.MAX_MEASURED_USERS, True)
    assert (found["tasks"]["count"], found["tasks"]["isAtLeast"]) == (2, True)


def test_users_are_listed_from_the_newest_on(fakes: FakeServices) -> None:
    for number in range(5):
        fakes.accounts.create(Account(f"user-{number}", START_MS + number, f"{number}@example.org"))
    assert list(fakes.accounts.newest_ids(3)) == ["user-4", "user-3", "user-2"]
