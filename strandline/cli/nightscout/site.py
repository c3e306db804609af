"""A Nightscout site: reads its documents by v1 of its API, in windows of time.

A site is somebody's own server, often a small one. It gets one request at a time, and as much time as it asks for. It
is trusted with nothing: replies are bounded, and have to be what was asked for.
"""

import hashlib
import http.client
import json
import time
import zlib
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from strandline.cli.errors import CommandError, RefusedError
from strandline.cli.folder import Json
from strandline.cli.server import (
    BUSY,
    MAX_ATTEMPTS,
    checked_address,
    open_connection,
    target_of,
    wait_s,
    whole,
)

MAX_REPLY_BYTES = 64 * 1024 * 1024
PAUSE_S = 0.1
"""The time between two requests."""
LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""
_REFUSED, _NARROWER = (401, 403), 400
_SERVER_FAULT = 500


@dataclass(frozen=True, slots=True)
class Listing:
    """The way to list the documents of a collection by time."""

    collection: str
    """As it is called in an export."""
    path: str
    date: str
    """The member by which they are ordered."""
    is_number: bool = False
    most: int = 2000
    """Number of documents that a site is asked for at once."""


ENTRIES = Listing("entries", "entries", "date", is_number=True)
TREATMENTS = Listing("treatments", "treatments", "created_at", most=1000)
PROFILES = Listing("profile", "profiles", "startDate", most=200)
ACTIVITY = Listing("activity", "activity", "created_at", most=1000)
DEVICE_STATUSES = Listing("devicestatus", "devicestatus", "created_at", most=200)


class TooManyError(Exception):
    """A window has more documents than a reply may have."""


class NightscoutSite:
    """Sends the requests of one reader. A request that fails is repeated a few times."""

    def __init__(self, address: str, secret: str, *, allows_http: bool = False) -> None:
        parts = urlsplit(address)
        if parts.query or parts.fragment or parts.username is not None:
            raise CommandError(
                "the address of the site has to stand without a secret: it is asked for, or read from a file."
            )
        self.base_url = checked_address(address, allows_http=allows_http)
        # Of a token, too: Nightscout takes its SHA-1 wherever a secret is taken.
        self._secret = hashlib.sha1(secret.encode(), usedforsecurity=False).hexdigest() if secret else ""

    def require_readable(self) -> None:
        """Raise unless the address leads to a site that the secret opens.

        Raises:
            CommandError: it does not.
        """
        status = self._get("/api/v1/status.json")
        if not isinstance(status, dict) or "status" not in status or "settings" not in status:
            raise CommandError(f"{self.base_url} is not a Nightscout site: it states no status.")

    def foods(self) -> list[Json]:
        """The catalogue of foods.

        Raises:
            RefusedError: the site has none.
            CommandError: it does not reply with documents.
        """
        return self._documents("/api/v1/food.json")

    def window(self, listing: Listing, from_ms: int, to_ms: int) -> list[Json]:
        """The documents from a time on and before another one, oldest first.

        Raises:
            TooManyError: there are more than one reply may have.
            RefusedError: the site does not have the collection.
            CommandError: the site does not reply with documents of this time.
        """
        start, end = (_bound(listing, time_ms) for time_ms in (from_ms, to_ms))
        field = f"find[{listing.date}]"
        query = urlencode({f"{field}[$gte]": start, f"{field}[$lt]": end, "count": listing.most})
        try:
            documents = self._documents(f"/api/v1/{listing.path}.json?{query}")
        except RefusedError as error:
            if error.status == _NARROWER:
                raise TooManyError from error
            raise
        if len(documents) >= listing.most:
            raise TooManyError
        for document in documents:
            if not _is_between(start, document.get(listing.date), end):
                raise CommandError(
                    f"{self.base_url} replied with a document of another time than was asked for: "
                    f"{str(document.get(listing.date))[:100]!r}"
                )
        return sorted(documents, key=lambda document: document[listing.date])

    def _documents(self, path: str) -> list[Json]:
        reply = self._get(path)
        if not isinstance(reply, list) or not all(isinstance(document, dict) for document in reply):
            raise CommandError(f"{self.base_url} did not reply with documents to GET {path}: {str(reply)[:200]!r}")
        return reply

    def _get(self, path: str) -> Any:
        body = self._body(path)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise CommandError(f"the reply of {self.base_url} to GET {path} is not JSON: {body[:200]!r}") from error

    def _body(self, path: str) -> bytes:
        url = self.base_url + path
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        if self._secret:
            headers["api-secret"] = self._secret
        for attempt in range(MAX_ATTEMPTS):
            is_last = attempt == MAX_ATTEMPTS - 1
            time.sleep(PAUSE_S)
            try:
                with closing(open_connection(url)) as connection:
                    connection.request("GET", target_of(url), headers=headers)
                    response = connection.getresponse()
                    if response.status == http.HTTPStatus.OK:
                        return whole(response, MAX_REPLY_BYTES)
                    if (response.status in BUSY or response.status == _SERVER_FAULT) and not is_last:
                        time.sleep(wait_s(response, attempt))
                        continue
                    raise self._refusal(path, response)
            except (OSError, http.client.HTTPException, zlib.error) as error:
                if is_last:
                    name = type(error).__name__
                    raise CommandError(f"{self.base_url} does not respond to GET {path}: {name}: {error}") from error
                time.sleep(2.0**attempt)
        raise AssertionError

    def _refusal(self, path: str, response: http.client.HTTPResponse) -> CommandError:
        if response.status in _REFUSED:
            return CommandError(f"{self.base_url} does not accept the secret or token, or it may not read.")
        location = response.headers.get("Location")
        if 300 <= response.status < 400 and location is not None:
            return CommandError(f"{self.base_url} leads to another address; use that one: {location[:200]}")
        return RefusedError(f"GET {path}", response.status, whole(response, MAX_REPLY_BYTES))


def _bound(listing: Listing, time_ms: int) -> int | str:
    """A time as documents of a collection have it."""
    if listing.is_number:
        return time_ms
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03}Z"


def _is_between(start: int | str, value: Any, end: int | str) -> bool:
    """Whether a value lies in a window, in the order by which sites compare: of numbers, or of texts."""
    if isinstance(start, int) and isinstance(end, int):
        return isinstance(value, int | float) and not isinstance(value, bool) and start <= value < end
    return isinstance(value, str) and str(start) <= value < str(end)
