"""The data folder that a command works on."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """Add `--data-dir`."""
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="FOLDER",
        default=default_data_dir(),
        help="the data folder of the home server (default: %(default)s)",
    )


def default_data_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """The data folder if none is named: where the system keeps the data of a user's programs."""
    if sys.platform == "win32":
        folder = environ.get("LOCALAPPDATA") or "~/AppData/Local"
    else:
        folder = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(folder).expanduser() / "strandline"
