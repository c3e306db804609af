"""Basal rates, and the basal rates that they suppress. Source: data-model 4 and 5."""

from __future__ import annotations

from chalicelib.model.fields import Field, Integer, Number, Object, Range, Text, Variant, required
from chalicelib.model.tables.common import ANNOTATIONS, WEEK_MS, datum
from chalicelib.model.tables.nutrition import INSULIN_FORMULATION

_RATE = required("rate", Number(Range(0, 100)))
_FORMULATION = Field("insulinFormulation", INSULIN_FORMULATION)
_SCHEDULE_NAME = Field("scheduleName", Text())
_SHORT_SCHEDULE_NAME = Field("scheduleName", Text(max_length=1000))
_PERCENT = Field("percent", Number(Range(0, 10)))
_DURATION = (
    required("duration", Integer(Range(0, WEEK_MS))),
    Field("expectedDuration", Integer(Range(0, WEEK_MS, at_least="duration"))),
)


def _suppressed(**variants: Object) -> Field:
    return Field("suppressed", Variant("basal", "deliveryType", variants))


_ANNOTATIONS = Field("annotations", ANNOTATIONS)
_SUPPRESSED_SCHEDULED = Object((_ANNOTATIONS, _FORMULATION, _RATE, _SCHEDULE_NAME))
_SUPPRESSED_AUTOMATED = Object(
    (_ANNOTATIONS, _FORMULATION, _RATE, _SHORT_SCHEDULE_NAME, _suppressed(scheduled=_SUPPRESSED_SCHEDULED))
)
_SUPPRESSED_TEMPORARY = Object(
    (
        _ANNOTATIONS,
        _FORMULATION,
        _PERCENT,
        _RATE,
        _suppressed(automated=_SUPPRESSED_AUTOMATED, scheduled=_SUPPRESSED_SCHEDULED),
    )
)

BASAL = {
    "automated": datum(
        *_DURATION,
        _FORMULATION,
        _RATE,
        _SHORT_SCHEDULE_NAME,
        _suppressed(scheduled=_SUPPRESSED_SCHEDULED),
    ),
    "scheduled": datum(*_DURATION, _FORMULATION, _RATE, _SCHEDULE_NAME),
    "suspend": datum(
        *_DURATION,
        _suppressed(automated=_SUPPRESSED_AUTOMATED, scheduled=_SUPPRESSED_SCHEDULED, temp=_SUPPRESSED_TEMPORARY),
    ),
    "temp": datum(
        *_DURATION,
        _FORMULATION,
        _PERCENT,
        _RATE,
        _suppressed(automated=_SUPPRESSED_AUTOMATED, scheduled=_SUPPRESSED_SCHEDULED),
    ),
}
