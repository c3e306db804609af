"""`python -m strandline_cli`: the command without an installation."""

from strandline_cli.main import run

run()
