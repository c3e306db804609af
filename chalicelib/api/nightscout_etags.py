"""Answers that a client has already, and the ETags that tell so. Source: nightscout-api 10; RFC 9110, 13.1.

An ETag holds the state of documents and data that the answer was made of, a digest of the question, when the answer
changes by itself, and a digest of its content. While the state is the same, the counters alone tell that the answer is,
too. If it is not, the answer is made, and its content tells.
"""

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from email.utils import formatdate, parsedate_to_datetime

import orjson

from chalicelib.api.accepted import preferred_format
from chalicelib.api.messages import Reply, Request
from chalicelib.api.nightscout_devices import user_id_of
from chalicelib.api.router import EXTENSION
from chalicelib.durations import DAY_MS
from chalicelib.frozen import frozen
from chalicelib.nightscout.search import DEFAULT_DAYS, FoundDocuments
from chalicelib.nightscout.state import current_state, newest_entry_ms
from chalicelib.reading.etag import ANY, parse_known_etags

FORMATS: Mapping[str, str] = {
    "txt": "text/plain",
    "tsv": "text/tab-separated-values",
    "csv": "text/csv",
    "json": "application/json",
}
"""The formats of entries with their media types; what a client accepts alike, it gets in the first one."""
_VARY = "Accept, Accept-Encoding"
_FIND = "find"
_LIMITS = (_FIND, "count", "sort")
_DOT = "."
_STATE_TAG = re.compile(r"([0-9a-f]{16})\.([0-9a-f]{16})\.([0-9a-f]{1,12})\.([0-9a-f]{32})")


def unchanged_reply(request: Request) -> Reply | None:
    """304 if the client has the answer by its ETag, told from the counters alone; None if that has to be found out.

    Raises:
        UnauthorizedError: the credential may not read.
    """
    question = _question(request)
    tags = map(_StateTag.parsed, parse_known_etags(request.headers.get("if-none-match", "")))
    known = [tag for tag in tags if tag is not None and tag.question == question and tag.holds_at(request.now_ms)]
    if not known:
        return None
    state = current_state(request.call, user_id_of(request), request.services.nightscout)
    same = next((tag for tag in known if tag.state == state), None)
    return None if same is None else Reply(status=304, headers={"ETag": same.text, "Vary": _VARY})


def unmodified_reply(request: Request) -> Reply | None:
    """304 if the client has the newest entry by its time, told from the counters alone; None if that has to be found
    out. For queries without conditions.

    Raises:
        UnauthorizedError: the credential may not read.
    """
    known_ms = _known_since_s(request) * 1000
    if not known_ms or any(name.startswith(_FIND) for name in request.query):
        return None
    newest_ms = _newest_of_last_days(request)
    if newest_ms is None or newest_ms > request.now_ms or newest_ms // 1000 * 1000 > known_ms:
        return None
    return Reply(status=304, headers={"Last-Modified": formatdate(newest_ms // 1000, usegmt=True), "Vary": _VARY})


def with_newest_time(request: Request, found: FoundDocuments) -> FoundDocuments:
    """The result of a search that found nothing: modified when the newest entry of the last days was."""
    return dataclasses.replace(found, newest_ms=_newest_of_last_days(request))


def _newest_of_last_days(request: Request) -> int | None:
    newest_ms = newest_entry_ms(request.call, user_id_of(request), request.services.nightscout)
    oldest_ms = request.now_ms - DEFAULT_DAYS * DAY_MS
    return None if newest_ms is None or newest_ms < oldest_ms else newest_ms


def unless_known(request: Request, body: bytes, media_type: str, found: FoundDocuments) -> Reply:
    """The reply with a body, or 304 if the client has it."""
    content, newest_ms = hashlib.sha256(body).hexdigest()[:32], found.newest_ms
    tag = f'W/"{content}"'
    if found.state is not None:
        changes_ms = 0 if found.changes_ms is None else found.changes_ms
        tag = _StateTag(found.state, _question(request), changes_ms, content).text
    headers = {"ETag": tag, "Content-Type": media_type, "Vary": _VARY}
    if newest_ms is not None:
        # Not later than now (RFC 9110, 8.8.2): a document to come would hide those of until then.
        headers["Last-Modified"] = formatdate(min(newest_ms, request.now_ms) // 1000, usegmt=True)
    known = parse_known_etags(request.headers.get("if-none-match", ""))
    if ANY in known or any(content == tag.strip('"').rpartition(_DOT)[2] for tag in known):
        return Reply(status=304, headers=_without_type(headers))
    if newest_ms is not None and newest_ms <= request.now_ms and newest_ms // 1000 <= _known_since_s(request):
        return Reply(status=304, headers=_without_type(headers))
    return Reply(body, headers=headers)


def format_of(request: Request) -> str:
    """The format of entries that the path ends with, else the one that `Accept` prefers; JSON for all others."""
    extension = request.path[EXTENSION]
    if extension:
        return extension if extension in FORMATS else "json"
    return preferred_format(request.headers.get("accept", ""), FORMATS) or "json"


def _known_since_s(request: Request) -> int:
    """The time of `If-Modified-Since` in seconds; 0 if there is none that can be read, or if `If-None-Match` says more.
    Source: RFC 9110, 13.1.3."""
    if "if-none-match" in request.headers:
        return 0
    try:
        return int(parsedate_to_datetime(request.headers.get("if-modified-since", "")).timestamp())
    except (TypeError, ValueError, OverflowError):
        return 0


def _question(request: Request) -> str:
    """The digest of what a request asks for: the format, and what limits the documents."""
    limits = {name: values for name, values in request.query.items() if name.startswith(_LIMITS)}
    asked = [request.operation.name, request.path.get("kind"), format_of(request), limits]
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


@frozen
class _StateTag:
    """An ETag that tells whether an answer changed from counters alone, and whether its content did."""

    state: str
    question: str
    changes_ms: int
    """Time from which the answer differs although the state does not; 0 for none."""
    content: str

    @staticmethod
    def parsed(tag: str) -> "_StateTag | None":
        """The tag of its text with quotes; None if it is another one."""
        match = _STATE_TAG.fullmatch(tag.strip('"'))
        return None if match is None else _StateTag(match[1], match[2], int(match[3], 16), match[4])

    @property
    def text(self) -> str:
        """The tag as a header has it."""
        return f'W/"{_DOT.join((self.state, self.question, f"{self.changes_ms:x}", self.content))}"'

    def holds_at(self, now_ms: int) -> bool:
        """Whether the same state means the same answer at this time."""
        return not self.changes_ms or now_ms <= self.changes_ms


def _without_type(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "Content-Type"}
