"""Tests that the data of a stage are private, encrypted, restorable, and retained when stacks are deleted."""

import pytest

from chalicelib.config import Settings
from tests.infra.conftest import Template, of_type, strings

KEEPING = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret")


@pytest.mark.parametrize("kind", KEEPING)
def test_resources_with_data_are_retained_once_they_are_created(stateful: Template, kind: str) -> None:
    """A failed creation leaves empty resources behind, which would block the next one."""
    for name in of_type(stateful, kind):
        resource = stateful["Resources"][name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain"), name


def test_tables_are_encrypted_restorable_and_protected(stateful: Template) -> None:
    for name, table in of_type(stateful, "AWS::DynamoDB::Table").items():
        assert table["SSESpecification"]["SSEEnabled"] is True, name
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, name
        assert table["DeletionProtectionEnabled"] == {"Fn::If": ["ProtectsTables", True, False]}, name
        assert table["BillingMode"] == "PAY_PER_REQUEST", name
    assert stateful["Parameters"]["DeletionProtection"]["Default"] == "true"


@pytest.mark.parametrize("logical_name", ["AccountsTable", "DataTable"])
def test_the_tables_have_the_keys_and_the_expiry_that_the_stores_use(stateful: Template, logical_name: str) -> None:
    table = of_type(stateful, "AWS::DynamoDB::Table")[logical_name]
    keys = [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]]
    assert keys == [("pk", "HASH"), ("sk", "RANGE")]
    assert {key["AttributeName"]: key["AttributeType"] for key in table["AttributeDefinitions"]} == {
        "pk": "S",
        "sk": "S",
    }
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at_s", "Enabled": True}


def test_physical_names_are_those_of_the_settings(stateful: Template) -> None:
    settings = Settings(stage="a-stage", account_id="an-account", region="a-region")
    values = {"Stage": settings.stage, "AWS::AccountId": settings.account_id, "AWS::Region": settings.region}

    def physical(value: Template) -> str:
        (name,) = strings(value)
        for parameter, replacement in values.items():
            name = name.replace(f"${{{parameter}}}", replacement)
        return name

    tables = of_type(stateful, "AWS::DynamoDB::Table")
    assert physical(tables["AccountsTable"]["TableName"]) == settings.accounts_table
    assert physical(tables["DataTable"]["TableName"]) == settings.data_table
    assert physical(of_type(stateful, "AWS::S3::Bucket")["Bucket"]["BucketName"]) == settings.bucket
    secret = of_type(stateful, "AWS::SecretsManager::Secret")["ServerSecret"]
    assert physical(secret["Name"]) == settings.server_secret_name


def test_the_bucket_is_private_and_encrypted(stateful: Template) -> None:
    (bucket,) = of_type(stateful, "AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in ("AES256", "aws:kms")


def test_the_bucket_keeps_old_versions_as_long_as_tables_can_be_restored(stateful: Template) -> None:
    (bucket,) = of_type(stateful, "AWS::S3::Bucket").values()
    assert bucket["VersioningConfiguration"] == {"Status": {"Ref": "Versioning"}}
    assert stateful["Parameters"]["Versioning"]["Default"] == "Enabled"
    (everywhere,) = [
        rule
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if rule.keys().isdisjoint({"Prefix", "TagFilters"}) and "NoncurrentVersionExpiration" in rule
    ]
    assert everywhere == {
        "Id": "deleted-or-overwritten",
        "Status": "Enabled",
        "NoncurrentVersionExpiration": {"NoncurrentDays": 35},
        "ExpiredObjectDeleteMarker": True,
    }


def test_old_versions_of_short_lived_objects_are_kept_for_one_day(stateful: Template) -> None:
    (bucket,) = of_type(stateful, "AWS::S3::Bucket").values()
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    kept = {name: rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays") for name, rule in rules.items()}
    assert kept == {
        "deleted-or-overwritten": 35,
        "abandoned-multipart-uploads": None,
        "abandoned-uploads": 1,
        "large-answers": 1,
        "events": None,
    }
    # S3 refuses a rule with both an expiry in days and an expiry of delete markers.
    assert not any({"ExpirationInDays", "ExpiredObjectDeleteMarker"} <= rule.keys() for rule in rules.values())


def test_the_bucket_refuses_requests_without_tls(stateful: Template) -> None:
    (policy,) = of_type(stateful, "AWS::S3::BucketPolicy").values()
    (denial,) = [statement for statement in policy["PolicyDocument"]["Statement"] if statement["Effect"] == "Deny"]
    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (denial["Principal"], denial["Action"], len(denial["Resource"])) == ("*", "s3:*", 2)
    assert stateful["Parameters"]["RequireTls"]["Default"] == "true"


def test_secrets_are_generated_and_long(stateful: Template) -> None:
    for name, secret in of_type(stateful, "AWS::SecretsManager::Secret").items():
        assert "SecretString" not in secret, name
        assert secret["GenerateSecretString"]["PasswordLength"] >= 32 or "Invitation" in name, name


def test_the_domain_has_a_certificate_of_the_region_and_a_record_when_a_zone_is_given(stateful: Template) -> None:
    domain = stateful["Resources"]["Domain"]
    assert domain["Condition"] == "HasDomain"
    assert domain["Properties"]["RegionalCertificateArn"] == {"Ref": "CertificateArn"}
    assert domain["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    record = stateful["Resources"]["DomainRecord"]
    assert record["Condition"] == "HasHostedZone"
    assert record["Properties"]["AliasTarget"]["DNSName"] == {"Fn::GetAtt": ["Domain", "RegionalDomainName"]}
    assert stateful["Outputs"]["DomainTarget"]["Condition"] == "HasDomain"


def test_the_domain_maps_to_the_stage_of_the_api_without_a_path(application: Template) -> None:
    mapping = application["Resources"]["DomainMapping"]
    assert mapping["Condition"] == "HasDomain"
    assert mapping["Properties"] == {
        "DomainName": {"Ref": "DomainName"},
        "RestApiId": {"Ref": "RestAPI"},
        "Stage": {"Ref": "RestAPI.Stage"},
    }
