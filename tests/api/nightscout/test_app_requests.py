"""The requests of apps of the Nightscout API in the order in which they send them, with the statuses that Nightscout
answers. `tests/data/samples/nightscout` has them, written after the sources of the apps. Source: nightscout-api 11.
"""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.nightscout.v3 import V3

FOLDER = Path(__file__).parent.parent.parent / "data" / "samples" / "nightscout"
APPS = sorted(path.stem for path in FOLDER.glob("*.json"))
IDENTIFIERS = {
    "POST an entry is 201 with an identifier": "59f236a8-81d8-5953-b702-0f66fda7930c",
    "POST a treatment": "a8c64960-1b54-52a5-a16a-ed9f26a75038",
    "POST a temporary target": "d3ec2084-728c-5256-8772-91bed652a721",
}
"""The steps of AndroidAPS whose answers name what later steps change, and how these name it."""
DIFFERENCES = {
    ("loopfollow", "POST with the JWT", "GET"): 404,
    ("xdrip4ios", "the same instant with another _id"): 200,
}
"""The statuses that differ: see docs/compatibility-nightscout.md."""


def requests_of(app: str) -> list[dict[str, Any]]:
    """The requests of an app."""
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{app}.json").read_text())
    return found


def wanted_status(app: str, request: dict[str, Any]) -> int:
    """The status of the answer to a request."""
    by_method = DIFFERENCES.get((app, request["step"], request["method"]), request["status"])
    status: int = DIFFERENCES.get((app, request["step"]), by_method)
    return status


@pytest.mark.parametrize("app", APPS)
def test_each_request_of_an_app_is_answered_as_by_nightscout(v3: V3, app: str) -> None:
    token, sent = v3.device.token, requests_of(app)
    sha1 = hashlib.sha1(token.encode(), usedforsecurity=False).hexdigest()
    values = {"<SHA1 of the secret>": sha1, "<SHA1 of the token>": sha1, "<JWT>": v3.jwt}
    values |= {"<TOKEN>": token, "<SECRET>": token}

    def filled(value: Any) -> Any:
        text = json.dumps(value)
        for placeholder, meaning in values.items():
            text = text.replace(placeholder, meaning)
        return json.loads(text)

    answered = []
    for request in sent:
        headers, body = filled(request["headers"]), filled(request.get("body"))
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.compress(json.dumps(body).encode())
        reply = v3.device.api.request(request["method"], filled(request["path"]), body, **headers)
        answered.append((request["step"], request["method"], reply.status))
        if request["step"] in IDENTIFIERS:
            values[IDENTIFIERS[request["step"]]] = reply.json()["identifier"]
    assert answered == [(request["step"], request["method"], wanted_status(app, request)) for request in sent]


def test_a_day_of_androidaps_by_v3_is_seen_once_in_the_tidepool_api(v3: V3) -> None:
    posted = [request for request in requests_of("aaps_v3") if request["method"] == "POST" and request["status"] == 201]
    for _ in range(2):
        for request in posted:
            v3.device.api.request(
                "POST", request["path"], request["body"], Authorization=f"Bearer {v3.jwt}", Date="1709294456552"
            )
    seen = sorted((record["type"], record.get("subType", "")) for record in v3.device.data())
    assert seen == [("bolus", "automated"), ("cbg", ""), ("deviceEvent", "pumpSettingsOverride")]
