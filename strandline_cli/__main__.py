"""Runs the command without an installation: `python -m strandline_cli`."""

from strandline_cli.main import run

run()
