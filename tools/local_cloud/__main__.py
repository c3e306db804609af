"""`make run`: start the local cloud and keep it until Ctrl-C or SIGTERM.

    python -m tools.local_cloud [--port 8000] [--data-dir .local] [--cors-origins ORIGINS] [--base-url URL]

Once it answers, it prints `ready: http://127.0.0.1:8000`; at the end, `saved, stopped`.
"""

import argparse
import os
import signal
from contextlib import suppress
from pathlib import Path
from types import FrameType

from tools.local_cloud.launcher import local_cloud, mail_parameters, wait_for_end
from tools.project import ToolError, run_tool

QUOTAS = {
    "--data-quota-mb": ("DataQuotaMb", "megabytes that the data of one user may take, deflated (default: 5000)"),
    "--blob-quota-mb": (
        "BlobQuotaMb",
        "megabytes that the blobs and device logs of one user may take (default: 10000)",
    ),
    "--device-status-days": ("DeviceStatusDays", "days for which device statuses are kept (default: 60)"),
    "--requests-an-hour": ("RequestsAnHour", "requests that one user may make within an hour (default: 20000)"),
}
"""Options with the parameters of the application that they become."""
SIGN_IN = {
    "--web-app-url": ("WebAppUrl", "the web app, to which the Uploader returns"),
    "--oidc-clients": ("OidcClients", "further apps that sign in: client=address, with commas"),
    "--realm": ("Realm", "the last part of the issuer (default: tidepool)"),
}
"""The same for those of signing in, which are texts."""


def main() -> int:
    """Exit code 0 if it was stopped, 1 if the engine died."""
    arguments = _parser().parse_args()
    parent = os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    cloud = None
    try:
        with local_cloud(
            arguments.data_dir,
            arguments.port,
            arguments.cors_origins,
            arguments.base_url,
            _parameters(arguments) | mail_parameters(arguments.data_dir),
        ) as cloud:
            print(f"ready: {cloud.base_url}", flush=True)
            if wait_for_end(cloud, parent):
                raise ToolError(f"the local cloud stopped by itself; the reason is in {cloud.data_dir}/engine.log.")
    except KeyboardInterrupt:
        pass
    if cloud is not None and not cloud.engine.has_saved:
        raise ToolError(f"the last save failed; the reason is in {cloud.data_dir}/engine.log.")
    with suppress(BrokenPipeError):  # the terminal may be gone
        print("stopped" if cloud is None else "saved, stopped", flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make run", description="Strandline on this machine, for as long as it runs.")
    parser.add_argument("--port", type=int, default=8000, help="where clients find it (0: any free port)")
    parser.add_argument("--data-dir", type=Path, default=Path(".local"), help="where it keeps its data")
    parser.add_argument("--cors-origins", default="", help="origins whose pages may call it, with commas between them")
    parser.add_argument("--base-url", default="", help="the address that clients use, if it is another one")
    for option, (_, of_what) in QUOTAS.items():
        parser.add_argument(option, type=positive, default=None, help=of_what)
    for option, (_, of_what) in SIGN_IN.items():
        parser.add_argument(option, default=None, help=of_what)
    return parser


def _parameters(arguments: argparse.Namespace) -> dict[str, str]:
    """The parameters of the application that the options name."""
    return {
        parameter: str(given)
        for option, (parameter, _) in (QUOTAS | SIGN_IN).items()
        if (given := getattr(arguments, option.removeprefix("--").replace("-", "_"))) is not None
    }


def positive(text: str) -> int:
    """A number above zero in a command line."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Stop cleanly on the first signal, and ignore further ones meanwhile."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    run_tool(main)
