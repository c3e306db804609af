"""Notes: sent, sent again, edited, removed and listed."""

from collections.abc import Hashable, Iterator, Sequence
from functools import partial

from tools.soak.calls import Question, Reply
from tools.soak.part import Account, Operation, Part, Write

TIME = "2026-01-01T11:00:00+01:00"


class Notes(Part):
    """The notes about one person: texts by guid."""

    def __init__(self, account: Account) -> None:
        super().__init__(account, "notes")
        self._ids: dict[str, str] = {}

    def operations(self) -> Sequence[Operation]:
        """As Tidepool's web app sends them, and a repetition of a client that lost the answer."""
        return (
            *(Operation(2, self._send), Operation(0.5, self._repeat), Operation(0.7, self._edit)),
            *(Operation(0.5, self._remove), Operation(1, self._list)),
        )

    def read_back(self) -> Iterator[tuple[str, Hashable]]:
        """All notes; remembers their ids."""
        path = f"/message/notes/{self.account.id}"
        for note in self.client.ask(Question("list notes", "GET", path, statuses=(200, 404))).json()["messages"]:
            self._ids[note["guid"]] = note["id"]
            yield note["guid"], note["messagetext"]

    def _send(self) -> None:
        number = self.next_number()
        self._write(f"{self.account.id}-{number}", f"note {number} {'ä' * self.random.randint(0, 50)}")

    def _repeat(self) -> None:
        """Send a note again that was not edited: it stays one note."""
        for guid in self.chosen(
            (guid for guid in self._ids if "edited" not in str(self.ledger.values.get(guid, "edited"))), 1
        ):
            self._write(guid, str(self.ledger.values[guid]))

    def _write(self, guid: str, text: str) -> None:
        message = {"guid": guid, "timestamp": TIME, "messagetext": text}
        path = f"/message/send/{self.account.id}"
        question = Question("send a note", "POST", path, {"message": message}, statuses=(201,))
        self._ids[guid] = self.write(Write({guid: text}, lambda: self.client.ask(question))).json()["id"]

    def _edit(self) -> None:
        for guid in self._known():
            text = f"edited {self.next_number()}"
            body = {"message": {"messagetext": text}}
            question = Question("edit a note", "PUT", f"/message/edit/{self._ids[guid]}", body)
            self.write(Write({guid: text}, partial(self.client.ask, question)))

    def _remove(self) -> None:
        for guid in self._known():
            path = f"/message/remove/{self._ids[guid]}"

            def send(path: str = path) -> Reply:
                statuses = (202, 404) if self.is_repeating else (202,)
                return self.client.ask(Question("remove a note", "DELETE", path, statuses=statuses))

            self.write(Write({guid: None}, send))

    def _list(self) -> None:
        self.found += self.verify()

    def _known(self) -> list[str]:
        """One of the notes whose id is known; none if there is none."""
        return self.chosen(self._ids.keys() & self.ledger.values.keys(), 1)
