"""JSON pointers (RFC 6901) into the body."""

from __future__ import annotations


def member(pointer: str, name: str | int) -> str:
    """The pointer to a member or an element of what `pointer` points to."""
    if isinstance(name, str):
        name = name.replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{name}"
