"""Sends the few requests of an uploading app over one persistent connection."""

import gzip
import http.client
import json
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from tools.demo.generator import CLIENT_VERSION, DATA_SET, PROFILE, Record
from tools.project import ToolError

TIMEOUT_S = 60
ATTEMPTS = 3


class Client:
    """A user's client; every call raises ToolError if the reply is not the one that an app needs."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ToolError(f"{base_url!r} is not an http or https address")
        connection = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = connection(parts.hostname, parts.port, timeout=TIMEOUT_S)
        self._prefix = parts.path
        self._token: str | None = None
        self._secret: str | None = None

    def server_time(self) -> str:
        """The server's clock, which anyone may ask for."""
        return str(self._json("GET", "/v1/time", 200)["data"]["time"])

    def sign_up(self, email: str, password: str) -> str:
        """The user id of a new account, which the client uses from now on."""
        body = {"username": email, "emails": [email], "password": password}
        return str(self._json("POST", "/auth/user", 201, body)["userid"])

    def write_profile(self, user_id: str) -> None:
        """Store the profile of the person."""
        self._json("PUT", f"/metadata/{user_id}/profile", 200, PROFILE)

    def create_data_set(self, user_id: str) -> str:
        """The id of a new continuous data set, in which a record replaces an earlier one with its origin id."""
        return str(self._json("POST", f"/v1/users/{user_id}/data_sets", 201, DATA_SET)["data"]["uploadId"])

    def add_data(self, data_set_id: str, records: list[Record]) -> None:
        """Add all of the records, or none of them."""
        answer = self._json("POST", f"/v1/data_sets/{data_set_id}/data", 200, records)
        if answer.get("data") != []:
            raise ToolError(f"adding data answered {answer!r}, not an empty list of data")

    def read_data(self, user_id: str) -> list[Record]:
        """All records that the user can see, including data sets."""
        answer = self._json("GET", f"/data/{user_id}", 200)
        if not isinstance(answer, list):
            raise ToolError(f"reading data answered {str(answer)[:200]!r}, not a list")
        return answer

    def track(self, event_name: str) -> None:
        """Send an event of the user who is signed in."""
        status, _, _ = self._answer("GET", f"/metrics/thisuser/{quote(event_name)}?sourceVersion={CLIENT_VERSION}")
        if status != 200:
            raise ToolError(f"an event was answered with {status}, not 200")

    def sign_in_as_server(self, secret: str) -> bool:
        """Sign in as a server; False if this is not the secret of the stage."""
        self._secret = secret
        status, headers, _ = self._answer("POST", "/auth/serverlogin")
        self._token = headers.get("x-tidepool-session-token")
        return status == 200

    def event_counts(self, prefix: str) -> dict[str, int]:
        """The number of times that each event with this prefix was recorded today, for servers only."""
        today = datetime.now(UTC).date().isoformat()
        path = f"/v1/metrics/events?from={today}&to={today}&prefix={quote(prefix)}"
        return {count["eventName"]: count["count"] for count in self._json("GET", path, 200)}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _json(self, method: str, path: str, wanted_status: int, body: Any = None) -> Any:
        status, headers, content = self._answer(method, path, body)
        if status != wanted_status:
            text = content.decode(errors="replace")[:1000]
            raise ToolError(f"{method} {path} answered {status}, not {wanted_status}: {text}")
        self._token = headers.get("x-tidepool-session-token", self._token)
        try:
            return json.loads(content)
        except ValueError as error:
            raise ToolError(f"{method} {path} answered {status} without JSON: {content[:200]!r}") from error

    def _answer(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body; a request is repeated after a broken connection or a temporary refusal."""
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                status, headers, content = self._send(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                # A server may close an idle connection. Repeating the request replaces what it may have stored.
                if last or isinstance(error, ConnectionRefusedError):
                    raise ToolError(f"{self.base_url} does not answer: {type(error).__name__}: {error}") from error
                continue
            if status == 503 and not last:
                time.sleep(float(headers.get("retry-after", "1")))
                continue
            break
        return status, headers, content

    def _send(self, method: str, path: str, body: Any) -> tuple[int, dict[str, str], bytes]:
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        if self._token is not None:
            headers["X-Tidepool-Session-Token"] = self._token
        elif self._secret is not None:
            headers |= {"X-Tidepool-Server-Name": "demo", "X-Tidepool-Server-Secret": self._secret}
        payload = None
        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
            payload = json.dumps(body).encode()
        self._connection.request(method, self._prefix + path, payload, headers)
        status, received, content = _received(self._connection.getresponse())
        if status == 303:  # a large reply is read from another address, which needs no credentials
            status, received, content = _fetched(received["location"])
        return status, received, content


def _fetched(url: str) -> tuple[int, dict[str, str], bytes]:
    """The content at an address, without a proxy, as the server itself was reached."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT_S) as response:
            return _received(response)
    except urllib.error.HTTPError as error:
        with error:
            return _received(error)


def _received(response: http.client.HTTPResponse | urllib.error.HTTPError) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by lower-case name, and the body, decompressed."""
    content = response.read()
    headers = {name.lower(): value for name, value in response.headers.items()}
    if headers.get("content-encoding") == "gzip":
        content = gzip.decompress(content)
    return response.status or 0, headers, content
