"""`make destroy STAGE=...`: remove a stage's application from AWS. Its data stay, and a new deployment uses them.

With DATA=delete, and the stage's name typed as confirmation, its data are deleted, too.

python -m tools.destroy STAGE [--data delete [--confirm STAGE]] [--yes]
"""

import argparse
from typing import TYPE_CHECKING

from tools.project import ToolError, step
from tools.stages import application_settings, stacks
from tools.stages.aws_account import confirmed, run_aws_tool, session_of_caller, typed
from tools.stages.deployment import application_stack, stateful_stack
from tools.stages.erasing import erase, retained

if TYPE_CHECKING:
    from boto3.session import Session


def main() -> int:
    """Print what is left."""
    arguments = _parser().parse_args()
    session, account = session_of_caller(arguments.stage)
    print(f"stage {arguments.stage} in {account}", flush=True)
    if arguments.data == "delete":
        _destroy_all(session, arguments.stage, account, arguments.confirm)
    else:
        _destroy_application(session, arguments.stage, account, yes=arguments.yes)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make destroy",
        usage="make destroy STAGE=prod [YES=1] [DATA=delete [CONFIRM=prod]]",
        description="Remove a stage's application; its data stay, unless DATA=delete is given.",
    )
    parser.add_argument("stage")
    parser.add_argument("--yes", action="store_true", help="go on without asking; not for data (YES=1)")
    parser.add_argument("--data", choices=("keep", "delete"), default="keep", help="`delete` for all that it keeps")
    parser.add_argument("--confirm", help="the stage's name, in place of typing it (CONFIRM=...)")
    return parser


def _destroy_application(session: "Session", stage: str, account: str, *, yes: bool) -> None:
    cloudformation = session.client("cloudformation")
    stack = application_stack(stage)
    if stacks.status(cloudformation, stack) is None:
        raise ToolError(f"there is no stack {stack} in {account}.")
    if not confirmed(f"Remove the application of stage {stage} from {account}?", yes=yes):
        raise ToolError("nothing was changed.")
    if bucket := stacks.outputs(cloudformation, stateful_stack(stage)).get("BucketName"):
        application_settings.write(session, stack, bucket)
    with step(f"deleting stack {stack}"):
        stacks.delete(cloudformation, stack, poll_s=3)
    print(f"gone: {stack}. The data of the stage stay in stack {stateful_stack(stage)}; make deploy uses them again.")


def _destroy_all(session: "Session", stage: str, account: str, confirmation: str | None) -> None:
    cloudformation = session.client("cloudformation")
    application, kept = application_stack(stage), stateful_stack(stage)
    there = [stack for stack in (application, kept) if stacks.status(cloudformation, stack) is not None]
    if not there:
        raise ToolError(f"there is no stage {stage} in {account}.")
    print(f"This deletes stage {stage} and all data in it, for good:")
    for resource in retained(stacks.resources(cloudformation, kept)):
        print(f"  {resource.kind:28} {resource.physical_id}")
    is_confirmed = confirmation == stage if confirmation is not None else typed("All of it will be lost.", stage)
    if not is_confirmed:
        raise ToolError(f"this was not {stage}: nothing was changed.")
    if application in there:
        with step(f"deleting stack {application}"):
            stacks.delete(cloudformation, application, poll_s=3)
    if kept in there:
        erase(session, kept)
    print(f"gone: stage {stage} and all that it kept.")


if __name__ == "__main__":
    run_aws_tool(main)
