"""Tests that the changes of a deployment are shown, and that a loss of data needs a second confirmation."""

import io
from typing import TYPE_CHECKING

import pytest

from tools.project import ToolError
from tools.stages import plan
from tools.stages.stacks import Change, Plan, Replacement, replacement

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import ResourceChangeDetailTypeDef, ResourceChangeTypeDef

TABLE = "AWS::DynamoDB::Table"
HARMLESS = Plan("a-stack", [Change("Modify", "DataTable", TABLE), Change("Add", "New", TABLE)], {})
LOSSES = [
    Change("Modify", "DataTable", TABLE, Replacement.YES),
    Change("Modify", "DataTable", TABLE, Replacement.PERHAPS),
    Change("Remove", "Bucket", "AWS::S3::Bucket"),
    Change("Remove", "ServerSecret", "AWS::SecretsManager::Secret"),
]


def types(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Simulate the input of the user."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_plan_tells_parameters_resources_and_losses() -> None:
    parameters = {"SignUp": ("closed", "open"), "Realm": (None, "tidepool"), "BaseUrl": ("https://a", "")}
    role = Change("Modify", "Role", "AWS::IAM::Role", Replacement.PERHAPS)
    stream = Change("Remove", "MetricsStream", "AWS::Kinesis::Stream")
    assert plan.described(Plan("a-stack", [role, stream, LOSSES[0]], parameters)) == [
        "stack a-stack:",
        "  set     BaseUrl = (empty)  (now https://a)",
        "  set     Realm = tidepool",
        "  set     SignUp = open  (now closed)",
        "  modify  AWS::IAM::Role                     Role  (may be replaced)",
        "  remove  AWS::Kinesis::Stream               MetricsStream",
        "  modify  AWS::DynamoDB::Table               DataTable  (replaced)",
        "  !!! DATA LOSS: DataTable (AWS::DynamoDB::Table) would be replaced, empty !!!",
    ]


def test_what_loses_nothing_is_agreed_to_by_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plan.agree(HARMLESS, "prod", yes=True)
    types(monkeypatch, "y\n")
    assert plan.agree(HARMLESS, "prod", yes=False)
    types(monkeypatch, "\n")
    assert not plan.agree(HARMLESS, "prod", yes=False)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: f"{loss.action} {loss.replacement}")
def test_a_loss_wants_the_name_of_the_stage(loss: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = Plan("a-stack", [loss, *HARMLESS.changes], {})
    with pytest.raises(ToolError, match=f"{loss.resource} would be lost, and YES=1 is not enough"):
        plan.agree(planned, "prod", yes=True)
    types(monkeypatch, "y\n")
    assert not plan.agree(planned, "prod", yes=False)
    types(monkeypatch, "prod\n")
    assert plan.agree(planned, "prod", yes=False)
    types(monkeypatch, "")
    with pytest.raises(ToolError, match="cannot ask without a terminal, and prod has to be typed"):
        plan.agree(planned, "prod", yes=False)


@pytest.mark.parametrize(
    ("kind", "properties", "found"),
    [
        ("AWS::S3::Bucket", ["CorsConfiguration"], Replacement.NO),
        ("AWS::S3::Bucket", ["CorsConfiguration", "BucketName"], Replacement.PERHAPS),
        ("AWS::S3::Bucket", [], Replacement.PERHAPS),
        (TABLE, ["TableName"], Replacement.PERHAPS),
        (TABLE, ["Tags"], Replacement.PERHAPS),
    ],
)
def test_a_bucket_is_replaced_with_its_name_alone(kind: str, properties: list[str], found: Replacement) -> None:
    details: list[ResourceChangeDetailTypeDef] = [
        {"Target": {"Attribute": "Properties", "Name": name}} for name in properties
    ]
    change: ResourceChangeTypeDef = {"ResourceType": kind, "Replacement": "Conditional", "Details": details}
    assert replacement(change) is found
