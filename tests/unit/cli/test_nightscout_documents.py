"""Nightscout documents of an export: read page by page, sent in order and once, and compared one by one."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from strandline.cli.errors import CommandError, RefusedError
from strandline.cli.folder import Json, read_lines, write_lines
from strandline.cli.journal import Journal
from strandline.cli.nightscout import documents as documents_module
from strandline.cli.nightscout.comparing import document_differences, lacking_documents
from strandline.cli.nightscout.documents import (
    documents_file,
    export_documents,
    has_documents,
    import_documents,
    is_derived,
    refused_documents,
)

USER = "ada"
PATH = f"/v1/users/{USER}/nightscout_documents/entries"


def entry(number: int, **more: Any) -> Json:
    """An entry."""
    return {"_id": f"{number:024x}", "type": "sgv", "date": number} | more


class PagedServer:
    """A server with prepared replies by path and query."""

    def __init__(self, replies: dict[str, Any]) -> None:
        self.replies = replies
        self.asked: list[str] = []

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """The prepared reply; 404 without one."""
        self.asked.append(path)
        reply = self.replies.get(path)
        if reply is None or isinstance(reply, int):
            raise RefusedError(f"{method} {path}", reply or 404, b"")
        return reply


class StoringServer:
    """A server that stores documents by `_id`, refuses some, and stops responding after some requests."""

    def __init__(self, refused: frozenset[str] = frozenset(), most: int = 1000, fails_after: int = 10**9) -> None:
        self.stored: dict[str, Json] = {}
        self.sizes: list[int] = []
        self._refused, self._most, self.fails_after = refused, most, fails_after

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """The counts of what was stored."""
        assert (method, path) == ("POST", PATH)
        if len(body) > self._most:
            raise RefusedError("POST", 413, b"")
        faults = [
            {"detail": "bad", "source": {"pointer": f"/{index}/_id"}}
            for index, document in enumerate(body)
            if document["_id"] in self._refused
        ]
        if faults:
            content = faults[0] if len(faults) == 1 else {"errors": faults}
            raise RefusedError("POST", 400, json.dumps(content).encode())
        known = sum(document["_id"] in self.stored for document in body)
        self.stored |= {document["_id"]: document for document in body}
        self.sizes.append(len(body))
        if len(self.sizes) > self.fails_after:  # it has stored them, but the reply is lost
            raise CommandError("the server does not respond")
        return {"stored": len(body) - known, "known": known}


def folder_with(path: Path, **collections: list[Json]) -> Path:
    """A folder with documents."""
    (path / "nightscout").mkdir(parents=True)
    for name, documents in collections.items():
        write_lines(documents_file(path, name), documents)
    return path


def imported(server: StoringServer, source: Path) -> tuple[Counter[str], int]:
    """The counts of an import, and the number of refused documents."""
    counts: Counter[str] = Counter()
    with Journal(source, "server", USER) as journal:
        import_documents(server, USER, source, journal, counts, {"nightscout/entries": 5})
        return counts, refused_documents(journal)


class TestExporting:
    def test_pages_follow_one_another(self, tmp_path: Path) -> None:
        replies = {
            PATH: {"documents": [entry(1), entry(2)], "next": "2-a"},
            f"{PATH}?after=2-a": {"documents": [entry(3)]},
            PATH.replace("entries", "food"): {"documents": []},
        }
        assert +export_documents(PagedServer(replies), USER, tmp_path) == Counter({"nightscout/entries": 3})
        assert list(read_lines(documents_file(tmp_path, "entries"))) == [entry(1), entry(2), entry(3)]
        assert [path.name for path in (tmp_path / "nightscout").iterdir()] == ["entries.jsonl"]

    def test_a_server_that_knows_no_documents_has_none(self, tmp_path: Path) -> None:
        assert not +export_documents(PagedServer({}), USER, tmp_path)
        assert not has_documents(tmp_path)

    def test_a_server_that_does_not_give_them_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(RefusedError):
            export_documents(PagedServer({PATH: 403}), USER, tmp_path)

    @pytest.mark.parametrize(
        "reply",
        [
            [],
            5,
            {},
            {"documents": {}},
            {"documents": [5]},
            {"documents": [entry(1)], "next": 5},
            {"documents": [entry(1)], "next": ""},
            {"documents": [], "next": "a"},
        ],
    )
    def test_what_is_no_page_is_refused(self, tmp_path: Path, reply: Any) -> None:
        with pytest.raises(CommandError):
            export_documents(PagedServer({PATH: reply}), USER, tmp_path)

    def test_pages_without_end_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(documents_module, "MAX_PAGES", 3)
        page = {"documents": [entry(1)], "next": "a"}
        with pytest.raises(CommandError, match="has no end"):
            export_documents(PagedServer({PATH: page, f"{PATH}?after=a": page}), USER, tmp_path)


class TestImporting:
    def test_each_document_is_sent_once_in_order(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(documents_module, "CHUNK_DOCUMENTS", 2)
        source, server = folder_with(tmp_path, entries=[entry(number) for number in range(5)]), StoringServer()
        assert imported(server, source) == (Counter(documents=5, known_documents=0), 0)
        assert list(server.stored.values()) == [entry(number) for number in range(5)]
        assert imported(server, source) == (Counter(), 0)
        assert server.sizes == [2, 2, 1]

    def test_requests_are_bounded_in_bytes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(documents_module, "CHUNK_BYTES", 150)
        server = StoringServer()
        imported(server, folder_with(tmp_path, entries=[entry(number, x="a" * 50) for number in range(3)]))
        assert server.sizes == [1, 1, 1]

    @pytest.mark.parametrize("requests", [0, 1, 2])
    def test_an_interrupted_import_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requests: int
    ) -> None:
        monkeypatch.setattr(documents_module, "CHUNK_DOCUMENTS", 2)
        source = folder_with(tmp_path, entries=[entry(number) for number in range(5)])
        server = StoringServer(fails_after=requests)
        with pytest.raises(CommandError):
            imported(server, source)
        server.fails_after = 10**9
        counts, _ = imported(server, source)
        assert list(server.stored.values()) == [entry(number) for number in range(5)]
        assert counts["known_documents"] == min(2, 5 - 2 * requests)  # of the request whose reply was lost

    def test_refused_documents_are_kept_with_the_reason(self, tmp_path: Path) -> None:
        source = folder_with(tmp_path, entries=[entry(number) for number in range(5)])
        server = StoringServer(refused=frozenset({entry(1)["_id"], entry(3)["_id"]}))
        assert imported(server, source) == (Counter(documents=3, known_documents=0), 2)
        assert imported(server, source) == (Counter(), 2)
        with Journal(source, "server", USER) as journal:
            kept = list(read_lines(journal.refused_path))
        assert [(refusal["document"], refusal["errors"][0]["detail"]) for refusal in kept] == [
            (entry(1), "bad"),
            (entry(3), "bad"),
        ]

    def test_a_request_that_is_too_large_is_divided(self, tmp_path: Path) -> None:
        source = folder_with(tmp_path, entries=[entry(number) for number in range(5)])
        server = StoringServer(most=1)
        assert imported(server, source) == (Counter(documents=5, known_documents=0), 0)

    def test_a_document_that_no_request_holds_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(documents_module, "CHUNK_BYTES", 10)
        assert imported(StoringServer(most=0), folder_with(tmp_path, entries=[entry(1), entry(2)]))[1] == 2

    def test_a_quota_ends_the_import(self, tmp_path: Path) -> None:
        source = folder_with(tmp_path, entries=[entry(number) for number in range(5)])
        with pytest.raises(RefusedError, match="status 413"):
            imported(StoringServer(most=0), source)
        assert imported(StoringServer(), source) == (Counter(documents=5, known_documents=0), 0)

    @pytest.mark.parametrize("body", [b"", b"5", b"[]", b'{"errors": 5}', b'{"source": {"pointer": "/x"}}'])
    def test_a_refusal_that_names_no_document_ends_the_import(self, tmp_path: Path, body: bytes) -> None:
        class Refusing(StoringServer):
            def json(self, method: str, path: str, sent: Any = None) -> Any:
                raise RefusedError("POST", 400, body)

        with pytest.raises(RefusedError):
            imported(Refusing(), folder_with(tmp_path, entries=[entry(1)]))

    @pytest.mark.parametrize("reply", [None, [], {}, {"stored": "1", "known": 0}])
    def test_a_reply_without_counts_ends_the_import(self, tmp_path: Path, reply: Any) -> None:
        class Strange(StoringServer):
            def json(self, method: str, path: str, sent: Any = None) -> Any:
                return reply

        with pytest.raises(CommandError, match="did not reply with counts"):
            imported(Strange(), folder_with(tmp_path, entries=[entry(1)]))

    @pytest.mark.parametrize(
        ("data_set", "expected"),
        [
            ({"client": {"name": "org.nightscout"}}, True),
            ({"client": {"name": "x"}}, False),
            ({}, False),
            ({"client": 5}, False),
        ],
    )
    def test_derived_data_sets_are_told_by_their_client(self, data_set: Json, expected: bool) -> None:
        assert is_derived(data_set) is expected


class TestComparing:
    def test_equal_documents_have_no_differences(self, tmp_path: Path) -> None:
        documents = [entry(number) for number in range(100)]
        first = folder_with(tmp_path / "a", entries=documents, treatments=[entry(1, srvModified=1)])
        second = folder_with(tmp_path / "b", entries=documents[::-1], treatments=[entry(1, srvModified=2)])
        assert list(document_differences(first, second)) == list(lacking_documents(first, second)) == []

    def test_each_difference_is_named(self, tmp_path: Path) -> None:
        documents = [entry(number) for number in range(1000)]
        first = folder_with(tmp_path / "a", entries=documents, food=[entry(5)])
        changed = [*documents[:7], entry(7, sgv=1), *documents[8:999], entry(2000)]
        second = folder_with(tmp_path / "b", entries=changed)
        assert [str(difference) for difference in document_differences(first, second)] == [
            f"document entries {7:024x} differs",
            f"document entries {999:024x} is only in the first",
            f"document entries {2000:024x} is only in the second",
            f"document food {5:024x} is only in the first",
        ]
        assert [difference.id for difference in lacking_documents(first, second)] == [
            f"{7:024x}",
            f"{999:024x}",
            f"{5:024x}",
        ]

    def test_a_document_that_an_app_sent_to_both_is_not_lacking(self, tmp_path: Path) -> None:
        first = folder_with(tmp_path / "a", entries=[entry(1, date=5), entry(2, date=5, type="mbg")])
        second = folder_with(tmp_path / "b", entries=[entry(3, date=5, noise=1)])
        (lacking,) = lacking_documents(first, second)
        assert lacking.id == f"{2:024x}"

    def test_each_of_two_with_one_time_needs_its_own(self, tmp_path: Path) -> None:
        first = folder_with(tmp_path / "a", entries=[entry(1, date=5), entry(2, date=5)])
        second = folder_with(tmp_path / "b", entries=[entry(3, date=5)])
        assert len(list(lacking_documents(first, second))) == 1
