"""The headers of an upload."""

import pytest

from chalicelib.blobs.blob import TimeSpan
from chalicelib.blobs.headers import normalized_media_type, parse_blob_headers, parse_device_log_headers
from chalicelib.errors import InvalidHeaderError, MissingHeaderError, StrandlineError, TooLargeError

MD5 = "XrY7u+Ae7tCTyyK7j1rNww=="
BLOB = {"content-type": "text/plain", "digest": f"MD5={MD5}"}
DIRECT = BLOB | {"x-upload-size": "11"}
LOG = BLOB | {"x-logs-start-at-time": "2026-01-01T00:00:00Z", "x-logs-end-at-time": "2026-01-01T01:00:00.1239+01:00"}


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("text/plain", "text/plain"),
        ("Text/Plain; CharSet=UTF-8", "text/plain; charset=UTF-8"),
        ("text/plain;charset=utf-8 ;  a=B", "text/plain; a=B; charset=utf-8"),
        ('multipart/mixed; boundary="a b\\"c"', 'multipart/mixed; boundary="a b\\"c"'),
        ('text/plain; a="b"', "text/plain; a=b"),
        ('text/plain; a=""', 'text/plain; a=""'),
        ("application/x-gzip;", "application/x-gzip"),
        (" text/plain ", "text/plain"),
        ("", None),
        ("/", None),
        ("text", None),
        ("text/", None),
        ("text/plain/more", None),
        ("text/plain charset=utf-8", None),
        ("text/plain; charset", None),
        ("text/plain; =utf-8", None),
        ('text/plain; a="b', None),
        ("text/plain; a=1; A=2", None),
        ("text/plain; a=1; a=1", None),
        ("text/plain; a*=utf-8''x%20y", "text/plain; a*=utf-8''x%20y"),
        ("text/plain, text/html", None),
        ("text/pläin", None),
    ],
)
def test_media_types_are_normalized(text: str, normalized: str | None) -> None:
    assert normalized_media_type(text) == normalized


def test_a_normalized_media_type_is_its_own_normal_form() -> None:
    once = normalized_media_type('Multipart/Mixed; B="x \\y"; a="z"')
    assert once == 'multipart/mixed; a=z; b="x y"'
    assert normalized_media_type(once) == once


@pytest.mark.parametrize("algorithm", ["MD5", "md5", "Md5"])
def test_the_digest_s_algorithm_is_read_in_any_case(algorithm: str) -> None:
    assert parse_blob_headers(BLOB | {"digest": f"{algorithm}={MD5}"}, is_direct=False).digest_md5 == MD5


@pytest.mark.parametrize("digest", [{}, {"digest": "null"}])
def test_a_blob_needs_no_digest(digest: dict[str, str]) -> None:
    headers = {"content-type": "text/plain"} | digest
    assert parse_blob_headers(headers, is_direct=False).digest_md5 is None


@pytest.mark.parametrize(
    "digest",
    [
        "",
        MD5,
        "MD5=",
        f"MD5 ={MD5}",
        f"MD5={MD5[:-2]}",
        f"MD5={MD5}=",
        f"MD5={'!' * 22}==",
        f"MD5={'A' * 24}",
        "MD5=XrY7u+Ae7tCTyyK7j1rNwx==",
        f"MD5={MD5},SHA=1",
        f"SHA-256={MD5}",
        "Null",
    ],
)
@pytest.mark.parametrize("is_direct", [False, True])
def test_other_digests_are_refused(digest: str, is_direct: bool) -> None:
    with pytest.raises(InvalidHeaderError) as refused:
        parse_blob_headers(DIRECT | {"digest": digest}, is_direct=is_direct)
    assert refused.value.name == "Digest"


def test_the_size_counts_only_for_a_direct_upload() -> None:
    assert parse_blob_headers(DIRECT, is_direct=True).size_bytes == 11
    assert parse_blob_headers(DIRECT, is_direct=False).size_bytes is None
    assert parse_blob_headers(DIRECT | {"x-upload-size": "104857600"}, is_direct=True).size_bytes == 104_857_600
    with pytest.raises(TooLargeError):
        parse_blob_headers(DIRECT | {"x-upload-size": "104857601"}, is_direct=True)


def test_a_device_log_has_a_span_in_milliseconds() -> None:
    announced = parse_device_log_headers(LOG, is_direct=False)
    assert announced.span == TimeSpan(1_767_225_600_000, 1_767_225_600_123)


@pytest.mark.parametrize(
    ("headers", "kind", "name"),
    [
        (DIRECT | {"digest": "null"}, MissingHeaderError, "Digest"),
        ({"digest": f"MD5={MD5}"}, MissingHeaderError, "Content-Type"),
        (BLOB | {"content-type": "/"}, InvalidHeaderError, "Content-Type"),
        (BLOB | {"content-type": f"text/{'x' * 252}"}, InvalidHeaderError, "Content-Type"),
        ({"digest": "x"}, InvalidHeaderError, "Digest"),
        (BLOB, MissingHeaderError, "X-Upload-Size"),
        (BLOB | {"x-upload-size": "-1"}, InvalidHeaderError, "X-Upload-Size"),
        (BLOB | {"x-upload-size": "1.5"}, InvalidHeaderError, "X-Upload-Size"),
        (BLOB | {"x-upload-size": "9" * 16}, InvalidHeaderError, "X-Upload-Size"),
    ],
)
def test_the_first_wrong_header_of_a_blob_is_named(
    headers: dict[str, str], kind: type[StrandlineError], name: str
) -> None:
    with pytest.raises(kind) as refused:
        parse_blob_headers(headers, is_direct=True)
    assert str(refused.value) == name


@pytest.mark.parametrize(
    ("headers", "kind", "name"),
    [
        ({}, MissingHeaderError, "Digest"),
        ({"digest": "null"}, InvalidHeaderError, "Digest"),
        ({"digest": f"MD5={MD5}"}, MissingHeaderError, "Content-Type"),
        (BLOB, MissingHeaderError, "X-Logs-Start-At-Time"),
        (LOG | {"x-logs-start-at-time": "2026-01-01"}, InvalidHeaderError, "X-Logs-Start-At-Time"),
        (
            BLOB | {"x-logs-start-at-time": LOG["x-logs-start-at-time"]},
            MissingHeaderError,
            "X-Logs-End-At-Time",
        ),
        (LOG | {"x-logs-end-at-time": "2026-01-01T00:00:00"}, InvalidHeaderError, "X-Logs-End-At-Time"),
    ],
)
def test_the_first_wrong_header_of_a_device_log_is_named(
    headers: dict[str, str], kind: type[StrandlineError], name: str
) -> None:
    with pytest.raises(kind) as refused:
        parse_device_log_headers(headers, is_direct=False)
    assert str(refused.value) == name
