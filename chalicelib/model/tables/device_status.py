"""The state of a pump and its controller: alert, controllerSettings, controllerStatus, pumpStatus.

Source: data-model 5.
"""

from __future__ import annotations

from chalicelib.durations import DAY_S
from chalicelib.model.fields import (
    AnyOf,
    Boolean,
    Choice,
    Field,
    Has,
    Integer,
    Is,
    Number,
    Object,
    Range,
    Time,
    only_with,
    required,
)
from chalicelib.model.tables.common import BATTERY, DEVICE, NAME, datum

ALERT = datum(
    required("name", NAME),
    Field("priority", Choice(("critical", "normal", "timeSensitive"))),
    Field("trigger", Choice(("delayed", "immediate", "repeating"))),
    only_with("triggerDelay", Integer(Range(0, DAY_S)), Is("trigger", ("delayed", "repeating"))),
    Field("sound", Choice(("name", "silence", "vibrate"))),
    only_with("soundName", NAME, Is("sound", ("name",))),
    required("issuedTime", Time(may_be_zero=False)),
    Field("acknowledgedTime", Time(not_before="issuedTime")),
    Field("retractedTime", Time(not_before="issuedTime")),
)

_NOTIFICATION_SWITCHES = (
    "alert",
    "criticalAlert",
    "badge",
    "sound",
    "announcement",
    "notificationCenter",
    "lockScreen",
)
_NOTIFICATIONS = (
    Field("authorization", Choice(("authorized", "denied", "ephemeral", "notDetermined", "provisional"))),
    *(Field(name, Boolean()) for name in _NOTIFICATION_SWITCHES),
    Field("alertStyle", Choice(("alert", "banner", "none"))),
)


def _not_blank(*fields: Field) -> Object:
    return Object(fields, last=(AnyOf(tuple(field.name for field in fields)),))


CONTROLLER_SETTINGS = datum(
    Field("device", _not_blank(*DEVICE)),
    Field("notifications", _not_blank(*_NOTIFICATIONS)),
    last=(AnyOf(("device", "notifications")),),
)

CONTROLLER_STATUS = datum(required("battery", BATTERY))

_AMOUNT = Number(Range(0, 1000))
_BASAL_STATES = (
    "cancelingTemporary",
    "initiatingTemporary",
    "resuming",
    "scheduled",
    "suspended",
    "suspending",
    "temporary",
)
_BASAL_DELIVERY = Object(
    (
        required("state", Choice(_BASAL_STATES)),
        only_with("time", Time(), Is("state", ("scheduled", "suspended"))),
        only_with(
            "dose",
            Object(
                (
                    Field("startTime", Time()),
                    only_with("endTime", Time(not_before="startTime"), Has(("startTime",)), is_required=False),
                    required("rate", Number(Range(0, 100))),
                    Field("amountDelivered", _AMOUNT),
                )
            ),
            Is("state", ("temporary",)),
        ),
    )
)
_BOLUS_DELIVERY = Object(
    (
        required("state", Choice(("canceling", "delivering", "initiating", "none"))),
        only_with(
            "dose",
            Object((Field("startTime", Time()), required("amount", _AMOUNT), Field("amountDelivered", _AMOUNT))),
            Is("state", ("delivering",)),
        ),
    )
)
_RESERVOIR = Object(
    (
        Field("time", Time()),
        required("remaining", Number(Range(0, 10_000))),
        required("units", Choice(("Units",))),
    )
)

PUMP_STATUS = datum(
    Field("basalDelivery", _BASAL_DELIVERY),
    Field("battery", BATTERY),
    Field("bolusDelivery", _BOLUS_DELIVERY),
    Field("deliveryIndeterminant", Boolean()),
    Field("reservoir", _RESERVOIR),
    last=(AnyOf(("basalDelivery", "battery", "bolusDelivery", "deliveryIndeterminant", "reservoir")),),
)
