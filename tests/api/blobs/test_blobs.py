"""The blob API over HTTP. Source: blob-api 1 to 8."""

import gzip
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.access.call import platform_call
from chalicelib.blobs.content import UploadOutcome, confirm_upload, md5_base64
from chalicelib.blobs.manage import INLINE_BYTES
from chalicelib.engine.definitions import BLOBS
from chalicelib.engine.embedded.signed_addresses import PATH_PREFIX
from tests.api.blobs.blob_requests import (
    ANNA,
    BEN,
    HELLO,
    HELLO_MD5,
    UNKNOWN,
    create,
    error,
    faults_of,
    header_invalid,
    header_missing,
    listed,
    not_found,
    open_upload,
)
from tests.api.conftest import ApiClient
from tests.fakes.calls import no_id
from tests.fakes.engine import refuse
from tests.fakes.services import START_MS, FakeServices


class TestCreate:
    """POST /v1/users/{userId}/blobs."""

    def test_the_blob_is_available(self, api: ApiClient, anna: str, fakes: FakeServices) -> None:
        reply = create(api, anna, Digest=f"MD5={HELLO_MD5}", Content_Type="Text/Plain; CharSet=UTF-8")
        blob = {
            "id": f"{fakes.ids_made:032x}",
            "userId": ANNA,
            "digestMD5": HELLO_MD5,
            "mediaType": "text/plain; charset=UTF-8",
            "size": 11,
            "status": "available",
            "createdTime": "2026-01-01T00:00:00Z",
            "modifiedTime": "2026-01-01T00:00:00Z",
            "revision": 1,
        }
        assert (reply.status, reply.json()) == (201, blob)
        assert api.request("GET", f"/v1/blobs/{blob['id']}", token=anna).json() == blob
        assert api.request("GET", f"/v1/users/{ANNA}/blobs", token=anna).json() == [blob]

    @pytest.mark.parametrize("digest", [{}, {"Digest": "null"}, {"Digest": f"md5={HELLO_MD5}"}])
    def test_the_digest_may_be_missing(self, api: ApiClient, anna: str, digest: dict[str, str]) -> None:
        reply = create(api, anna, HELLO, **digest)
        assert (reply.status, reply.json()["digestMD5"]) == (201, HELLO_MD5)

    def test_the_same_content_may_come_again(self, api: ApiClient, anna: str) -> None:
        ids = {create(api, anna).json()["id"] for _ in range(3)}
        assert set(listed(api, anna)) == ids
        assert len(ids) == 3

    @pytest.mark.parametrize("digest", [{}, {"Digest": f"MD5={md5_base64(b'')}"}])
    def test_without_content_it_is_created(self, api: ApiClient, anna: str, digest: dict[str, str]) -> None:
        reply = create(api, anna, b"", **digest)
        blob = reply.json()
        assert (reply.status, blob["status"], blob["revision"]) == (201, "created", 0)
        assert {"size", "digestMD5", "modifiedTime", "upload"}.isdisjoint(blob)
        assert listed(api, anna) == []
        assert listed(api, anna, "?status=created") == [blob["id"]]
        assert api.request("GET", f"/v1/blobs/{blob['id']}/content", token=anna).status == 404

    @pytest.mark.parametrize("content", [b"hello", b""])
    def test_another_digest_stores_nothing(
        self, api: ApiClient, anna: str, fakes: FakeServices, content: bytes
    ) -> None:
        reply = create(api, anna, content, Digest=f"MD5={HELLO_MD5}")
        detail = f'digest "{HELLO_MD5}" does not equal calculated digest "{md5_base64(content)}"'
        assert (reply.status, reply.json()) == (
            400,
            error("digests-not-equal", "digests not equal", detail, source={"pointer": "/digestMD5"}),
        )
        assert (fakes.blob_items(), fakes.object_keys()) == ([], [])

    @pytest.mark.parametrize(
        ("headers", "body"),
        [
            ({"Digest": "MD5=x", "Content_Type": "/"}, header_invalid("Digest")),
            ({"Digest": f"SHA={HELLO_MD5}"}, header_invalid("Digest")),
            ({"Content_Type": "/"}, header_invalid("Content-Type")),
            ({"Content_Type": "text/plain, text/html"}, header_invalid("Content-Type")),
        ],
    )
    def test_wrong_headers_are_refused(
        self, api: ApiClient, anna: str, headers: dict[str, str], body: dict[str, Any]
    ) -> None:
        reply = create(api, anna, HELLO, **headers)
        assert (reply.status, reply.json()) == (400, body)

    def test_a_missing_content_type_is_400(self, api: ApiClient, anna: str) -> None:
        reply = api.request("POST", f"/v1/users/{ANNA}/blobs", HELLO, token=anna)
        assert (reply.status, reply.json()) == (400, header_missing("Content-Type"))

    def test_up_to_4_5_mb_come_this_way(self, api: ApiClient, anna: str, fakes: FakeServices) -> None:
        content = b"x" * 4_500_000
        assert create(api, anna, content).json()["size"] == 4_500_000
        reply = create(api, anna, content + b"x")
        assert (reply.status, reply.json()["code"]) == (413, "resource-too-large")
        assert "/v1/users/{userId}/blobs?upload=direct" in reply.json()["detail"]
        assert "X-Upload-Size" in reply.json()["detail"]
        assert len(listed(api, anna)) == len(fakes.object_keys()) == 1

    def test_a_store_that_fails_keeps_nothing(self, api: ApiClient, anna: str, fakes: FakeServices) -> None:
        fakes.calls.watch = refuse("objects.put")
        assert create(api, anna).status == 503
        assert fakes.blob_items() == []


class TestDirectUpload:
    """POST /v1/users/{userId}/blobs?upload=direct."""

    def test_the_answer_says_how_to_upload(self, api: ApiClient, anna: str) -> None:
        reply = open_upload(api, anna, Content_Type="text/Plain")
        blob = reply.json()
        upload = blob.pop("upload")
        assert reply.status == 201
        assert (blob["status"], blob["revision"], blob["size"], blob["digestMD5"]) == ("created", 0, 11, HELLO_MD5)
        assert upload == {
            "method": "PUT",
            "url": upload["url"],
            "headers": {"Content-Length": "11", "Content-MD5": HELLO_MD5, "Content-Type": "text/plain"}
            | {"If-None-Match": "*"},
            "expiresTime": "2026-01-01T00:15:00Z",
        }
        assert urlsplit(upload["url"]).path == f"{PATH_PREFIX}blobs/{ANNA}/{blob['id']}"
        assert listed(api, anna) == []
        assert api.request("GET", f"/v1/blobs/{blob['id']}", token=anna).json() == blob

    def test_the_content_makes_it_available(self, api: ApiClient, anna: str, fakes: FakeServices) -> None:
        blob = open_upload(api, anna).json()
        key = f"blobs/{ANNA}/{blob['id']}"
        fakes.upload(key, HELLO)
        found = confirm_upload(platform_call(START_MS + 1500, no_id), key, fakes.services.blobs)
        assert found is UploadOutcome.AVAILABLE
        now = api.request("GET", f"/v1/blobs/{blob['id']}", token=anna).json()
        assert (now["status"], now["revision"], now["modifiedTime"]) == ("available", 1, "2026-01-01T00:00:01.5Z")
        assert api.request("GET", f"/v1/blobs/{blob['id']}/content", token=anna).body == HELLO

    @pytest.mark.parametrize(
        ("headers", "status", "body"),
        [
            ({"Digest": "null"}, 400, header_missing("Digest")),
            ({"Digest": "MD5=x"}, 400, header_invalid("Digest")),
            ({"X_Upload_Size": "-1"}, 400, header_invalid("X-Upload-Size")),
            (
                {"X_Upload_Size": "104857601"},
                413,
                error("resource-too-large", "resource too large", "a blob may have at most 104857600 bytes"),
            ),
        ],
    )
    def test_wrong_headers_are_refused(
        self, api: ApiClient, anna: str, headers: dict[str, str], status: int, body: dict[str, Any]
    ) -> None:
        reply = open_upload(api, anna, **headers)
        assert (reply.status, reply.json()) == (status, body)

    def test_100_mib_may_be_announced(self, api: ApiClient, anna: str) -> None:
        assert open_upload(api, anna, X_Upload_Size="104857600").status == 201

    @pytest.mark.parametrize("headers", [{}, {"Digest": f"MD5={HELLO_MD5}"}])
    def test_digest_and_size_are_needed(self, api: ApiClient, anna: str, headers: dict[str, str]) -> None:
        reply = create(api, anna, b"", "?upload=direct", **headers)
        assert (reply.status, reply.json()) == (400, header_missing("X-Upload-Size" if headers else "Digest"))

    @pytest.mark.parametrize("mode", ["", "plain"])
    def test_other_ways_are_unknown(self, api: ApiClient, anna: str, mode: str) -> None:
        reply = create(api, anna, HELLO, f"?upload={mode}")
        assert (reply.status, reply.json()) == (
            400,
            error(
                "value-not-allowed",
                "value is not one of the allowed values",
                f'value "{mode}" is not one of ["direct"]',
                source={"parameter": "upload"},
            ),
        )


class TestList:
    """GET /v1/users/{userId}/blobs."""

    def test_newest_first_in_pages(self, api: ApiClient, anna: str, fakes: FakeServices) -> None:
        ids: list[str] = []
        for _ in range(5):
            fakes.now_ms += 1
            ids.insert(0, create(api, anna).json()["id"])
        assert listed(api, anna) == ids
        assert listed(api, anna, "?page=1&size=2") == ids[2:4]
        assert listed(api, anna, "?page=2&size=2") == ids[4:]
        assert listed(api, anna, "?page=3&size=2") == []
        assert listed(api, anna, "?page=9223372036854775807&size=1000") == []

    def test_filters_select_blobs(self, api: ApiClient, anna: str) -> None:
        text = create(api, anna).json()["id"]
        utf_8 = create(api, anna, Content_Type="text/plain; charset=UTF-8").json()["id"]
        zipped = create(api, anna, Content_Type="application/gzip").json()["id"]
        waiting = create(api, anna, b"").json()["id"]
        assert set(listed(api, anna)) == {text, utf_8, zipped}
        assert listed(api, anna, "?mediaType=text/plain") == [text]
        assert listed(api, anna, "?mediaType=text%2Fplain%3B%20charset%3DUTF-8") == [utf_8]
        assert listed(api, anna, "?mediaType=Text/Plain") == []
        assert set(listed(api, anna, "?mediaType=text/plain,application/gzip")) == {text, zipped}
        assert set(listed(api, anna, "?mediaType=text/plain&mediaType=application/gzip")) == {text, zipped}
        assert listed(api, anna, "?status=created") == [waiting]
        assert set(listed(api, anna, "?status=available,created")) == {text, utf_8, zipped, waiting}
        assert listed(api, anna, "?status=created&mediaType=application/gzip") == []

    @pytest.mark.parametrize(
        ("query", "codes"),
        [
            ("contentType=text/plain", [("not-parsed", "contentType")]),
            ("restricted_token=x", [("not-parsed", "restricted_token")]),
            ("size=0", [("value-out-of-range", "size")]),
            ("size=1001", [("value-out-of-range", "size")]),
            ("page=-1", [("value-out-of-range", "page")]),
            ("page=x", [("type-not-int", "page")]),
            ("page=1&page=2", [("not-parsed", "page")]),
            ("status=", [("value-not-allowed", "status")]),
            ("status=deleted", [("value-not-allowed", "status")]),
            ("status=created,created", [("value-duplicate", "status")]),
            ("mediaType=", [("value-empty", "mediaType")]),
            ("mediaType=/", [("value-not-valid", "mediaType")]),
            ("mediaType=text/plain&mediaType=text/plain", [("value-duplicate", "mediaType")]),
            (f"mediaType=text/{'x' * 252}", [("length-out-of-range", "mediaType")]),
            (
                "size=0&page=-1&status=x,y&mediaType=/",
                [
                    ("value-not-valid", "mediaType"),
                    ("value-not-allowed", "status"),
                    ("value-not-allowed", "status"),
                    ("value-out-of-range", "page"),
                    ("value-out-of-range", "size"),
                ],
            ),
            ("size=0&page=x", [("type-not-int", "page")]),
        ],
    )
    def test_wrong_queries_are_400(self, api: ApiClient, anna: str, query: str, codes: list[tuple[str, str]]) -> None:
        reply = api.request("GET", f"/v1/users/{ANNA}/blobs?{query}", token=anna)
        assert (reply.status, faults_of(reply)) == (400, codes)

    def test_what_is_allowed_is_told(self, api: ApiClient, anna: str) -> None:
        told = api.request("GET", f"/v1/users/{ANNA}/blobs?status=", token=anna).json()
        assert told["detail"] == 'value "" is not one of ["available", "created"]'
        told = api.request("GET", f"/v1/users/{ANNA}/blobs?mediaType=/", token=anna).json()
        assert told["detail"] == 'value "/" is not valid as media type'


class TestContent:
    """GET /v1/blobs/{blobId}/content."""

    @pytest.mark.parametrize("content", [b"x", bytes(range(256)) * 64, "größer".encode() * 1000])
    @pytest.mark.parametrize("encoding", ["identity", "gzip"])
    def test_the_same_bytes_come_back(self, api: ApiClient, anna: str, content: bytes, encoding: str) -> None:
        blob_id = create(api, anna, content, Content_Type="application/x-any; a=B").json()["id"]
        reply = api.request("GET", f"/v1/blobs/{blob_id}/content", token=anna, Accept="*/*", Accept_Encoding=encoding)
        is_zipped = reply.headers.get("content-encoding") == "gzip"
        assert reply.status == 200
        assert (gzip.decompress(reply.body) if is_zipped else reply.body) == content
        assert is_zipped is (encoding == "gzip" and len(content) >= 1024)
        assert reply.headers["content-type"] == "application/x-any; a=B"
        assert reply.headers["digest"] == f"MD5={md5_base64(content)}"

    def test_up_to_4_mb_are_in_the_answer_and_more_are_elsewhere(
        self, api: ApiClient, anna: str, fakes: FakeServices
    ) -> None:
        largest = create(api, anna, b"x" * INLINE_BYTES).json()["id"]
        larger = create(api, anna, b"x" * (INLINE_BYTES + 1)).json()["id"]
        assert len(api.request("GET", f"/v1/blobs/{largest}/content", token=anna).body) == INLINE_BYTES
        reply = api.request("GET", f"/v1/blobs/{larger}/content", token=anna)
        assert reply.status == 307
        assert b"fetch it from the address in the header Location" in reply.body
        assert len(fakes.download(reply.headers["location"]).body.read()) == INLINE_BYTES + 1
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["digest"] == f"MD5={md5_base64(b'x' * (INLINE_BYTES + 1))}"

    @pytest.mark.parametrize(
        ("media_type", "disposition"),
        [
            ("text/plain; charset=utf-8", "inline"),
            ("Application/JSON", "inline"),
            ("image/png", "inline"),
            ("text/html", "attachment"),
            ("text/html; charset=utf-8", "attachment"),
            ("image/svg+xml", "attachment"),
            ("application/xml", "attachment"),
            ("application/pdf", "attachment"),
            ("text/javascript", "attachment"),
        ],
    )
    def test_a_content_of_a_stranger_is_no_page_of_this_origin(
        self, api: ApiClient, anna: str, media_type: str, disposition: str
    ) -> None:
        blob_id = create(api, anna, b"<script>alert(1)</script>", Content_Type=media_type).json()["id"]
        reply = api.request("GET", f"/v1/blobs/{blob_id}/content", token=anna)
        assert reply.headers["content-security-policy"] == "sandbox"
        assert reply.headers["x-content-type-options"] == "nosniff"
        expected = "inline" if disposition == "inline" else f'attachment; filename="{blob_id}"'
        assert reply.headers["content-disposition"] == expected

    def test_an_absent_content_is_not_found(self, api: ApiClient, anna: str, fakes: FakeServices) -> None:
        blob_id = create(api, anna).json()["id"]
        fakes.contents.delete_under("blobs/")
        reply = api.request("GET", f"/v1/blobs/{blob_id}/content", token=anna)
        assert (reply.status, reply.json()) == (404, not_found(f'resource with id "{blob_id}" not found'))


class TestDelete:
    """DELETE of one blob, and of all."""

    def test_blob_and_content_are_gone(self, api: ApiClient, anna: str, fakes: FakeServices) -> None:
        blob_id = create(api, anna).json()["id"]
        reply = api.request("DELETE", f"/v1/blobs/{blob_id}", token=anna)
        assert (reply.status, reply.body) == (204, b"")
        assert (fakes.blob_items(), fakes.object_keys()) == ([], [])
        assert api.request("DELETE", f"/v1/blobs/{blob_id}", token=anna).status == 404

    @pytest.mark.parametrize("path", ["", "/content"])
    def test_an_unknown_blob_is_not_found(self, api: ApiClient, anna: str, path: str) -> None:
        reply = api.request("GET", f"/v1/blobs/{UNKNOWN}{path}", token=anna)
        assert (reply.status, reply.json()) == (404, not_found(f'resource with id "{UNKNOWN}" not found'))

    def test_only_in_the_revision_that_is_named(self, api: ApiClient, anna: str) -> None:
        blob_id = create(api, anna).json()["id"]
        reply = api.request("DELETE", f"/v1/blobs/{blob_id}?revision=0", token=anna)
        assert (reply.status, reply.json()) == (404, not_found(f'revision 0 of resource with id "{blob_id}" not found'))
        assert api.request("DELETE", f"/v1/blobs/{blob_id}?revision=1", token=anna).status == 204
        reply = api.request("DELETE", f"/v1/blobs/{blob_id}?revision=1", token=anna)
        assert (reply.status, reply.json()) == (404, not_found(f'revision 1 of resource with id "{blob_id}" not found'))

    @pytest.mark.parametrize(
        ("query", "code", "parameter"),
        [
            ("revision=-1", "value-out-of-range", "revision"),
            ("revision=x", "type-not-int", "revision"),
            ("version=1", "not-parsed", "version"),
        ],
    )
    def test_wrong_queries_are_400(self, api: ApiClient, anna: str, query: str, code: str, parameter: str) -> None:
        reply = api.request("DELETE", f"/v1/blobs/{UNKNOWN}?{query}", token=anna)
        assert (reply.status, faults_of(reply)) == (400, [(code, parameter)])

    def test_all_blobs_of_one_user_are_deleted(self, api: ApiClient, anna: str, fakes: FakeServices) -> None:
        ben = fakes.sign_in(BEN)
        create(api, anna)
        create(api, anna, b"")
        kept = api.request("POST", f"/v1/users/{BEN}/blobs", HELLO, token=ben, Content_Type="text/plain").json()
        for _ in range(2):
            assert api.request("DELETE", f"/v1/users/{ANNA}/blobs", token=anna).status == 204
            assert listed(api, anna, "?status=available,created") == []
        assert [item["pk"] for item in fakes.items(BLOBS, sort_key="place")] == [f"blobs#id#{kept['id']}"]
        assert len(fakes.blob_items()) == 2
        assert fakes.object_keys() == [f"blobs/{BEN}/{kept['id']}"]


ROUTES = [
    ("GET", "/v1/users/not-an-id/blobs", "userId"),
    ("POST", "/v1/users/A1B2C3D4E5/blobs", "userId"),
    ("DELETE", "/v1/users/a1b2c3d4e/blobs", "userId"),
    ("GET", f"/v1/blobs/{'F' * 32}", "id"),
    ("GET", f"/v1/blobs/{'f' * 31}/content", "id"),
    ("DELETE", f"/v1/blobs/{'f' * 33}", "id"),
]


@pytest.mark.parametrize(("method", "path", "name"), ROUTES)
def test_ids_have_a_form(api: ApiClient, anna: str, method: str, path: str, name: str) -> None:
    reply = api.request(method, path, token=anna)
    assert (reply.status, reply.json()) == (
        400,
        error("parameter-invalid", "parameter is invalid", f'parameter "{name}" is invalid'),
    )
    assert api.request(method, path).status == 401


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_other_methods_are_not_allowed(api: ApiClient, anna: str, method: str) -> None:
    reply = api.request(method, f"/v1/blobs/{UNKNOWN}", token=anna)
    assert (reply.status, reply.json()) == (405, {"Error": "Method not allowed"})
