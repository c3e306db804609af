"""Days of real clients, sent as phones send them: every door shows what an undisturbed upload would have left.

Requests come again, in halves that overlap, in another order, and first with the time of a wrong clock; records are
deleted and sent again; apps of the Tidepool and of the Nightscout API send at once, and compaction runs in between.
"""

import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.accounts.account import Account
from chalicelib.durations import HOUR_MS, MINUTE_MS
from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.nightscout.times import iso_time
from chalicelib.tiles.compact import compact
from tests.api.conftest import ApiClient
from tests.api.people import ANNA, BEN
from tests.e2e.client import sample
from tests.fakes.services import FakeServices

NOW_MS = 1_750_000_000_000  # 2025-06-15T15:06:40Z
Record = dict[str, Any]
APPS: Mapping[str, Sequence[str]] = {
    "loop": ("03_glucose", "04_doses", "05_carbs", "06_pump_events", "07_overrides"),
    "xdrip": ("02_data_day",),
    "aaps": ("02_data_day",),
}
_MASKED = frozenset(
    (
        *("_id", "id", "identifier", "uploadId", "bolus", "userId"),
        *("createdTime", "lastUpdatedDate", "lastUploadDate", "srvModified"),
    )
)
"""Members that name a record or say when it was stored."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z")


class Person:
    """Somebody with data sets of apps and a device of the Nightscout API."""

    def __init__(self, api: ApiClient, fakes: FakeServices, account: Account) -> None:
        fakes.accounts.create(account)
        self.id, self._api, self._fakes = account.user_id, api, fakes
        self._token = fakes.sign_in(self.id)
        path = f"/v1/users/{self.id}/nightscout_credentials"
        self._device = self._post(path, {"name": "A phone", "scope": "upload"}, 201)["token"]
        self._data_sets: dict[str, str] = {}

    def _post(self, path: str, body: Any, status: int = 200) -> Any:
        reply = self._api.request("POST", path, body, token=self._token)
        assert reply.status == status, reply.body
        return reply.json()

    def add(self, app: str, records: Sequence[Record]) -> None:
        """Send records of an app, which opens its data set first."""
        if app not in self._data_sets:
            description = sample(f"{app}/01_create_data_set.json")
            opened = self._post(f"/v1/users/{self.id}/data_sets", description, 201)
            self._data_sets[app] = opened["data"]["id"]
        self._post(f"/v1/data_sets/{self._data_sets[app]}/data", records)

    def delete(self, app: str, origin_ids: Iterable[str]) -> None:
        """Delete the records with these origin ids."""
        path = f"/v1/data_sets/{self._data_sets[app]}/data"
        selectors = [{"origin": {"id": origin_id}} for origin_id in origin_ids]
        assert self._api.request("DELETE", path, selectors, token=self._token).status == 200

    def send_documents(self, documents: Sequence[Record]) -> None:
        """Send readings and boluses to the Nightscout API."""
        for collection, of_collection in (
            ("entries", [document for document in documents if "sgv" in document]),
            ("treatments", [document for document in documents if "sgv" not in document]),
        ):
            reply = self._api.request("POST", f"/api/v1/{collection}", of_collection, api_secret=self._device)
            assert reply.status == 200, reply.body

    def compact(self) -> None:
        """Fold what is stored into tiles."""
        for owner_id in (self.id, documents_owner_id(self.id)):
            compact(owner_id, self._fakes.services.tiles, lambda: None)

    def doors(self) -> dict[str, Any]:
        """The answers of each door, without ids and times of storing, and lists in the order of their contents."""
        session = {"token": self._token}
        device = {"api_secret": self._device}
        asked: Mapping[str, dict[str, str]] = {
            f"/data/{self.id}": session,
            f"/data/{self.id}?latest=true&type=cbg,bolus,food": session,
            f"/v1/summaries/cgm/{self.id}": session,
            f"/v1/summaries/bgm/{self.id}": session,
            f"/v1/users/{self.id}/agp?days=30": session,
            f"/export/{self.id}?format=json": session,
            "/api/v1/entries.json?find[date][$gte]=1&count=10000": device,
            "/api/v1/treatments.json?find[created_at][$gte]=2001-01-01&count=10000": device,
            "/api/v2/properties": device,
            "/pebble?count=9": device,
        }
        read = {}
        for path, credential in asked.items():
            reply = self._api.request("GET", path, None, **credential)
            assert reply.status == 200 or "/summaries/bgm/" in path, (path, reply.body)  # 404 without fingersticks
            read[path.replace(self.id, "user")] = _masked(reply.json())
        return read


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _masked(inner) for name, inner in value.items() if name not in _MASKED}
    if isinstance(value, list):
        shown = [_masked(element) for element in value if not _is_upload(element)]
        return sorted(shown, key=lambda element: json.dumps(element, sort_keys=True))
    return round(value, 9) if isinstance(value, float) else value  # sums depend on the order


def _is_upload(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == "upload"


def _shifted(record: Any, by_ms: int) -> Any:
    """A record with other times."""

    def later(match: re.Match[str]) -> str:
        return (datetime.fromisoformat(match[0]) + timedelta(milliseconds=by_ms)).isoformat().replace("+00:00", "Z")

    return json.loads(_TIME.sub(later, json.dumps(record)))


def _groups(app: str, offset_ms: int) -> list[list[Record]]:
    """The records of an app of the last day, those of one origin id together: one request replaces all of them."""
    records = [record for name in APPS[app] for record in sample(f"{app}/{name}.json")]
    newest = max(datetime.fromisoformat(record["time"]).timestamp() for record in records)
    groups: dict[str, list[Record]] = {}
    for record in records[::3]:
        moved = _shifted(record, NOW_MS - HOUR_MS - offset_ms - int(newest * 1000))
        groups.setdefault(record["origin"]["id"], []).append(moved)
    return list(groups.values())


def _documents() -> list[Record]:
    """Readings and boluses of two hours, as an app of the Nightscout API sends them."""
    times_ms = [NOW_MS - HOUR_MS - number * 5 * MINUTE_MS - 200_000 for number in range(24)]
    readings: list[Record] = [
        {"type": "sgv", "sgv": 90 + number, "date": time_ms, "dateString": iso_time(time_ms), "device": "cgm"}
        for number, time_ms in enumerate(times_ms)
    ]
    boluses: list[Record] = [
        {"eventType": "Correction Bolus", "insulin": 2, "created_at": iso_time(time_ms)} for time_ms in times_ms[::6]
    ]
    return readings + boluses


def _flat(groups: Iterable[Iterable[Record]]) -> list[Record]:
    return [record for group in groups for record in group]


def _send_disturbed(person: Person, chance: random.Random, app: str, groups: list[list[Record]]) -> None:
    """Send records that belong together as a phone does whose answers are lost and whose clock is wrong."""
    records, half = _flat(groups), len(groups) // 2
    match chance.choice(["once", "again", "halves", "wrong clock", "deleted"]):
        case "again":
            person.add(app, records)
        case "halves":
            person.add(app, _flat(groups[: half + 1]))
            person.add(app, _flat(groups[half:]))
            return
        case "wrong clock":
            person.add(app, [_shifted(record, chance.choice([-2, 5]) * HOUR_MS) for record in records])
        case "deleted":
            person.add(app, records)
            person.delete(app, {record["origin"]["id"] for record in records})
    person.add(app, records)


@pytest.mark.parametrize("seed", range(4))
def test_what_a_disturbed_phone_sends_is_read_as_if_it_had_been_sent_once(
    api: ApiClient, fakes: FakeServices, seed: int
) -> None:
    fakes.now_ms = NOW_MS
    chance = random.Random(seed)  # noqa: S311 - no secret depends on it
    disturbed, calm = Person(api, fakes, ANNA), Person(api, fakes, BEN)
    apps = chance.sample(sorted(APPS), chance.randint(1, 3))
    requests: list[tuple[str, list[list[Record]]]] = []
    for number, app in enumerate(apps):
        groups = _groups(app, 50_000 * number)
        calm.add(app, _flat(groups))
        size = chance.choice([15, 60])
        requests += [(app, groups[start : start + size]) for start in range(0, len(groups), size)]
    documents = _documents()
    calm.send_documents(documents)
    requests += [("nightscout", [documents[start : start + 9]]) for start in range(0, len(documents), 9)]
    chance.shuffle(requests)
    for app, groups in requests:
        fakes.now_ms += chance.choice([1, 1000])
        if app == "nightscout":
            for _ in range(chance.choice([1, 2])):
                disturbed.send_documents(_flat(groups))
        else:
            _send_disturbed(disturbed, chance, app, groups)
        if chance.random() < 0.2:
            disturbed.compact()
    wanted = calm.doors()
    assert disturbed.doors() == wanted
    disturbed.compact()
    assert disturbed.doors() == wanted
