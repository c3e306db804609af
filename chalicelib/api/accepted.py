"""The format that a client prefers by its `Accept`. Source: RFC 9110, 12.5.1."""

from collections.abc import Iterator, Mapping

from chalicelib.frozen import frozen

_ANY = "*"


@frozen
class _Range:
    """A media range of `Accept`, with its weight and place."""

    kind: str
    subtype: str
    weight: float
    place: int

    def specificity(self, media_type: str) -> int | None:
        """The closeness with which the range names a media type; None if it does not."""
        kind, _, subtype = media_type.partition("/")
        if self.kind not in (_ANY, kind) or self.subtype not in (_ANY, subtype):
            return None
        return (self.kind != _ANY) + (self.subtype != _ANY)


def preferred_format(accept: str, formats: Mapping[str, str]) -> str | None:
    """The format that a client prefers; None if it accepts none of them.

    Args:
        accept: the header; empty for a client that accepts anything.
        formats: the media types by format. Of those that the client accepts alike, the first one is preferred.
    """
    ranges = list(_ranges(accept or "*/*"))
    ranked = []
    for name, media_type in formats.items():
        naming = [
            (level, media_range) for media_range in ranges if (level := media_range.specificity(media_type)) is not None
        ]
        if naming:
            level, best = max(naming, key=lambda pair: (pair[0], -pair[1].place))
            if best.weight > 0:
                ranked.append(((best.weight, level, -best.place), name))
    return max(ranked, key=lambda pair: pair[0], default=((), None))[1]


def _ranges(accept: str) -> Iterator[_Range]:
    for place, text in enumerate(accept.lower().split(",")):
        media_range, *parameters = (part.strip() for part in text.split(";"))
        kind, slash, subtype = media_range.partition("/")
        if slash:
            yield _Range(kind, subtype, _weight(parameters), place)


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
