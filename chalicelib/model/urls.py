"""The reference's rules for an absolute URL with a host. `urllib.parse` accepts nearly any text.

Source: data-model 4, association.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address

_SCHEME = r"[a-zA-Z][a-zA-Z0-9+.-]*"
_BAD_ESCAPE = r"%(?![0-9a-fA-F]{2})"
_CONTROL = r"[\x00-\x1f\x7f]"
_USER_INFO = r"[a-zA-Z0-9\-._:~!$&'()*+,;=%@]*"
# A host name has no escaped ASCII characters, which the zone of an address in brackets may have.
_HOST = r"(?:[^ %\\^`{|}/?#@\[]|%[89a-fA-F][0-9a-fA-F])*"
_ZONE = r"(?:[^ %\\^`{|}/?#@\[]|%[0-9a-fA-F]{2})*"
_PORT = r"(?::[0-9]*)?"


def is_absolute_url(text: str) -> bool:
    """Whether `text` is a well-formed URL with a scheme and a host."""
    rest, _, fragment = text.partition("#")
    if re.search(_CONTROL, rest):
        return False
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
        return bool(bracket) and re.fullmatch(_PORT, port) is not None and _is_ipv6_address(address)
    _, colon, port = host.rpartition(":")
    if colon and re.fullmatch(_PORT, f":{port}") is None:
        return False
    return bool(host) and re.fullmatch(_HOST, host) is not None


def _is_ipv6_address(text: str) -> bool:
    name, percent, zone = text.partition("%25")
    if "%" in name or (percent and not zone) or re.fullmatch(_ZONE, zone) is None:
        return False
    try:
        IPv6Address(name)
    except AddressValueError:
        return False
    return True
