"""Tests the profiles of a stage: their settings, and the price that each is shown with."""

import re
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import load

from tools.deploy import price_lines
from tools.packaging.application import LOCAL_STAGE, make_package
from tools.packaging.template import Template
from tools.project import ROOT, STATEFUL_TEMPLATE, ToolError
from tools.stages.conditions import existing, stateful_template
from tools.stages.options import Choice, read_choice
from tools.stages.profiles import PROFILES, costs_of_stage

REGION = "eu-central-1"


@pytest.fixture(scope="module")
def application() -> Template:
    """The packaged template."""
    return make_package(LOCAL_STAGE).template


def usd(application: Template, *settings: str) -> dict[str, float]:
    """The dollars a month of each thing, by what it is."""
    choice = read_choice(list(settings), REGION)
    costs = costs_of_stage(application, choice.application, choice.stateful)
    return {cost.what.split(": ")[1]: cost.usd for cost in costs}


def test_a_profile_stands_for_its_settings() -> None:
    for name, profile in PROFILES.items():
        settings = [f"{option}={value}" for option, value in profile.settings.items()]
        assert read_choice([f"PROFILE={name}"], REGION) == read_choice(settings, REGION)


@pytest.mark.parametrize("settings", [["PROFILE=personal", "METRICS=on"], ["METRICS=on", "PROFILE=personal"]])
def test_a_setting_takes_precedence_over_the_profile(settings: list[str]) -> None:
    assert read_choice(settings, REGION).application == {"MetricsEnabled": "true", "Dashboard": "false"}


def test_an_unknown_profile_is_reported() -> None:
    with pytest.raises(ToolError, match="PROFILE=hospital: use one of personal, clinic"):
        read_choice(["PROFILE=hospital"], REGION)


def test_a_personal_stage_costs_less_than_five_dollars_and_has_no_stream(application: Template) -> None:
    personal, clinic = usd(application, "PROFILE=personal"), usd(application, "PROFILE=clinic")
    assert sum(personal.values()) < 5
    assert set(clinic) - set(personal) == {"shards of the stream of events", "dashboards"}
    assert sum(clinic.values()) == pytest.approx(sum(usd(application).values()))


def test_the_pages_name_the_prices_of_the_profiles(application: Template) -> None:
    guide, readme = (ROOT / "docs" / "deploying.md").read_text(), (ROOT / "README.md").read_text()
    for name in PROFILES:
        (row,) = re.findall(rf"^\| `{name}` \| .*$", guide, flags=re.MULTILINE)
        assert row.endswith(f" | ${sum(usd(application, f'PROFILE={name}').values()):.2f} |")
        assert f"profile `{name}`" in readme
    assert "Nothing has run on AWS yet." in readme.partition("\n## ")[0]


def test_other_settings_count_in_the_price(application: Template) -> None:
    assert "firewall" in usd(application, "PROFILE=personal", "WAF=on")
    shards = usd(application, "METRICS_SHARDS=3")["shards of the stream of events"]
    assert shards == pytest.approx(3 * usd(application)["shards of the stream of events"])


def test_a_deployment_shows_the_price_of_each_profile_and_of_what_is_chosen() -> None:
    package, none = make_package(LOCAL_STAGE), Choice({}, {})
    personal, clinic, new = price_lines(package, ["SIGN_UP=open"], REGION, none)[1:]
    assert personal.startswith("  $  4.41  PROFILE=personal: a person or a family")
    assert clinic.startswith("  $ 18.86  PROFILE=clinic: everything")
    assert new == "  $ 18.86  with the settings of this deployment"
    assert price_lines(package, ["PROFILE=personal"], REGION, none)[3].startswith("  $  4.41")
    # A setting of an existing stage stays until it is changed.
    small = Choice({"MetricsEnabled": "false", "Dashboard": "false"}, {})
    assert price_lines(package, [], REGION, small)[3].startswith("  $  4.41")
    assert price_lines(package, ["METRICS=on"], REGION, small)[3].startswith("  $ 15.86")


def test_the_stateful_template_is_read_as_it_is() -> None:
    assert stateful_template()["Resources"] == plain(load(str(STATEFUL_TEMPLATE)))["Resources"]


def plain(value: Any) -> Any:
    """A value of cfn-lint without the positions that it keeps."""
    if isinstance(value, dict):
        return {str(name): plain(element) for name, element in value.items()}
    if isinstance(value, list):
        return [plain(element) for element in value]
    return value


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({}, {"Always"}),
        ({"On": "true"}, {"Always", "WhenOn", "WhenOnAndNamed"}),
        ({"On": "true", "Name": ""}, {"Always", "WhenOn"}),
        ({"Name": "b"}, {"Always"}),
        ({"On": "false", "Origins": "a,b"}, {"Always", "WhenSome"}),
    ],
)
def test_a_resource_exists_if_its_condition_holds(parameters: dict[str, str], names: set[str]) -> None:
    template: Template = {
        "Parameters": {"On": {"Default": "false"}, "Name": {"Default": "a"}, "Origins": {"Default": ""}},
        "Conditions": {
            "IsOn": {"Fn::Equals": [{"Ref": "On"}, "true"]},
            "IsNamed": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Name"}, ""]}]},
            "Both": {"Fn::And": [{"Condition": "IsOn"}, {"Condition": "IsNamed"}]},
            "Some": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Origins"}]}, ""]}]},
        },
        "Resources": {
            "Always": {},
            "WhenOn": {"Condition": "IsOn"},
            "WhenOnAndNamed": {"Condition": "Both"},
            "WhenSome": {"Condition": "Some"},
        },
    }
    assert set(existing(template, parameters)) == names
