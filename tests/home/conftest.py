"""An application on a data folder, in this process, with a person who has signed in."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib import services as wiring
from chalicelib.services import machine
from strandline.home.opening import Home, open_home
from tests.api.conftest import ApiClient, Reply

EMAIL, PASSWORD = "anna@example.org", "a-long-password"
CREATED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Clock:
    """The machine's clock, which a test may turn back."""

    offset_ms: int = 0

    def __call__(self) -> int:
        """Milliseconds since the epoch."""
        return machine().now_ms() + self.offset_ms


@dataclass
class Person:
    """A person who uses the application on a data folder."""

    home: Home
    api: ApiClient
    user_id: str
    token: str

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """The reply to a request of this person."""
        return self.api.request(method, path, body, token=self.token, **headers)

    def open_data_set(self) -> str:
        """The id of a new continuous data set."""
        description = {
            "type": "upload",
            "dataSetType": "continuous",
            "client": {"name": "org.example.app", "version": "1.0"},
            "deduplicator": {"name": "org.tidepool.deduplicator.dataset.delete.origin"},
            "deviceId": "cgm-1",
        }
        reply = self.request("POST", f"/v1/users/{self.user_id}/data_sets", description)
        assert reply.status == 201, reply.body
        return str(reply.json()["data"]["uploadId"])

    def add(self, data_set_id: str, records: list[dict[str, Any]]) -> Reply:
        """The reply to adding records."""
        return self.request("POST", f"/v1/data_sets/{data_set_id}/data", records)

    def read(self) -> list[dict[str, Any]]:
        """All readings, oldest first."""
        reply = self.request("GET", f"/data/{self.user_id}?type=cbg")
        assert reply.status == 200, reply.body
        return sorted(reply.json(), key=lambda record: str(record["time"]))

    def store_blob(self, content: bytes) -> Reply:
        """The reply to storing a blob."""
        return self.request("POST", f"/v1/users/{self.user_id}/blobs", content, Content_Type="text/plain")


def readings(first: int, count: int, **members: Any) -> list[dict[str, Any]]:
    """Sensor readings, one each five minutes, by their number since the beginning of 2026."""
    return [
        {
            "type": "cbg",
            "time": (CREATED + timedelta(minutes=5 * number)).isoformat().replace("+00:00", "Z"),
            "units": "mmol/L",
            "value": 4 + number % 50 / 10,
            "deviceId": "cgm-1",
            "origin": {"id": f"reading-{number}"},
        }
        | members
        for number in range(first, first + count)
    ]


@contextmanager
def person_of(folder: Path, clock: Clock | None = None) -> Iterator[Person]:
    """A person of the application on a data folder, who signs up if the folder has no account yet."""
    surroundings = machine() if clock is None else replace(machine(), now_ms=clock)
    with open_home(folder, surroundings=surroundings) as home:
        wiring.override(home.services)
        try:
            api = ApiClient()
            account = home.services.accounts.accounts.find_by_email(EMAIL)
            if account is None:
                body = {"username": EMAIL, "emails": [EMAIL], "password": PASSWORD, "roles": ["patient"]}
                reply = api.request("POST", "/auth/user", body)
                assert reply.status == 201, reply.body
                yield Person(home, api, reply.json()["userid"], reply.headers["x-tidepool-session-token"])
            else:
                yield Person(home, api, account.user_id, sign_in(api))
        finally:
            wiring.override(None)


def sign_in(api: ApiClient, password: str = PASSWORD) -> str:
    """The token of a login."""
    reply = api.request("POST", "/auth/login", Authorization=basic(EMAIL, password))
    assert reply.status == 200, reply.body
    return reply.headers["x-tidepool-session-token"]


def basic(name: str, password: str) -> str:
    """The value of a header `Authorization`."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """A data folder, which is not there yet."""
    return tmp_path / "data"


@pytest.fixture
def person(data_folder: Path) -> Iterator[Person]:
    """A person of the application on the data folder."""
    with person_of(data_folder) as person:
        yield person
