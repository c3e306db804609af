"""The account itself: its profile, its logins, and what a relative may see."""

import json
from collections.abc import Hashable, Iterator, Sequence

from tools.soak.calls import Client, Question
from tools.soak.ledger import UNEXPECTED, Finding
from tools.soak.part import Account, Operation, Part, Write
from tools.soak.sign_in import refresh, sign_in_and_out, sign_in_with_an_app

PERMISSIONS: tuple[dict[str, dict[str, str]], ...] = ({"view": {}}, {"view": {}, "note": {}}, {"upload": {}}, {})


class Profiles(Part):
    """The profile of one person, and the logins."""

    def __init__(self, account: Account, app: Client) -> None:
        super().__init__(account, "profile")
        self._app = app
        self._path = f"/metadata/{account.id}/profile"

    def operations(self) -> Sequence[Operation]:
        """As all apps do."""
        return (
            *(Operation(1, self._write), Operation(1, self._read), Operation(1, self._refresh)),
            *(Operation(0.5, self._sign_in), Operation(0.5, self._sign_in_with_an_app)),
        )

    def read_back(self) -> Iterator[tuple[str, Hashable]]:
        """The name in the profile."""
        reply = self.client.ask(Question("read a profile", "GET", self._path, statuses=(200, 404)))
        if reply.status == 200:
            yield "fullName", reply.json()["fullName"]

    def _write(self) -> None:
        name = f"Anna {self.next_number()}"
        question = Question("write a profile", "PUT", self._path, {"fullName": name})
        self.write(Write({"fullName": name}, lambda: self.client.ask(question)))

    def _read(self) -> None:
        self.found += self.verify()

    def _refresh(self) -> None:
        refresh(self.account)

    def _sign_in(self) -> None:
        sign_in_and_out(self.account, self._app)

    def _sign_in_with_an_app(self) -> None:
        sign_in_with_an_app(self.account, self._app, self.random)


class Grants(Part):
    """The permissions that one person gives to a relative, by the relative's id."""

    def __init__(self, account: Account, relative: Client, relative_id: str) -> None:
        super().__init__(account, "grants")
        self._relative, self.relative_id = relative, relative_id

    def operations(self) -> Sequence[Operation]:
        """As the page and Tidepool's web app do."""
        return (Operation(1, self._change), Operation(2, self.try_relative))

    def read_back(self) -> Iterator[tuple[str, Hashable]]:
        """All permissions that were given."""
        grants = self.client.ask(Question("read grants", "GET", f"/access/{self.account.id}")).json()
        for user_id, permissions in grants.items():
            if user_id != self.account.id:
                yield user_id, json.dumps(permissions, sort_keys=True)

    def _change(self) -> None:
        permissions = self.random.choice(PERMISSIONS)
        value = json.dumps(permissions, sort_keys=True) if permissions else None
        question = Question("share", "POST", f"/access/{self.account.id}/{self.relative_id}", permissions)
        self.write(Write({self.relative_id: value}, lambda: self.client.ask(question)))

    def try_relative(self) -> None:
        """Read as the relative: what was given is open, the rest is not."""
        may_read = "view" in str(self.ledger.values.get(self.relative_id))
        path = f"/data/{self.account.id}?type=food&latest=true"
        reply = self._relative.ask(Question("read as a relative", "GET", path, statuses=(200, 403)))
        if (reply.status == 200) != may_read:
            detail = f"a relative got {reply.status} with {self.ledger.values.get(self.relative_id)}"
            self.found.append(Finding(UNEXPECTED, self.ledger.name, detail))
