"""The formats of strings. Source: data-model 2 and 3; errors 2.3."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from chalicelib.model.fields import TextFormat
from chalicelib.model.times import LOCAL_LAYOUT, RFC3339_LAYOUT, is_local_time, is_zero_time, is_zoned_time
from chalicelib.model.urls import is_absolute_url

_DATA_ID = r"[0-9a-z]{32}"
_UPLOAD_ID = r"(?:upid_[0-9a-f]{12}|upid_[0-9a-f]{32}|[0-9a-f]{32})"
_TRANSMITTER_ID = r"[0-9a-zA-Z]{5,64}"
_REVERSE_DOMAIN = r"[a-zA-Z]{2,63}(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)+"
_MAX_REVERSE_DOMAIN_LENGTH = 253

_LOCAL_TIME = (
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01]?[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.,][0-9]+)?"
)
_ZONE = r"(Z|[+-]([01][0-9]|2[0-4]):([0-5][0-9]|60))"

_is_reverse_domain = re.compile(_REVERSE_DOMAIN).fullmatch


@cache
def time_zone_names() -> frozenset[str]:
    """The names in the time zone database. They are case-sensitive."""
    # Imported late: most data name no time zone.
    import tzdata  # type: ignore[import-untyped]  # tzdata has no type information

    return frozenset(Path(tzdata.__file__).with_name("zones").read_text(encoding="utf-8").split())


DATA_ID = TextFormat("as data id", re.compile(_DATA_ID).fullmatch, json_schema={"pattern": f"^{_DATA_ID}$"})
# The reference answers 500 to a malformed data set id; here it is the client's error.
UPLOAD_ID = TextFormat("as data set id", re.compile(_UPLOAD_ID).fullmatch, json_schema={"pattern": f"^{_UPLOAD_ID}$"})
TRANSMITTER_ID = TextFormat(
    "as transmitter id",
    re.compile(f"(?:{_TRANSMITTER_ID})?").fullmatch,
    is_empty=None,
    json_schema={"pattern": f"^({_TRANSMITTER_ID})?$"},
)
REVERSE_DOMAIN = TextFormat(
    "as reverse domain",
    lambda text: len(text) <= _MAX_REVERSE_DOMAIN_LENGTH and _is_reverse_domain(text),
    json_schema={"maxLength": _MAX_REVERSE_DOMAIN_LENGTH, "pattern": f"^{_REVERSE_DOMAIN}$"},
)
URL = TextFormat("as url", is_absolute_url, json_schema={"format": "uri"})
TIME_ZONE = TextFormat("time zone name", lambda text: text in time_zone_names(), json_schema={"format": "timezone"})
LOCAL_TIME = TextFormat(
    f'as time with layout "{LOCAL_LAYOUT}"',
    is_local_time,
    is_empty=None,
    json_schema={"pattern": f"^{_LOCAL_TIME}$"},
)
ZONED_TIME = TextFormat(
    f'as time with layout "{RFC3339_LAYOUT}"',
    is_zoned_time,
    is_empty=is_zero_time,
    json_schema={"pattern": f"^{_LOCAL_TIME}{_ZONE}$"},
)
