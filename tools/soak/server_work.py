"""Tasks and metrics, which servers ask for. They take effect later, so they are compared at the end."""

import secrets
import time
from collections.abc import Hashable, Iterator, Sequence
from datetime import UTC, datetime
from string import ascii_lowercase
from threading import Lock
from urllib.parse import quote

from tools.soak.calls import Client, Question
from tools.soak.ledger import DOUBLED, LOST, Finding
from tools.soak.part import Account, Operation, Part, Write

ECHO = "strandline.diagnostics.echo"
DONE_WITHIN_S = 240
COUNTED_WITHIN_S = 90
LOSABLE_S = 20.0
"""Events that came so short before a kill may be lost: they are archived every few seconds."""


def sign_in_as_server(client: Client, secret: str) -> None:
    """Give a client the token of a server."""
    headers = {"X-Tidepool-Server-Name": "soak", "X-Tidepool-Server-Secret": secret}
    reply = client.ask(Question("sign in a server", "POST", "/auth/serverlogin", headers=headers))
    client.headers["x-tidepool-session-token"] = reply.headers["x-tidepool-session-token"]


class Tasks(Part):
    """Tasks that echo a message: the message by name."""

    def __init__(self, account: Account, server: Client) -> None:
        super().__init__(account, "tasks")
        self.server = server
        self._is_last = False

    def operations(self) -> Sequence[Operation]:
        """Seldom: a task takes a process or a function of its own."""
        return (Operation(0.2, self._create),)

    def read_back(self) -> Iterator[tuple[str, Hashable]]:
        """Name and message of each task; its echo in place of the message at the end."""
        for name in list(self.ledger.values):
            for task in self.server.ask(Question("list tasks", "GET", f"/v1/tasks?name={name}")).json():
                yield name, task["data"].get("echo" if self._is_last else "message")

    def verify(self) -> list[Finding]:
        """Nothing before the end, so that tasks do not outnumber what they are compared by."""
        return self.ledger.compare(self.read_back()) if self._is_last else []

    def verify_to_the_last(self) -> list[Finding]:
        """The tasks that were not completed in time, or not once."""
        self._is_last = True
        deadline_s = time.monotonic() + DONE_WITHIN_S
        while (findings := self.verify()) and time.monotonic() < deadline_s:
            time.sleep(1)
        return findings

    def _create(self) -> None:
        name = f"soak-{self.account.id}-{self.next_number()}"
        body = {"type": ECHO, "name": name, "data": {"message": name}}
        question = Question("create a task", "POST", "/v1/tasks", body, {"Idempotency-Key": name}, (201,))
        self.write(Write({name: name}, lambda: self.server.ask(question)))


class CountedLosses:
    """The events that the server could not store in time, which it answers nevertheless and counts as lost."""

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self._left = count
        self._lock = Lock()

    def take(self, missing: int) -> int:
        """The number of missing events that are among them. Nobody else gets these."""
        with self._lock:
            taken = min(missing, self._left)
            self._left -= taken
            return taken


class Events(Part):
    """Events of metrics: how often one was sent, and when."""

    def __init__(self, account: Account, server: Client) -> None:
        super().__init__(account, "events")
        self.server = server
        self._name = "soak " + "".join(secrets.choice(ascii_lowercase) for _ in range(12))  # ids would be hashed
        self.answered_s: list[float] = []
        self.sent = 0
        self.kills_s: list[float] = []
        """When the server was killed, if it was."""
        self.losses = CountedLosses()

    def operations(self) -> Sequence[Operation]:
        """As web apps send them."""
        return (Operation(2, self._send),)

    def size(self) -> int:
        """The number of events that were sent."""
        return self.sent

    def read_back(self) -> Iterator[tuple[str, Hashable]]:
        """The number of events that were counted since yesterday, for a run over midnight."""
        now_s = time.time()
        first, last = (datetime.fromtimestamp(s, UTC).date().isoformat() for s in (now_s - 86_400, now_s))
        path = f"/v1/metrics/events?from={first}&to={last}&prefix={quote(self._name)}"
        counts = self.server.ask(Question("read counts", "GET", path)).json()
        yield self._name, sum(count["count"] for count in counts)

    def verify(self) -> list[Finding]:
        """Nothing before the end: events are counted some seconds later."""
        return []

    def verify_to_the_last(self) -> list[Finding]:
        """A finding if events were lost that were sent long before each kill and not counted as lost, or if any counts
        twice."""
        lasting = [at for at in self.answered_s if not any(at <= kill < at + LOSABLE_S for kill in self.kills_s)]
        deadline_s = time.monotonic() + COUNTED_WITHIN_S
        while (count := self._counted()) < len(lasting) and time.monotonic() < deadline_s:
            time.sleep(1)
        missing = max(0, len(lasting) - count)
        if missing > self.losses.take(missing):
            return [Finding(LOST, self.ledger.name, f"{missing} of {len(lasting)} events")]
        if count > self.sent:
            return [Finding(DOUBLED, self.ledger.name, f"{count} counted of {self.sent} events")]
        return []

    def _counted(self) -> int:
        return sum(int(str(count)) for _, count in self.read_back())

    def _send(self) -> None:
        self.sent += 1
        path = f"/metrics/thisuser/{quote(self._name)}?number={self.sent}"
        self.client.ask(Question("send an event", "GET", path))
        self.answered_s.append(time.monotonic())
