"""The part of the demo that shows events and their counts."""

from collections import Counter
from collections.abc import Mapping

import pytest

from tools.demo.events import EVENTS, PREFIX, show_events


class FakeServer:
    """Counts events, but for the first looks."""

    def __init__(self, looks_too_early: int = 0) -> None:
        self.events: list[str] = []
        self.looks_too_early = looks_too_early

    def track(self, event_name: str) -> None:
        self.events.append(event_name)

    def event_counts(self, prefix: str) -> Mapping[str, int]:
        self.looks_too_early -= 1
        if self.looks_too_early >= 0:
            return {}
        return Counter(name for name in self.events if name.startswith(prefix))


def test_events_are_sent_and_their_counts_shown(capsys: pytest.CaptureFixture[str]) -> None:
    server, pauses = FakeServer(looks_too_early=5), list[float]()
    show_events(server, server, pauses.append)
    assert [name.removeprefix(PREFIX) for name in server.events] == list(EVENTS)
    assert len(pauses) == 4
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines if PREFIX in line] == ["1", "1", "3"]


def test_missing_counts_do_not_end_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    server, pauses = FakeServer(looks_too_early=1000), list[float]()
    show_events(server, server, pauses.append)
    assert len(pauses) == 50
    assert "none yet" in capsys.readouterr().out


def test_events_are_sent_without_a_server_client_too(capsys: pytest.CaptureFixture[str]) -> None:
    server = FakeServer()
    show_events(server, None)
    assert len(server.events) == len(EVENTS)
    assert "SERVER_SECRET" in capsys.readouterr().out
