"""The suite of the port `Notes`, on each engine."""

from dataclasses import replace

import pytest

from chalicelib.conflicts import WriteConflictError
from chalicelib.engine.definitions import ACCOUNTS
from chalicelib.engine.engine import Engine
from chalicelib.errors import NoteNotFoundError
from chalicelib.notes.note import FIRST_TIME_MS, Content, Note, TimeRange, new_note
from chalicelib.notes.ports import Notes
from chalicelib.notes.stores.notes import StoredNotes
from tests.stores.items import stored_items

NOW_MS = 1_767_225_600_000
ALL = TimeRange()
MANY = 1000


@pytest.fixture
def notes(engine: Engine) -> Notes:
    """An empty store."""
    return StoredNotes(engine.accounts)


def note_at(time_ms: int, text: str = "a text", parent: Note | None = None, owner_id: str = "anna") -> Note:
    content = Content("guid", time_ms, f"{time_ms} as it was sent", text)
    return new_note(owner_id, "ben", content, NOW_MS, None if parent is None else parent.id)


def listed(notes: Notes, times: TimeRange = ALL, *, with_replies: bool = True) -> list[Note]:
    return notes.of_owner("anna", times, MANY, with_replies=with_replies)


def test_a_note_is_found_by_id_by_thread_and_by_owner(notes: Notes) -> None:
    note = note_at(NOW_MS)
    assert notes.find(note.id) is None
    assert notes.thread(note.id, MANY) == listed(notes) == []
    notes.add(note)
    assert notes.find(note.id) == note
    assert notes.thread(note.id, MANY) == listed(notes) == [note]
    assert notes.of_owner("ben", ALL, MANY, with_replies=True) == []


def test_a_reply_is_in_the_thread_of_its_note_and_in_the_list(notes: Notes) -> None:
    note = note_at(NOW_MS)
    reply = note_at(NOW_MS + 1, parent=note)
    notes.add(note)
    notes.add(reply)
    assert sorted(notes.thread(note.id, MANY), key=lambda found: found.time_ms) == [note, reply]
    assert notes.thread(reply.id, MANY) == [reply]
    assert listed(notes) == [reply, note]
    assert listed(notes, with_replies=False) == [note]


def test_notes_are_listed_newest_first_within_times(notes: Notes) -> None:
    made = [note_at(time_ms) for time_ms in (FIRST_TIME_MS, -1, 0, 1, NOW_MS, 253_402_300_799_999)]
    for note in made:
        notes.add(note)
    assert listed(notes) == made[::-1]
    assert listed(notes, TimeRange(0)) == made[:1:-1]
    assert listed(notes, TimeRange(before_ms=0)) == made[1::-1]
    assert listed(notes, TimeRange(-1, 1)) == [made[2], made[1]]
    assert listed(notes, TimeRange(1, 1)) == listed(notes, TimeRange(1, 0)) == []


def test_limits_count_what_is_returned(notes: Notes) -> None:
    note = note_at(NOW_MS)
    notes.add(note)
    for number in range(1, 6):
        notes.add(note_at(NOW_MS + number, parent=note))
    assert len(notes.of_owner("anna", ALL, 3, with_replies=True)) == 3
    assert notes.of_owner("anna", ALL, 3, with_replies=False) == [note]
    assert len(notes.thread(note.id, 3)) == 3


def test_a_note_that_is_added_again_stays_as_it_is(notes: Notes) -> None:
    note = note_at(NOW_MS)
    changed = replace(note, text="another", version=2)
    notes.add(note)
    notes.replace(note, changed)
    notes.add(note)
    assert notes.find(note.id) == changed
    assert listed(notes) == [changed]


def test_a_reply_to_no_note_is_refused(notes: Notes, engine: Engine) -> None:
    with pytest.raises(NoteNotFoundError):
        notes.add(note_at(NOW_MS, parent=note_at(NOW_MS, "never stored")))
    assert stored_items(engine, ACCOUNTS) == []


def test_a_change_is_seen_everywhere_and_moves_a_note_in_the_list(notes: Notes) -> None:
    note, other = note_at(NOW_MS), note_at(NOW_MS + 1, "other")
    reply = note_at(NOW_MS + 2, parent=note)
    for added in (note, other, reply):
        notes.add(added)
    moved = replace(note, text="new", time_ms=NOW_MS + 5, version=2)
    moved_reply = replace(reply, time_ms=NOW_MS - 5, version=2)
    notes.replace(note, moved)
    notes.replace(reply, moved_reply)
    assert listed(notes) == [moved, other, moved_reply]
    assert notes.find(note.id) == moved
    assert set(notes.thread(note.id, MANY)) == {moved, moved_reply}


def test_a_change_of_an_old_version_is_a_conflict(notes: Notes) -> None:
    note = note_at(NOW_MS)
    notes.add(note)
    notes.replace(note, replace(note, text="first", version=2))
    with pytest.raises(WriteConflictError):
        notes.replace(note, replace(note, text="second", time_ms=0, version=2))
    with pytest.raises(WriteConflictError):
        notes.remove(note)
    assert [found.text for found in listed(notes)] == ["first"]


def test_a_removed_note_leaves_nothing_but_its_replies(notes: Notes, engine: Engine) -> None:
    note = note_at(NOW_MS)
    reply = note_at(NOW_MS + 1, parent=note)
    notes.add(note)
    notes.add(reply)
    notes.remove(note)
    assert notes.find(note.id) is None
    assert notes.thread(note.id, MANY) == []
    assert listed(notes) == [reply]
    with pytest.raises(WriteConflictError):
        notes.remove(note)
    notes.remove(reply)
    assert stored_items(engine, ACCOUNTS) == []


def test_all_notes_about_a_user_are_removed_and_no_others(notes: Notes, engine: Engine) -> None:
    note, other = note_at(NOW_MS), note_at(NOW_MS, owner_id="carl")
    notes.add(note)
    notes.add(other)
    for number in range(40):
        notes.add(note_at(NOW_MS + number, parent=note))
    notes.remove_all("anna")
    assert notes.find(other.id) == other
    notes.remove_all("carl")
    notes.remove_all("nobody")
    assert stored_items(engine, ACCOUNTS) == []


@pytest.mark.parametrize("id_", ["", "x" * 513])
def test_an_id_that_fits_no_key_has_no_notes(notes: Notes, id_: str) -> None:
    assert notes.find(id_) is None
    assert notes.thread(id_, MANY) == []
    assert notes.of_owner(id_, ALL, MANY, with_replies=True) == []
    notes.remove_all(id_)
