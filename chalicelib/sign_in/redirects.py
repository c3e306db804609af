"""Addresses that a browser may be sent to: parsed strictly, since the code goes there.

Browsers repair what is malformed (`\\` becomes `/`, `a/../b` becomes `b`), so an address that needs a repair is refused
instead of being understood in another way than by the browser. Source: RFC 9700, 2.1 and 4.1.3, auth-api 6.
"""

import re
from urllib.parse import unquote

from chalicelib.frozen import frozen

LOOPBACK_HOSTS = ("localhost", "127.0.0.1")
RESERVED_PATHS = ("/realms", "/upload-redirect")
"""Paths at which the platform itself redirects. A browser keeps the fragment when it follows a redirect, so an answer
that is sent there would go on to another app. `/invitation` goes on to a page of the platform alone."""
_PORTS = {"http": "80", "https": "443"}
_ADDRESS = re.compile(r"(https?)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?(/[^?#]*)?(?:\?[^#]*)?")
_PRINTABLE = re.compile(r"[!-~]+")
_ENCODED_SEPARATOR = re.compile(r"%(2f|5c|2e)", re.IGNORECASE)


@frozen
class WebAddress:
    """A web address without its query; `path` is empty or starts with a slash."""

    scheme: str
    host: str
    port: str
    path: str

    @property
    def origin(self) -> str:
        """The origin, as browsers write it."""
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of the browser's own machine can be there."""
        return self.scheme == "http" and self.host in LOOPBACK_HOSTS

    @property
    def is_reserved(self) -> bool:
        """Whether the platform itself may answer there with a redirect."""
        path = unquote(self.path)
        return any(path == reserved or path.startswith(f"{reserved}/") for reserved in RESERVED_PATHS)

    def is_within(self, app: "WebAddress") -> bool:
        """Whether this is the address of a web app or lies below it, segment by segment."""
        root = app.path.rstrip("/")
        return self.origin == app.origin and (self.path in ("", root) or self.path.startswith(f"{root}/"))


def web_address(text: str) -> WebAddress | None:
    """The parts of an address; None if it is not one of the web, or if browsers may read it in another way.

    Refused are a fragment, user names, backslashes, control characters and blanks, `.` and `..` and empty segments, and
    encoded slashes, backslashes and dots in the path.
    """
    match = _ADDRESS.fullmatch(text) if _PRINTABLE.fullmatch(text) and "\\" not in text else None
    if match is None:
        return None
    scheme, host, port, path = match[1], match[2], match[3] or _PORTS[match[1]], match[4] or ""
    segments = path.split("/")[1:]
    if _ENCODED_SEPARATOR.search(path) or any(segment in (".", "..") for segment in segments) or "" in segments[:-1]:
        return None
    return WebAddress(scheme, host, port, path)
