"""`make destroy STAGE=...`: take a stage's application away from AWS. Its data stay, and a new deployment finds them.

python -m tools.destroy STAGE [--yes]
"""

import argparse

from tools import stacks
from tools.aws_account import confirmed, session_of_caller
from tools.deployment import application_stack, stateful_stack
from tools.project import ToolError, run_tool, step


def main() -> int:
    """Says what is left."""
    parser = argparse.ArgumentParser(prog="make destroy", description="Remove a stage's application; its data stay.")
    parser.add_argument("stage")
    parser.add_argument("--yes", action="store_true", help="go on without asking")
    arguments = parser.parse_args()
    session, whose = session_of_caller(arguments.stage)
    cloudformation = session.client("cloudformation")
    stack = application_stack(arguments.stage)
    if stacks.status(cloudformation, stack) is None:
        raise ToolError(f"there is no stack {stack} in {whose}.")
    if not confirmed(f"Remove the application of stage {arguments.stage} from {whose}?", yes=arguments.yes):
        raise ToolError("nothing was changed.")
    with step(f"deleting stack {stack}"):
        stacks.delete(cloudformation, stack, poll_s=3)
    print(f"gone: {stack}. What the stage keeps is still in stack {stateful_stack(arguments.stage)}.")
    return 0


if __name__ == "__main__":
    run_tool(main)
