"""Physical activity. Source: data-model 5."""

from __future__ import annotations

from chalicelib.model.fields import Boolean, Choice, Field, Integer, Is, Object, Range, only_with, required
from chalicelib.model.tables.common import NAME, amount_in, datum
from chalicelib.model.tables.nutrition import ENERGY

_ACTIVITY_TYPES = (
    "americanFootball",
    "archery",
    "australianFootball",
    "badminton",
    "barre",
    "baseball",
    "basketball",
    "bowling",
    "boxing",
    "climbing",
    "coreTraining",
    "cricket",
    "crossCountrySkiing",
    "crossTraining",
    "curling",
    "cycling",
    "dance",
    "danceInspiredTraining",
    "downhillSkiing",
    "elliptical",
    "equestrianSports",
    "fencing",
    "fishing",
    "flexibility",
    "functionalStrengthTraining",
    "golf",
    "gymnastics",
    "handball",
    "handCycling",
    "highIntensityIntervalTraining",
    "hiking",
    "hockey",
    "hunting",
    "jumpRope",
    "kickboxing",
    "lacrosse",
    "martialArts",
    "mindAndBody",
    "mixedCardio",
    "mixedMetabolicCardioTraining",
    "other",
    "paddleSports",
    "pilates",
    "play",
    "preparationAndRecovery",
    "racquetball",
    "rowing",
    "rugby",
    "running",
    "sailing",
    "skatingSports",
    "snowboarding",
    "snowSports",
    "soccer",
    "softball",
    "squash",
    "stairClimbing",
    "stairs",
    "stepTraining",
    "surfingSports",
    "swimming",
    "tableTennis",
    "taiChi",
    "tennis",
    "trackAndField",
    "traditionalStrengthTraining",
    "volleyball",
    "walking",
    "waterFitness",
    "waterPolo",
    "waterSports",
    "wheelchairRunPace",
    "wheelchairWalkPace",
    "wrestling",
    "yoga",
)

_DISTANCE = amount_in(
    {
        "feet": Range(0, 528_000),
        "kilometers": Range(0, 160.9344),
        "meters": Range(0, 160_934.4),
        "miles": Range(0, 100),
        "yards": Range(0, 176_000),
    }
)
_DURATION = amount_in({"hours": Range(0, 168), "minutes": Range(0, 10_080), "seconds": Range(0, 604_800)})


def _count(high: int) -> Field:
    return required("count", Integer(Range(0, high)))


PHYSICAL_ACTIVITY = datum(
    Field("activityType", Choice(_ACTIVITY_TYPES)),
    only_with("activityTypeOther", NAME, Is("activityType", ("other",)), is_required=False),
    Field("aggregate", Boolean()),
    Field("distance", _DISTANCE),
    Field("duration", _DURATION),
    Field("elevationChange", amount_in({"feet": Range(0, 52_800), "meters": Range(0, 16_093.44)})),
    Field("energy", ENERGY),
    Field("flight", Object((_count(10_000),))),
    Field("lap", Object((_count(10_000), required("distance", _DISTANCE)))),
    Field("name", NAME),
    Field("reportedIntensity", Choice(("high", "low", "medium"))),
    Field("step", Object((_count(100_000),))),
)
