"""Sends a few metrics events as an app does, and shows how a server sees them: the count of each event today."""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

PREFIX = "demo - "
EVENTS = ("Signed Up", "Opened Data Set", "Viewed Data", "Viewed Data", "Viewed Data")
WAIT_S = 10
"""The local cloud delivers events within two seconds; AWS takes a minute, so the next demo shows them."""
PAUSE_S = 0.2


class App(Protocol):
    """The client of a user."""

    def track(self, event_name: str) -> None: ...


class Operator(Protocol):
    """The client of a server."""

    def event_counts(self, prefix: str) -> Mapping[str, int]: ...


def show_events(app: App, operator: Operator | None, sleep: Callable[[float], None] = time.sleep) -> None:
    """Send the events, and print the counts of today once they have arrived; without a server's client, say so."""
    before = sum(operator.event_counts(PREFIX).values()) if operator else 0
    for name in EVENTS:
        app.track(PREFIX + name)
    if operator is None:
        print(f"\nsent {len(EVENTS)} events; with SERVER_SECRET their daily counts would stand here")
        return
    counts = operator.event_counts(PREFIX)
    for _ in range(int(WAIT_S / PAUSE_S)):
        if sum(counts.values()) >= before + len(EVENTS):
            break
        sleep(PAUSE_S)
        counts = operator.event_counts(PREFIX)
    print(f"\nsent {len(EVENTS)} events; counted today:")
    print("\n".join(f"  {name:<24}{count:>6}" for name, count in counts.items()) or "  none yet")
