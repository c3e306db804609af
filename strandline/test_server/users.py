"""Users for tests, made without a request."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.access.call import platform_call
from chalicelib.accounts.bodies import new_user
from chalicelib.accounts.manage import create_user
from chalicelib.accounts.roles import PATIENT
from chalicelib.accounts.session import Login, open_session
from chalicelib.services import Services


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """A user who is signed in."""

    id: str
    email: str
    password: str
    token: str


def make_user(details: Mapping[str, Any], services: Services) -> SignedInUser:
    """Create a user who can sign in, and sign them in.

    Args:
        details: may have `email`, `password` and `roles`; what is not there is made up.

    Raises:
        InvalidUserDetailsError: one of them breaks a rule of the sign-up.
        UserExistsError: the e-mail address belongs to a user.
    """
    email = details.get("email", f"user-{secrets.token_hex(6)}@example.org")
    password = details.get("password", secrets.token_urlsafe(16))
    user = new_user(
        {"username": email, "emails": [email], "password": password, "roles": details.get("roles", [PATIENT])}
    )
    call = platform_call(services.now_ms(), services.new_id)
    account = create_user(call, user, services.accounts, email_verified=True, email_proven=True)
    token = services.new_token()
    login = Login(account.user_id, False, services.settings.session_lifetime_s, account.password_version)
    open_session(call, login, token, services.accounts)
    return SignedInUser(account.user_id, user.email, user.password, token)
