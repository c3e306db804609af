"""Whether a text is an absolute URL with a host, by the rules of the reference's URL parser.

Source: data-model.md, section 4, association. `urllib.parse` accepts nearly anything, so the rules stand here.
"""

from __future__ import annotations

import re

_SCHEME = r"[a-zA-Z][a-zA-Z0-9+.-]*"
_BAD_ESCAPE = r"%(?![0-9a-fA-F]{2})"
_CONTROL = r"[\x00-\x1f\x7f]"
_USER_INFO = r"[a-zA-Z0-9\-._:~!$&'()*+,;=%@]*"
# ASCII escapes are no part of a host's name; a zone's percent sign (%25) stands in brackets only.
_HOST = r"(?:[^ %\\^`{|}/?#@]|%[89a-fA-F][0-9a-fA-F])*"
_PORT = r"(?::[0-9]*)?"


def is_absolute_url(text: str) -> bool:
    """Whether `text` has a scheme and a host, and is well formed."""
    if re.search(_CONTROL, text):
        return False
    rest, _, fragment = text.partition("#")
    scheme, colon, rest = rest.partition(":")
    if not colon or re.fullmatch(_SCHEME, scheme) is None or not rest.startswith("//"):
        return False
    rest = rest.partition("?")[0]
    authority, slash, path = rest[2:].partition("/")
    return _has_host(authority) and re.search(_BAD_ESCAPE, slash + path + fragment) is None


def _has_host(authority: str) -> bool:
    user_info, _, host = authority.rpartition("@")
    if re.fullmatch(_USER_INFO, user_info) is None or re.search(_BAD_ESCAPE, user_info):
        return False
    if host.startswith("["):
        address, bracket, port = host[1:].rpartition("]")
        if not bracket:
            return False
        name, _, _zone = address.partition("%25")
        return re.fullmatch(_PORT, port) is not None and re.fullmatch(_HOST, name) is not None
    name, colon, port = host.rpartition(":")
    if colon and re.fullmatch(_PORT, f":{port}") is None:
        return False
    return bool(host) and re.fullmatch(_HOST, host) is not None
