"""Where things are, and how the tools speak to the person who runs them."""

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
    """Something the person at the keyboard can act on; the message is what they read, without a traceback."""


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Say what is being done when it starts, and how long it took when it was slow."""
    print(f"{doing} ...", flush=True)
    started = time.monotonic()
    yield
    elapsed_s = time.monotonic() - started
    if elapsed_s >= 2:
        print(f"  done in {elapsed_s:.0f} s", flush=True)


def run_tool(main: Callable[[], int]) -> None:
    """Exit with what `main` returns; a `ToolError` is one line and exit code 1."""
    try:
        code = main()
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        code = 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr, flush=True)
        code = 130
    sys.exit(code)
