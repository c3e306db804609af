"""Tests that the API may store replies that are too large for Lambda, and that they expire."""

import json

from chalicelib.reading.stores.large_replies import PREFIX
from tests.infra.conftest import Template, of_type, strings
from tools.project import ROOT


def test_the_api_may_write_large_replies_and_sign_their_addresses() -> None:
    # An address is signed with the rights of the function, so it needs the right to read as well.
    policy = json.loads((ROOT / ".chalice" / "policy-api_handler.json").read_text())
    (statement,) = [
        statement for statement in policy["Statement"] if any(PREFIX in text for text in strings(statement["Resource"]))
    ]
    assert statement["Action"] == ["s3:GetObject", "s3:PutObject"]
    assert next(strings(statement["Resource"])).endswith(f"/{PREFIX}*")


def test_the_bucket_removes_them_after_a_day(stateful: Template) -> None:
    (bucket,) = of_type(stateful, "AWS::S3::Bucket").values()
    (rule,) = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if rule.get("Prefix") == PREFIX]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 1)
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
