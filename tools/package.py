"""`make package STAGE=...`: the zip and the template of a stage, in build/<stage>.

python -m tools.package STAGE
"""

import argparse

from tools.packaging.application import make_package
from tools.project import BUILD, run_tool


def main() -> int:
    """Print the path and the size of the package."""
    parser = argparse.ArgumentParser(prog="make package", description="Package the application for a stage.")
    parser.add_argument("stage")
    stage = parser.parse_args().stage
    package = make_package(stage)
    print(f"{BUILD / stage}: {package.digest}, {len(package.code) / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    run_tool(main)
