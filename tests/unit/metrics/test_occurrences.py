"""The stored message of an event. Source: metrics-api 2."""

import json
from collections.abc import Mapping, Sequence

import pytest

from chalicelib.access.call import platform_call
from chalicelib.metrics import event as metrics
from chalicelib.metrics.event import Occurrence, SubjectKind
from tests.fakes.metrics import streamed_records
from tests.fakes.services import FakeServices

USER_ID = "0123456789"
USER_HASH = "702f0e4953"  # salt "salt": verified on the reference
TIME_MS = 1_770_791_400_007


def recorded(kind: SubjectKind, subject: str, event_name: str, query: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """The one record that an occurrence puts into the stream."""
    fakes = FakeServices()
    call = platform_call(TIME_MS, lambda: "1" * 32)
    metrics.record(call, Occurrence(kind, subject, event_name, query), fakes.metrics)
    [(partition_key, record)] = streamed_records(fakes.engine)
    members: dict[str, object] = json.loads(record)
    assert partition_key == members["user"]
    return members


def test_the_hash_is_the_reference_s() -> None:
    assert metrics.hash_subject(USER_ID, "salt") == USER_HASH


def test_a_user_s_event_is_kept_without_the_user_s_id() -> None:
    assert recorded(SubjectKind.USER, USER_ID, "blip - Viewed", {"a": ["1", "2"], "c[d]": ["4 %"]}) == {
        "type": "metrics:create",
        "id": "1" * 32,
        "time": "2026-02-11T06:30:00.007Z",
        "user": USER_HASH,
        "eventName": "blip - Viewed",
        "event": {"a": ["1", "2"], "c": {"d": "4 %"}},
        "params": {"userid": USER_HASH, "eventname": "blip - Viewed"},
        "url": f"/metrics/user/{USER_HASH}/blip%20-%20Viewed?a=1&a=2&c[d]=4%20%25",
        "method": "GET",
    }


def test_a_caller_s_own_event_names_no_subject_in_the_path() -> None:
    members = recorded(SubjectKind.THIS_USER, USER_ID, "x", {})
    assert members["params"] == {"eventname": "x"}
    assert members["url"] == "/metrics/thisuser/x"
    assert members["user"] == USER_HASH


def test_a_server_s_event_keeps_its_words() -> None:
    members = recorded(SubjectKind.SERVER, "jellyfish", "jellyfish - Started", {"of": ["jellyfish"]})
    hashed = metrics.hash_subject("jellyfish", "salt")
    assert members["params"] == {"servername": hashed, "eventname": "jellyfish - Started"}
    assert members["url"] == f"/metrics/server/{hashed}/jellyfish%20-%20Started?of=jellyfish"


@pytest.mark.parametrize("kind", [SubjectKind.USER, SubjectKind.THIS_USER])
@pytest.mark.parametrize(
    ("event_name", "query"),
    [
        ("viewed 0123456789", {}),
        (USER_ID, {}),
        ("viewed", {"user": [USER_ID]}),
        ("viewed", {"users": ["a", f"of {USER_ID}!", "b"]}),
        ("viewed", {f"seen[{USER_ID}]": ["yes"]}),
        ("viewed", {USER_ID: ["yes"]}),
    ],
)
def test_the_message_holds_the_subjects_id_nowhere(
    kind: SubjectKind, event_name: str, query: Mapping[str, Sequence[str]]
) -> None:
    record = json.dumps(recorded(kind, USER_ID, event_name, query))
    assert USER_ID not in record
    assert record.count(USER_HASH) > 1


def test_a_short_subject_is_replaced_only_where_it_stands_alone() -> None:
    members = recorded(SubjectKind.USER, "e", "blip - Viewed", {"who": ["e"], "where": ["here"]})
    assert members["eventName"] == "blip - Viewed"
    assert members["event"] == {"who": metrics.hash_subject("e", "salt"), "where": "here"}


@pytest.mark.parametrize("event_name", ["", "Überblick 💉", "a/b", "100% done", "?&=#", "x" * 4000])
def test_any_name_is_kept_as_it_is(event_name: str) -> None:
    members = recorded(SubjectKind.USER, USER_ID, event_name, {})
    assert members["eventName"] == event_name
    assert members["params"] == {"userid": USER_HASH, "eventname": event_name}
