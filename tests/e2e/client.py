"""A client of a running server: a connection for each request, no redirects, no retries; a test sees what happened."""

import gzip
import http.client
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
TIMEOUT_S = 60
PASSWORD = "a-password-of-a-test"


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers by lower-case name, and the body as it came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as a JSON value, decompressed when it says so."""
        body = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return json.loads(body)


class Client:
    """Sends requests without a token, or with the token of a session."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        self.base_url, self.token = base_url, token

    def request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """The reply; a body that is not bytes goes as JSON. `Accept` is `*/*` and no compression is asked for."""
        sent = {"Accept": "*/*"}
        if self.token is not None:
            sent["X-Tidepool-Session-Token"] = self.token
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent["Content-Type"] = "application/json; charset=utf-8"
        parts = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, sent | dict(headers or {}))
            response = connection.getresponse()
            received: dict[str, str] = {}
            for name, value in response.getheaders():  # a line for each value of a header
                received[name.lower()] = "\n".join(filter(None, (received.get(name.lower()), value)))
            return Reply(response.status, received, response.read())
        finally:
            connection.close()


class User(Client):
    """A new account, signed in."""

    def __init__(self, base_url: str, email: str | None = None) -> None:
        super().__init__(base_url)
        self.email = email or f"{secrets.token_hex(8)}@example.org"
        body = {"username": self.email, "emails": [self.email], "password": PASSWORD}
        reply = self.request("POST", "/auth/user", body)
        assert reply.status == 201, reply.body
        self.id: str = reply.json()["userid"]
        self.token = reply.headers["x-tidepool-session-token"]

    def open_data_set(self, description: Any) -> str:
        """The id of a new data set."""
        reply = self.request("POST", f"/v1/users/{self.id}/data_sets", description)
        assert reply.status == 201, reply.body
        data_set = reply.json()["data"]
        assert data_set["id"] == data_set["uploadId"]
        return str(data_set["uploadId"])

    def add(self, path: str, records: Any) -> None:
        """Post data to a path; fail unless the reply is a success."""
        reply = self.request("POST", path, records)
        assert (reply.status, reply.json()["data"]) == (200, []), reply.body

    def records(self, query: str = "") -> list[dict[str, Any]]:
        """The records that the user sees, without data sets."""
        reply = self.request("GET", f"/data/{self.id}{query}", headers={"Accept-Encoding": "gzip"})
        assert reply.status == 200, reply.body
        return [record for record in reply.json() if record["type"] != "upload"]


def sample(file: str) -> Any:
    """The request of a real client, by its file under `tests/data/samples`."""
    return json.loads((SAMPLES / file).read_text())
