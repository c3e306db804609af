"""The socket that a server listens on."""

import socket

from strandline.cli.errors import CommandError


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket bound to an address.

    Args:
        port: 0 for any that is free.

    Raises:
        CommandError: another program has the port, or it may not be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if port and _answers(host, port, family):  # some systems bind a port of loopback a second time
            raise CommandError(f"the port {port} is in use by another program: choose another one, --port {port + 1}.")
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise CommandError(f"the port {port} of {host} cannot be used: {error.strerror}.") from error


def _answers(host: str, port: int, family: int) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
