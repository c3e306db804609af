"""The store of contents, on each engine. `tests/e2e` tests what S3 refuses."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from chalicelib.blobs.blob import Blob, BlobKind
from chalicelib.blobs.content import md5_base64
from chalicelib.blobs.ports import ContentStore, StoredContent
from chalicelib.blobs.stores.contents import StoredContents
from chalicelib.config import Settings
from chalicelib.engine.aws import s3 as engine_s3
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.aws.s3 import PENDING_TAG
from tests.fakes.engine import memory_engine, pending_keys, upload

NOW_MS = 1_767_225_600_000
HELLO = b"hello world"
BLOB = Blob(BlobKind.BLOBS, "1" * 32, "a1b2c3d4e5", "text/plain", NOW_MS, md5_base64(HELLO), len(HELLO))


@dataclass
class Stored:
    """A store, with functions that upload a content from outside and say whether it will expire."""

    contents: ContentStore
    arrive: Callable[[str, bytes], None]
    is_pending: Callable[[str], bool]


@pytest.fixture(params=["memory", "s3"])
def stored(request: pytest.FixtureRequest) -> Stored:
    """An empty store."""
    if request.param == "memory":
        return stored_in_memory()
    settings: Settings = request.getfixturevalue("stage")
    s3 = boto3.client("s3", region_name=settings.region)

    def arrive(key: str, content: bytes) -> None:
        s3.put_object(Bucket=settings.bucket, Key=key, Body=content, Tagging=PENDING_TAG)

    def is_pending(key: str) -> bool:
        tags = s3.get_object_tagging(Bucket=settings.bucket, Key=key)["TagSet"]
        return any(f"{tag['Key']}={tag['Value']}" == PENDING_TAG for tag in tags)

    return Stored(StoredContents(aws_engine(settings).objects), arrive, is_pending)


def stored_in_memory() -> Stored:
    """An empty store in memory."""
    engine = memory_engine()
    return Stored(
        StoredContents(engine.objects),
        lambda key, content: upload(engine, key, content),
        lambda key: key in pending_keys(engine),
    )


@pytest.mark.parametrize("content", [b"", b"\x00\xff", HELLO])
def test_a_stored_content_is_read_unchanged(stored: Stored, content: bytes) -> None:
    stored.contents.put("blobs/u/1", content, "application/octet-stream")
    assert stored.contents.read("blobs/u/1") == content
    assert stored.contents.describe("blobs/u/1") == StoredContent(len(content), md5_base64(content))
    assert not stored.is_pending("blobs/u/1")


def test_absent_contents_are_no_error(stored: Stored) -> None:
    assert stored.contents.read("blobs/u/1") is None
    assert stored.contents.describe("blobs/u/1") is None
    stored.contents.keep("blobs/u/1")
    stored.contents.delete(["blobs/u/1"])
    stored.contents.delete([])
    stored.contents.delete_under("blobs/u/")


def test_an_uploaded_content_is_pending_until_it_is_kept(stored: Stored) -> None:
    stored.arrive("blobs/u/1", HELLO)
    assert stored.is_pending("blobs/u/1")
    assert stored.contents.describe("blobs/u/1") == StoredContent(len(HELLO), md5_base64(HELLO))
    stored.contents.keep("blobs/u/1")
    stored.contents.keep("blobs/u/1")
    assert not stored.is_pending("blobs/u/1")
    assert stored.contents.read("blobs/u/1") == HELLO


def test_deleted_contents_are_gone(stored: Stored) -> None:
    keys = ["blobs/u/1", "blobs/u/2", "blobs/u2/1"]
    for key in keys:
        stored.contents.put(key, HELLO, "text/plain")
    stored.contents.delete(keys[:1])
    assert [stored.contents.read(key) for key in keys] == [None, HELLO, HELLO]
    stored.contents.delete_under("blobs/u/")
    assert [stored.contents.read(key) for key in keys] == [None, None, HELLO]


def test_an_upload_says_what_to_send_and_until_when(stored: Stored) -> None:
    upload = stored.contents.upload(BLOB, NOW_MS)
    sent = {"Content-Length": "11", "Content-MD5": BLOB.digest_md5, "Content-Type": "text/plain"}
    assert upload.method == "PUT"
    assert dict(upload.headers) | sent == dict(upload.headers)
    assert BLOB.content_key in upload.url
    assert upload.expires_time_ms == NOW_MS + 900_000


def test_everything_that_is_to_be_sent_is_signed(stage: Settings) -> None:
    upload = StoredContents(aws_engine(stage).objects).upload(BLOB, NOW_MS)
    signed = parse_qs(urlsplit(upload.url).query)["X-Amz-SignedHeaders"][0].split(";")
    assert set(signed) == {"host", *(name.lower() for name in upload.headers)}
    assert upload.headers["If-None-Match"] == "*"


def test_a_download_has_the_blob_s_own_type(stage: Settings) -> None:
    query = parse_qs(urlsplit(StoredContents(aws_engine(stage).objects).download_url(BLOB)).query)
    assert query["response-content-type"] == ["text/plain"]
    assert query["response-content-disposition"] == ["inline"]
    assert query["X-Amz-Expires"] == ["300"]


def test_a_download_that_a_browser_could_run_is_saved_as_a_file(stage: Settings) -> None:
    page = replace(BLOB, media_type="text/html")
    query = parse_qs(urlsplit(StoredContents(aws_engine(stage).objects).download_url(page)).query)
    assert query["response-content-type"] == ["text/html"]
    assert query["response-content-disposition"] == [f'attachment; filename="{BLOB.id}"']


def test_more_than_a_thousand_contents_are_deleted_in_batches(stage: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_s3, "MAX_DELETED_KEYS", 2)
    contents = StoredContents(aws_engine(stage).objects)
    for number in range(5):
        contents.put(f"blobs/u/{number}", HELLO, "text/plain")
    contents.delete_under("blobs/u/")
    assert [contents.read(f"blobs/u/{number}") for number in range(5)] == [None] * 5


def test_an_object_in_parts_has_no_digest(stage: Settings) -> None:
    s3 = boto3.client("s3", region_name=stage.region)
    upload_id = s3.create_multipart_upload(Bucket=stage.bucket, Key="blobs/u/1")["UploadId"]
    part = s3.upload_part(Bucket=stage.bucket, Key="blobs/u/1", UploadId=upload_id, PartNumber=1, Body=HELLO)
    s3.complete_multipart_upload(
        Bucket=stage.bucket,
        Key="blobs/u/1",
        UploadId=upload_id,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    assert StoredContents(aws_engine(stage).objects).describe("blobs/u/1") == StoredContent(len(HELLO), "")
