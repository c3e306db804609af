"""A client of the task API."""

from typing import Any

import pytest

from tests.api.conftest import ApiClient, Reply
from tests.api.tasks.task_requests import Call
from tests.fakes.services import FakeServices


@pytest.fixture
def call(api: ApiClient, fakes: FakeServices) -> Call:
    """Sends requests as a server."""
    token = fakes.sign_in("server", is_server=True)

    def send(method: str, path: str = "", body: Any = None) -> Reply:
        return api.request(method, f"/v1/tasks{path}", body, token=token)

    return send
