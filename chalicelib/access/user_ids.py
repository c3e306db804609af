"""Ids of users in paths, and texts of any form that become part of a key. Source: errors 4; access-api A1."""

import re

from chalicelib.errors import InvalidPathError

_USER_ID = re.compile(r"[0-9a-f]{10}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MAX_KEY_TEXT_BYTES = 512


def require_user_id(user_id: str) -> None:
    """Raise unless the text has the form of a user id.

    Raises:
        InvalidPathError: the text has another form.
    """
    if _USER_ID.fullmatch(user_id) is None:
        raise InvalidPathError("userId")


def fits_key(text: str) -> bool:
    """Whether a text (an id, an e-mail address, a name) can be part of a key: it is neither empty nor too long.

    Nothing is stored under a text that does not fit, so a store answers without a read.
    """
    return 0 < len(text.encode()) <= MAX_KEY_TEXT_BYTES
