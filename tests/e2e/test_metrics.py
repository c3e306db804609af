"""Events from clients to the archive and the daily counts, through a platform."""

import gzip
import http.client
import json
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest

from chalicelib.metrics.ports import OTHER_EVENTS
from strandline.home.log import LOG_NAME
from tests.e2e.client import TIMEOUT_S, Client, User

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform
    from tests.e2e.storage import Storage

THREADS = 8
DELIVERED_AFTER_S = 60
NO_TOKEN = "Session token must be set on header[x-tidepool-session-token]"


@pytest.fixture(scope="module")
def user(platform: "Platform") -> User:
    return User(platform.base_url)


def _today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())


def _counts(server: Client, prefix: str, since: str) -> dict[str, int]:
    """The count of each event with this prefix since a day."""
    reply = server.request("GET", f"/v1/metrics/events?from={since}&to={_today()}&prefix={quote(prefix)}")
    assert reply.status == 200, reply.body
    counts: Counter[str] = Counter()
    for count in reply.json():
        counts[count["eventName"]] += count["count"]
    return dict(counts)


def _events(storage: "Storage", prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The archived events whose names have this prefix, each with the key of its object."""
    for key in storage.engine.objects.keys("metrics/"):
        for line in gzip.decompress(storage.engine.objects.get(key) or b"").splitlines():
            event = json.loads(line)
            if event["eventName"].startswith(prefix):
                yield key, event


def _lost(platform: "Platform") -> int:
    """The number of events that the platform counted as lost."""
    assert platform.data_dir is not None
    if platform.gateway_url is None:
        counted = (json.loads(line) for line in (platform.data_dir / LOG_NAME).read_text().splitlines())
        return sum(line["value"] for line in counted if line.get("metric") == "LostMetricsEvents")
    lines = (platform.data_dir / "functions.log").read_text().splitlines()
    return sum(int(sum(json.loads(line)["LostMetricsEvents"])) for line in lines if '"LostMetricsEvents":[' in line)


def _eventually(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DELIVERED_AFTER_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _sent_by_python(user: User, path: str) -> tuple[int, str]:
    reply = user.request("GET", path, headers={"x-tidepool-trace-session": "a-session"})
    return reply.status, reply.body.decode()


def _sent_by_node(user: User, path: str) -> tuple[int, str]:
    """Node's own client, on which the library stands, sends no `Accept`, and its path as it is."""
    if (node := shutil.which("node")) is None:
        pytest.skip("needs node")
    headers = {"x-tidepool-session-token": user.token, "x-tidepool-trace-session": "a-session"}
    script = """
        const [host, port, path, headers] = JSON.parse(process.argv[1]);
        require("http").get({host, port, path, headers}, async (answer) => {
            let body = "";
            for await (const part of answer) body += part;
            console.log(JSON.stringify([answer.statusCode, body]));
        });
    """
    address = urlsplit(user.base_url)
    arguments = json.dumps([address.hostname, address.port, path, headers])
    done = subprocess.run(
        [node, "-e", script, arguments], capture_output=True, text=True, check=True, timeout=TIMEOUT_S
    )
    status, body = json.loads(done.stdout)
    return status, body


@pytest.mark.parametrize("sent", [_sent_by_python, _sent_by_node])
def test_an_event_can_be_sent_as_platform_client_does(
    user: User, server: Client, storage: "Storage", sent: Callable[[User, str], tuple[int, str]]
) -> None:
    """Blanks come as `%20`, nothing else is encoded, and the trace header of the session is sent (clients 6)."""
    name, today = f"e2e {sent.__name__} - Viewed Care Team List", _today()
    path = f"/metrics/thisuser/{name.replace(' ', '%20')}?user={user.id}&list[sort]=name&sourceVersion=1.2.3"
    assert sent(user, path) == (200, "")
    _eventually(lambda: _counts(server, name, today) == {name: 1})
    [(key, event)] = _events(storage, name)
    assert key.startswith(f"metrics/dt={event['time'][:10]}/hour={event['time'][11:13]}/shardId-000000000000-")
    assert event["event"] == {"user": event["user"], "list": {"sort": "name"}, "sourceVersion": "1.2.3"}
    assert event["params"] == {"eventname": name}
    assert user.id not in json.dumps(event)
    assert str(user.token) not in json.dumps(event)
    again = user.request("GET", path.replace("thisuser", f"user/{user.id}"))
    assert again.status == 200
    _eventually(lambda: _counts(server, name, today) == {name: 2})
    assert {archived["user"] for _, archived in _events(storage, name)} == {event["user"]}


def test_an_event_name_may_contain_any_characters(platform: "Platform", server: Client) -> None:
    nobody, today = Client(platform.base_url), _today()
    names = ["e2e-names \u00dcberblick \U0001f489", "e2e-names 100% ?&=#;+"]
    others_before = _counts(server, OTHER_EVENTS, today).get(OTHER_EVENTS, 0)
    for name in [*names, "e2e-names " + "x" * 2000]:
        assert nobody.request("GET", f"/metrics/user/somebody/{quote(name, safe='')}").status == 200
    _eventually(lambda: _counts(server, "e2e-names", today) == dict.fromkeys(names, 1))
    _eventually(lambda: _counts(server, OTHER_EVENTS, today).get(OTHER_EVENTS, 0) == others_before + 1)


def test_a_name_may_be_empty(platform: "Platform", server: Client) -> None:
    nobody, today = Client(platform.base_url), _today()
    before = _counts(server, "", today).get("", 0)
    assert nobody.request("GET", "/metrics/user/somebody/").status == 200
    assert nobody.request("GET", "/metrics/user/somebody").status == 404
    _eventually(lambda: _counts(server, "", today).get("", 0) == before + 1)


def test_events_without_permission_are_401_and_other_methods_are_405(
    platform: "Platform", user: User, server: Client
) -> None:
    nobody = Client(platform.base_url)
    stranger = Client(platform.base_url, "no-token-of-ours")
    for client, path, body in [
        (nobody, "/metrics/thisuser/x", NO_TOKEN),
        (nobody, "/metrics/server/a/x", NO_TOKEN),
        (stranger, "/metrics/thisuser/x", "Invalid Token"),
        (stranger, "/metrics/user/a/x", "Invalid Token"),
        (user, "/metrics/server/a/x", "Insufficient Permissions"),
        (server, "/metrics/thisuser/x", "Insufficient Permissions"),
    ]:
        reply = client.request("GET", path)
        assert (reply.status, reply.json()) == (401, body)
    reply = nobody.request("POST", "/metrics/user/a/x")
    assert (reply.status, reply.headers["allow"]) == (405, "GET")
    assert reply.json() == {"code": "MethodNotAllowed", "message": "POST is not allowed"}
    assert user.request("GET", f"/v1/metrics/events?from={_today()}&to={_today()}").status == 403


def test_a_bad_record_is_rejected_and_does_not_block_the_stream(
    platform: "Platform", user: User, server: Client, storage: "Storage"
) -> None:
    storage.put_in_stream(b"\x00 no event")
    name, today = f"e2e-after-poison {user.id}", _today()
    assert Client(platform.base_url).request("GET", f"/metrics/user/somebody/{quote(name)}").status == 200
    _eventually(lambda: _counts(server, name, today) == {name: 1})
    [notice] = storage.rejected_records()
    body = json.loads(notice)
    assert (body["reason"], body["dataBase64"]) == ("not JSON", "ACBubyBldmVudA==")


@pytest.mark.parametrize("events", [200, pytest.param(10_000, marks=pytest.mark.slow)])
def test_concurrent_events_are_archived_once(
    platform: "Platform", server: Client, storage: "Storage", events: int
) -> None:
    prefix, today = f"e2e-load-{events} ", _today()
    address = urlsplit(platform.base_url)
    failures: list[int] = []

    def send(thread: int) -> None:
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=TIMEOUT_S)
        for number in range(thread, events, THREADS):
            name = quote(f"{prefix}{number % 5}")
            connection.request("GET", f"/metrics/user/{number % 7:010d}/{name}?number={number}")
            response = connection.getresponse()
            if (response.status, response.read()) != (200, b""):
                failures.append(response.status)
        connection.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    # On a busy machine a put may take longer than it is waited for: it counts as lost, and may have come all the same.
    sure = events - _lost(platform)
    assert sure > events * 0.9
    _eventually(lambda: sum(_counts(server, prefix, today).values()) >= sure)
    found = [event for _, event in _events(storage, prefix)]
    assert len({event["event"]["number"] for event in found}) == len(found)
    assert len({event["id"] for event in found}) == len(found)
    assert sure <= len(found) <= events
    assert _counts(server, prefix, today) == Counter(event["eventName"] for event in found)
    assert len({event["user"] for event in found}) == 7
