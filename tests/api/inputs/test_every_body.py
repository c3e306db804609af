"""Each operation that takes JSON, with a body that has something unexpected in any one place: never a defect.

The operations are those of the description, so that a new one is tried as well.
"""

import json
import re
from typing import Any

import pytest

from chalicelib.log.documents_owner import documents_owner_id
from chalicelib.tiles.compact import compact
from tests.api.conftest import ApiClient, Reply
from tests.api.people import ANNA, BEN
from tests.extremes import EXTREME_NUMBERS, EXTREME_TIMES
from tests.fakes.services import FakeServices
from tools.fuzz.good_bodies import GOOD_BODIES, operations_with_bodies, with_another_value

OPERATIONS = operations_with_bodies()
DATA_SET_ID = "d" * 32
PATHS = {"userId": ANNA.user_id, "sharerId": ANNA.user_id, "granteeId": BEN.user_id, "dataSetId": DATA_SET_ID}
WRONG_KINDS: tuple[Any, ...] = (None, True, "", "text", [], {}, [[]], [None], {"": None}, {"a": {}})
NUMBERS = (EXTREME_NUMBERS[0], *EXTREME_NUMBERS[2:12:3], *EXTREME_NUMBERS[-2:])
TIMES = tuple(time for time in EXTREME_TIMES[::4] if not time.startswith(("0000", "0001")))
"""Without those of the year 0 and near it, which the checker of the description does not know."""
HALF_TEXTS = (rb'"\ud83d"', b'"\xe9"', rb'{"\udc00":1}', rb'["\u0000\ud800\ud800"]')
DEPTHS = (64, 65, 100, 254, 255, 1024)
NIGHTSCOUT = ("nightscout.", "nightscout_documents.")
PLACE = "the place of a value"
LISTS = (
    "/metadata/users/{0}/users",
    "/access/groups/{0}",
    "/metadata/{0}/profile",
    "/v1/users/{0}/data_sets",
    "/v1/users/{0}/data_sources",
    "/v1/users/{0}/nightscout_credentials",
    "/data/{0}",
    "/message/all/{0}",
    "/confirm/invite/{0}",
    "/confirm/invitations/{0}",
)
"""Paths at which the contents of bodies are read again."""
DEVICE_LISTS = (
    "/api/v1/entries.json?count=1000",
    "/api/v1/treatments.json?count=1000",
    "/api/v1/profile.json",
    "/api/v1/devicestatus.json?count=1000",
    "/api/v2/properties",
    "/pebble?count=10",
)
"""Paths at which a device reads documents, and what follows from them."""


class Sender:
    """Sends bodies to one operation as somebody who may call it."""

    def __init__(self, api: ApiClient, fakes: FakeServices, name: str, tokens: dict[str, str]) -> None:
        self._api, self._fakes, self._name, self._tokens = api, fakes, name, tokens

    def send(self, body: bytes) -> list[Reply]:
        """The replies to the owner, to a server and to the owner's device."""
        method, path = OPERATIONS[self._name]
        values = PATHS | ({"collection": "treatments"} if self._name.startswith(NIGHTSCOUT) else {})
        filled = re.sub(r"{(\w+)}", lambda match: values.get(match[1], "0" * 32), path)
        if self._name.startswith("nightscout."):
            return [self._api.request(method, filled, body, api_secret=self._tokens["device"])]
        senders = [self._tokens["owner"], self._tokens["server"]]
        return [self._api.request(method, filled, body, token=token) for token in senders]

    def read(self) -> None:
        """Read all documents as the owner's device."""
        for path in DEVICE_LISTS if self._name.startswith("nightscout.") else ():
            reply = self._api.request("GET", path, api_secret=self._tokens["device"])
            assert reply.status == 200, (path, reply.body)

    def fold(self) -> None:
        """Fold what is stored into tiles."""
        for owner_id in (ANNA.user_id, documents_owner_id(ANNA.user_id)):
            compact(owner_id, self._fakes.services.tiles, lambda: None)


@pytest.fixture(params=sorted(GOOD_BODIES))
def name(request: pytest.FixtureRequest) -> str:
    """The id of an operation."""
    return str(request.param)


@pytest.fixture
def sender(api: ApiClient, fakes: FakeServices, anna: str, ben: str, server: str, name: str) -> Sender:
    path = f"/v1/users/{ANNA.user_id}/nightscout_credentials"
    device = api.request("POST", path, {"name": "A phone", "scope": "upload"}, token=anna).json()["token"]
    opened = {"dataSetType": "continuous", "id": DATA_SET_ID, "uploadId": DATA_SET_ID}
    assert api.request("POST", f"/v1/users/{ANNA.user_id}/data_sets", opened, token=server).status == 201
    return Sender(api, fakes, name, {"owner": anna, "server": server, "device": device})


def test_each_operation_that_takes_json_has_a_good_body() -> None:
    assert sorted(GOOD_BODIES) == sorted(OPERATIONS)


@pytest.mark.parametrize("kind", ["numbers", "times", "wrong kinds"])
def test_no_value_in_any_place_makes_a_defect(sender: Sender, name: str, kind: str) -> None:
    values = {"numbers": NUMBERS, "times": TIMES, "wrong kinds": WRONG_KINDS}[kind]
    for value in values:
        for body in with_another_value(GOOD_BODIES[name], value):
            for reply in sender.send(json.dumps(body).encode()):
                assert reply.status < 500, (body, reply.body)
        sender.read()
        sender.fold()


def test_text_that_is_not_quite_unicode_is_read_in_any_place(sender: Sender, name: str) -> None:
    for body in with_another_value(GOOD_BODIES[name], PLACE):
        for text in HALF_TEXTS if isinstance(body, type(GOOD_BODIES[name])) else ():
            for reply in sender.send(_with(text, body)):
                assert reply.status < 500, (text, body, reply.body)
                assert b"json-malformed" not in reply.body, (text, body)


def test_what_is_nested_deeply_in_any_place_leaves_all_lists_whole(
    api: ApiClient, anna: str, ben: str, sender: Sender, name: str
) -> None:
    for depth in DEPTHS:
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            nested = opening * depth + b"1" + closing * depth
            for body in with_another_value(GOOD_BODIES[name], PLACE):
                for reply in sender.send(_with(nested, body)):
                    assert reply.status < 500, (depth, body, reply.body)
            sender.fold()
    for path in LISTS:
        for token, user_id in ((anna, ANNA.user_id), (ben, BEN.user_id)):
            reply = api.request("GET", path.format(user_id), token=token)
            assert reply.status < 500, (path, reply.body)


def _with(text: bytes, body: Any) -> bytes:
    """The JSON of a body with a text in its empty place."""
    return json.dumps(body).encode().replace(json.dumps(PLACE).encode(), text)
