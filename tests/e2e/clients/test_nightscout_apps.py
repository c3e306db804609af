"""Tests Nightscout apps on a home server: what they send by HTTP, such as raw brackets and dates in milliseconds."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.client import Client, User
from tests.nightscout_apps import APPS, answers, wanted_answers

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform


@pytest.mark.home
@pytest.mark.parametrize("app", APPS)
def test_each_request_of_an_app_is_answered_as_by_nightscout(home: "Platform", app: str) -> None:
    user = User(home.base_url)
    made = user.request("POST", f"/v1/users/{user.id}/nightscout_credentials", {"name": app, "scope": "upload"}).json()
    device = Client(home.base_url)
    jwt = device.request("GET", f"/api/v2/authorization/request/{made['token']}").json()["token"]

    def send(method: str, path: str, body: Any, headers: Mapping[str, str]) -> tuple[int, Any]:
        reply = device.request(method, path, body, headers)
        return reply.status, reply.json

    assert answers(app, made["token"], jwt, send) == wanted_answers(app)
