"""`make deploy STAGE=...`: deploy the sources to a stage on AWS, after showing what would change.

python -m tools.deploy STAGE [NAME=value ...] [--package DIGEST] [--yes]
"""

import argparse
from collections import Counter
from typing import TYPE_CHECKING

from chalicelib.config import Settings
from tools.packaging.application import Package, make_package
from tools.packaging.template import ARCHITECTURE, X86_64, architecture_of
from tools.project import ToolError
from tools.stages import application_settings, plan, stacks
from tools.stages.aws_account import run_aws_tool, session_of_caller
from tools.stages.deployment import DeployedStage, application_stack, deploy, stateful_stack, stored_package
from tools.stages.idle_cost import idle_costs, price_list
from tools.stages.options import OPTIONS, PROFILE, Choice, check_domain, check_mail, read_choice
from tools.stages.profiles import PROFILES, costs_of_stage

if TYPE_CHECKING:
    from boto3.session import Session


def main() -> int:
    """Print the address of the stage, the place of its secret, and its cost when nobody uses it."""
    arguments = _parser().parse_intermixed_args()
    stage = arguments.stage
    session, account = session_of_caller(stage)
    print(f"stage {stage} in {account}", flush=True)
    choice = read_choice(arguments.settings, session.region_name)
    present = _present(session, stage)
    check_domain(choice, present)
    check_mail(choice, present)
    architecture = (present.application | choice.application).get(ARCHITECTURE, X86_64)
    if arguments.package:
        package = stored_package(session, stage, arguments.package)
        check_architecture(package, architecture)
    else:
        package = make_package(stage, architecture)
    for line in price_lines(package, arguments.settings, session.region_name, present):
        print(line, flush=True)
    deployed = deploy(
        session,
        package,
        choice.stateful,
        choice.application,
        agree=lambda planned: plan.agree(planned, stage, yes=arguments.yes),
    )
    for line in _report(session, package, deployed):
        print(line)
    return 0


def check_architecture(package: Package, architecture: str) -> None:
    """Raise unless an earlier package is for the architecture of the stage.

    Raises:
        ToolError: it is for another one.
    """
    found = architecture_of(package.template)
    if found != architecture:
        raise ToolError(f"package {package.digest} is for {found}: add ARCHITECTURE={found}.")


def _parser() -> argparse.ArgumentParser:
    settings = "\n".join(
        f"  {option.name}={'|'.join(option.values) or '...'}\n      {option.explanation}"
        + ("; empty to take it away" if option.may_be_empty else "")
        for option in OPTIONS
    )
    profiles = "\n".join(f"  {PROFILE}={name}\n      {profile.description}" for name, profile in PROFILES.items())
    parser = argparse.ArgumentParser(
        prog="make deploy",
        usage="make deploy STAGE=prod [PROFILE=personal|clinic] [NAME=value ...] [PACKAGE=digest] [YES=1]",
        description="Deploy a stage to your AWS account, after showing what would change.",
        epilog=f"profiles, which stand for settings:\n{profiles}\n\n"
        f"settings (what is not given stays as it is):\n{settings}\n\n"
        "docs/deploying.md tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stage", help="its name: lower-case letters, digits, dashes (STAGE=...)")
    parser.add_argument("settings", nargs="*", metavar="NAME=value", help="see below")
    parser.add_argument("--package", help="deploy a former package again, by its digest (PACKAGE=...)")
    parser.add_argument("--yes", action="store_true", help="go on without asking (YES=1)")
    return parser


def _present(session: "Session", stage: str) -> Choice:
    """The settings of earlier deployments of the stage."""
    cloudformation = session.client("cloudformation")
    kept = stateful_stack(stage)
    bucket = stacks.outputs(cloudformation, kept).get("BucketName")
    application = application_settings.read(session, application_stack(stage), bucket)
    return Choice(application, stacks.deployed_parameters(cloudformation, kept))


def price_lines(package: Package, settings: list[str], region: str, present: Choice) -> list[str]:
    """The cost of the stage in each profile, with the settings that are given or that it has."""
    chosen = read_choice(settings, region)
    lines = ["a month in which nobody uses the stage costs, at list price:"]
    for name, profile in PROFILES.items():
        other = read_choice([*(s for s in settings if not s.startswith(f"{PROFILE}=")), f"{PROFILE}={name}"], region)
        lines.append(f"  ${_idle_usd(package, present, other):6.2f}  PROFILE={name}: {profile.description}")
    return [*lines, f"  ${_idle_usd(package, present, chosen):6.2f}  with the settings of this deployment"]


def _idle_usd(package: Package, present: Choice, chosen: Choice) -> float:
    application, stateful = present.application | chosen.application, present.stateful | chosen.stateful
    return sum(cost.usd for cost in costs_of_stage(package.template, application, stateful))


def _report(session: "Session", package: Package, deployed: DeployedStage) -> list[str]:
    """The lines that the owner of the stage reads after a deployment."""
    stage = package.stage
    present = _present(session, stage)
    lines = [f"deployed: package {package.digest}"]
    if deployed.digest_before:
        lines.append(f"  to go back: make deploy STAGE={stage} PACKAGE={deployed.digest_before}")
    lines.append(f"base URL: {deployed.base_url or deployed.api_url}")
    if deployed.domain_target and not present.stateful.get("HostedZoneId"):
        domain = present.application["DomainName"]
        lines.append(f"  at your DNS provider, make this record: {domain} CNAME {deployed.domain_target}")
    lines.append(f"server secret: {Settings(stage=stage).server_secret_name} in Secrets Manager")
    if email := present.application.get("AlarmEmail"):
        lines.append(f"alarms: {email}, once the owner has confirmed the mail that AWS sent there")
    return lines + _cost_lines(session, package, present)


def _cost_lines(session: "Session", package: Package, present: Choice) -> list[str]:
    cloudformation = session.client("cloudformation")
    deployed_ids = {
        resource.logical_id for resource in stacks.resources(cloudformation, application_stack(package.stage))
    }
    kept_kinds = Counter(resource.kind for resource in stacks.resources(cloudformation, stateful_stack(package.stage)))
    shards = int(present.stateful.get("MetricsShards", 1))
    costs = idle_costs(package.template, deployed_ids, kept_kinds, shards)
    listed, beyond_free = sum(cost.usd for cost in costs), sum(cost.usd_beyond_free for cost in costs)
    prices = price_list()
    checked = "" if prices["is_checked"] else ", not checked since"
    return [
        f"while nobody uses it: about ${listed:.2f} a month, ${beyond_free:.2f} if the account has nothing else",
        f"  (prices of {prices['region']}, written down {prices['as_of']}{checked}: tools/prices.json)",
        *(f"  ${cost.usd:6.2f}  {cost.what}" for cost in costs if cost.usd >= 0.005),
    ]


if __name__ == "__main__":
    run_aws_tool(main)
