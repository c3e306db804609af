"""People who have accounts, and the answers of the auth API that all its tests know."""

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.accounts.account import Account
from tests.fakes.services import START_MS

if TYPE_CHECKING:
    from tests.api.conftest import ApiClient, Reply

INVALID = {"code": 400, "reason": "Invalid user details were given"}
EXISTS = {"code": 409, "reason": "User already exists"}
NOT_AUTHORIZED = {"code": 401, "reason": "Not authorized for requested operation"}
NOT_FOUND = {"code": 404, "reason": "User not found"}

ANNA = Account("0123456789", START_MS, "anna@example.org", "now:password", ("patient",), START_MS // 1000, True)
BEN = replace(ANNA, user_id="9876543210", email="ben@example.org")
CHILD = Account("abcdef0123", START_MS, None, None, ("custodial_account", "patient"))

TOKEN = "x-tidepool-session-token"


def can_sign_in(api: "ApiClient", username: str, password: str) -> bool:
    """Whether a login succeeds."""
    return _login(api, username, password).status == 200


def signed_in(api: "ApiClient", username: str, password: str) -> str:
    """The token of a new login."""
    return _login(api, username, password).headers[TOKEN]


def is_valid(api: "ApiClient", token: str) -> bool:
    """Whether a token stands for someone."""
    return api.request("GET", "/auth/token", token=token).status == 200


def _login(api: "ApiClient", username: str, password: str) -> "Reply":
    encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
    return api.request("POST", "/auth/login", authorization=f"Basic {encoded}")
