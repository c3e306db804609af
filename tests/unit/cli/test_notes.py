"""Notes of an export: read in parts when there are many, sent in order and once, compared by what people wrote."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from strandline.cli.errors import CommandError, RefusedError
from strandline.cli.folder import NOTES, Json, write_lines
from strandline.cli.journal import Journal
from strandline.cli.notes import comparable_notes, import_notes, read_notes

TIME = "2026-01-01T10:00:00+01:00"
NOTE = {"id": "1", "guid": "a", "timestamp": TIME, "messagetext": "A snack", "createdtime": "2026-01-01T09:00:00.1Z"}
REPLY = NOTE | {"id": "2", "guid": "b", "messagetext": "Good", "parentmessage": "1"}
REPLY |= {"createdtime": "2026-01-01T09:00:00.12Z"}
LATE_NOTE = NOTE | {"id": "3", "guid": "c", "createdtime": "2026-01-01T09:00:00.123Z"}


class FullServer:
    """A server that has some notes and shows at most `limit` of them at once."""

    def __init__(self, timestamps: list[str], limit: int) -> None:
        self._timestamps, self._limit = timestamps, limit
        self.asked = 0

    def json(self, method: str, path: str, body: Any = None) -> Any:
        self.asked += 1
        query = parse_qs(urlsplit(path).query)
        start, end = (
            datetime.fromisoformat(query[name][0]) if name in query else None for name in ("starttime", "endtime")
        )
        found = [
            {"id": text}
            for text in self._timestamps
            if (start is None or datetime.fromisoformat(text) >= start)
            and (end is None or datetime.fromisoformat(text) < end)
        ]
        if len(found) > self._limit:
            raise RefusedError(path, 413, b"")
        if not found:
            raise RefusedError(path, 404, b"")
        return {"messages": found}


class Target:
    """A server that takes notes, and refuses those with some texts or the request of this number."""

    def __init__(self, refused: dict[str, int] | None = None, fails_at: int | None = None) -> None:
        self.sent: list[tuple[str, str]] = []
        self._refused, self._fails_at = refused or {}, fails_at

    def json(self, method: str, path: str, body: Any = None) -> Any:
        text = body["message"]["messagetext"]
        if len(self.sent) == self._fails_at:
            self._fails_at = None
            raise CommandError("no response")
        if text in self._refused:
            raise RefusedError(path, self._refused[text], b'"no"')
        self.sent.append((path, text))
        return {"id": f"new-{len(self.sent)}"}


def exported(folder: Path, *notes: Json) -> Path:
    write_lines(folder / NOTES, list(notes))
    return folder


def run(target: Target, source: Path) -> Counter[str]:
    counts: Counter[str] = Counter()
    with Journal(source, "https://data.example.org", "ada") as journal:
        import_notes(target, "ada", source, journal, counts)
    return counts


class TestRead:
    def test_more_notes_than_an_answer_holds_are_read_in_parts_each_once(self) -> None:
        timestamps = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z"]
        timestamps += [f"2026-01-{day:02}T{hour:02}:00:00Z" for day in range(1, 29) for hour in range(24)]
        server = FullServer(timestamps, 50)
        assert sorted(note["id"] for note in read_notes(server, "ada")) == sorted(timestamps)
        assert server.asked < 200

    def test_more_notes_about_one_moment_than_an_answer_holds_are_refused(self) -> None:
        with pytest.raises(RefusedError):
            list(read_notes(FullServer(["2026-01-01T00:00:00Z"] * 3, 2), "ada"))

    def test_no_notes_are_none(self) -> None:
        assert list(read_notes(FullServer([], 2), "ada")) == []

    @pytest.mark.parametrize("answer", [None, [], {}, {"messages": {}}, {"messages": ["a"]}])
    def test_another_answer_is_refused(self, answer: Any) -> None:
        class Strange:
            def json(self, method: str, path: str, body: Any = None) -> Any:
                return answer

        with pytest.raises(CommandError, match="did not reply with messages"):
            list(read_notes(Strange(), "ada"))


class TestImport:
    def test_replies_follow_their_notes(self, tmp_path: Path) -> None:
        target = Target()
        assert run(target, exported(tmp_path, LATE_NOTE, REPLY, NOTE))["notes"] == 3
        assert target.sent == [
            ("/message/send/ada", "A snack"),
            ("/message/reply/new-1", "Good"),
            ("/message/send/ada", "A snack"),
        ]
        assert run(target, tmp_path)["notes"] == 0
        assert len(target.sent) == 3

    def test_a_reply_that_a_clock_stamped_before_its_note_follows_it(self, tmp_path: Path) -> None:
        target = Target()
        early = REPLY | {"createdtime": "2026-01-01T08:59:59Z"}
        second = early | {"id": "4", "parentmessage": "2", "messagetext": "Thanks"}
        assert run(target, exported(tmp_path, second, early, NOTE))["notes"] == 3
        assert target.sent == [
            ("/message/send/ada", "A snack"),
            ("/message/reply/new-1", "Good"),
            ("/message/reply/new-2", "Thanks"),
        ]

    def test_notes_that_reply_to_each_other_become_a_note_and_a_reply(self, tmp_path: Path) -> None:
        target = Target()
        assert run(target, exported(tmp_path, NOTE | {"parentmessage": "2"}, REPLY))["notes"] == 2
        assert [text for _, text in target.sent] == ["A snack", "Good"]

    def test_an_interrupted_import_goes_on(self, tmp_path: Path) -> None:
        target = Target(fails_at=1)
        with pytest.raises(CommandError):
            run(target, exported(tmp_path, NOTE, REPLY))
        assert run(target, tmp_path)["notes"] == 1
        assert target.sent == [("/message/send/ada", "A snack"), ("/message/reply/new-1", "Good")]

    def test_a_reply_whose_note_is_not_there_becomes_a_note(self, tmp_path: Path) -> None:
        target = Target()
        run(target, exported(tmp_path, REPLY))
        assert target.sent == [("/message/send/ada", "Good")]

    def test_a_refused_note_is_kept_with_the_reason_and_its_reply_becomes_a_note(self, tmp_path: Path) -> None:
        target = Target({"A snack": 413})
        assert run(target, exported(tmp_path, NOTE, REPLY))["notes"] == 1
        assert target.sent == [("/message/send/ada", "Good")]
        (refused,) = (tmp_path / "imports").glob("*.refused.jsonl")
        assert json.loads(refused.read_text()) == {"errors": ['"no"'], "note": NOTE}

    def test_a_server_that_takes_no_notes_ends_the_import_of_notes(self, tmp_path: Path) -> None:
        with pytest.raises(RefusedError):
            run(Target({"A snack": 401}), exported(tmp_path, NOTE, REPLY))


class TestCompare:
    def test_what_people_wrote_counts_and_not_what_a_server_sets(self, tmp_path: Path) -> None:
        first, second = tmp_path / "first", tmp_path / "second"
        for folder in (first, second):
            folder.mkdir()
        exported(first, NOTE, REPLY)
        other_ids = {"userid": "eve", "createdtime": "9", "groupid": "x", "user": {"fullName": "Eve"}}
        exported(second, REPLY | other_ids | {"id": "8", "parentmessage": "7"}, NOTE | other_ids | {"id": "7"})
        assert comparable_notes(first) == comparable_notes(second)

    @pytest.mark.parametrize(
        "change", [{"messagetext": "x"}, {"timestamp": "x"}, {"guid": "x"}, {"parentmessage": None}]
    )
    def test_other_words_or_another_thread_are_a_difference(self, tmp_path: Path, change: Json) -> None:
        first, second = tmp_path / "first", tmp_path / "second"
        for folder in (first, second):
            folder.mkdir()
        exported(first, NOTE, REPLY)
        exported(second, NOTE, REPLY | change)
        assert comparable_notes(first) != comparable_notes(second)

    def test_an_export_without_notes_has_none(self, tmp_path: Path) -> None:
        assert comparable_notes(tmp_path) == Counter()
