"""Runs the command without an installation: `python -m strandline.cli`."""

from strandline.cli.main import run

run()
