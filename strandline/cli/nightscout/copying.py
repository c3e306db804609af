"""Copies the documents of a Nightscout site into a folder, which `strandline import` takes like an export.

Each collection is read from its oldest documents on, in windows of time: a window with more documents than a reply may
have is halved, and a sparse one is followed by a longer one. The documents of a window are on disk and in a
journal before the next window, so an interrupted copy goes on where it stopped.
"""

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from strandline.cli import folder as files
from strandline.cli.errors import CommandError, RefusedError
from strandline.cli.folder import Json, Manifest, line_of
from strandline.cli.journal import FOLDER as JOURNALS
from strandline.cli.journal import Journal, open_private
from strandline.cli.nightscout.documents import ABSENT, count_name, documents_file
from strandline.cli.nightscout.site import (
    ACTIVITY,
    DEVICE_STATUSES,
    ENTRIES,
    LAST_MS,
    PROFILES,
    TREATMENTS,
    Listing,
    TooManyError,
)
from strandline.cli.progress import Progress

DAY_MS = 86_400_000
FIRST_WINDOW_MS = 32 * DAY_MS
SHORTEST_MS = 1000
LONGEST_MS = 4096 * DAY_MS
"""The longest window before the present; what is dated later is asked for at once."""
FOODS = "food"
ALWAYS_THERE = frozenset({ENTRIES.collection, TREATMENTS.collection})
"""The collections that every site has; older versions lack others."""
PART_SUFFIX = ".part"
PART_MARK = ".strandline-copy-part"
_KIND = "copied"
_OBJECT_ID_DIGITS = 24
_EMPTY_OF_V1 = ("carbs", "insulin")
"""The members that sites add to treatments without them, as null."""


class Site(Protocol):
    """Reads a Nightscout site, as `NightscoutSite` does."""

    base_url: str

    def foods(self) -> list[Json]:
        """See `NightscoutSite.foods`."""

    def window(self, listing: Listing, from_ms: int, to_ms: int) -> list[Json]:
        """See `NightscoutSite.window`."""


@dataclass(frozen=True, slots=True)
class _Copy:
    site: Site
    folder: Path
    journal: Journal
    now_ms: int


def copy_site(site: Site, target: Path, now: datetime, device_status_days: int) -> Manifest:
    """Copy the documents of a site. The folder is called `target` with `.part` until it is complete; a complete one of
    the same site stays as it is.

    Args:
        device_status_days: how old the device statuses are at most that are copied.

    Raises:
        CommandError: the folder is of something else, or the site does not give what a copy needs.
    """
    if target.exists():
        return _complete_copy(site, target)
    part = _part(site, target)
    with Journal(part, site.base_url, _KIND) as journal:
        begun = journal.state(_KIND, "") or {"now_ms": int(now.timestamp() * 1000)}
        journal.record(_KIND, "", now_ms=begun["now_ms"])
        copy = _Copy(site, part, journal, begun["now_ms"])
        counts: Counter[str] = Counter()
        left_out = []
        for listing in (ENTRIES, TREATMENTS, PROFILES, ACTIVITY):
            left_out += _copied(copy, listing, 0, counts)
        if device_status_days:
            left_out += _copied(copy, DEVICE_STATUSES, copy.now_ms - device_status_days * DAY_MS, counts)
        left_out += _copied_foods(copy, counts)
    shutil.rmtree(part / JOURNALS)
    (part / PART_MARK).unlink()
    exported_time = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    fingerprints = files.fingerprints(part)
    manifest = Manifest(files.VERSION, exported_time, site.base_url, "", dict(counts), fingerprints, left_out)
    files.write_manifest(part, manifest)
    part.rename(target)
    return manifest


def _complete_copy(site: Site, target: Path) -> Manifest:
    manifest = files.verified(target)
    if manifest.server != site.base_url:
        raise CommandError(f"{target} is a copy of {manifest.server}: name a new folder, or remove this one.")
    return manifest


def _part(site: Site, target: Path) -> Path:
    """The folder of a copy that is not complete. Only its owner can read it, because it will contain health data."""
    part = target.with_name(target.name + PART_SUFFIX)
    mark = part / PART_MARK
    if not part.exists():
        part.mkdir(mode=0o700, parents=True)
        mark.write_text(site.base_url, "utf-8")
    elif not mark.exists():
        raise CommandError(f"{part} is in the way, and it was not left by a copy of a site.")
    elif mark.read_text("utf-8") != site.base_url:
        raise CommandError(f"{part} is of a copy of another site: remove it, or name another folder.")
    return part


def _copied(copy: _Copy, listing: Listing, from_ms: int, counts: Counter[str]) -> list[str]:
    """Copy a collection by time, and return its name if the site does not have it."""
    name = listing.collection
    left_out: list[str] = []
    state = copy.journal.state(_KIND, name) or {"from_ms": max(0, from_ms), "bytes": 0, "count": 0}
    with Progress(name, (copy.now_ms - max(0, from_ms)) // DAY_MS + 1) as progress:
        progress.advance((min(state["from_ms"], copy.now_ms) - max(0, from_ms)) // DAY_MS)
        with _continued(copy.folder, name, state["bytes"]) as file:
            start_ms = state["from_ms"]
            try:
                for end_ms, documents in _windows(copy, listing, start_ms):
                    stored = [kept for document in documents if (kept := as_document(name, document)) is not None]
                    file.writelines(map(line_of, stored))
                    file.flush()
                    state = {"from_ms": end_ms, "bytes": file.tell(), "count": state["count"] + len(stored)}
                    copy.journal.record(_KIND, name, **state)
                    progress.advance((min(end_ms, copy.now_ms) - min(start_ms, copy.now_ms)) // DAY_MS)
                    start_ms = end_ms
            except RefusedError as error:
                if error.status != ABSENT or name in ALWAYS_THERE or state["count"]:
                    raise
                left_out = [name]
    _finish(copy.folder, name, state["count"], counts)
    return left_out


def _windows(copy: _Copy, listing: Listing, start_ms: int) -> Iterator[tuple[int, list[Json]]]:
    """The documents from a time on, oldest first, each time with the end of their window."""
    width_ms = FIRST_WINDOW_MS
    is_halved = False
    while start_ms < LAST_MS:
        if start_ms >= copy.now_ms and not is_halved:
            width_ms = LAST_MS - start_ms
        end_ms = min(start_ms + width_ms, LAST_MS)
        try:
            documents = copy.site.window(listing, start_ms, end_ms)
        except TooManyError as error:
            if end_ms - start_ms <= SHORTEST_MS:
                raise CommandError(
                    f"{copy.site.base_url} has too many documents of {listing.collection} in one second."
                ) from error
            width_ms, is_halved = max(SHORTEST_MS, (end_ms - start_ms) // 2), True
            continue
        yield end_ms, documents
        start_ms = end_ms
        if len(documents) < listing.most // 4:
            width_ms, is_halved = min(width_ms * 2, LONGEST_MS), False


def _copied_foods(copy: _Copy, counts: Counter[str]) -> list[str]:
    """Copy the catalogue of foods, which is one reply, and return its name if the site does not have it."""
    try:
        foods = copy.site.foods()
    except RefusedError as error:
        if error.status != ABSENT:
            raise
        return [FOODS]
    stored = [kept for document in foods if (kept := as_document(FOODS, document)) is not None]
    with _continued(copy.folder, FOODS, 0) as file:
        file.writelines(map(line_of, stored))
    _finish(copy.folder, FOODS, len(stored), counts)
    return []


def _continued(folder: Path, collection: str, size_bytes: int) -> BinaryIO:
    """The file of a collection to append to, without what the journal does not know of."""
    path = documents_file(folder, collection)
    path.parent.mkdir(exist_ok=True)
    file = open_private(path)
    file.truncate(size_bytes)
    return file


def _finish(folder: Path, collection: str, count: int, counts: Counter[str]) -> None:
    """Count a collection; one without documents has no file."""
    if count:
        counts[count_name(collection)] = count
    else:
        documents_file(folder, collection).unlink()


def as_document(collection: str, sent: Json) -> Json | None:
    """A document of a site as it was stored there, with an `_id` of 24 digits; None for one that is deleted.

    An `_id` of another form becomes the `identifier`, as in Nightscout of today. The one in its place follows from it,
    or without any from the whole document, so a repeated copy has the same one.
    """
    if sent.get("isValid") is False:
        return None
    document = {
        name: value
        for name, value in sent.items()
        if not (collection == TREATMENTS.collection and name in _EMPTY_OF_V1 and value is None)
    }
    document_id = document.get("_id")
    if _is_object_id(document_id):
        return document
    if isinstance(document_id, str) and document_id:
        document.setdefault("identifier", document_id)
    named = {"collection": collection, "document": document_id or document}
    return document | {"_id": hashlib.sha256(line_of(named)).hexdigest()[:_OBJECT_ID_DIGITS]}


def _is_object_id(value: object) -> bool:
    return isinstance(value, str) and len(value) == _OBJECT_ID_DIGITS and set(value) <= set("0123456789abcdef")
