"""Paths of the project, and the output of the tools."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
STATEFUL_TEMPLATE = ROOT / "infra" / "stateful.yaml"
PRICES = ROOT / "tools" / "prices.json"


class ToolError(Exception):
    """An error that the user can act on; only its message is shown, without a traceback."""


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Print a step when it starts, and its duration if it was slow."""
    print(f"{doing} ...", flush=True)
    started = time.monotonic()
    yield
    elapsed_s = time.monotonic() - started
    if elapsed_s >= 2:
        print(f"  done in {elapsed_s:.0f} s", flush=True)


def run_tool(main: Callable[[], int]) -> None:
    """Exit with the result of `main`; a `ToolError` gives one line and exit code 1."""
    try:
        code = main()
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        code = 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr, flush=True)
        code = 130
    sys.exit(code)
