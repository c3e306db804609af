"""The names by which a server of one machine may be called.

A page of a stranger may lead its own name to this machine (DNS rebinding). The browser then takes the server for the
page's own, and lets the page call it. The name that it calls the server by is still that of the page.
"""

from collections.abc import Collection
from ipaddress import ip_address

LOCAL_ENDINGS = (".localhost", ".local")
"""Names that no public server of names leads anywhere (RFC 6761, 6762)."""


class Names:
    """Tells by which names the server is called rightly: addresses, names without a dot and those of the local network,
    none of which a stranger can lead here, and names of its own."""

    def __init__(self, own: Collection[str] = ()) -> None:
        self._own = frozenset(name.lower() for name in own)

    def has(self, host: str) -> bool:
        """Whether the header `Host` has one of these names. Old clients send none, and browsers always do."""
        name = _without_port(host.strip().lower()).removesuffix(".")
        return "." not in name or name.endswith(LOCAL_ENDINGS) or name in self._own or _is_address(name)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
