"""Tests the ports of the local cloud: loopback only, and the same ports again while they are free."""

import socket
from collections.abc import Iterator

import pytest

from tools.local_cloud.ports import bind_kept, bind_public, port_of
from tools.project import ToolError


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that a program listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_free_port_is_bound_on_loopback_and_does_not_answer_yet() -> None:
    with bind_public(0) as bound, socket.socket() as client:
        assert bound.getsockname()[0] == "127.0.0.1"
        assert client.connect_ex(("127.0.0.1", port_of(bound))) != 0


def test_a_port_in_use_is_a_one_sentence_error(taken: int) -> None:
    with pytest.raises(ToolError, match=f"^port {taken} is in use by another program.*PORT={taken + 1}$"):
        bind_public(taken)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_text_that_is_no_port_is_reported(port: int) -> None:
    with pytest.raises(ToolError, match="is not a port"):
        bind_public(port)


def test_a_stored_port_is_used_again() -> None:
    with bind_kept(None) as bound:
        kept = port_of(bound)
    with bind_kept(kept) as bound:
        assert port_of(bound) == kept


def test_a_new_port_is_chosen_if_the_stored_one_is_in_use(taken: int) -> None:
    with bind_kept(taken) as bound:
        assert port_of(bound) != taken
