"""Reading a Nightscout site: what is asked, what is waited for, and what of a site that means harm."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from strandline.cli.errors import CommandError, RefusedError
from strandline.cli.nightscout import site as site_module
from strandline.cli.nightscout.site import ENTRIES, LAST_MS, TREATMENTS, NightscoutSite, TooManyError
from tests.unit.cli.nightscout_site import SECRET, FakeSite, Replied, as_json, served

READING = {"_id": f"{1:024x}", "type": "sgv", "sgv": 100, "date": 1_000_000}
MEAL = {"_id": f"{2:024x}", "created_at": "2026-01-01T00:00:00.000Z", "carbs": 20}
YEAR_2100_MS = 4_102_444_800_000


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeSite:
    """A site with a reading and a meal."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    return FakeSite(entries=[READING], treatments=[MEAL])


@pytest.fixture
def site(fake: FakeSite) -> Iterator[NightscoutSite]:
    """A reader of that site with its secret."""
    with served(fake) as address:
        yield NightscoutSite(f"{address}/", SECRET)


class TestReading:
    def test_a_window_is_asked_for_by_its_bounds(self, fake: FakeSite, site: NightscoutSite) -> None:
        site.require_readable()
        assert site.window(ENTRIES, 999_999, 1_000_001) == [READING]
        assert site.window(ENTRIES, 1_000_001, LAST_MS) == []
        assert fake.asked[-1][1] == {
            "find[date][$gte]": ["1000001"],
            "find[date][$lt]": [str(LAST_MS)],
            "count": [str(ENTRIES.most)],
        }
        assert site.window(TREATMENTS, 0, YEAR_2100_MS) == [MEAL | {"insulin": None}]
        assert fake.asked[-1][1]["find[created_at][$lt]"] == ["2100-01-01T00:00:00.000Z"]

    def test_the_secret_goes_as_its_sha_1_in_a_header(self, fake: FakeSite, site: NightscoutSite) -> None:
        site.require_readable()
        assert len(fake.secrets) == 1
        assert SECRET not in str(fake.secrets) + str(fake.asked)

    def test_a_site_for_everybody_gets_no_secret(self, fake: FakeSite, site: NightscoutSite) -> None:
        with pytest.raises(CommandError, match="does not accept the secret"):
            NightscoutSite(site.base_url, "").require_readable()
        assert fake.secrets == {None}

    def test_a_full_window_is_too_many(self, fake: FakeSite, site: NightscoutSite) -> None:
        fake.documents["entries"] = [READING | {"date": number} for number in range(ENTRIES.most)]
        with pytest.raises(TooManyError):
            site.window(ENTRIES, 0, ENTRIES.most)
        assert len(site.window(ENTRIES, 0, ENTRIES.most - 1)) == ENTRIES.most - 1

    def test_a_site_that_wants_a_narrower_search_has_too_many(self, fake: FakeSite, site: NightscoutSite) -> None:
        fake.misbehave = lambda _: (400, {}, b'{"status":400,"message":"narrow the search by date"}')
        with pytest.raises(TooManyError):
            site.window(ENTRIES, 0, LAST_MS)

    def test_what_a_site_does_not_have_is_told_apart(self, site: NightscoutSite) -> None:
        with pytest.raises(RefusedError) as refused:
            site.foods()
        assert refused.value.status == 404


class TestPatience:
    def test_a_busy_site_is_waited_for_as_it_says(
        self, fake: FakeSite, site: NightscoutSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waits: list[float] = []
        monkeypatch.setattr("time.sleep", waits.append)
        busy: list[Replied] = [(429, {"Retry-After": "7"}, b""), (503, {"Retry-After": "9999"}, b""), (500, {}, b"")]
        fake.misbehave = lambda _: busy.pop(0) if busy else None
        assert site.window(ENTRIES, 0, LAST_MS) == [READING]
        assert [wait for wait in waits if wait != site_module.PAUSE_S] == [7, 60, 4]
        assert waits.count(site_module.PAUSE_S) == 4

    def test_one_that_stays_busy_is_given_up(self, fake: FakeSite, site: NightscoutSite) -> None:
        fake.misbehave = lambda _: (503, {}, b"")
        with pytest.raises(RefusedError, match="status 503"):
            site.window(ENTRIES, 0, LAST_MS)
        assert len(fake.asked) == 4

    def test_one_that_breaks_off_is_asked_again(self, fake: FakeSite, site: NightscoutSite) -> None:
        broken: list[Replied] = [(200, {"Content-Length": "100"}, b"[")] * 2
        fake.misbehave = lambda _: broken.pop(0) if broken else None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("strandline.cli.server.TIMEOUT_S", 0.2)
            assert site.window(ENTRIES, 0, LAST_MS) == [READING]


class TestAddresses:
    @pytest.mark.parametrize("address", ["https://a.org/?token=abc", "https://secret@a.org", "https://a.org/#x"])
    def test_a_secret_in_the_address_is_refused(self, address: str) -> None:
        with pytest.raises(CommandError, match="without a secret"):
            NightscoutSite(address, "")

    @pytest.mark.parametrize("address", ["a.org", "ftp://a.org", "http://a.org", ""])
    def test_an_address_that_is_none_or_not_encrypted_is_refused(self, address: str) -> None:
        with pytest.raises(CommandError):
            NightscoutSite(address, "")
        assert NightscoutSite("http://a.org/", "", allows_http=True).base_url == "http://a.org"

    def test_a_redirect_is_not_followed_with_the_secret(self, fake: FakeSite, site: NightscoutSite) -> None:
        fake.misbehave = lambda _: (302, {"Location": "https://other.example.org/"}, b"")
        with pytest.raises(CommandError, match="another address; use that one: https://other"):
            site.require_readable()


class TestHarm:
    @pytest.mark.parametrize("body", [b"<html>", b"{}", b"null", b"5", b'{"status":1}', b"[" * 100_000, b"\xff", b""])
    def test_what_is_no_status_is_no_site(self, fake: FakeSite, site: NightscoutSite, body: bytes) -> None:
        fake.misbehave = lambda _: (200, {}, body)
        with pytest.raises(CommandError):
            site.require_readable()

    @pytest.mark.parametrize("reply", [{}, None, 5, "a", [5], [[]], [None], {"0": READING}])
    def test_what_are_no_documents_is_refused(self, fake: FakeSite, site: NightscoutSite, reply: Any) -> None:
        fake.misbehave = lambda _: as_json(reply)
        with pytest.raises(CommandError, match="did not reply with documents"):
            site.window(ENTRIES, 0, LAST_MS)

    @pytest.mark.parametrize("date", [5, 2_000_000, "1000000", None, True, [1], float("nan")])
    def test_a_document_of_another_time_is_refused(self, fake: FakeSite, site: NightscoutSite, date: Any) -> None:
        """A site that ignores the bounds would be asked for the same documents again and again."""
        fake.misbehave = lambda _: as_json([READING | {"date": date}])
        with pytest.raises(CommandError, match="of another time"):
            site.window(ENTRIES, 999_999, 1_000_001)

    @pytest.mark.parametrize("created", [5, "2027", "", None])
    def test_a_document_whose_time_is_a_text_is_refused(
        self, fake: FakeSite, site: NightscoutSite, created: Any
    ) -> None:
        fake.misbehave = lambda _: as_json([MEAL | {"created_at": created}])
        with pytest.raises(CommandError, match="of another time"):
            site.window(TREATMENTS, 1_735_689_600_000, 1_767_300_000_000)

    def test_a_small_reply_that_decompresses_to_much_is_refused(
        self, fake: FakeSite, site: NightscoutSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(site_module, "MAX_REPLY_BYTES", 1_000_000)
        fake.misbehave = lambda _: (200, {"Content-Encoding": "gzip"}, gzip.compress(b" " * 1_000_001))
        with pytest.raises(CommandError, match="more than 1000000 bytes"):
            site.window(ENTRIES, 0, LAST_MS)

    def test_a_damaged_gzip_is_a_site_that_does_not_respond(self, fake: FakeSite, site: NightscoutSite) -> None:
        fake.misbehave = lambda _: (200, {"Content-Encoding": "gzip"}, gzip.compress(json.dumps([]).encode())[:-6])
        with pytest.raises(CommandError, match="does not respond"):
            site.window(ENTRIES, 0, LAST_MS)
