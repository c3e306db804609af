"""A person with a password, and how a client signs in by `POST /auth/login`."""

import base64

from chalicelib.accounts.account import Account
from tests.api.conftest import ApiClient, Reply
from tests.fakes.services import START_MS

USER_ID = "b4ed8d9a-51ab-4a56-9d5f-2a5b8e4d7c10"
ANNA = Account(USER_ID, START_MS, "anna@example.org", "now:pass:word 1", ("patient",), START_MS // 1000, True)
PASSWORD = "pass:word 1"
TOKEN = "x-tidepool-session-token"


def basic(username: str, password: str, scheme: str = "Basic") -> str:
    """An `Authorization` header."""
    return f"{scheme} {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def login(api: ApiClient, username: str = "anna@example.org", password: str = PASSWORD) -> Reply:
    """The answer to a login."""
    return api.request("POST", "/auth/login", authorization=basic(username, password))
