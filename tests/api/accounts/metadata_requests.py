"""Requests to the metadata API, and the people in them."""

from typing import Any

from tests.api.conftest import ApiClient
from tests.fakes.services import FakeServices

OWNER = "aaaaaaaaaa"


VIEWER = "bbbbbbbbbb"


PATIENT = "cccccccccc"


STRANGER = "dddddddddd"


PATH = f"/metadata/{OWNER}/profile"


def put(api: ApiClient, fakes: FakeServices, body: Any, path: str = PATH) -> Any:
    """The reply to a server's PUT."""
    reply = api.request("PUT", path, body, token=fakes.sign_in("server", is_server=True))
    assert reply.status == 200, reply.body
    return reply.json()
