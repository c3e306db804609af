"""Binds loopback ports before slow work begins, so a port that is in use is reported at once and none is lost later."""

import socket

from tools.project import ToolError

LOOPBACK = "127.0.0.1"


def bind(port: int) -> socket.socket | None:
    """A socket bound to a loopback port (0: any free one), not listening yet; None if the port is in use."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError:
        bound.close()
        return None
    return bound


def bind_public(port: int) -> socket.socket:
    """The port that the user asked for.

    Raises:
        ToolError: it is in use, or not a port.
    """
    if not 0 <= port <= 65535:
        raise ToolError(f"{port} is not a port: choose one between 1 and 65535.")
    bound = None if _answers(port) else bind(port)
    if bound is None:
        raise ToolError(
            f"port {port} is in use by another program, or not allowed: choose another, make run PORT={port + 1}"
        )
    return bound


def bind_kept(port: int | None) -> socket.socket:
    """The port of the previous run if it is still free, otherwise any free one."""
    bound = bind(port) if port and not _answers(port) else None
    return bound or _bind_any()


def port_of(bound: socket.socket) -> int:
    """The number of a bound port."""
    port: int = bound.getsockname()[1]
    return port


def _bind_any() -> socket.socket:
    bound = bind(0)
    if bound is None:
        raise ToolError("no free port was found on 127.0.0.1.")
    return bound


def _answers(port: int) -> bool:
    """Whether a program listens. Some systems let loopback be bound beside a program on all interfaces."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return port != 0 and probe.connect_ex((LOOPBACK, port)) == 0
