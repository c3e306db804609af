"""Contents of blobs as objects of the stage's bucket.

What comes by a presigned upload carries a tag, by which the bucket's lifecycle removes it after a day; `keep` changes
the tag. The signature of an upload covers MD5, length, type, tag and `If-None-Match: *`, so that S3 itself refuses
any other content and a second one.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from chalicelib.blobs.blob import Blob
from chalicelib.blobs.ports import StoredContent, Upload
from chalicelib.config import Settings
from chalicelib.engine.s3 import NoSuchObjectError, client, refusals

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import TagTypeDef

UPLOAD_LIFETIME_S = 900
"""For the start of an upload: what has begun is not cut off."""
DOWNLOAD_LIFETIME_S = 300
PENDING_TAG = "upload=pending"
"""Names what the lifecycle rule `abandoned-uploads` of infra/stateful.yaml removes."""
KEPT_TAG: "TagTypeDef" = {"Key": "upload", "Value": "kept"}
DELETED_AT_ONCE = 1000
"""Most keys of one DeleteObjects (a limit of S3)."""

_MD5_ETAG = re.compile(r'"([0-9a-f]{32})"')


class S3Contents:
    """Implements `domain.ports_blobs.ContentStore`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bucket = settings.bucket

    @property
    def _s3(self) -> "S3Client":
        return client(self._settings)

    def put(self, key: str, content: bytes, media_type: str) -> None:
        """See `ContentStore.put`: one request."""
        md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        with refusals():
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=media_type, ContentMD5=md5)

    def read(self, key: str) -> bytes | None:
        """See `ContentStore.read`: one request."""
        try:
            with refusals():
                return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except NoSuchObjectError:
            return None

    def describe(self, key: str) -> StoredContent | None:
        """See `ContentStore.describe`: one request.

        The ETag of an object that came in one piece into a bucket with SSE-S3 is its MD5 (infra/stateful.yaml).
        """
        try:
            with refusals():
                head = self._s3.head_object(Bucket=self._bucket, Key=key)
        except NoSuchObjectError:
            return None
        match = _MD5_ETAG.fullmatch(head["ETag"])
        return StoredContent(head["ContentLength"], base64.b64encode(bytes.fromhex(match[1])).decode() if match else "")

    def keep(self, key: str) -> None:
        """See `ContentStore.keep`: one request."""
        with suppress(NoSuchObjectError), refusals():
            self._s3.put_object_tagging(Bucket=self._bucket, Key=key, Tagging={"TagSet": [KEPT_TAG]})

    def delete(self, keys: Iterable[str]) -> None:
        """See `ContentStore.delete`: one request for up to a thousand."""
        left = iter(keys)
        while some := list(islice(left, DELETED_AT_ONCE)):
            with refusals():
                answer = self._s3.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in some], "Quiet": True}
                )
            if answer.get("Errors"):
                codes = sorted({error.get("Code", "") for error in answer["Errors"]})
                raise RuntimeError(f"S3 does not delete: {', '.join(codes)}")

    def delete_under(self, prefix: str) -> None:
        """See `ContentStore.delete_under`: two requests for up to a thousand."""
        self.delete(self.keys_under(prefix))

    def upload(self, blob: Blob, now_ms: int) -> Upload:
        """See `ContentStore.upload`: no request, only a signature."""
        headers = {
            "Content-Length": str(blob.size_bytes),
            "Content-MD5": blob.digest_md5 or "",
            "Content-Type": blob.media_type,
            "If-None-Match": "*",
            "x-amz-tagging": PENDING_TAG,
        }
        with refusals():
            url = self._s3.generate_presigned_url(
                "put_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": blob.content_key,
                    "ContentLength": blob.size_bytes,
                    "ContentMD5": headers["Content-MD5"],
                    "ContentType": headers["Content-Type"],
                    "IfNoneMatch": headers["If-None-Match"],
                    "Tagging": headers["x-amz-tagging"],
                },
                ExpiresIn=UPLOAD_LIFETIME_S,
            )
        return Upload("PUT", url, headers, now_ms + UPLOAD_LIFETIME_S * 1000)

    def download_url(self, blob: Blob) -> str:
        """See `ContentStore.download_url`: no request, only a signature."""
        with refusals():
            return self._s3.generate_presigned_url(
                "get_object",
                Params={"Bucket": self._bucket, "Key": blob.content_key, "ResponseContentType": blob.media_type},
                ExpiresIn=DOWNLOAD_LIFETIME_S,
            )

    def keys_under(self, prefix: str) -> Iterator[str]:
        """The keys that begin so, in the order of their bytes: one request for each thousand."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        with refusals():
            for page in pages:
                for content in page.get("Contents", ()):
                    yield content["Key"]
