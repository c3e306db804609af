"""Objects: bodies, ranges, heads, lists, signatures."""

import base64
import hashlib

import pytest

from chalicelib.engine.engine import Engine
from chalicelib.engine.objects import ObjectHead, Objects, UploadTerms


@pytest.fixture
def objects(engine: Engine) -> Objects:
    """The objects of an empty stage."""
    return engine.objects


def md5(body: bytes) -> str:
    """In base64."""
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def test_an_object_comes_back_as_it_was(objects: Objects) -> None:
    assert objects.put("a/1", b"\x00body", "text/plain")
    assert objects.get("a/1") == b"\x00body"
    assert objects.head("a/1") == ObjectHead(5, md5(b"\x00body"))


def test_an_absent_object_is_none(objects: Objects) -> None:
    assert objects.get("a") is None
    assert objects.get_range("a", 0, 1) is None
    assert objects.head("a") is None


def test_an_object_is_replaced_unless_it_is_put_once(objects: Objects) -> None:
    assert objects.put("a", b"1", "text/plain", once=True)
    assert not objects.put("a", b"2", "text/plain", once=True)
    assert objects.get("a") == b"1"
    assert objects.put("a", b"3", "text/plain")
    assert objects.get("a") == b"3"


def test_a_range_of_an_object_can_be_read(objects: Objects) -> None:
    objects.put("a", b"0123456789", "text/plain")
    assert objects.get_range("a", 2, 5) == b"234"
    assert objects.get_range("a", 8, 100) == b"89"
    for start, stop in ((3, 3), (10, 11)):
        with pytest.raises(ValueError, match="range"):
            objects.get_range("a", start, stop)


def test_keys_are_listed_by_prefix_in_order(objects: Objects) -> None:
    for key in ("a/2", "a/10", "b/1", "a/1"):
        objects.put(key, b"", "text/plain")
    assert list(objects.keys("a/")) == ["a/1", "a/10", "a/2"]
    assert list(objects.keys("c/")) == []


def test_more_keys_than_one_reply_holds_are_listed(objects: Objects) -> None:
    keys = [f"a/{number:04d}" for number in range(1001)]
    for key in keys:
        objects.put(key, b"", "text/plain")
    assert list(objects.keys("a/")) == keys
    objects.delete(keys)
    assert list(objects.keys("a/")) == []


def test_a_delete_of_what_is_not_there_is_no_error(objects: Objects) -> None:
    objects.put("a", b"", "text/plain")
    objects.delete(["a", "b"])
    objects.delete([])
    assert objects.get("a") is None


def test_keeping_is_no_error_without_an_object(objects: Objects) -> None:
    objects.keep("a")
    objects.put("a", b"1", "text/plain")
    objects.keep("a")
    assert objects.get("a") == b"1"


def test_a_signed_upload_names_all_that_must_be_sent(objects: Objects) -> None:
    upload = objects.sign_upload("a/1", UploadTerms(5, md5(b"12345"), "text/plain"), 900)
    assert upload.method == "PUT"
    assert "a/1" in upload.url
    assert upload.headers["Content-Length"] == "5"
    assert upload.headers["Content-MD5"] == md5(b"12345")
    assert upload.headers["Content-Type"] == "text/plain"
    assert upload.headers["If-None-Match"] == "*"


def test_a_signed_download_names_what_it_answers(objects: Objects) -> None:
    address = objects.sign_download("a/1", 300, media_type="text/plain", disposition='attachment; filename="x"')
    assert "a/1" in address
    assert "text%2Fplain" in address
    assert "attachment" in address
