"""Whether a text is an absolute URL with a host, by the rules of the reference's URL parser.

Source: data-model.md, section 4, association. `urllib.parse` accepts nearly anything, so the rules stand here.
"""

from __future__ import annotations

import re

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USER_INFO = re.compile(r"[a-zA-Z0-9\-._:~!$&'()*+,;=%@]*")
# ASCII escapes are no part of a host's name; a zone's percent sign (%25) stands in brackets only.
_HOST = re.compile(r"""(?:[a-zA-Z0-9\-._~!$&'()*+,;=:<>"\[\]\u0080-\U0010ffff]|%[89a-fA-F][0-9a-fA-F])*""")
_PORT = re.compile(r"(?::[0-9]*)?")


def is_absolute_url(text: str) -> bool:
    """Whether `text` has a scheme and a host, and is well formed."""
    if _CONTROL.search(text):
        return False
    rest, _, fragment = text.partition("#")
    scheme, colon, rest = rest.partition(":")
    if not colon or _SCHEME.fullmatch(scheme) is None or not rest.startswith("//"):
        return False
    rest = rest.partition("?")[0]
    authority, slash, path = rest[2:].partition("/")
    return _has_host(authority) and _BAD_ESCAPE.search(slash + path + fragment) is None


def _has_host(authority: str) -> bool:
    user_info, _, host = authority.rpartition("@")
    if _USER_INFO.fullmatch(user_info) is None or _BAD_ESCAPE.search(user_info):
        return False
    if host.startswith("["):
        address, bracket, port = host[1:].rpartition("]")
        if not bracket:
            return False
        name, _, _zone = address.partition("%25")
        return _PORT.fullmatch(port) is not None and _HOST.fullmatch(name) is not None
    name, colon, port = host.rpartition(":")
    if colon and _PORT.fullmatch(f":{port}") is None:
        return False
    return bool(host) and _HOST.fullmatch(host) is not None
