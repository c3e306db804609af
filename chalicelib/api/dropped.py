"""The names of dropped members of data, as replies tell them. Source: data-api 8."""

from urllib.parse import quote

from chalicelib.model.dropped import DroppedMembers

DROPPED = "X-Strandline-Dropped"
MAX_NAMES = 20
MAX_BYTES = 1024
_SEPARATOR = ", "
_COUNT_BYTES = 20


def dropped_headers(dropped: DroppedMembers) -> dict[str, str]:
    """The header with the first names, percent-encoded, and the number of further ones, as in `a, b, more=3`."""
    shown: list[str] = []
    size_bytes = _COUNT_BYTES
    for name in dropped.names[:MAX_NAMES]:
        encoded = quote(name, safe="")
        size_bytes += len(encoded) + len(_SEPARATOR)
        if size_bytes > MAX_BYTES:
            break
        shown.append(encoded)
    more = len(dropped.names) - len(shown) + dropped.more
    texts = [*shown, f"more={more}"] if more else shown
    return {DROPPED: _SEPARATOR.join(texts)} if texts else {}


def dropped_names(dropped: DroppedMembers) -> list[str]:
    """All names, and at the end the number of further members, as in `more=3`."""
    return [*dropped.names, f"more={dropped.more}"] if dropped.more else list(dropped.names)
