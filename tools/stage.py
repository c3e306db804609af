"""`make stage`: print users, last data, storage, tasks and refused uploads of a stage.

It looks at the running local cloud or, with STAGE=... and your own AWS credentials, at that stage.

python -m tools.stage STAGE [--json] [--data-dir FOLDER]
"""

import argparse
import json
from pathlib import Path

from strandline.cli.commands.stage_text import as_text
from strandline.cli.errors import CommandError
from strandline.home.figures import figures_of
from tools.project import ToolError, run_tool
from tools.stages.stage_services import services_of_stage


def main() -> int:
    """Print the figures of the stage."""
    parser = argparse.ArgumentParser(prog="make stage", description="Print the figures of a stage.")
    parser.add_argument("stage")
    parser.add_argument("--json", action="store_true", help="print them as JSON")
    parser.add_argument("--data-dir", type=Path, default=Path(".local"), help="of the local cloud, for stage `local`")
    arguments = parser.parse_args()
    services = services_of_stage(arguments.stage, arguments.data_dir)
    try:
        figures = figures_of(services)
    except CommandError as error:
        raise ToolError(str(error)) from None
    print(json.dumps(figures, indent=2) if arguments.json else as_text(figures))
    return 0


if __name__ == "__main__":
    run_tool(main)
