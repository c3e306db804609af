"""Nightscout documents: read from a server for an export, and sent to a server. docs/export.md describes it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

from strandline.cli.errors import CommandError, RefusedError
from strandline.cli.folder import Json, line_of, read_lines
from strandline.cli.journal import Journal, open_private
from strandline.cli.progress import Progress
from strandline.cli.server import JsonReader

COLLECTIONS = ("profile", "entries", "treatments", "food", "activity", "settings")
"""In the order of sending: a treatment may be a percentage of a profile."""
DEVICE_STATUS = "devicestatus"
"""The collection that no export has, because its documents expire; one that moves from Nightscout has it."""
DERIVING_CLIENT = "org.nightscout"
"""The client of the data sets whose records a server derives from documents."""
CHUNK_DOCUMENTS = 1000
CHUNK_BYTES = 2_500_000
MAX_PAGES = 100_000
"""The most pages of a collection; one has up to 10,000 documents."""
ABSENT = 404
_FOLDER = "nightscout"
_KIND = "documents"
_INVALID, _TOO_LARGE = 400, 413


def documents_file(folder: Path, collection: str) -> Path:
    """The file of a collection in an export; it does not exist if there are no documents."""
    return folder / _FOLDER / f"{collection}.jsonl"


def count_name(collection: str) -> str:
    """The name of a collection among the counts of a manifest."""
    return f"{_FOLDER}/{collection}"


def has_documents(folder: Path) -> bool:
    """Whether an export has documents of which a server derives data."""
    return any(documents_file(folder, collection).exists() for collection in COLLECTIONS)


def is_derived(data_set: Json) -> bool:
    """Whether the records of a data set are derived from documents."""
    client = data_set.get("client")
    return isinstance(client, dict) and client.get("name") == DERIVING_CLIENT


def export_documents(server: JsonReader, user_id: str, folder: Path) -> Counter[str]:
    """Write the documents of a user, a file for each collection that has any, oldest first; return their numbers by
    the names for a manifest. A server that knows no documents has none.

    Raises:
        RefusedError: the server does not give them to this user.
        CommandError: the server replies with something else than documents.
    """
    counts: Counter[str] = Counter()
    with Progress("documents", len(COLLECTIONS)) as progress:
        for collection in COLLECTIONS:
            try:
                _export_collection(server, user_id, folder, collection, counts)
            except RefusedError as error:
                if error.status != ABSENT:
                    raise
            progress.advance()
    return counts


def _export_collection(server: JsonReader, user_id: str, folder: Path, collection: str, counts: Counter[str]) -> None:
    path = documents_file(folder, collection)
    for page in _pages(server, f"/v1/users/{quote(user_id)}/nightscout_documents/{collection}"):
        if page:
            path.parent.mkdir(exist_ok=True)
            with path.open("ab") as file:
                file.writelines(map(line_of, page))
        counts[count_name(collection)] += len(page)


def _pages(server: JsonReader, path: str) -> Iterator[list[Json]]:
    position = ""
    for _ in range(MAX_PAGES):
        reply = server.json("GET", f"{path}?{urlencode({'after': position})}" if position else path)
        documents = reply.get("documents") if isinstance(reply, dict) else None
        if not isinstance(documents, list) or not all(isinstance(document, dict) for document in documents):
            raise CommandError(f"GET {path} did not reply with documents: {str(reply)[:200]!r}")
        yield documents
        position = reply.get("next")
        if position is None:
            return
        if not isinstance(position, str) or not position or not documents:
            raise CommandError(f"GET {path} named a position that leads nowhere: {str(position)[:200]!r}")
    raise CommandError(f"the list at {path} has no end: more than {MAX_PAGES} pages.")


def import_documents(
    server: JsonReader, user_id: str, source: Path, journal: Journal, counts: Counter[str], totals: dict[str, int]
) -> None:
    """Send the documents of an export that were not sent yet, oldest first, as they are. Those that the server refuses
    by themselves are kept beside the journal with its error.

    A document that the server has is not stored again, so what was begun and not confirmed is sent again.

    Args:
        totals: the numbers of documents by the names of a manifest, for the progress.

    Raises:
        RefusedError: the server takes no documents from this user.
    """
    for collection in (*COLLECTIONS, DEVICE_STATUS):
        path = documents_file(source, collection)
        if not path.exists():
            continue
        sending = _Sending(server, f"/v1/users/{quote(user_id)}/nightscout_documents/{collection}", journal)
        state = journal.state(_KIND, collection) or {"sent": 0, "stored": 0, "known": 0, "refused": 0}
        with Progress(collection, totals.get(count_name(collection), 0)) as progress:
            progress.advance(state["sent"])
            for chunk in _chunks(_after(read_lines(path), state["sent"])):
                sent = sending.post(chunk)
                counts["documents"] += sent["stored"]
                counts["known_documents"] += sent["known"]
                state = {"sent": state["sent"] + len(chunk)} | {
                    name: state[name] + sent[name] for name in ("stored", "known", "refused")
                }
                journal.record(_KIND, collection, **state)
                progress.advance(len(chunk))


def refused_documents(journal: Journal) -> int:
    """The number of documents that the server refused in all runs."""
    return sum(int(state["refused"]) for state in journal.states(_KIND))


class _Sending:
    """Sends documents to one path, and keeps those that are refused."""

    def __init__(self, server: JsonReader, path: str, journal: Journal) -> None:
        self._server, self._path, self._journal = server, path, journal

    def post(self, documents: list[Json]) -> Counter[str]:
        """Send documents, and return how many were stored, known and refused.

        Raises:
            RefusedError: the server refuses the request without naming documents.
        """
        try:
            reply = self._server.json("POST", self._path, documents)
        except RefusedError as error:
            return self._post_others(documents, error)
        stored, known = (reply.get(name) if isinstance(reply, dict) else None for name in ("stored", "known"))
        if not isinstance(stored, int) or not isinstance(known, int):
            raise CommandError(f"POST {self._path} did not reply with counts: {str(reply)[:200]!r}")
        return Counter(stored=stored, known=known, refused=0)

    def _post_others(self, documents: list[Json], error: RefusedError) -> Counter[str]:
        """Send a request that was refused again, in parts or without the documents that the error names."""
        if error.status == _TOO_LARGE and len(documents) > 1:
            middle = len(documents) // 2
            return _sum(self.post(documents[:middle]), self.post(documents[middle:]))
        faults = _faults_by_index(error) if error.status == _INVALID else {}
        if error.status == _TOO_LARGE and _size_bytes(documents[0]) > CHUNK_BYTES:  # and not the user's quota
            faults = {0: [error.body.decode(errors="replace")[:500]]}
        refused = {index: faults[index] for index in faults if index < len(documents)}
        if not refused:
            raise error
        with open_private(self._journal.refused_path) as file:
            file.writelines(
                line_of({"errors": refused[index], "document": documents[index]}) for index in sorted(refused)
            )
        rest = [document for index, document in enumerate(documents) if index not in refused]
        sent = self.post(rest) if rest else Counter(stored=0, known=0, refused=0)
        return _sum(sent, Counter(refused=len(refused)))


def _sum(first: Counter[str], second: Counter[str]) -> Counter[str]:
    """Both counts together; unlike `+`, which leaves out what is 0."""
    first.update(second)
    return first


def _faults_by_index(error: RefusedError) -> dict[int, list[object]]:
    """The errors of a reply by the index of the document that they point to; those that point to none are left out."""
    try:
        body = json.loads(error.body)
    except (ValueError, RecursionError):
        return {}
    faults = body.get("errors", [body]) if isinstance(body, dict) else []
    by_index: dict[int, list[object]] = {}
    for fault in faults if isinstance(faults, list) else []:
        source = fault.get("source") if isinstance(fault, dict) else None
        pointer = str(source.get("pointer", "")) if isinstance(source, dict) else ""
        index = pointer.split("/")[1] if pointer.startswith("/") else ""
        if index.isascii() and index.isdigit() and len(index) < 10:
            by_index.setdefault(int(index), []).append(fault)
    return by_index


def _after(documents: Iterator[Json], count: int) -> Iterator[Json]:
    """The documents after this number of them."""
    for _ in range(count):
        if next(documents, None) is None:
            raise CommandError("the journal has more documents than the export.")
    return documents


def _size_bytes(document: Json) -> int:
    return len(json.dumps(document, separators=(",", ":"))) + 1


def _chunks(documents: Iterable[Json]) -> Iterator[list[Json]]:
    """As many documents in a chunk as a request may hold."""
    chunk: list[Json] = []
    size_bytes = 0
    for document in documents:
        document_bytes = _size_bytes(document)
        if chunk and (len(chunk) == CHUNK_DOCUMENTS or size_bytes + document_bytes > CHUNK_BYTES):
            yield chunk
            chunk, size_bytes = [], 0
        chunk.append(document)
        size_bytes += document_bytes
    if chunk:
        yield chunk
