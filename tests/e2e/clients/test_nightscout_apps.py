"""Tests Nightscout apps on both homes: what they send by HTTP, such as raw brackets and dates in milliseconds."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.e2e.client import Client, User
from tests.nightscout_apps import APPS, answers, wanted_answers

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

NOTE = "a|b; {c}"
"""Characters that the gateway of AWS refuses in a query, or splits it at, unless they are encoded."""


def device(platform: "Platform", name: str) -> tuple[Client, str]:
    """A device without a session, and the token that a new user made for it."""
    user = User(platform.base_url)
    made = user.request("POST", f"/v1/users/{user.id}/nightscout_credentials", {"name": name, "scope": "upload"})
    return Client(platform.base_url), made.json()["token"]


@pytest.mark.parametrize("app", APPS)
def test_each_request_of_an_app_is_answered_as_by_nightscout(platform: "Platform", app: str) -> None:
    phone, token = device(platform, app)
    jwt = phone.request("GET", f"/api/v2/authorization/request/{token}").json()["token"]

    def send(method: str, path: str, body: Any, headers: Mapping[str, str]) -> tuple[int, Any]:
        reply = phone.request(method, path, body, headers)
        return reply.status, reply.json

    assert answers(app, token, jwt, send) == wanted_answers(app)


def test_queries_reach_the_application_as_they_were_sent(platform: "Platform") -> None:
    phone, token = device(platform, "queries")
    treatment = {"eventType": "Note", "created_at": "2024-03-01T12:00:00Z", "notes": NOTE}
    sent = {"Date": "1709294456552"}
    assert phone.request("POST", f"/api/v1/treatments?token={token}", [treatment], sent).status == 200

    def found(condition: str) -> int:
        query = f"{condition}&find[created_at][$gte]=2024-03-01&token={token}"
        reply = phone.request("GET", f"/api/v1/treatments.json?{query}", headers=sent)
        assert reply.status == 200, reply.body
        return len(reply.json())

    assert found(f"find[notes]={quote(NOTE)}") == 1
    assert found("find[notes]=a%7Cb") == 0
    assert found("find[eventType][$in][]=Site%20Change&find[eventType][$in][]=Note") == 1
    assert found("find%5BeventType%5D%5B%24in%5D%5B%5D=Note") == 1
    assert found("find[eventType]=Site+Change") == 0


@pytest.mark.home
def test_a_home_server_takes_what_the_gateway_of_aws_refuses_in_a_query(home: "Platform") -> None:
    phone, token = device(home, "raw")
    treatment = {"eventType": "Note", "created_at": "2024-03-01T12:00:00Z", "notes": NOTE}
    assert phone.request("POST", f"/api/v1/treatments?token={token}", [treatment]).status == 200
    raw = NOTE.replace(" ", "+")
    reply = phone.request("GET", f"/api/v1/treatments.json?find[notes]={raw}&find[created_at][$gte]=2024&token={token}")
    assert [found["notes"] for found in reply.json()] == [NOTE]


@pytest.mark.home
def test_what_an_app_sends_at_once_is_all_stored_once_if_it_repeats_503(home: "Platform") -> None:
    phone, token = device(home, "at once")
    treatments = [{"eventType": "Note", "created_at": f"2024-03-01T12:{minute:02}:00.000Z"} for minute in range(30)]
    path = f"/api/v1/treatments?token={token}"

    def send(treatment: dict[str, str]) -> set[int]:
        statuses: list[int] = []
        while 200 not in statuses and len(statuses) < len(treatments):
            reply = phone.request("POST", path, [treatment])
            assert reply.status != 503 or reply.headers["retry-after"]
            statuses.append(reply.status)
        return {*statuses}

    with ThreadPoolExecutor(len(treatments)) as threads:
        seen = {status for statuses in threads.map(send, treatments) for status in statuses}
    assert seen <= {200, 503}
    reply = phone.request("GET", f"{path}&find[created_at][$gte]=2024-03-01&count=100")
    assert sorted(found["created_at"] for found in reply.json()) == [sent["created_at"] for sent in treatments]
