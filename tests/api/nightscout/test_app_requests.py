"""The requests of apps of the Nightscout API, and the data that they leave. Source: nightscout-api 11 and 14."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.api.nightscout.v3 import V3
from tests.nightscout_apps import APPS, answers, requests_of, wanted_answers


@pytest.mark.parametrize("app", APPS)
def test_each_request_of_an_app_is_answered_as_by_nightscout(v3: V3, app: str) -> None:
    def send(method: str, path: str, body: Any, headers: Mapping[str, str]) -> tuple[int, Any]:
        reply = v3.device.api.request(method, path, body, **headers)
        return reply.status, reply.json

    assert answers(app, v3.device.token, v3.jwt, send) == wanted_answers(app)


def test_a_day_of_androidaps_by_v3_is_seen_once_in_the_tidepool_api(v3: V3) -> None:
    posted = [request for request in requests_of("aaps_v3") if request["method"] == "POST" and request["status"] == 201]
    for _ in range(2):
        for request in posted:
            v3.device.api.request(
                "POST", request["path"], request["body"], Authorization=f"Bearer {v3.jwt}", Date="1709294456552"
            )
    seen = sorted((record["type"], record.get("subType", "")) for record in v3.device.data())
    assert seen == [
        ("bolus", "automated"),
        ("cbg", ""),
        ("deviceEvent", "pumpSettingsOverride"),
        ("pumpSettings", ""),
    ]
