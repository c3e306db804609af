"""A server that speaks the Tidepool API, as a signed-in user sees it.

Each request has a connection of its own: a kept one may be closed by the server at any moment, and a request that
changes something could then not be told from one that was never sent.
"""

import base64
import http.client
import json
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from strandline_cli.errors import CommandError, RefusedError

TIMEOUT_S = 120
ATTEMPTS = 4
MOST_REDIRECTS = 3
MOST_WAIT_S = 60.0
BLOCK_BYTES = 64 * 1024
TOKEN = "x-tidepool-session-token"  # noqa: S105, the name of a header
BUSY = frozenset({429, 502, 503, 504})
LOCAL_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """What to sign in with: an e-mail address and a password, or a token that somebody got elsewhere."""

    email: str
    password: str | None = None
    token: str | None = None


class Server:
    """The requests of one user. Reading is tried again when it fails, writing only when the server says it is busy."""

    def __init__(self, base_url: str, *, allows_http: bool = False) -> None:
        self.base_url = base_url.rstrip("/")
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CommandError(f"{base_url!r} is no http or https address.")
        if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS and not allows_http:
            raise CommandError(f"{base_url} is not encrypted; say --allow-http if that is meant.")
        self._token: str | None = None
        self._credentials: Credentials | None = None

    def sign_in(self, credentials: Credentials) -> str:
        """The id of the user who is signed in from now on.

        Raises:
            CommandError: the server does not take the credentials, or does not answer.
        """
        self._credentials = credentials
        if credentials.token is not None:
            self._token = credentials.token
            return str(self.json("GET", "/auth/user")["userid"])
        return self._log_in()

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON value of a successful answer, None for an empty one.

        Raises:
            RefusedError: the status is none of success.
            CommandError: the server does not answer, or not in JSON.
        """
        payload = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {} if payload is None else {"Content-Type": "application/json; charset=utf-8"}
        answer = self.content(method, path, payload, headers)
        try:
            return json.loads(answer) if answer.strip() else None
        except ValueError as error:
            raise CommandError(f"{method} {path} was answered without JSON: {answer[:200]!r}") from error

    def content(
        self, method: str, path: str, payload: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """The body of a successful answer. Raises: as `json`."""
        for attempt in range(ATTEMPTS):
            try:
                with self._answer(method, path, payload, headers or {}) as response:
                    return b"".join(_blocks(response))
            except (OSError, http.client.HTTPException, zlib.error) as error:
                if method != "GET" or attempt == ATTEMPTS - 1:
                    raise self._silent(method, path, error) from error
                time.sleep(2**attempt)
        raise AssertionError

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[bytes]]:
        """The body of a successful answer to GET, in blocks. Raises: as `json`, also while it is read."""
        try:
            with self._answer("GET", path, None, {}) as response:
                yield _blocks(response)
        except (OSError, http.client.HTTPException, zlib.error) as error:
            raise self._silent("GET", path, error) from error

    def send_elsewhere(self, method: str, url: str, payload: bytes, headers: Mapping[str, str]) -> None:
        """Send a content to an address that the server signed, without the token.

        Raises:
            RefusedError, CommandError: it was not taken.
        """
        name = f"{method} {urlsplit(url).netloc}"
        try:
            with closing(_connection(url)) as connection:
                connection.request(method, _target(url), payload, dict(headers))
                response = connection.getresponse()
                if not 200 <= response.status < 300:
                    raise RefusedError(name, response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise self._silent(name, "", error) from error

    def _log_in(self) -> str:
        credentials = self._credentials
        if credentials is None or credentials.password is None:
            raise CommandError("the token is not valid, or not any more.")
        basic = base64.b64encode(f"{credentials.email}:{credentials.password}".encode()).decode()
        headers, path, self._token = {"Authorization": f"Basic {basic}"}, "/auth/login", None
        try:
            with self._answer("POST", path, None, headers, renews=False) as response:
                self._token = response.headers.get(TOKEN)
                user = json.loads(b"".join(_blocks(response)))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._silent("POST", path, error) from error
        if self._token is None:
            raise CommandError("signing in gave no token: this is no server of the Tidepool API.")
        return str(user["userid"])

    @contextmanager
    def _answer(
        self, method: str, path: str, payload: bytes | None, headers: Mapping[str, str], *, renews: bool = True
    ) -> Iterator[http.client.HTTPResponse]:
        """A successful answer, after redirects; a token that has expired is renewed, a busy server waited for."""
        url, with_token = self.base_url + path, True
        redirects = attempt = 0
        while True:
            sent = {"Accept": "*/*", "Accept-Encoding": "gzip", **headers}
            if self._token is not None and with_token:
                sent[TOKEN] = self._token
            with closing(_connection(url)) as connection:
                connection.request(method, _target(url), payload, sent)
                response = connection.getresponse()
                if 200 <= response.status < 300:
                    yield response
                    return
                location = response.headers.get("Location")
                is_elsewhere = response.status in (303, 307) and method == "GET"
                if is_elsewhere and location is not None and redirects < MOST_REDIRECTS:
                    # What is elsewhere is opened by its signed address, and the token is no business of its host.
                    redirects, url, with_token = redirects + 1, urljoin(url, location), False
                elif response.status == 401 and renews and with_token:
                    renews = False
                    self._log_in()
                elif response.status in BUSY and attempt < ATTEMPTS - 1:
                    time.sleep(_wait_s(response, attempt))
                    attempt += 1
                else:
                    raise RefusedError(f"{method} {path}", response.status, b"".join(_blocks(response)))

    def _silent(self, method: str, path: str, error: Exception) -> CommandError:
        return CommandError(f"{self.base_url} does not answer {method} {path}: {type(error).__name__}: {error}")


def _connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(str(parts.hostname), parts.port, timeout=TIMEOUT_S)


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _wait_s(response: http.client.HTTPResponse, attempt: int) -> float:
    asked = response.headers.get("Retry-After", "")
    return min(MOST_WAIT_S, float(asked) if asked.isdigit() else 2.0**attempt)


def _blocks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """The body in blocks, decompressed."""
    is_gzip = response.headers.get("Content-Encoding") == "gzip"
    inflate = zlib.decompressobj(wbits=31) if is_gzip else None
    while block := response.read(BLOCK_BYTES):
        yield block if inflate is None else inflate.decompress(block)
    if inflate is not None:
        yield inflate.flush()
        if not inflate.eof:
            raise http.client.IncompleteRead(b"")
