"""Tests that signatures are those of botocore."""

from datetime import UTC, datetime

import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.engine.aws.json_transport import TIME_FORMAT, signed_for
from chalicelib.engine.aws.signatures import Credentials, signed_headers

keys = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
urls = st.sampled_from(
    [
        "https://dynamodb.eu-central-1.amazonaws.com/",
        "https://dynamodb.cn-north-1.amazonaws.com.cn:443/",
        "http://localhost:8000/",
        "http://127.0.0.1:80/",
        "http://[::1]:4566/",
        "https://vpce-1.example.org/tables/",
    ]
)


@given(
    urls,
    st.binary(max_size=200),
    st.builds(Credentials, keys, keys, st.none() | keys),
    st.datetimes(datetime(2020, 1, 1), datetime(2099, 12, 31)),  # noqa: DTZ001  hypothesis wants them without zone
    st.sampled_from(["us-east-1", "eu-central-1", "cn-north-1"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_request_is_signed_as_botocore_signs_it(
    monkeypatch: pytest.MonkeyPatch, url: str, body: bytes, credentials: Credentials, time: datetime, region: str
) -> None:
    now = time.replace(tzinfo=UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: now)
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.GetItem"}
    request = AWSRequest("POST", url, dict(headers), body)
    of_botocore = BotocoreCredentials(credentials.access_key, credentials.secret_key, credentials.token)
    SigV4Auth(of_botocore, "dynamodb", region).add_auth(request)
    expected = {name.lower(): value for name, value in request.headers.items()}

    target = signed_for(url, "dynamodb", region)
    signed = signed_headers(headers, body, target, credentials, now.strftime(TIME_FORMAT))
    assert {**expected, "host": target.host} == signed
