"""People who have accounts, and the answers of the auth API that all its tests know."""

import base64
from dataclasses import replace

from chalicelib.domain.accounts import Account
from tests.api.conftest import ApiClient
from tests.fakes.services import START_MS

INVALID = {"code": 400, "reason": "Invalid user details were given"}
EXISTS = {"code": 409, "reason": "User already exists"}
NOT_AUTHORIZED = {"code": 401, "reason": "Not authorized for requested operation"}
NOT_FOUND = {"code": 404, "reason": "User not found"}

ANNA = Account("0123456789", START_MS, "anna@example.org", "now:password", ("patient",), START_MS // 1000, True)
BEN = replace(ANNA, user_id="9876543210", email="ben@example.org")
CHILD = Account("abcdef0123", START_MS, None, None, ("custodial_account", "patient"))


def can_sign_in(api: ApiClient, username: str, password: str) -> bool:
    """Whether a login succeeds."""
    encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
    return api.request("POST", "/auth/login", authorization=f"Basic {encoded}").status == 200
