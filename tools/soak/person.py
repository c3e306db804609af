"""A person with all of the traffic: accounts and apps of their own, and a ledger for each part."""

import secrets
from collections.abc import Sequence
from random import Random

from tools.soak.blobs import Blobs
from tools.soak.calls import Calls, Client
from tools.soak.documents import DeviceStatuses, Entries, Treatments, open_device
from tools.soak.ledger import Finding
from tools.soak.notes import Notes
from tools.soak.part import Account, Part
from tools.soak.records import Records
from tools.soak.server_work import CountedLosses, Events, Tasks, sign_in_as_server
from tools.soak.sharing import Grants, Profiles
from tools.soak.sign_in import sign_up

PASSWORD = "a-password-of-the-soak"  # noqa: S105  of accounts that hold nothing
VERIFIED_AT_RANDOM = 0.004
"""The share of steps at which all that a person has is compared."""


class Person:
    """A person of a run. Used by one thread at a time."""

    def __init__(self, base_url: str, server_secret: str | None, calls: Calls, name: str) -> None:
        self.name = name
        self.steps = 0
        self.random = Random(name)  # noqa: S311  traffic, no secret
        phone, web, relative, server, device = (Client(base_url, calls) for _ in range(5))
        self._clients = (phone, web, relative, server, device)
        address = f"soak-{secrets.token_hex(8)}"
        email = f"{address}@example.org"
        account = Account(sign_up(phone, email, PASSWORD), email, PASSWORD, phone, self.random)
        relative_id = sign_up(relative, f"{address}-relative@example.org", PASSWORD)
        open_device(account, device)
        records = Records(account)
        self.parts: list[Part] = [
            *(records, Blobs(account), Notes(account), Entries(account, device, records)),
            *(Treatments(account, device), DeviceStatuses(account, device)),
            *(Profiles(account, web), Grants(account, relative, relative_id)),
        ]
        if server_secret is not None:
            sign_in_as_server(server, server_secret)
            self.parts += [Tasks(account, server), Events(account, server)]
        self._operations = [operation for part in self.parts for operation in part.operations()]
        self._weights = [operation.weight for operation in self._operations]

    def step(self) -> None:
        """Repeat what was not answered, then do one thing; now and then, compare everything.

        Raises:
            ServerGoneError: a request was not answered.
            UnexpectedAnswerError: one was answered with a status that it should not get.
        """
        for part in self.parts:
            part.found += part.recover()
        self.steps += 1
        if self.random.random() < VERIFIED_AT_RANDOM:
            self.verify()
        self.random.choices(self._operations, self._weights)[0].run()

    def verify(self) -> None:
        """Compare all that can be compared while traffic goes on."""
        for part in self.parts:
            part.found += part.verify()

    def verify_to_the_last(self, kills_s: Sequence[float], losses: CountedLosses) -> None:
        """Compare everything, at the end.

        Args:
            kills_s: when the server was killed, by the monotonic clock.
            losses: the events of all people that the server has counted as lost.
        """
        for part in self.parts:
            part.found += part.recover()
        for part in self.parts:
            if isinstance(part, Events):
                part.kills_s, part.losses = list(kills_s), losses
            part.found += part.verify_to_the_last()

    def take_findings(self) -> list[Finding]:
        """The findings since the last call."""
        found = [finding for part in self.parts for finding in part.found]
        for part in self.parts:
            part.found.clear()
        return found

    def sizes(self) -> dict[str, int]:
        """The number of keys of each ledger, by the name of the part."""
        return {part.ledger.name.partition(" ")[0]: part.size() for part in self.parts}

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients:
            client.close()
