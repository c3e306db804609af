"""`strandline test-server`: a server in memory for the tests of an application."""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from strandline.cli.exit_codes import DONE, EXIT_CODES


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "test-server",
        help="serve the tests of an application from memory",
        epilog="The server ends at a signal, and when its standard input is a pipe that is closed. " + EXIT_CODES,
    )
    parser.add_argument("--port", type=int, default=0, help="the port of the API; a free one if it is not given")
    parser.add_argument(
        "--cors-origin", action="append", default=[], metavar="ORIGIN", help="whose pages may call it; may be repeated"
    )
    parser.add_argument("--print-json", action="store_true", help="print the addresses as one line of JSON")
    parser.set_defaults(command=_run)


def _run(parsed: argparse.Namespace) -> int:
    from strandline.test_server.serving import serve_tests  # late: it imports the platform

    def show(addresses: Mapping[str, Any]) -> None:
        if parsed.print_json:
            print(json.dumps(addresses), flush=True)
        else:
            print("\n".join(f"{name}: {value}" for name, value in addresses.items()), flush=True)

    serve_tests(parsed.port, parsed.cors_origin, show)
    return DONE
