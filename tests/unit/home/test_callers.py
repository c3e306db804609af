"""Tests who calls, behind proxies that are trusted and others."""

from ipaddress import ip_network

import pytest

from strandline.home.http.callers import Callers

PROXIES = Callers([ip_network("10.0.0.0/8"), ip_network("2001:db8::1")])
HOP = "198.51.100.7"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "caller"),
    [
        ("203.0.113.9", [HOP], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [HOP], HOP),
        ("10.0.0.1", [f"192.0.2.1, {HOP}"], HOP),
        ("10.0.0.1", ["192.0.2.1", HOP], HOP),
        ("10.0.0.1", [f"{HOP}, 10.0.0.2"], HOP),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [f"{HOP}, nonsense"], "10.0.0.1"),
        ("10.0.0.1", [f"{HOP}:4711"], HOP),
        ("2001:db8::1", ["[2001:db8::2]:4711"], "2001:db8::2"),
        ("::ffff:10.0.0.1", [HOP], HOP),
        ("localhost", [HOP], "localhost"),
    ],
)
def test_the_caller_is_the_last_that_no_trusted_proxy_is(peer: str, forwarded_for: list[str], caller: str) -> None:
    assert PROXIES.address(peer, forwarded_for) == caller


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert Callers().address("127.0.0.1", [HOP]) == "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "may"), [("10.1.2.3", True), ("127.0.0.1", True), ("::1", True), (HOP, False), ("nonsense", False)]
)
def test_behind_proxies_only_they_and_the_machine_connect(peer: str, may: bool) -> None:
    assert PROXIES.may_connect(peer) is may
    assert Callers().may_connect(peer) is True
