"""Checks lines of the log: only known fields, and no health values, tokens or e-mail addresses."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any


def _text(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _are_places(value: Any) -> bool:
    is_place = _text(r"[\w.<> -]+:\d+ [\w<>]+")
    return isinstance(value, list) and all(is_place(place) for place in value)


FIELDS: Mapping[str, Callable[[Any], bool]] = {
    "level": _text("INFO|WARNING|ERROR"),
    "location": _text(r"[\w<>]+:\d+"),
    "message": _text(r"[a-z ]+"),
    "timestamp": _text(r"[\d :,+-]+"),
    "service": _text("strandline"),
    "function_name": _text(r"[\w-]+"),
    "function_request_id": _text(r"[0-9a-f-]{36}"),
    "operation": _text(r"[a-z_]+(\.[a-z_]+|\.v\d)*"),
    "status": _is_number,
    "duration_ms": _is_number,
    "error": _text(r"[A-Z]\w*"),
    "cause": _text(r"[A-Z]\w*"),
    "at": _are_places,
    "task_type": _text(r"[a-z_]+(\.[a-z_]+|\.v\d)*"),
    **dict.fromkeys(("found", "result"), _text("[a-z]+")),
    **dict.fromkeys(("is_kept", "is_long", "made", "records", "recovered", "started", "waiting"), _is_number),
    # Whose quota is nearly used: the operator has to know whom to speak to.
    "quota": _text("data|blobs|requests"),
    "user": _text("[0-9a-f-]{10,36}"),
    # The id that a client sends to find its requests by; the log has nothing else that clients send.
    "trace": _text(r"[^@]{1,64}"),
}


def faults(logged: str) -> list[str]:
    """The values that should not be in a log, for each field of each line."""
    return [
        f"{name}: {value!r}"
        for line in logged.splitlines()
        for name, value in json.loads(line).items()
        if name not in FIELDS or not FIELDS[name](value)
    ]
