"""Who may read, write, change and remove notes. Source: message 4 and 5."""

import pytest

from chalicelib.accounts.grant import Grant
from tests.api.conftest import ApiClient
from tests.api.notes.conftest import Write, message
from tests.api.people import ANNA, BEN
from tests.fakes.services import FakeServices

OF_ANNA = ANNA.user_id


@pytest.fixture
def note(anna: str, write: Write) -> str:
    """A note of Anna's about herself."""
    return write(anna)


def statuses(api: ApiClient, token: str | None, note: str) -> dict[str, int]:
    """The status that a caller gets for each request about Anna or one of her notes."""
    requests = {
        "list": ("GET", f"notes/{OF_ANNA}"),
        "all": ("GET", f"all/{OF_ANNA}"),
        "read": ("GET", f"read/{note}"),
        "thread": ("GET", f"thread/{note}"),
        "send": ("POST", f"send/{OF_ANNA}"),
        "reply": ("POST", f"reply/{note}"),
        "edit": ("PUT", f"edit/{note}"),
        "remove": ("DELETE", f"remove/{note}"),
    }
    return {
        name: api.request(method, f"/message/{path}", message(), token=token).status
        for name, (method, path) in requests.items()
    }


READS = dict.fromkeys(("list", "all", "read", "thread"), 200)
NO_READS = dict.fromkeys(READS, 401)
WRITES = {"send": 201, "reply": 201}
NO_WRITES = dict.fromkeys(WRITES, 401)
NO_CHANGES = {"edit": 401, "remove": 401}


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        ((), NO_READS | NO_WRITES | NO_CHANGES),
        (("view",), READS | NO_WRITES | NO_CHANGES),
        (("custodian",), READS | NO_WRITES | NO_CHANGES),
        (("upload",), NO_READS | NO_WRITES | NO_CHANGES),
        (("note",), READS | WRITES | NO_CHANGES),
        (("view", "note"), READS | WRITES | NO_CHANGES),
    ],
)
def test_permissions_of_the_owner_decide(
    api: ApiClient,
    fakes: FakeServices,
    ben: str,
    note: str,
    permissions: tuple[str, ...],
    expected: dict[str, int],
) -> None:
    fakes.grant(OF_ANNA, BEN.user_id, permissions)
    assert statuses(api, ben, note) == expected


def test_the_owner_may_do_everything(api: ApiClient, anna: str, note: str) -> None:
    assert statuses(api, anna, note) == READS | WRITES | {"edit": 200, "remove": 202}


def test_servers_read_and_do_not_write(api: ApiClient, server: str, note: str) -> None:
    assert statuses(api, server, note) == READS | NO_WRITES | NO_CHANGES


def test_nobody_gets_nothing(api: ApiClient, note: str) -> None:
    assert set(statuses(api, None, note).values()) == {401}
    assert set(statuses(api, "no token", note).values()) == {401}


class TestNotesOfOthers:
    """A note that Ben wrote about Anna."""

    @pytest.fixture
    def of_ben(self, fakes: FakeServices, ben: str, write: Write) -> str:
        fakes.grant(OF_ANNA, BEN.user_id, ["note"])
        return write(ben)

    def test_the_author_changes_and_removes_it(self, api: ApiClient, ben: str, of_ben: str) -> None:
        assert statuses(api, ben, of_ben) == READS | WRITES | {"edit": 200, "remove": 202}

    def test_the_owner_removes_it_and_does_not_change_it(self, api: ApiClient, anna: str, of_ben: str) -> None:
        assert statuses(api, anna, of_ben) == READS | WRITES | {"edit": 401, "remove": 202}

    def test_without_the_permission_the_author_has_no_part_in_it(
        self, api: ApiClient, fakes: FakeServices, ben: str, of_ben: str
    ) -> None:
        fakes.grant(OF_ANNA, BEN.user_id, ["view"])
        assert statuses(api, ben, of_ben) == READS | NO_WRITES | NO_CHANGES

    def test_another_holder_of_the_permission_does_not_change_it(
        self, api: ApiClient, fakes: FakeServices, anna: str, of_ben: str
    ) -> None:
        carl = fakes.sign_in("cccccccccc")
        fakes.grant(OF_ANNA, "cccccccccc", ["note"])
        assert statuses(api, carl, of_ben) == READS | WRITES | NO_CHANGES

    def test_the_owner_of_another_account_has_no_part_in_it(
        self, api: ApiClient, fakes: FakeServices, anna: str, of_ben: str
    ) -> None:
        fakes.grant("cccccccccc", OF_ANNA, ["view", "note"])
        assert statuses(api, fakes.sign_in("cccccccccc"), of_ben) == NO_READS | NO_WRITES | NO_CHANGES


class TestLimitedView:
    """A `view` of the last two hours."""

    @pytest.fixture
    def reader(self, fakes: FakeServices, ben: str) -> str:
        fakes.grants.put(Grant(OF_ANNA, BEN.user_id, {"view": {"windowHours": 2}}))
        return ben

    def test_notes_about_these_hours_are_seen_and_no_others(
        self, api: ApiClient, reader: str, anna: str, write: Write
    ) -> None:
        # The clock of the tests stands at 2026-01-01T00:00:00Z.
        old, new = write(anna, "old", "2025-12-31T21:59:59Z"), write(anna, "new", "2025-12-31T22:00:00Z")
        for kind in ("notes", "all"):
            for query in ("", "?starttime=2025-12-01", "?starttime=2025-12-01&endtime=2026-02-01"):
                listed = api.request("GET", f"/message/{kind}/{OF_ANNA}{query}", token=reader).json()["messages"]
                assert [message["id"] for message in listed] == [new]
        for path in ("read", "thread"):
            assert api.request("GET", f"/message/{path}/{new}", token=reader).status == 200
            assert api.request("GET", f"/message/{path}/{old}", token=reader).status == 404

    def test_a_reply_about_an_earlier_time_is_left_out_of_a_thread(
        self, api: ApiClient, reader: str, anna: str, write: Write
    ) -> None:
        note = write(anna, "new", "2025-12-31T23:00:00Z")
        sent = message("old", "2025-12-31T20:00:00Z")
        assert api.request("POST", f"/message/reply/{note}", sent, token=anna).status == 201
        thread = api.request("GET", f"/message/thread/{note}", token=reader).json()["messages"]
        assert [message["messagetext"] for message in thread] == ["new"]
        assert len(api.request("GET", f"/message/thread/{note}", token=anna).json()["messages"]) == 2

    def test_writing_needs_more(self, api: ApiClient, reader: str, anna: str, write: Write) -> None:
        write(anna, "new", "2025-12-31T23:00:00Z")
        assert api.request("POST", f"/message/send/{OF_ANNA}", message(), token=reader).status == 401
