"""Small inputs in the form that real programs send, with invented details."""

from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "cases"


def case(name: str) -> bytes:
    """The content of a case's file."""
    return (FOLDER / name).read_bytes()
