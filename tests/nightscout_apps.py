"""The requests of apps of the Nightscout API in the order in which they send them, with the statuses that Nightscout
answers. `tests/data/samples/nightscout` has them, written after the sources of the apps. Source: nightscout-api 11.
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "data" / "samples" / "nightscout"
APPS = sorted(path.stem for path in FOLDER.glob("*.json"))
IDENTIFIERS = {
    "POST an entry is 201 with an identifier": "59f236a8-81d8-5953-b702-0f66fda7930c",
    "POST a treatment": "a8c64960-1b54-52a5-a16a-ed9f26a75038",
    "POST a temporary target": "d3ec2084-728c-5256-8772-91bed652a721",
}
"""The steps of AndroidAPS whose answers name what later steps change, and how these name it."""
DIFFERENCES = {
    ("aaps_v3", "PATCH of it is 410", "PATCH"): 400,
    ("aaps_v1", "the handshake of Socket.IO", "GET"): 404,
    ("loopfollow", "POST with the JWT", "GET"): 401,
    ("xdrip4ios", "the same instant with another _id", "POST"): 200,
}
"""The statuses that differ: see docs/compatibility-nightscout.md."""

Send = Callable[[str, str, Any, Mapping[str, str]], tuple[int, Callable[[], Any]]]
"""Sends method, path, body and headers, and returns the status, and what reads the answer as JSON."""


class Answer(NamedTuple):
    """The status of the answer to a step."""

    step: str
    method: str
    status: int


def requests_of(app: str) -> list[dict[str, Any]]:
    """The requests of an app."""
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{app}.json").read_text())
    return found


def wanted_answers(app: str) -> list[Answer]:
    """The answers that an app should get."""
    steps = [(request["step"], request["method"], request["status"]) for request in requests_of(app)]
    return [Answer(step, method, DIFFERENCES.get((app, step, method), status)) for step, method, status in steps]


def answers(app: str, token: str, jwt: str, send: Send) -> list[Answer]:
    """The answers to the requests of an app whose user entered this token."""
    sha1 = hashlib.sha1(token.encode(), usedforsecurity=False).hexdigest()
    values = {"<SHA1 of the secret>": sha1, "<SHA1 of the token>": sha1, "<JWT>": jwt}
    values |= {"<TOKEN>": token, "<SECRET>": token}

    def filled(value: Any) -> Any:
        text = json.dumps(value)
        for placeholder, meaning in values.items():
            text = text.replace(placeholder, meaning)
        return json.loads(text)

    found = []
    for request in requests_of(app):
        headers, body = filled(request["headers"]), filled(request.get("body"))
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.compress(json.dumps(body).encode())
        status, read_json = send(request["method"], filled(request["path"]), body, headers)
        found.append(Answer(request["step"], request["method"], status))
        if request["step"] in IDENTIFIERS:
            values[IDENTIFIERS[request["step"]]] = read_json()["identifier"]
    return found
