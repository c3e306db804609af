"""Tests the traffic of `make soak` against a home server, and that its oracle finds planted faults."""

from collections.abc import Callable, Hashable, Iterator
from typing import TypeVar

import pytest

from strandline.home.launching import home_server
from tests.home.serving import served
from tools.soak.blobs import Blobs
from tools.soak.calls import Calls, Client, Question, Reply, UnexpectedAnswerError
from tools.soak.documents import DeviceStatuses, Entries, Treatments
from tools.soak.ledger import CHANGED, DOUBLED, HALF, LOST, UNEXPECTED, UNSENT
from tools.soak.notes import Notes
from tools.soak.part import Account, Part, Write
from tools.soak.person import Person
from tools.soak.records import Records
from tools.soak.server_work import CountedLosses, Events, Tasks
from tools.soak.sharing import Grants, Profiles

SEED = "a seed of a test"
STEPS, MAX_STEPS = 150, 1000
PartT = TypeVar("PartT", bound=Part)


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A person after some steps, of which nothing was found to be wrong."""
    with home_server(tmp_path_factory.mktemp("soak") / "data") as server:
        person = Person(server.base_url, server.server_secret, Calls(), SEED)
        try:
            while person.steps < STEPS or min(person.sizes().values()) == 0:
                assert person.steps < MAX_STEPS, person.sizes()
                person.step()
            yield person
        finally:
            person.close()


def part_of(person: Person, kind: type[PartT]) -> PartT:
    """The part of a kind."""
    return next(part for part in person.parts if isinstance(part, kind))


def test_nothing_is_found_after_traffic_without_faults(person: Person) -> None:
    person.verify_to_the_last([], CountedLosses())
    assert person.take_findings() == []


def request(part: Part, method: str, path: str, body: object = None) -> Reply:
    """A request of the person that the ledger does not know."""
    client = part.server if isinstance(part, Tasks) else part.client
    client = part.device if isinstance(part, Entries | Treatments | DeviceStatuses) else client
    return client.ask(Question("planted", method, path, body, statuses=(200, 201, 202, 204)))


def lose_a_record(person: Person) -> Part:
    part = part_of(person, Records)
    key = next(key for key in part.ledger.values if "-" not in key)
    request(part, "DELETE", part.data_path, [{"origin": {"id": key}}])
    return part


def double_a_record(person: Person) -> Part:
    part = part_of(person, Records)
    opened = request(part, "POST", f"/v1/users/{part.account.id}/data_sets", {"dataSetType": "continuous"}).json()
    path = f"/v1/data_sets/{opened['data']['uploadId']}/data"
    seen = request(part, "GET", f"/data/{part.account.id}?type=cbg").json()
    record = next(record for record in seen if record["origin"]["id"] in part.ledger.values)
    names = ("type", "time", "deviceTime", "deviceId", "origin", "units", "value")
    request(part, "POST", path, [{name: record[name] for name in names}])
    return part


def change_a_record(person: Person) -> Part:
    part = part_of(person, Records)
    seen = request(part, "GET", f"/data/{part.account.id}?type=smbg").json()
    record = next(record for record in seen if "-" not in record["origin"]["id"])
    names = ("type", "deviceTime", "deviceId", "origin", "units", "value")
    changed = {name: record[name] for name in names} | {"time": "2019-01-01T00:00:00Z"}
    request(part, "POST", part.data_path, [changed])
    return part


def write_half(person: Person) -> Part:
    part = part_of(person, Profiles)
    part.ledger.begin({"fullName": "Ben", "another": "member"})
    request(part, "PUT", f"/metadata/{part.account.id}/profile", {"fullName": "Ben"})
    return part


def lose_a_blob(person: Person) -> Part:
    part = part_of(person, Blobs)
    listed = request(part, "GET", f"/v1/users/{part.account.id}/blobs").json()
    request(part, "DELETE", f"/v1/blobs/{listed[0]['id']}")
    return part


def change_what_a_blob_was(person: Person) -> Part:
    part = part_of(person, Blobs)
    listed = request(part, "GET", f"/v1/users/{part.account.id}/blobs").json()
    digest = listed[0]["digestMD5"]
    number, size = part.contents[digest]
    part.contents[digest] = (number + 1, size)
    return part


def lose_a_note(person: Person) -> Part:
    part = part_of(person, Notes)
    notes = request(part, "GET", f"/message/notes/{part.account.id}").json()["messages"]
    request(part, "DELETE", f"/message/remove/{notes[0]['id']}")
    return part


def send_another_note(person: Person) -> Part:
    part = part_of(person, Notes)
    message = {"guid": "of nobody", "timestamp": "2026-01-01T00:00:00Z", "messagetext": "a text"}
    request(part, "POST", f"/message/send/{part.account.id}", {"message": message})
    return part


def lose_a_document(person: Person) -> Part:
    part = part_of(person, Entries)
    request(part, "DELETE", f"/api/v1/entries?find[date]={next(iter(part.ledger.values))}")
    return part


def lose_a_treatment(person: Person) -> Part:
    part = part_of(person, Treatments)
    request(part, "DELETE", f"/api/v1/treatments/{next(iter(part.ledger.values))}")
    return part


def lose_a_task(person: Person) -> Part:
    part = part_of(person, Tasks)
    (task,) = request(part, "GET", f"/v1/tasks?name={next(iter(part.ledger.values))}").json()
    request(part, "DELETE", f"/v1/tasks/{task['id']}")
    return part


def share_with_another(person: Person) -> Part:
    part = part_of(person, Grants)
    request(part, "POST", f"/access/{part.account.id}/another", {"view": {}})
    return part


PLANTS: list[tuple[Callable[[Person], Part], str]] = [
    (lose_a_record, LOST),
    (double_a_record, DOUBLED),
    (change_a_record, CHANGED),
    (lose_a_blob, LOST),
    (change_what_a_blob_was, CHANGED),
    (lose_a_note, LOST),
    (send_another_note, UNSENT),
    (lose_a_document, LOST),
    (lose_a_treatment, LOST),
    (lose_a_task, LOST),
    (share_with_another, UNSENT),
    (write_half, HALF),
]


@pytest.mark.parametrize(("plant", "kind"), PLANTS, ids=lambda value: getattr(value, "__name__", None))
def test_a_planted_fault_is_found(
    monkeypatch: pytest.MonkeyPatch, person: Person, plant: Callable[[Person], Part], kind: str
) -> None:
    monkeypatch.setattr("tools.soak.server_work.DONE_WITHIN_S", 0)
    part = plant(person)
    assert kind in {finding.kind for finding in part.verify_to_the_last()}


def test_an_answer_with_another_status_is_not_taken(person: Person) -> None:
    account = part_of(person, Records).account
    with pytest.raises(UnexpectedAnswerError, match="answered 401"):
        account.client.ask(Question("read", "GET", "/auth/user", headers={"x-tidepool-session-token": "another"}))


def test_a_relative_who_may_read_without_a_grant_is_found(person: Person) -> None:
    part = part_of(person, Grants)
    part.ledger.begin({part.relative_id: '{"view": {}}'})
    part.ledger.finish()
    request(part, "POST", f"/access/{part.account.id}/{part.relative_id}", {})
    part.found.clear()
    part.try_relative()
    assert [finding.kind for finding in part.found] == [UNEXPECTED]


class CountedEvents(Events):
    """Events of which so many were counted."""

    count = 0

    def read_back(self) -> Iterator[tuple[str, Hashable]]:
        yield "events", self.count


@pytest.mark.parametrize(
    ("count", "kills_s", "kinds"),
    [
        (3, [], []),
        (2, [], [LOST]),
        (2, [100.0], []),
        (1, [100.0], [LOST]),
        (4, [], []),
        (5, [], [DOUBLED]),
    ],
)
def test_events_are_counted_once_but_for_those_of_the_last_seconds_before_a_kill(
    monkeypatch: pytest.MonkeyPatch, person: Person, count: int, kills_s: list[float], kinds: list[str]
) -> None:
    monkeypatch.setattr("tools.soak.server_work.COUNTED_WITHIN_S", 0)
    account = part_of(person, Records).account
    events = CountedEvents(account, account.client)
    events.answered_s, events.sent, events.count = [10.0, 50.0, 99.0], 4, count
    events.kills_s = kills_s
    assert [finding.kind for finding in events.verify_to_the_last()] == kinds


def test_events_may_be_missing_that_the_server_has_counted_as_lost(
    monkeypatch: pytest.MonkeyPatch, person: Person
) -> None:
    monkeypatch.setattr("tools.soak.server_work.COUNTED_WITHIN_S", 0)
    account = part_of(person, Records).account
    losses = CountedLosses(3)
    found = []
    for count in (1, 2, 2):  # of three events each: two, one and one are missing
        events = CountedEvents(account, account.client)
        events.answered_s, events.sent, events.count, events.losses = [10.0, 50.0, 99.0], 3, count, losses
        found.append([finding.kind for finding in events.verify_to_the_last()])
    assert found == [[], [], [LOST]]


class Fleeting(Part):
    """A part whose first answers do not come."""

    def __init__(self, account: Account) -> None:
        super().__init__(account, "fleeting")
        self.there: dict[str, int] = {}

    def operations(self) -> tuple[()]:
        return ()

    def read_back(self) -> Iterator[tuple[str, Hashable]]:
        yield from self.there.items()


def test_a_write_without_an_answer_is_sent_again_and_expected_then(person: Person) -> None:
    part = Fleeting(part_of(person, Records).account)
    sent: list[bool] = []

    def send() -> Reply:
        sent.append(part.is_repeating)
        if len(sent) == 1:
            raise UnexpectedAnswerError("a 500")
        return Reply(200, {}, b"")

    with pytest.raises(UnexpectedAnswerError):
        part.write(Write({"a": 1}, send))
    assert part.recover() == []
    assert sent == [False, True]
    assert [finding.kind for finding in part.verify()] == [LOST]
    assert part.recover() == []


def test_a_kept_connection_that_broke_is_opened_again() -> None:
    with served() as server:
        client = Client(server.base_url, Calls())
        assert client.ask(Question("time", "GET", "/v1/time")).status == 200
        client.close()
        assert client.ask(Question("time", "GET", "/v1/time")).status == 200
        client.close()
