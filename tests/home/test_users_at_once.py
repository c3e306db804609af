"""Several users of a home server at once: no answer reaches another caller."""

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from tests.e2e.client import TIMEOUT_S, User
from tests.home.serving import Served, served

USERS = 8
ROUNDS = 15


@pytest.fixture(params=["memory", "folder"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """A server on each kind of engine."""
    with served(folder=tmp_path / "data" if request.param == "folder" else None) as running:
        yield running


class Caller:
    """A user with one connection, which serves all requests."""

    def __init__(self, server: Served, number: int) -> None:
        self.user = User(server.base_url)
        self.data_set_id = self.user.open_data_set({"dataSetType": "continuous"})
        self.number = number
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of a reply that has to be a success."""
        headers = {"X-Tidepool-Session-Token": str(self.user.token), "X-Tidepool-Trace-Session": self.user.id}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = self._connection.getresponse()
        text = response.read()
        assert response.status == 200, text
        assert response.headers["X-Tidepool-Trace-Session"] == self.user.id
        return json.loads(text)

    def use(self, number: int) -> None:
        """Write and read; fail if anything of what comes back is another user's."""
        origin_id = f"{self.number}/{number}"
        reading = {"type": "cbg", "time": f"2026-01-01T{number:02}:00:00Z", "units": "mmol/L", "value": 5 + self.number}
        reading |= {"origin": {"id": origin_id}, "payload": {"filler": str(self.number) * 2000}}
        assert self.request("POST", f"/v1/data_sets/{self.data_set_id}/data", [reading])["data"] == []
        profile = {"fullName": f"user {origin_id}"}
        assert self.request("PUT", f"/metadata/{self.user.id}/profile", profile) == profile
        assert self.request("GET", "/auth/user")["userid"] == self.user.id
        assert self.request("GET", f"/metadata/{self.user.id}/profile") == profile
        seen = self.request("GET", f"/data/{self.user.id}?type=cbg")
        assert {(record["uploadId"], record["value"]) for record in seen} == {(self.data_set_id, 5 + self.number)}
        assert {record["origin"]["id"] for record in seen} == {f"{self.number}/{n}" for n in range(number + 1)}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@pytest.mark.usefixtures("threads_that_switch_often")
def test_no_answer_reaches_another_caller(server: Served) -> None:
    callers = [Caller(server, number) for number in range(USERS)]
    ready = Barrier(USERS)

    def use(caller: Caller) -> None:
        ready.wait()
        for number in range(ROUNDS):
            caller.use(number)

    with ThreadPoolExecutor(USERS) as threads:
        list(threads.map(use, callers))
    for caller in callers:
        caller.close()
