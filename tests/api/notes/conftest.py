"""Anna, about whom notes are written, and Ben, who cares for her."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.conftest import ApiClient
from tests.api.people import ANNA

Write = Callable[..., str]


def message(text: str = "A snack", timestamp: str = "2026-01-01T10:00:00Z", guid: str = "g-1") -> dict[str, Any]:
    """The body of a message as clients send it, with members that they send and the server sets itself."""
    return {"message": {"guid": guid, "timestamp": timestamp, "messagetext": text, "userid": "x", "groupid": "y"}}


@pytest.fixture
def write(api: ApiClient) -> Write:
    """Writes a note about Anna; returns its id."""

    def send(token: str, *content: str) -> str:
        reply = api.request("POST", f"/message/send/{ANNA.user_id}", message(*content), token=token)
        assert reply.status == 201
        return str(reply.json()["id"])

    return send
