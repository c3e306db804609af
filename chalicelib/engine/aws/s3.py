"""Objects on S3, in the stage's bucket.

A signed upload puts a tag on the object, by which the bucket's lifecycle removes it after a day, and `keep` changes the
tag. The signature covers MD5, length, type, tag and `If-None-Match: *`, so that S3 itself refuses any other content
and a second one.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from chalicelib.config import Settings
from chalicelib.engine.aws.clients import new_client
from chalicelib.engine.aws.errors import engine_errors
from chalicelib.engine.errors import ConditionFailedError, NoSuchObjectError
from chalicelib.engine.objects import ObjectHead, SignedUpload, UploadTerms

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import TagTypeDef

CONNECT_TIMEOUT_S = 1
READ_TIMEOUT_S = 5
MAX_ATTEMPTS = 4
PENDING_TAG = "upload=pending"
"""Names what the lifecycle rule `abandoned-uploads` of infra/stateful.yaml removes."""
KEPT_TAG: "TagTypeDef" = {"Key": "upload", "Value": "kept"}
MAX_DELETED_KEYS = 1000
"""Keys of one DeleteObjects (a limit of S3)."""

_MD5_ETAG = re.compile(r'"([0-9a-f]{32})"')


def client(settings: Settings) -> "S3Client":
    """The process's one client of the stage, made when it is first asked for."""
    return _client(settings.region, settings.s3_path_style)


@cache
def _client(region: str, path_style: bool) -> "S3Client":
    made: S3Client = new_client(
        "s3",
        region,
        max_attempts=MAX_ATTEMPTS,
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        signature_version="s3v4",
        s3={"addressing_style": "path" if path_style else "virtual"},
        # Else botocore signs a checksum of its own into presigned addresses, which clients would have to send.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return made


def forget_clients() -> None:
    """Let the next call make a new client: for tests, which change what stands behind it."""
    _client.cache_clear()


class S3Objects:
    """The port `Objects` on S3; what the methods cost is said there."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bucket = settings.bucket

    @property
    def _s3(self) -> "S3Client":
        return client(self._settings)

    def put(
        self, key: str, body: bytes, media_type: str, *, content_encoding: str | None = None, once: bool = False
    ) -> bool:
        """See `Objects.put`. S3 compares the body with its MD5."""
        options: dict[str, Any] = {} if content_encoding is None else {"ContentEncoding": content_encoding}
        if once:
            options["IfNoneMatch"] = "*"
        md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        try:
            with engine_errors():
                self._s3.put_object(
                    Bucket=self._bucket, Key=key, Body=body, ContentType=media_type, ContentMD5=md5, **options
                )
        except ConditionFailedError:
            return False
        return True

    def get(self, key: str) -> bytes | None:
        """See `Objects.get`."""
        try:
            with engine_errors():
                return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except NoSuchObjectError:
            return None

    def get_range(self, key: str, start: int, stop: int) -> bytes | None:
        """See `Objects.get_range`."""
        if start >= stop:
            raise ValueError(f"an empty range: {start} to {stop}")
        try:
            with engine_errors():
                return self._s3.get_object(Bucket=self._bucket, Key=key, Range=f"bytes={start}-{stop - 1}")[
                    "Body"
                ].read()
        except NoSuchObjectError:
            return None

    def head(self, key: str) -> ObjectHead | None:
        """See `Objects.head`. The ETag of an object that was put in one piece into a bucket with SSE-S3 is its MD5
        (infra/stateful.yaml)."""
        try:
            with engine_errors():
                head = self._s3.head_object(Bucket=self._bucket, Key=key)
        except NoSuchObjectError:
            return None
        match = _MD5_ETAG.fullmatch(head["ETag"])
        md5 = "" if match is None else base64.b64encode(bytes.fromhex(match[1])).decode()
        return ObjectHead(head["ContentLength"], md5)

    def keys(self, prefix: str) -> Iterator[str]:
        """See `Objects.keys`."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        with engine_errors():
            for page in pages:
                for content in page.get("Contents", ()):
                    yield content["Key"]

    def delete(self, keys: Iterable[str]) -> None:
        """See `Objects.delete`."""
        left = iter(keys)
        while batch := list(islice(left, MAX_DELETED_KEYS)):
            with engine_errors():
                response = self._s3.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
                )
            if response.get("Errors"):
                codes = sorted({error.get("Code", "") for error in response["Errors"]})
                raise RuntimeError(f"S3 does not delete: {', '.join(codes)}")

    def keep(self, key: str) -> None:
        """See `Objects.keep`."""
        with suppress(NoSuchObjectError), engine_errors():
            self._s3.put_object_tagging(Bucket=self._bucket, Key=key, Tagging={"TagSet": [KEPT_TAG]})

    def sign_upload(self, key: str, terms: UploadTerms, lifetime_s: int) -> SignedUpload:
        """See `Objects.sign_upload`."""
        params = {
            "Bucket": self._bucket,
            "Key": key,
            "ContentLength": terms.size_bytes,
            "ContentMD5": terms.md5,
            "ContentType": terms.media_type,
            "IfNoneMatch": "*",
            "Tagging": PENDING_TAG,
        }
        with engine_errors():
            url = self._s3.generate_presigned_url("put_object", Params=params, ExpiresIn=lifetime_s)
        headers = {
            "Content-Length": str(terms.size_bytes),
            "Content-MD5": terms.md5,
            "Content-Type": terms.media_type,
            "If-None-Match": "*",
            "x-amz-tagging": PENDING_TAG,
        }
        return SignedUpload("PUT", url, headers)

    def sign_download(
        self, key: str, lifetime_s: int, *, media_type: str | None = None, disposition: str | None = None
    ) -> str:
        """See `Objects.sign_download`."""
        params = {"Bucket": self._bucket, "Key": key}
        if media_type is not None:
            params["ResponseContentType"] = media_type
        if disposition is not None:
            params["ResponseContentDisposition"] = disposition
        with engine_errors():
            return self._s3.generate_presigned_url("get_object", Params=params, ExpiresIn=lifetime_s)
