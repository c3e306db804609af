"""The metrics API over HTTP. Source: metrics-api, errors 7 and 8."""

import json
from datetime import date
from typing import Any

import pytest

from chalicelib.metrics.ports import CountKey
from tests.api.conftest import ApiClient
from tests.fakes.engine import refuse
from tests.fakes.metrics import set_counts, streamed_records
from tests.fakes.services import START_MS, FakeServices

USER_ID = "0123456789"
USER_HASH = "702f0e4953"  # salt "salt"
NO_TOKEN = "Session token must be set on header[x-tidepool-session-token]"
DAY = date(2026, 1, 1)


def recorded(fakes: FakeServices) -> list[dict[str, Any]]:
    """The records that were put into the stream, in order."""
    return [json.loads(record) for _, record in streamed_records(fakes.engine)]


def lost(output: str, stage: str = "local") -> int:
    """The count of lost events in the metrics on standard output."""
    lines = [json.loads(line) for line in output.splitlines() if '"LostMetricsEvents"' in line]
    for line in lines:
        [metric] = line["_aws"]["CloudWatchMetrics"]
        assert metric["Namespace"] == "Strandline"
        assert metric["Dimensions"] == [["stage"]]
        assert line["stage"] == stage
    return int(sum(sum(line["LostMetricsEvents"]) for line in lines))


@pytest.mark.parametrize("caller", [None, "the user", "another user", "a server"])
def test_anyone_records_for_a_user(api: ApiClient, fakes: FakeServices, caller: str | None) -> None:
    tokens = {
        None: None,
        "the user": fakes.sign_in(USER_ID),
        "another user": fakes.sign_in("abcdef0123"),
        "a server": fakes.sign_in("jellyfish", is_server=True),
    }
    path = f"/metrics/user/{USER_ID}/blip%20-%20Viewed%20Care%20Team%20List?a=1&a=2&c[d]=4&e="
    reply = api.request("GET", path, token=tokens[caller])
    assert (reply.status, reply.body) == (200, b"")
    assert "content-type" not in reply.headers
    [record] = recorded(fakes)
    assert record["user"] == USER_HASH
    assert record["eventName"] == "blip - Viewed Care Team List"
    assert record["event"] == {"a": ["1", "2"], "c": {"d": "4"}, "e": ""}
    assert record["params"] == {"userid": USER_HASH, "eventname": "blip - Viewed Care Team List"}
    assert record["time"] == "2026-01-01T00:00:00.000Z"
    assert USER_ID not in json.dumps(record)


@pytest.mark.parametrize("subject", ["anything", "someone@example.org", "%C3%A9", "a%2Fb"])
def test_a_subject_may_be_any_text(api: ApiClient, fakes: FakeServices, subject: str) -> None:
    assert api.request("GET", f"/metrics/user/{subject}/x").status == 200
    assert len(recorded(fakes)) == 1


@pytest.mark.parametrize(
    ("segment", "name"),
    [("x", "x"), ("a%20b", "a b"), ("%C3%9Cberblick%20%F0%9F%92%89", "Überblick 💉"), ("a%2Fb", "a/b"), ("", "")],
)
def test_an_event_s_name_is_decoded_once(api: ApiClient, fakes: FakeServices, segment: str, name: str) -> None:
    token = fakes.sign_in(USER_ID)
    server = fakes.sign_in("jellyfish", is_server=True)
    assert api.request("GET", f"/metrics/user/{USER_ID}/{segment}").status == 200
    assert api.request("GET", f"/metrics/thisuser/{segment}", token=token).status == 200
    assert api.request("GET", f"/metrics/server/jellyfish/{segment}", token=server).status == 200
    assert [record["eventName"] for record in recorded(fakes)] == [name] * 3


@pytest.mark.parametrize(
    ("path", "token"),
    [("/metrics/user/x", None), ("/metrics/thisuser", USER_ID), ("/metrics/server/jellyfish", "jellyfish")],
)
def test_a_path_without_a_name_does_not_exist(
    api: ApiClient, fakes: FakeServices, path: str, token: str | None
) -> None:
    sent = token and fakes.sign_in(token, is_server=token == "jellyfish")
    reply = api.request("GET", path, token=sent)
    assert (reply.status, reply.json()) == (404, {"code": "ResourceNotFound", "message": f"{path} does not exist"})
    assert recorded(fakes) == []


def test_a_caller_records_for_itself(api: ApiClient, fakes: FakeServices) -> None:
    token = fakes.sign_in(USER_ID)
    reply = api.request("GET", "/metrics/thisuser/uploader%20-%20Upload%20Attempted?sourceVersion=2.64.0", token=token)
    assert (reply.status, reply.body) == (200, b"")
    [record] = recorded(fakes)
    assert record["user"] == USER_HASH
    assert record["params"] == {"eventname": "uploader - Upload Attempted"}
    assert record["url"] == "/metrics/thisuser/uploader%20-%20Upload%20Attempted?sourceVersion=2.64.0"


def test_a_server_records_for_any_server(api: ApiClient, fakes: FakeServices) -> None:
    token = fakes.sign_in("jellyfish", is_server=True)
    assert api.request("GET", "/metrics/server/seagull/started", token=token).status == 200
    [record] = recorded(fakes)
    assert record["params"] == {"servername": record["user"], "eventname": "started"}


@pytest.mark.parametrize("path", ["/metrics/thisuser/x", "/metrics/server/jellyfish/x"])
def test_a_token_is_needed(api: ApiClient, fakes: FakeServices, path: str) -> None:
    reply = api.request("GET", path)
    assert (reply.status, reply.json()) == (401, NO_TOKEN)
    assert reply.headers["content-type"] == "application/json"
    assert recorded(fakes) == []


@pytest.mark.parametrize("path", ["/metrics/user/x/x", "/metrics/thisuser/x", "/metrics/server/jellyfish/x"])
@pytest.mark.parametrize("token", ["", "unknown", "expired"])
def test_a_token_that_is_sent_has_to_be_valid(api: ApiClient, fakes: FakeServices, path: str, token: str) -> None:
    if token == "expired":
        token = fakes.sign_in(USER_ID)
        fakes.now_ms = START_MS + 3_600_000
    reply = api.request("GET", path, token=token)
    assert (reply.status, reply.json()) == (401, "Invalid Token")
    assert recorded(fakes) == []


def test_bearer_tokens_and_secrets_are_not_read(api: ApiClient, fakes: FakeServices) -> None:
    token = fakes.sign_in(USER_ID)
    reply = api.request("GET", "/metrics/thisuser/x", Authorization=f"Bearer {token}")
    assert (reply.status, reply.json()) == (401, NO_TOKEN)


def test_a_caller_of_the_wrong_kind_is_refused(api: ApiClient, fakes: FakeServices) -> None:
    user, server = fakes.sign_in(USER_ID), fakes.sign_in("jellyfish", is_server=True)
    for path, token in [("/metrics/thisuser/x", server), ("/metrics/server/jellyfish/x", user)]:
        reply = api.request("GET", path, token=token)
        assert (reply.status, reply.json()) == (401, "Insufficient Permissions")
    assert recorded(fakes) == []


def test_an_event_that_the_stream_refuses_is_counted_as_lost(
    api: ApiClient, fakes: FakeServices, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes.calls.watch = refuse("metrics_stream.put")
    for _ in range(3):
        reply = api.request("GET", f"/metrics/user/{USER_ID}/x")
        assert (reply.status, reply.body) == (200, b"")
    output = capsys.readouterr().out
    assert lost(output) == 3
    assert USER_ID not in output


def test_no_event_is_counted_as_lost_while_the_stream_works(
    api: ApiClient, fakes: FakeServices, capsys: pytest.CaptureFixture[str]
) -> None:
    api.request("GET", f"/metrics/user/{USER_ID}/x")
    assert lost(capsys.readouterr().out) == 0


def test_no_header_is_recorded(api: ApiClient, fakes: FakeServices) -> None:
    token = fakes.sign_in(USER_ID)
    headers = {"User-Agent": "agent-1", "X-Tidepool-Trace-Session": "session-1", "X-Forwarded-For": "192.0.2.1"}
    api.request("GET", "/metrics/thisuser/x", token=token, **headers)
    [record] = recorded(fakes)
    assert not {token, *headers.values()} & {part for value in record.values() for part in [str(value)]}
    assert set(record) == {"type", "id", "time", "user", "eventName", "event", "params", "url", "method"}


def test_metrics_have_a_status(api: ApiClient) -> None:
    reply = api.request("GET", "/metrics/status")
    assert (reply.status, reply.json()) == (200, {"status": "ok"})


def test_a_web_page_may_record(api: ApiClient, fakes: FakeServices) -> None:
    reply = api.request("GET", f"/metrics/user/{USER_ID}/x", Origin="https://app.example.org")
    assert reply.headers["access-control-allow-origin"] == "https://app.example.org"


def counted(fakes: FakeServices) -> None:
    set_counts(
        fakes.metrics.counts,
        {
            CountKey(date(2026, 1, 2), "blip - a"): 2,
            CountKey(DAY, "uploader - z"): 1,
            CountKey(DAY, "blip - b"): 3,
            CountKey(DAY, "Blip - c"): 4,
            CountKey(date(2026, 1, 3), "blip - a"): 5,
        },
    )


def test_servers_read_the_counts_by_date_then_by_name(api: ApiClient, fakes: FakeServices) -> None:
    counted(fakes)
    token = fakes.sign_in("jellyfish", is_server=True)
    reply = api.request("GET", "/v1/metrics/events?from=2026-01-01&to=2026-01-02", token=token)
    assert reply.status == 200
    assert reply.json() == [
        {"date": "2026-01-01", "eventName": "Blip - c", "count": 4},
        {"date": "2026-01-01", "eventName": "blip - b", "count": 3},
        {"date": "2026-01-01", "eventName": "uploader - z", "count": 1},
        {"date": "2026-01-02", "eventName": "blip - a", "count": 2},
    ]
    reply = api.request("GET", "/v1/metrics/events?from=2026-01-01&to=2026-01-03&prefix=blip%20-%20a", token=token)
    assert [(count["date"], count["count"]) for count in reply.json()] == [("2026-01-02", 2), ("2026-01-03", 5)]
    reply = api.request("GET", "/v1/metrics/events?from=2025-01-01&to=2025-01-01", token=token)
    assert reply.json() == []


def test_only_servers_read_the_counts(api: ApiClient, fakes: FakeServices) -> None:
    path = "/v1/metrics/events?from=2026-01-01&to=2026-01-02"
    assert api.request("GET", path).status == 401
    assert api.request("GET", path, token="unknown").status == 401
    reply = api.request("GET", path, token=fakes.sign_in(USER_ID))
    assert (reply.status, reply.json()["code"]) == (403, "unauthorized")


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("", [("value-not-exists", "from"), ("value-not-exists", "to")]),
        ("from=2026-01-01", [("value-not-exists", "to")]),
        ("from=2026-1-1&to=20260101", [("value-not-valid", "from"), ("value-not-valid", "to")]),
        ("from=2026-01-01T00:00:00Z&to=2026-02-30", [("value-not-valid", "from"), ("value-not-valid", "to")]),
        ("from=2026-01-02&to=2026-01-01", [("value-not-after", "to")]),
        ("from=2026-01-01&to=2026-04-04", [("value-not-valid", "to")]),
        ("from=2026-01-01&to=2026-01-01&to=2026-01-02&size=1", [("not-parsed", "size"), ("not-parsed", "to")]),
    ],
)
def test_every_fault_of_the_query_is_named(
    api: ApiClient, fakes: FakeServices, query: str, errors: list[tuple[str, str]]
) -> None:
    reply = api.request("GET", f"/v1/metrics/events?{query}", token=fakes.sign_in("jellyfish", is_server=True))
    assert reply.status == 400
    bodies = reply.json().get("errors", [reply.json()])
    assert [(body["code"], body["source"]["parameter"]) for body in bodies] == errors


def test_a_quarter_may_be_asked_for(api: ApiClient, fakes: FakeServices) -> None:
    token = fakes.sign_in("jellyfish", is_server=True)
    assert api.request("GET", "/v1/metrics/events?from=2026-01-01&to=2026-04-03", token=token).status == 200


def test_too_many_counts_are_refused_with_a_way_out(api: ApiClient, fakes: FakeServices) -> None:
    names = (f"{number:05d}" + "n" * 8000 for number in range(600))
    set_counts(fakes.metrics.counts, {CountKey(DAY, name): 1 for name in names})
    token = fakes.sign_in("jellyfish", is_server=True)
    reply = api.request("GET", "/v1/metrics/events?from=2026-01-01&to=2026-01-01", token=token)
    assert (reply.status, reply.json()["code"]) == (413, "resource-too-large")
    assert "prefix" in reply.json()["detail"]
    path = "/v1/metrics/events?from=2026-01-01&to=2026-01-01&prefix=0000"
    assert len(api.request("GET", path, token=token).json()) == 10
