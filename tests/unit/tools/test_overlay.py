"""The overlay's parts become one, or say where they differ."""

import json
from pathlib import Path

import pytest

from tools.packaging import overlay
from tools.packaging.overlay import PARTS, merged, read_overlay
from tools.project import ROOT, ToolError


def test_common_mappings_are_merged_and_others_are_unchanged() -> None:
    first = {"Resources": {"A": {"Properties": {"x": 1, "same": [1]}}}, "Conditions": {"C": True}}
    other = {"Resources": {"A": {"Properties": {"y": 2, "same": [1]}}, "B": {}}}
    assert merged(first, other) == {
        "Resources": {"A": {"Properties": {"x": 1, "same": [1], "y": 2}}, "B": {}},
        "Conditions": {"C": True},
    }
    assert first["Resources"] == {"A": {"Properties": {"x": 1, "same": [1]}}}


@pytest.mark.parametrize("value", [2, {"z": 1}, [1], "1"])
def test_contradicting_files_are_refused_with_the_location(value: object) -> None:
    with pytest.raises(ToolError, match="differ in /Resources/A/x"):
        merged({"Resources": {"A": {"x": 1}}}, {"Resources": {"A": {"x": value}}})


def test_anchors_are_left_out_and_a_dashboard_becomes_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text('{"Resources": {"A": {"Type": "T"}}}')
    (tmp_path / "b.yaml").write_text(
        "Anchors: [&all {x: 1}]\n"
        "Resources:\n"
        "  D: {Type: 'AWS::CloudWatch::Dashboard', Properties: {DashboardBody: {'Fn::Sub': {widgets: [*all]}}}}\n"
    )
    monkeypatch.setattr(overlay, "ROOT", tmp_path)
    monkeypatch.setattr(overlay, "PARTS", ("a.json", "b.yaml"))
    body = {"Fn::Sub": '{"widgets":[{"x":1}]}'}
    assert read_overlay() == {
        "Resources": {
            "A": {"Type": "T"},
            "D": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": body}},
        }
    }


def test_the_rest_of_infra_is_the_stateful_stack_the_check_and_the_policy_of_a_deployer() -> None:
    files = {f"infra/{path.name}" for path in (ROOT / "infra").iterdir()}
    assert files == {*PARTS, "infra/stateful.yaml", "infra/checkov.yaml", "infra/deployer-policy.json"}
    assert json.dumps(read_overlay())
