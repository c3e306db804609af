"""The exit codes of all commands."""

DONE, FAILED, INCOMPLETE, STOPPED = 0, 1, 3, 130
"""argparse exits with 2 if the arguments are wrong."""
EXIT_CODES = "exit codes: 0 done, 1 failed, 2 wrong arguments, 3 done with exceptions or not equal, 130 interrupted"
