"""Notes and replies: written, listed, changed and removed. Source: message 1 to 5."""

import json
from typing import Any

import pytest

from tests.api.conftest import ApiClient
from tests.api.notes.conftest import Write, message
from tests.api.people import ANNA, BEN
from tests.fakes.services import FakeServices

OF_ANNA = ANNA.user_id


def texts(api: ApiClient, token: str, path: str) -> list[str]:
    """The texts of a list of messages, in its order; empty if there are none."""
    reply = api.request("GET", path, token=token)
    messages = reply.json()["messages"]
    assert reply.status == (200 if messages else 404)
    return [message["messagetext"] for message in messages]


def test_a_note_is_shown_as_the_reference_shows_it(
    api: ApiClient, fakes: FakeServices, anna: str, write: Write
) -> None:
    fakes.now_ms += 1_500
    id_ = write(anna, "A snack", "2026-01-01T11:00:00+01:00")
    api.request("PUT", f"/metadata/{OF_ANNA}/profile", {"fullName": "Anna A.", "patient": {}}, token=anna)
    shown = {
        "id": id_,
        "guid": "g-1",
        "parentmessage": None,
        "userid": OF_ANNA,
        "groupid": OF_ANNA,
        "timestamp": "2026-01-01T11:00:00+01:00",
        "createdtime": "2026-01-01T00:00:01.5Z",
        "messagetext": "A snack",
        "user": {"fullName": "Anna A."},
    }
    for kind in ("notes", "all"):
        assert api.request("GET", f"/message/{kind}/{OF_ANNA}", token=anna).json() == {"messages": [shown]}
    assert api.request("GET", f"/message/thread/{id_}", token=anna).json() == {"messages": [shown]}
    assert api.request("GET", f"/message/read/{id_}", token=anna).json() == {"message": shown}


def test_an_author_without_a_name_is_shown_by_id_alone(api: ApiClient, anna: str, write: Write) -> None:
    write(anna)
    (shown,) = api.request("GET", f"/message/notes/{OF_ANNA}", token=anna).json()["messages"]
    assert "user" not in shown
    assert shown["userid"] == OF_ANNA


def test_without_notes_a_list_is_empty_and_not_found(api: ApiClient, anna: str) -> None:
    for kind in ("notes", "all"):
        reply = api.request("GET", f"/message/{kind}/{OF_ANNA}", token=anna)
        assert (reply.status, reply.json()) == (404, {"messages": []})


def test_notes_come_newest_first_and_replies_in_all_and_in_the_thread(api: ApiClient, anna: str, write: Write) -> None:
    first = write(anna, "first", "2026-01-01T08:00:00Z")
    write(anna, "second", "2026-01-01T09:00:00Z")
    reply = api.request("POST", f"/message/reply/{first}", message("reply", "2026-01-01T10:00:00Z"), token=anna)
    assert reply.status == 201
    assert texts(api, anna, f"/message/notes/{OF_ANNA}") == ["second", "first"]
    assert texts(api, anna, f"/message/all/{OF_ANNA}") == ["reply", "second", "first"]
    assert texts(api, anna, f"/message/thread/{first}") == ["reply", "first"]
    shown = api.request("GET", f"/message/read/{reply.json()['id']}", token=anna).json()["message"]
    assert (shown["parentmessage"], shown["groupid"]) == (first, OF_ANNA)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["d", "c", "b", "a"]),
        ("?starttime=2026-01-01T09:00:00Z", ["d", "c", "b"]),
        ("?endtime=2026-01-01T10:00:00Z", ["b", "a"]),
        ("?starttime=2026-01-01T09:00:00.000Z&endtime=2026-01-01T11:00:00.000Z", ["c", "b"]),
        ("?starttime=2026-01-01T10:00:00 01:00", ["d", "c", "b"]),  # a "+" that was not encoded
        ("?starttime=2026-01-01T10:00:00%2B01:00", ["d", "c", "b"]),
        ("?starttime=2026-01-01T10:00:00", ["d", "c"]),
        ("?starttime=2026-01-01", ["d", "c", "b", "a"]),
        ("?starttime=2026-01-02", []),
        ("?starttime=2026-01-01T11:00:00Z&endtime=2026-01-01T09:00:00Z", []),
        ("?starttime=&endtime=", ["d", "c", "b", "a"]),
    ],
)
def test_times_select_from_the_start_up_to_the_end(
    api: ApiClient, anna: str, write: Write, query: str, expected: list[str]
) -> None:
    for hour, text in zip((8, 9, 10, 11), "abcd", strict=True):
        write(anna, text, f"2026-01-01T{hour:02}:00:00Z")
    assert texts(api, anna, f"/message/notes/{OF_ANNA}{query}") == expected


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01", "2026-01-01T25:00:00Z", "0", "2026-02-30"])
@pytest.mark.parametrize("name", ["starttime", "endtime"])
def test_a_time_that_is_none_is_refused_by_name(api: ApiClient, anna: str, name: str, value: str) -> None:
    reply = api.request("GET", f"/message/all/{OF_ANNA}?{name}={value}", token=anna)
    assert reply.status == 400
    assert reply.json()["message"].startswith(f"{name}: ")


class TestSend:
    """POST /message/send and /message/reply."""

    @pytest.mark.parametrize(
        ("sent", "missing"),
        [
            ({}, ["guid", "messagetext", "timestamp"]),
            ({"message": None}, ["guid", "messagetext", "timestamp"]),
            ({"message": {"guid": "g", "timestamp": "2026-01-01T10:00:00Z"}}, ["messagetext"]),
            ({"message": {"guid": "", "timestamp": 5, "messagetext": ["a"]}}, ["guid", "messagetext", "timestamp"]),
        ],
    )
    def test_what_is_missing_is_named_as_the_reference_does(
        self, api: ApiClient, anna: str, write: Write, sent: Any, missing: list[str]
    ) -> None:
        note = write(anna)
        for path in (f"/message/send/{OF_ANNA}", f"/message/reply/{note}"):
            reply = api.request("POST", path, sent, token=anna)
            assert reply.status == 400
            assert json.loads(reply.json()) == dict.fromkeys(missing, "property is required")
        assert texts(api, anna, f"/message/all/{OF_ANNA}") == ["A snack"]

    @pytest.mark.parametrize(
        "timestamp",
        [
            "now",
            "2026-01-01",
            "2026-01-01T10:00:00",
            "2026-02-30T10:00:00Z",
            "99999-01-01T00:00:00Z",
            "0000-12-31T23:59:59Z",
        ],
    )
    def test_a_timestamp_that_is_no_time_is_refused_and_nothing_is_stored(
        self, api: ApiClient, anna: str, write: Write, timestamp: str
    ) -> None:
        reply = api.request("POST", f"/message/send/{OF_ANNA}", message(timestamp=timestamp), token=anna)
        assert reply.status == 400
        assert reply.json()["message"].startswith("/message/timestamp: ")
        assert texts(api, anna, f"/message/all/{OF_ANNA}") == []
        note = write(anna)
        edit = {"message": {"timestamp": timestamp}}
        assert api.request("PUT", f"/message/edit/{note}", edit, token=anna).status == 400

    @pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "9999-12-31T23:59:59Z"])
    def test_any_year_of_the_calendar_is_kept(self, api: ApiClient, anna: str, write: Write, timestamp: str) -> None:
        write(anna, "now")
        write(anna, "then", timestamp)
        expected = ["then", "now"] if timestamp > "2026" else ["now", "then"]
        assert texts(api, anna, f"/message/all/{OF_ANNA}") == expected

    def test_the_text_has_a_limit_in_bytes(self, api: ApiClient, anna: str, write: Write) -> None:
        note = write(anna, "\u00e4" * 5_120)
        for method, path in (("POST", f"send/{OF_ANNA}"), ("POST", f"reply/{note}"), ("PUT", f"edit/{note}")):
            reply = api.request(method, f"/message/{path}", message("\u00e4" * 5_120 + "b"), token=anna)
            assert (reply.status, reply.json()["code"]) == (413, "RequestEntityTooLarge")
        assert texts(api, anna, f"/message/all/{OF_ANNA}") == ["\u00e4" * 5_120]

    def test_a_longest_text_fits_into_a_body_in_any_escaped_form(self, api: ApiClient, anna: str) -> None:
        sent = message("\x01" * 10_240)
        assert api.request("POST", f"/message/send/{OF_ANNA}", sent, token=anna).status == 201

    def test_a_guid_has_a_limit(self, api: ApiClient, anna: str) -> None:
        reply = api.request("POST", f"/message/send/{OF_ANNA}", message(guid="g" * 257), token=anna)
        assert (reply.status, reply.json()["message"][:13]) == (400, "/message/guid")

    @pytest.mark.parametrize("body", [b"[]", b"{", b""])
    def test_a_body_that_is_no_object_is_refused(self, api: ApiClient, anna: str, body: bytes) -> None:
        assert api.request("POST", f"/message/send/{OF_ANNA}", body, token=anna).status == 400

    def test_a_note_that_is_sent_again_is_the_same_note(self, api: ApiClient, anna: str, write: Write) -> None:
        note = write(anna)
        assert write(anna) == note
        reply = [api.request("POST", f"/message/reply/{note}", message(), token=anna).json()["id"] for _ in range(2)]
        assert reply[0] == reply[1] != note
        assert len(texts(api, anna, f"/message/all/{OF_ANNA}")) == 2

    def test_another_note_with_the_same_guid_is_another_note(self, api: ApiClient, anna: str, write: Write) -> None:
        write(anna, "one")
        write(anna, "two")
        assert set(texts(api, anna, f"/message/notes/{OF_ANNA}")) == {"one", "two"}

    def test_the_author_is_who_sends_whatever_the_message_says(
        self, api: ApiClient, fakes: FakeServices, anna: str, ben: str, write: Write
    ) -> None:
        fakes.grant(OF_ANNA, BEN.user_id, ["note"])
        note = write(ben)
        shown = api.request("GET", f"/message/read/{note}", token=anna).json()["message"]
        assert (shown["userid"], shown["groupid"]) == (BEN.user_id, OF_ANNA)


class TestEdit:
    """PUT /message/edit."""

    def test_text_and_time_change_and_the_rest_stays(self, api: ApiClient, anna: str, write: Write) -> None:
        write(anna, "other", "2026-01-01T11:00:00Z")
        note = write(anna, "before", "2026-01-01T10:00:00Z")
        first = api.request("GET", f"/message/read/{note}", token=anna).json()["message"]
        for change in ({"messagetext": "after"}, {"timestamp": "2026-01-01T12:00:00Z"}):
            reply = api.request("PUT", f"/message/edit/{note}", {"message": change}, token=anna)
            assert (reply.status, reply.body) == (200, b"")
        shown = api.request("GET", f"/message/read/{note}", token=anna).json()["message"]
        assert shown == first | {"messagetext": "after", "timestamp": "2026-01-01T12:00:00Z"}
        assert texts(api, anna, f"/message/notes/{OF_ANNA}") == ["after", "other"]

    def test_a_reply_moves_in_its_thread(self, api: ApiClient, anna: str, write: Write) -> None:
        note = write(anna, "note", "2026-01-01T10:00:00Z")
        sent = message("reply", "2026-01-01T11:00:00Z")
        reply = api.request("POST", f"/message/reply/{note}", sent, token=anna).json()["id"]
        edit = {"message": {"timestamp": "2026-01-01T09:00:00Z"}}
        assert api.request("PUT", f"/message/edit/{reply}", edit, token=anna).status == 200
        for path in (f"thread/{note}", f"all/{OF_ANNA}"):
            assert texts(api, anna, f"/message/{path}") == ["note", "reply"]

    @pytest.mark.parametrize("body", [{}, {"message": {}}, {"message": {"messagetext": "", "timestamp": None}}])
    def test_nothing_to_change_is_refused(self, api: ApiClient, anna: str, write: Write, body: Any) -> None:
        reply = api.request("PUT", f"/message/edit/{write(anna)}", body, token=anna)
        assert (reply.status, reply.json()) == (400, '{"edited":"either messagetext or timestamp is required"}')


class TestRemove:
    """DELETE /message/remove."""

    def test_a_removed_note_is_gone_and_its_replies_stay(self, api: ApiClient, anna: str, write: Write) -> None:
        note = write(anna, "note")
        api.request("POST", f"/message/reply/{note}", message("reply"), token=anna)
        removed = api.request("DELETE", f"/message/remove/{note}", token=anna)
        assert (removed.status, removed.body) == (202, b"")
        assert texts(api, anna, f"/message/notes/{OF_ANNA}") == []
        assert texts(api, anna, f"/message/all/{OF_ANNA}") == ["reply"]
        for method, path in (("GET", "read"), ("GET", "thread"), ("PUT", "edit"), ("POST", "reply")):
            assert api.request(method, f"/message/{path}/{note}", message(), token=anna).status == 404
        again = api.request("DELETE", f"/message/remove/{note}", token=anna)
        assert (again.status, again.json()) == (404, {"message": {}})

    def test_a_removed_reply_is_gone_from_its_thread(self, api: ApiClient, anna: str, write: Write) -> None:
        note = write(anna, "note")
        reply = api.request("POST", f"/message/reply/{note}", message("reply"), token=anna).json()["id"]
        assert api.request("DELETE", f"/message/remove/{reply}", token=anna).status == 202
        for path in (f"thread/{note}", f"all/{OF_ANNA}"):
            assert texts(api, anna, f"/message/{path}") == ["note"]


@pytest.mark.parametrize("id_", ["5c8b2f", "%20", "x" * 2_000, "%E2%98%83"])
def test_an_unknown_message_is_not_found(api: ApiClient, anna: str, id_: str) -> None:
    for method, path in (("GET", "read"), ("GET", "thread"), ("PUT", "edit"), ("POST", "reply"), ("DELETE", "remove")):
        reply = api.request(method, f"/message/{path}/{id_}", message(), token=anna)
        assert (reply.status, reply.json()) == (404, {"message": {}})


def test_too_many_notes_are_refused_until_a_shorter_time_is_asked_for(
    api: ApiClient, anna: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.notes.read.MAX_LISTED", 2)
    for hour in (8, 9, 10):
        note = write(anna, "note", f"2026-01-01T{hour:02}:00:00Z")
    for hour in (11, 12):
        sent = message("reply", f"2026-01-01T{hour}:00:00Z")
        assert api.request("POST", f"/message/reply/{note}", sent, token=anna).status == 201
    for path in (f"notes/{OF_ANNA}", f"all/{OF_ANNA}", f"thread/{note}"):
        reply = api.request("GET", f"/message/{path}", token=anna)
        assert reply.status == 413
        assert "starttime" in reply.json()["message"]
    assert len(texts(api, anna, f"/message/notes/{OF_ANNA}?endtime=2026-01-01T10:00:00Z")) == 2


def test_unknown_paths_and_methods_are_told_as_in_the_other_services_of_their_kind(api: ApiClient, anna: str) -> None:
    unknown = api.request("GET", "/message/nope", token=anna)
    assert (unknown.status, unknown.json()["code"]) == (404, "ResourceNotFound")
    wrong = api.request("GET", f"/message/send/{OF_ANNA}", token=anna)
    assert (wrong.status, wrong.headers["allow"]) == (405, "POST")
