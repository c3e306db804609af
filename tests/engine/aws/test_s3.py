"""Tests the handling of replies of S3 that moto never gives."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.config import Settings
from chalicelib.engine.aws import s3
from chalicelib.errors import UnavailableError


class RefusingS3:
    """A client whose puts meet an error."""

    def __init__(self, code: str, status: int) -> None:
        self._error: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def put_object(self, **_request: Any) -> None:
        """Raise the error."""
        raise ClientError(self._error, "PutObject")


@pytest.mark.parametrize(
    ("code", "status"), [("ConditionalRequestConflict", 409), ("OperationAborted", 409), ("SlowDown", 503)]
)
def test_a_put_that_meets_another_one_may_be_repeated(monkeypatch: pytest.MonkeyPatch, code: str, status: int) -> None:
    monkeypatch.setattr(s3, "client", lambda _settings: RefusingS3(code, status))
    with pytest.raises(UnavailableError):
        s3.S3Objects(Settings(stage="test")).put("key", b"body", "text/plain", once=True)


def test_a_put_once_leaves_an_object_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "client", lambda _settings: RefusingS3("PreconditionFailed", 412))
    assert not s3.S3Objects(Settings(stage="test")).put("key", b"body", "text/plain", once=True)
