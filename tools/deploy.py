"""`make deploy STAGE=...`: bring a stage on AWS to what the sources say, after showing what would change.

python -m tools.deploy STAGE [--base-url URL] [--cors-origins ORIGINS] [--sign-up MODE] [--yes]
"""

import argparse

from tools.aws_account import confirmed, session_of_caller
from tools.deployment import application_stack, deploy
from tools.packaging import make_package
from tools.project import run_tool
from tools.stacks import Change, deployed_parameters


def main() -> int:
    """Says where the stage answers."""
    parser = argparse.ArgumentParser(prog="make deploy", description="Deploy a stage to your AWS account.")
    parser.add_argument("stage")
    parser.add_argument("--base-url", help="the address clients use; as it was when not given")
    parser.add_argument("--cors-origins", help="origins of web pages, separated by commas; as they were when not given")
    parser.add_argument("--sign-up", choices=("open", "invitation", "closed"), help="as it was when not given")
    parser.add_argument("--web-app-url", help="where the Uploader comes back to; as it was when not given")
    parser.add_argument("--oidc-clients", help="client=address,client=address; as they were when not given")
    parser.add_argument("--yes", action="store_true", help="go on without asking")
    arguments = parser.parse_args()
    stage = arguments.stage
    session, whose = session_of_caller(stage)
    print(f"stage {stage} in {whose}", flush=True)
    package = make_package(stage)
    given = {
        "BaseUrl": arguments.base_url,
        "CorsOrigins": arguments.cors_origins,
        "SignUp": arguments.sign_up,
        "WebAppUrl": arguments.web_app_url,
        "OidcClients": arguments.oidc_clients,
    }
    known = package.template["Parameters"]
    before = deployed_parameters(session.client("cloudformation"), application_stack(stage))
    parameters = {name: value for name, value in before.items() if name in known and name != "Stage"}
    parameters |= {name: value for name, value in given.items() if value is not None}

    def agree(stack: str, changes: list[Change]) -> bool:
        print(f"stack {stack}:")
        for change in changes:
            note = "  (made anew)" if change.replaces else ""
            print(f"  {change.action.lower():7} {change.kind:34} {change.resource}{note}", flush=True)
        return confirmed("Deploy this?", yes=arguments.yes)

    deployed = deploy(session, package, {}, parameters, agree=agree)
    print(f"deployed: https://{deployed.api_id}.execute-api.{session.region_name}.amazonaws.com/{deployed.api_stage}")
    return 0


if __name__ == "__main__":
    run_tool(main)
