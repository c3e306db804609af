"""A client of the Tidepool API for one signed-in user.

Each request has a connection of its own: a server may close a kept connection at any moment, and then it is unknown
whether a request that changes something was received.
"""

import base64
import http.client
import json
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urljoin, urlsplit

from strandline.cli.errors import CommandError, RefusedError

TIMEOUT_S = 120
MAX_ATTEMPTS = 4
MAX_REDIRECTS = 3
MAX_WAIT_S = 60.0
BLOCK_BYTES = 64 * 1024
MAX_BODY_BYTES = 128 * 1024 * 1024
"""The largest body that is read whole: a blob has at most 100 MiB."""
MAX_STREAM_BYTES = 4 * 1024**3
"""The largest body that is read as a stream, decompressed: more than a year of one person's data."""
PAGE_SIZE = 1000
MAX_LISTED = 1_000_000
"""The longest list that is read page by page."""
TOKEN = "x-tidepool-session-token"  # noqa: S105, the name of a header
SERVER_NAME = "strandline"
"""The name with which the command line signs in as a server."""
BUSY = frozenset({429, 502, 503, 504})
LOCAL_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """An e-mail address with a password, or with a token that was obtained elsewhere."""

    email: str
    password: str | None = None
    token: str | None = None


class Server:
    """Sends the requests of one user. A failed read is repeated; a write only if the server says that it is busy."""

    def __init__(self, base_url: str, *, allows_http: bool = False) -> None:
        self.base_url = checked_address(base_url, allows_http=allows_http)
        self._token: str | None = None
        self._credentials: Credentials | None = None

    def sign_in(self, credentials: Credentials) -> str:
        """Sign in and return the id of the user.

        Raises:
            CommandError: the server refuses the credentials, or does not respond.
        """
        self._credentials = credentials
        if credentials.token is not None:
            self._token = credentials.token
            return _user_id(self.json("GET", "/auth/user"), "GET /auth/user")
        return self._log_in()

    def sign_in_as_server(self, secret: str) -> None:
        """Sign in with the server secret.

        Raises:
            CommandError: the server refuses the secret, or does not respond.
        """
        headers = {"X-Tidepool-Server-Name": SERVER_NAME, "X-Tidepool-Server-Secret": secret}
        path = "/auth/serverlogin"
        try:
            with self._reply("POST", path, None, headers, renews=False) as response:
                self._token = response.headers.get(TOKEN)
        except (OSError, http.client.HTTPException, zlib.error, ValueError) as error:
            raise self._no_response("POST", path, error) from error
        if self._token is None:
            raise CommandError("signing in returned no token: this is not a server of the Tidepool API.")

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON value of a successful reply; None if it is empty.

        Raises:
            RefusedError: the status is not 2xx.
            CommandError: the server does not respond, or not with JSON.
        """
        payload = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {} if payload is None else {"Content-Type": "application/json; charset=utf-8"}
        reply = self.content(method, path, payload, headers)
        try:
            return json.loads(reply) if reply.strip() else None
        except (ValueError, RecursionError) as error:
            raise CommandError(f"the reply to {method} {path} is not JSON: {reply[:200]!r}") from error

    def content(
        self, method: str, path: str, payload: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """The body of a successful reply. Raises: as `json`."""
        for attempt in range(MAX_ATTEMPTS):
            try:
                with self._reply(method, path, payload, headers or {}) as response:
                    return whole(response)
            except (OSError, http.client.HTTPException, zlib.error) as error:
                if method != "GET" or attempt == MAX_ATTEMPTS - 1:
                    raise self._no_response(method, path, error) from error
                time.sleep(2**attempt)
        raise AssertionError

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[bytes]]:
        """The body of a successful reply to GET, in blocks. Raises: as `json`, also while it is read."""
        try:
            with self._reply("GET", path, None, {}) as response:
                yield _blocks(response, MAX_STREAM_BYTES)
        except (OSError, http.client.HTTPException, zlib.error) as error:
            raise self._no_response("GET", path, error) from error

    def send_to_signed_url(self, method: str, url: str, payload: bytes, headers: Mapping[str, str]) -> None:
        """Send a content to a URL that the server signed, without the token.

        Raises:
            RefusedError, CommandError: the content was not accepted, or the server names an address that it may not.
        """
        if method != "PUT":
            raise CommandError(f"the server wants {method!r} for a content, which only PUT uploads.")
        _require_no_weaker(_address(url), self.base_url)
        name = f"{method} {urlsplit(_address(url)).netloc}"
        try:
            with closing(open_connection(url)) as connection:
                connection.request(method, target_of(url), payload, dict(headers))
                response = connection.getresponse()
                if not 200 <= response.status < 300:
                    raise RefusedError(name, response.status, response.read(BLOCK_BYTES))
        except (OSError, http.client.HTTPException) as error:
            raise self._no_response(name, "", error) from error

    def _log_in(self) -> str:
        credentials = self._credentials
        if credentials is None or credentials.password is None:
            raise CommandError("the token is invalid or has expired.")
        basic = base64.b64encode(f"{credentials.email}:{credentials.password}".encode()).decode()
        headers, path, self._token = {"Authorization": f"Basic {basic}"}, "/auth/login", None
        try:
            with self._reply("POST", path, None, headers, renews=False) as response:
                self._token = response.headers.get(TOKEN)
                user = json.loads(whole(response))
        except (OSError, http.client.HTTPException, zlib.error, ValueError, RecursionError) as error:
            raise self._no_response("POST", path, error) from error
        if self._token is None:
            raise CommandError("signing in returned no token: this is not a server of the Tidepool API.")
        return _user_id(user, "POST /auth/login")

    @contextmanager
    def _reply(
        self, method: str, path: str, payload: bytes | None, headers: Mapping[str, str], *, renews: bool = True
    ) -> Iterator[http.client.HTTPResponse]:
        """A successful reply, after redirects. Renews an expired token, and waits for a busy server."""
        url, with_token = self.base_url + path, True
        redirects = attempt = 0
        while True:
            sent = {"Accept": "*/*", "Accept-Encoding": "gzip", **headers}
            if self._token is not None and with_token:
                sent[TOKEN] = self._token
            with closing(open_connection(url)) as connection:
                connection.request(method, target_of(url), payload, sent)
                response = connection.getresponse()
                if 200 <= response.status < 300:
                    yield response
                    return
                location = response.headers.get("Location")
                is_elsewhere = response.status in (303, 307) and method == "GET"
                if is_elsewhere and location is not None and redirects < MAX_REDIRECTS:
                    # A signed URL needs no token, and its host must not get it.
                    redirects, url, with_token = redirects + 1, _address(location, url), False
                    _require_no_weaker(url, self.base_url)
                elif response.status == 401 and renews and with_token:
                    renews = False
                    self._log_in()
                elif response.status in BUSY and attempt < MAX_ATTEMPTS - 1:
                    time.sleep(wait_s(response, attempt))
                    attempt += 1
                else:
                    raise RefusedError(f"{method} {path}", response.status, whole(response))

    def _no_response(self, method: str, path: str, error: Exception) -> CommandError:
        return CommandError(f"{self.base_url} does not respond to {method} {path}: {type(error).__name__}: {error}")


def _address(named: str, base: str = "") -> str:
    """The address that a server names, perhaps without what it has in common with `base`.

    Raises:
        CommandError: it is not an address.
    """
    try:
        address = urljoin(base, named)
        _ = urlsplit(address).port  # the port is read only when it is asked for
    except ValueError as error:
        raise CommandError(f"the server names {named!r}, which is not an address: {error}") from error
    return address


def _require_no_weaker(address: str, base_url: str) -> None:
    """Raise unless an address that a server names is of the web, and encrypted if that of the server is: a server must
    not have this machine ask programs beside it or in its network, few of which have a certificate.

    Raises:
        CommandError: it is not.
    """
    schemes = ("https",) if urlsplit(base_url).scheme == "https" else ("http", "https")
    if urlsplit(address).scheme not in schemes:
        raise CommandError(f"the server names {address[:200]!r}, which is not an {schemes[0]} address.")


class JsonReader(Protocol):
    """Reads JSON values, as `Server` does."""

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """See `Server.json`."""


def pages(server: JsonReader, path: str) -> Iterator[dict[str, Any]]:
    """The objects of a list that the server sends page by page.

    Raises:
        RefusedError: the status is not 2xx.
        CommandError: the server does not respond, not with a list of objects, or without end.
    """
    separator = "&" if "?" in path else "?"
    for page in range(MAX_LISTED // PAGE_SIZE):
        listed = server.json("GET", f"{path}{separator}page={page}&size={PAGE_SIZE}")
        if listed is not None and not (isinstance(listed, list) and all(isinstance(item, dict) for item in listed)):
            raise CommandError(f"the reply to GET {path} is not a list of objects.")
        yield from listed or ()
        if len(listed or ()) < PAGE_SIZE:
            return
    raise CommandError(f"the list at {path} has no end: more than {MAX_LISTED} entries.")


def checked_address(base_url: str, *, allows_http: bool) -> str:
    """An address of a server, without a slash at its end.

    Raises:
        CommandError: it is not an address, or not encrypted.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CommandError(f"{base_url!r} is not an http or https address.")
    if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS and not allows_http:
        raise CommandError(f"{base_url} is not encrypted; use --allow-http to allow that.")
    return base_url.rstrip("/")


def open_connection(url: str) -> http.client.HTTPConnection:
    """A connection to the host of an address."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(str(parts.hostname), parts.port, timeout=TIMEOUT_S)


def target_of(url: str) -> str:
    """The path and query of an address."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def wait_s(response: http.client.HTTPResponse, attempt: int) -> float:
    """The wait for a busy server: as long as it says, but at most a minute; else longer with each attempt."""
    retry_after = response.headers.get("Retry-After", "")
    is_number = retry_after.isascii() and retry_after.isdigit()
    return min(MAX_WAIT_S, float(retry_after) if is_number else 2.0**attempt)


def _user_id(user: Any, request: str) -> str:
    user_id = user.get("userid") if isinstance(user, dict) else None
    if not isinstance(user_id, str) or not user_id:
        raise CommandError(f"the reply to {request} names no user: this is not a server of the Tidepool API.")
    return quote(user_id, safe="")


def whole(response: http.client.HTTPResponse, max_bytes: int | None = None) -> bytes:
    """The body, decompressed.

    Raises:
        CommandError: it has more than `max_bytes`, which is `MAX_BODY_BYTES` unless it is given.
    """
    return b"".join(_blocks(response, MAX_BODY_BYTES if max_bytes is None else max_bytes))


def _blocks(response: http.client.HTTPResponse, max_bytes: int) -> Iterator[bytes]:
    """The body in blocks, decompressed.

    Raises:
        CommandError: it has more bytes than this; a small reply may decompress to many.
    """
    size_bytes = 0
    for block in _inflated(response):
        size_bytes += len(block)
        if size_bytes > max_bytes:
            raise CommandError(f"a reply of the server has more than {max_bytes} bytes.")
        yield block


def _inflated(response: http.client.HTTPResponse) -> Iterator[bytes]:
    is_gzip = response.headers.get("Content-Encoding") == "gzip"
    inflate = zlib.decompressobj(wbits=31) if is_gzip else None
    while block := response.read(BLOCK_BYTES):
        if inflate is None:
            yield block
            continue
        while block and not inflate.eof:
            yield inflate.decompress(block, BLOCK_BYTES)
            block = inflate.unconsumed_tail
    if response.length:  # reading in blocks does not tell that the connection broke off
        raise http.client.IncompleteRead(b"", response.length)
    if inflate is not None:
        yield inflate.flush(BLOCK_BYTES)
        if not inflate.eof:
            raise http.client.IncompleteRead(b"")
