"""The form that the id of a user has in a path. Source: errors 4."""

import re

from chalicelib.errors import InvalidPathError

_USER_ID = re.compile(r"[0-9a-f]{10}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def require_user_id(user_id: str) -> None:
    """Nothing, when the text has the form of a user id.

    Raises:
        InvalidPathError: it has not.
    """
    if _USER_ID.fullmatch(user_id) is None:
        raise InvalidPathError("userId")
