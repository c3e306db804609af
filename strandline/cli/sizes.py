"""Sizes for people."""


def size(size_bytes: int) -> str:
    """A size in the unit that fits it, such as `12.3 MB`."""
    amount, unit = float(size_bytes), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{size_bytes} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
