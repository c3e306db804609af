"""Tests that a wrong reply to a hostile request is found and stored, on a server whose replies are planted."""

import json
from pathlib import Path

import pytest

from tools.fuzz import failures
from tools.fuzz.hostile import HostileRequest
from tools.fuzz.people import OWNER, Role, World
from tools.fuzz.sending import NO_ANSWER, NOT_DESCRIBED, SERVER_ERROR, Limit, Sender, send_hostile
from tools.fuzz.servers import ScriptedReply, scripted_server

JSON = (("Content-Type", "application/json"),)
TIME_BODY = b'{"data":{"time":"2026-01-01T00:00:00Z"},"meta":{"trace":{"request":"a"}}}'
TIME = HostileRequest("GET /v1/time", "GET", "/v1/time")
ROLE = Role(OWNER, {"X-Tidepool-Session-Token": "a-token"})
WORLD = World((ROLE,), {"userId": "a-user", "dataSetId": "a-set"}, "anna@example.org")


@pytest.mark.parametrize(
    ("reply", "faults"),
    [
        (ScriptedReply(200, JSON, TIME_BODY), []),
        (ScriptedReply(500, JSON, b"{}"), [SERVER_ERROR]),
        (ScriptedReply(503, JSON, b"{}"), [SERVER_ERROR]),
        (ScriptedReply(501, JSON, b"{}"), []),
        (ScriptedReply(200, JSON, b'{"data":5}'), [NOT_DESCRIBED]),
        (ScriptedReply(299, JSON, b"{}"), [NOT_DESCRIBED]),
        (ScriptedReply(200, (("Content-Type", "text/html"),), b"<p>"), [NOT_DESCRIBED]),
        (ScriptedReply(405, JSON, b"{}"), []),
        (ScriptedReply(200, JSON, b"{}", missing=5), [NO_ANSWER]),
    ],
)
def test_a_wrong_reply_is_found(reply: ScriptedReply, faults: list[str]) -> None:
    with scripted_server([reply, reply]) as address:
        sender = Sender(address, ROLE)
        assert sender.faults(TIME)[1] == faults
        sender.close()


def test_a_failed_request_is_stored_without_what_belongs_to_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(failures, "FOLDER", tmp_path)
    with scripted_server([ScriptedReply(500, JSON, b"{}")] * 40) as address:
        summary = send_hostile(address, ROLE, WORLD, "a seed", Limit(40))
    assert (summary.requests, summary.server_errors) == (40, 40)
    assert len(summary.failures) > 10
    stored = [json.loads(path.read_text()) for path in summary.failures]
    assert {request["role"] for request in stored} == {OWNER}
    assert {fault for request in stored for fault in request["faults"]} == {SERVER_ERROR}
    assert any("<userId>" in request["path"] for request in stored)
    assert not any("a-user" in json.dumps(request) or "a-token" in json.dumps(request) for request in stored)


def test_a_limit_is_a_count_or_a_time() -> None:
    assert list(Limit(3).until()) == [0, 1, 2]
    assert list(Limit(seconds=0).until()) == []
