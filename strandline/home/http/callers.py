"""The address of a caller, behind proxies or without one."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Callers:
    """Tells who calls. A header that names the caller counts if a trusted proxy sent it."""

    def __init__(self, trusted_proxies: Sequence[Network] = ()) -> None:
        self._trusted = tuple(trusted_proxies)

    def may_connect(self, peer: str) -> bool:
        """Whether a request may come from this address: from any or, if there are trusted proxies, from those
        and this machine only."""
        if not self._trusted:
            return True
        address = _parsed(peer)
        return address is not None and (address.is_loopback or self._is_trusted(address))

    def address(self, peer: str, forwarded_for: Sequence[str]) -> str:
        """The address of the caller.

        Args:
            peer: where the connection comes from.
            forwarded_for: the values of `X-Forwarded-For`. Each proxy adds the address that it was called from, so the
                caller is the last one that is not a trusted proxy; what stands before it may be made up.
        """
        caller = _parsed(peer)
        if caller is None:
            return peer
        hops = [hop for value in forwarded_for for hop in value.split(",")]
        while hops and self._is_trusted(caller):
            before = _parsed(hops.pop())
            if before is None:
                break
            caller = before
        return str(caller)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _parsed(text: str) -> Address | None:
    """An address, without its port if there is one; None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
