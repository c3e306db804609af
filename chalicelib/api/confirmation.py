"""The password with which a request confirms what cannot be taken back."""

from chalicelib.accounts.delete import PasswordConfirmation
from chalicelib.accounts.password_sign_in import SignInSource
from chalicelib.api.messages import Request
from chalicelib.errors import MalformedJsonError


def password_confirmation(request: Request) -> PasswordConfirmation:
    """The member `password` of the body, if there is one that can be read, and where the request came from."""
    return PasswordConfirmation(_password(request), SignInSource(request.source_ip))


def _password(request: Request) -> str | None:
    try:
        body = request.json()
    except MalformedJsonError:
        return None
    password = body.get("password") if isinstance(body, dict) else None
    return password if isinstance(password, str) else None
