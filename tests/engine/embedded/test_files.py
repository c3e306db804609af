"""Objects as files: notices, tags, lifecycle, what stays of files, signed uploads and downloads."""

import hashlib
import io
import os
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import orjson
import pytest

from chalicelib.engine.embedded.contents import FolderContents
from chalicelib.engine.embedded.engine import EmbeddedEngine
from chalicelib.engine.embedded.errors import AddressRefusedError
from chalicelib.engine.objects import SignedUpload, UploadTerms
from chalicelib.events.blobs import object_keys
from tests.engine.embedded.conftest import Clock
from tests.engine.test_objects import md5

BODY = b"the body"
TERMS = UploadTerms(len(BODY), md5(BODY), "text/plain")
KEY = "blobs/a b/ü"
BASE = "http://127.0.0.1:8000"


def target(address: str) -> str:
    """Path and query of an address."""
    assert address.startswith(BASE)
    return address.removeprefix(BASE)


def headers(upload: SignedUpload, **changes: str | None) -> dict[str, str]:
    """The headers of an upload as the server sees them, with some changed or, where None, left out."""
    sent = {name.lower(): value for name, value in upload.headers.items()}
    sent |= {name.replace("_", "-"): value for name, value in changes.items() if value is not None}
    return {name: value for name, value in sent.items() if changes.get(name.replace("-", "_"), "") is not None}


def files(folder: Path) -> set[str]:
    """The names of the files that hold contents."""
    return {path.name for path in (folder / "objects").iterdir()}


class TestNotices:
    """The queue is told of new blobs and device logs."""

    @pytest.mark.parametrize("key", ["blobs/a b/ü+1", "device_logs/1"])
    def test_a_notice_names_the_key_as_s3_does(self, embedded: EmbeddedEngine, key: str) -> None:
        embedded.objects.put(key, BODY, "text/plain")
        (message,) = embedded.blob_events.receive()
        assert object_keys(message.body) == [key]
        (record,) = orjson.loads(message.body)["Records"]
        assert record["eventName"].startswith("ObjectCreated:")

    def test_other_objects_and_refused_ones_give_none(self, embedded: EmbeddedEngine) -> None:
        embedded.objects.put("answers/1", BODY, "text/plain")
        embedded.objects.put("blobs/1", BODY, "text/plain")
        embedded.objects.put("blobs/1", BODY, "text/plain", once=True)
        assert len(embedded.blob_events.receive()) == 1


class TestSweep:
    """The removal of objects by the lifecycle, and the fate of files."""

    def test_uploads_that_nobody_kept_are_removed_after_a_day(self, embedded: EmbeddedEngine, clock: Clock) -> None:
        for key in ("blobs/kept", "blobs/pending"):
            upload = embedded.objects.sign_upload(key, TERMS, 60)
            embedded.objects.receive_upload(target(upload.url), headers(upload), io.BytesIO(BODY))
        embedded.objects.put("blobs/put", BODY, "text/plain")
        embedded.objects.keep("blobs/kept")
        clock.advance(days=0.99)
        assert embedded.objects.sweep() == 0
        clock.advance(days=0.02)
        assert embedded.objects.sweep() == 1
        assert list(embedded.objects.keys("")) == ["blobs/kept", "blobs/put"]

    def test_prefixes_have_lifetimes(self, embedded: EmbeddedEngine, clock: Clock) -> None:
        for key in ("answers/1", "metrics/1", "archive/answers/1"):
            embedded.objects.put(key, BODY, "text/plain")
        clock.advance(days=2)
        assert embedded.objects.sweep() == 1
        clock.advance(days=400)
        assert embedded.objects.sweep() == 1
        assert list(embedded.objects.keys("")) == ["archive/answers/1"]

    def test_a_file_goes_a_while_after_its_object(
        self, on_disk: EmbeddedEngine, clock: Clock, data_folder: Path
    ) -> None:
        on_disk.objects.put("a", b"1", "text/plain")
        before = files(data_folder)
        on_disk.objects.put("a", b"2", "text/plain")
        on_disk.objects.put("b", b"3", "text/plain")
        on_disk.objects.delete(["b"])
        on_disk.objects.sweep()
        assert len(files(data_folder)) == 3
        clock.advance(seconds=61)
        on_disk.objects.sweep()
        assert len(files(data_folder)) == 1
        assert not before & files(data_folder)
        assert on_disk.objects.get("a") == b"2"

    def test_no_file_goes_while_files_are_held(self, on_disk: EmbeddedEngine, clock: Clock, data_folder: Path) -> None:
        on_disk.objects.put("a", b"1", "text/plain")
        with on_disk.objects.hold_files(3600):
            on_disk.objects.delete(["a"])
            clock.advance(seconds=600)
            on_disk.objects.sweep()
            assert len(files(data_folder)) == 1
        on_disk.objects.sweep()
        assert files(data_folder) == set()

    def test_a_hold_ends_when_its_process_died(self, on_disk: EmbeddedEngine, clock: Clock, data_folder: Path) -> None:
        on_disk.objects.put("a", b"1", "text/plain")
        with on_disk.objects.hold_files(3600):  # whose end does not count: the hold is over before it
            on_disk.objects.delete(["a"])
            clock.advance(seconds=3601)
            on_disk.objects.sweep()
            assert files(data_folder) == set()

    def test_what_a_crash_left_goes_after_a_day(self, on_disk: EmbeddedEngine, data_folder: Path) -> None:
        on_disk.objects.put("a", b"1", "text/plain")
        (kept,) = files(data_folder)
        for name in ("unfinished.part", "without-a-row", kept):
            path = data_folder / "objects" / name
            path.touch()
            os.utime(path, (time.time() - 90_000,) * 2)
        (data_folder / "objects" / "being-written.part").touch()
        on_disk.objects.sweep()
        assert files(data_folder) == {kept, "being-written.part"}

    def test_the_sweep_of_all_removes_what_has_expired_anywhere(self, embedded: EmbeddedEngine, clock: Clock) -> None:
        embedded.accounts.put({"pk": "p", "sk": "s", "expires_at_s": clock.ms // 1000 + 1})
        embedded.objects.put("answers/1", BODY, "text/plain")
        embedded.task_queue.send("x")
        embedded.metrics_stream.put("a", b"x", limit_s=1)
        embedded.metrics_stream.flush()
        clock.advance(days=2)
        embedded.sweep()
        assert embedded.accounts.get({"pk": "p", "sk": "s"}) is None
        assert embedded.objects.get("answers/1") is None
        assert embedded.task_queue.receive() == []
        assert embedded.metrics_stream.read(10) == []


def test_an_object_whose_file_is_gone_is_a_defect_that_is_named(on_disk: EmbeddedEngine, data_folder: Path) -> None:
    on_disk.objects.put("a", b"1", "text/plain")
    (name,) = files(data_folder)
    (data_folder / "objects" / name).unlink()
    with pytest.raises(RuntimeError, match="file of an object is missing"):
        on_disk.objects.get("a")
    with pytest.raises(RuntimeError, match="file of an object is missing"):
        on_disk.objects.get_range("a", 0, 1)
    assert on_disk.objects.head("a") is not None
    on_disk.objects.put("a", b"2", "text/plain")
    assert on_disk.objects.get("a") == b"2"


@pytest.mark.parametrize("key", ["", "x" * 1025, "é" * 513], ids=len)
def test_a_key_has_1_to_1024_bytes(embedded: EmbeddedEngine, key: str) -> None:
    with pytest.raises(RuntimeError, match="key"):
        embedded.objects.put(key, BODY, "text/plain")


@pytest.mark.parametrize("key", ["../../outside", "/etc/passwd", "a\x00b", "a/./b", "C:\\x"])
def test_a_key_is_no_path(on_disk: EmbeddedEngine, data_folder: Path, key: str) -> None:
    on_disk.objects.put(key, BODY, "text/plain")
    assert on_disk.objects.get(key) == BODY
    assert list(on_disk.objects.keys("")) == [key]
    assert {path.name for path in data_folder.parent.iterdir()} == {"data"}
    assert all(len(name) == 32 for name in files(data_folder))


class TestUploads:
    """Signed uploads: what was signed, once."""

    @pytest.fixture
    def upload(self, embedded: EmbeddedEngine) -> SignedUpload:
        """A signed upload of the body."""
        return embedded.objects.sign_upload(KEY, TERMS, 60)

    def send(self, embedded: EmbeddedEngine, address: str, sent: dict[str, str], body: bytes = BODY) -> int:
        """The status of an upload, whose object and notice must not be there if it is refused."""
        try:
            embedded.objects.receive_upload(target(address), sent, io.BytesIO(body))
        except AddressRefusedError as error:
            assert list(embedded.objects.keys("")) == []
            assert embedded.blob_events.receive() == []
            return error.status
        return 200

    def test_an_upload_stores_the_object_and_gives_notice(self, embedded: EmbeddedEngine, upload: SignedUpload) -> None:
        assert self.send(embedded, upload.url, headers(upload)) == 200
        assert embedded.objects.get(KEY) == BODY
        (message,) = embedded.blob_events.receive()
        assert object_keys(message.body) == [KEY]

    def test_an_upload_cannot_be_sent_twice(self, embedded: EmbeddedEngine, upload: SignedUpload) -> None:
        assert self.send(embedded, upload.url, headers(upload)) == 200
        with pytest.raises(AddressRefusedError) as refused:
            embedded.objects.receive_upload(target(upload.url), headers(upload), io.BytesIO(BODY))
        assert refused.value.status == 412
        assert len(embedded.blob_events.receive()) == 1

    def test_of_two_uploads_at_once_one_is_stored(self, on_disk: EmbeddedEngine, data_folder: Path) -> None:
        upload = on_disk.objects.sign_upload(KEY, TERMS, 60)

        class Slow(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                if self.tell() == 0:  # the other one comes in between
                    on_disk.objects.put(KEY, b"first", "text/plain")
                return super().read(size)

        with pytest.raises(AddressRefusedError) as refused:
            on_disk.objects.receive_upload(target(upload.url), headers(upload), Slow(BODY))
        assert refused.value.status == 412
        assert on_disk.objects.get(KEY) == b"first"
        assert len(files(data_folder)) == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"content_length": "9"},
            {"content_length": None},
            {"content_length": "-8"},
            {"content_length": "+8"},
            {"content_length": "٨"},
            {"content_length": "9" * 30},
            {"content_type": "text/html"},
            {"content_type": None},
            {"content_md5": md5(b"another")},
            {"content_md5": None},
            {"if_none_match": None},
            {"if_none_match": '"x"'},
        ],
        ids=str,
    )
    def test_another_header_is_refused(
        self, embedded: EmbeddedEngine, upload: SignedUpload, changes: dict[str, str | None]
    ) -> None:
        assert self.send(embedded, upload.url, headers(upload, **changes)) == 403

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("/objects/blobs/", "/objects/other/"),
            ("/objects/", "/object/"),
            ("/objects/", "//objects/"),
            ("blobs/", "blobs%2F../"),
            ("expires=1", "expires=2"),
            ("expires=", "expires=-"),
            ("expires=", "other="),
            ("signature=", "signature=A"),
            ("signature=", "signature=%C3%BC"),
            ("signature=", "signature=%FF"),
            ("signature=", "a=1&signature="),
            ("signature=", "signature=&signature="),
            ("signature=", "response-content-type=text%2Fhtml&signature="),
            ("?", "%FF?"),
            ("?", "?&&"),
            ("?", "#"),
        ],
    )
    def test_another_address_is_refused(
        self, embedded: EmbeddedEngine, upload: SignedUpload, old: str, new: str
    ) -> None:
        assert old in upload.url
        changed = target(upload.url).replace(old, new, 1)
        assert self.send(embedded, BASE + changed, headers(upload)) == 403

    def test_an_expired_address_is_refused(self, embedded: EmbeddedEngine, upload: SignedUpload, clock: Clock) -> None:
        clock.advance(seconds=60)
        assert self.send(embedded, upload.url, headers(upload)) == 403

    @pytest.mark.parametrize("body", [BODY[:-1], BODY + b"x", b"", b"another!", BODY * 100_000], ids=len)
    def test_another_body_is_refused(self, embedded: EmbeddedEngine, upload: SignedUpload, body: bytes) -> None:
        assert self.send(embedded, upload.url, headers(upload), body) == 400
        assert self.send(embedded, upload.url, headers(upload)) == 200

    def test_a_refused_body_leaves_no_file(self, on_disk: EmbeddedEngine, data_folder: Path) -> None:
        upload = on_disk.objects.sign_upload(KEY, TERMS, 60)
        assert self.send(on_disk, upload.url, headers(upload), b"another!") == 400
        assert files(data_folder) == set()

    def test_an_address_of_a_download_is_none_of_an_upload(
        self, embedded: EmbeddedEngine, upload: SignedUpload
    ) -> None:
        assert self.send(embedded, embedded.objects.sign_download(KEY, 60), headers(upload)) == 403

    def test_a_signature_of_another_engine_is_refused(self, embedded: EmbeddedEngine, upload: SignedUpload) -> None:
        signer = embedded.objects._signer
        signer._secret = b"another"
        assert self.send(embedded, upload.url, headers(upload)) == 403

    def test_an_empty_object_can_be_uploaded(self, embedded: EmbeddedEngine) -> None:
        upload = embedded.objects.sign_upload(KEY, replace(TERMS, size_bytes=0, md5=md5(b"")), 60)
        assert self.send(embedded, upload.url, headers(upload), b"") == 200
        assert embedded.objects.get(KEY) == b""


class TestDownloads:
    """Signed downloads: what was signed, as often as one likes, within the lifetime."""

    @pytest.fixture(autouse=True)
    def stored(self, embedded: EmbeddedEngine) -> None:
        """An object."""
        embedded.objects.put(KEY, BODY, "text/plain", content_encoding="gzip")

    def status(self, embedded: EmbeddedEngine, address: str) -> int:
        """The status of a download."""
        try:
            with embedded.objects.open_download(address).body:
                return 200
        except AddressRefusedError as error:
            return error.status

    def test_a_download_has_the_object_and_what_was_signed(self, embedded: EmbeddedEngine) -> None:
        disposition = "attachment; filename*=UTF-8''%C3%BC&x=1"
        address = embedded.objects.sign_download(KEY, 60, media_type="application/pdf", disposition=disposition)
        for _ in range(2):
            download = embedded.objects.open_download(target(address))
            with download.body as body:
                assert body.read() == BODY
            assert (download.size_bytes, download.media_type) == (len(BODY), "application/pdf")
            assert (download.content_encoding, download.disposition) == ("gzip", disposition)
            assert download.etag == f'"{hashlib.md5(BODY, usedforsecurity=False).hexdigest()}"'

    def test_a_download_has_the_type_of_the_object_unless_another_was_signed(self, embedded: EmbeddedEngine) -> None:
        download = embedded.objects.open_download(target(embedded.objects.sign_download(KEY, 60)))
        download.body.close()
        assert (download.media_type, download.disposition) == ("text/plain", None)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("/blobs/", "/other/"),
            ("text%2Fplain", "text%2Fhtml"),
            ("response-content-type=", "response-content-disposition="),
            ("response-content-type=text%2Fplain&", ""),
            ("signature=", "response-content-disposition=inline&signature="),
            ("expires=1", "expires=2"),
            ("signature=", "signature="[:-1]),
            ("signature=", "signature=x"),
        ],
    )
    def test_another_address_is_refused(self, embedded: EmbeddedEngine, old: str, new: str) -> None:
        address = target(embedded.objects.sign_download(KEY, 60, media_type="text/plain"))
        assert self.status(embedded, address) == 200
        assert old in address
        assert self.status(embedded, address.replace(old, new, 1)) == 403

    def test_an_expired_address_is_refused(self, embedded: EmbeddedEngine, clock: Clock) -> None:
        address = target(embedded.objects.sign_download(KEY, 60))
        clock.advance(seconds=59.999)
        assert self.status(embedded, address) == 200
        clock.advance(seconds=0.001)
        assert self.status(embedded, address) == 403

    def test_an_object_that_is_gone_is_not_found(self, embedded: EmbeddedEngine) -> None:
        address = target(embedded.objects.sign_download(KEY, 60))
        embedded.objects.delete([KEY])
        assert self.status(embedded, address) == 404

    def test_the_path_of_an_address_names_the_key(self, embedded: EmbeddedEngine) -> None:
        path, _, _ = target(embedded.objects.sign_download(KEY, 60)).partition("?")
        assert unquote(path) == f"/objects/{KEY}"
        assert path.isascii()


def test_a_file_that_vanishes_while_old_ones_are_listed_is_left_out(tmp_path: Path) -> None:
    contents = FolderContents(tmp_path)
    for name in ("a", "b", "c"):
        contents.write(name, [b"body"])
        os.utime(tmp_path / name, (time.time() - 90_000,) * 2)
    names = contents.old_names()
    first = next(names)
    for name in {"a", "b", "c"} - {first}:
        contents.remove(name)
    assert list(names) == []
