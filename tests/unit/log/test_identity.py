"""Tests identity hashes against those of the original code. Source: dedup 4."""

import json
from typing import Any

import pytest

from chalicelib.log.identity_hash import MissingDeviceIdError, identity_hash, identity_hashes
from chalicelib.model.data import check_data
from chalicelib.model.deduplicators import DATASET_DROP_HASH, DEVICE_DEACTIVATE_HASH, NONE

USER = "a1b2c3d4e5"
DEVICE = "MMT-1711:12345678"
DATA_SET = "0123456789abcdef0123456789abcdef"


def hash_of(item: dict[str, Any], scope: str = DEVICE) -> str:
    """The hash of what is posted, as it would be stored."""
    (datum,) = check_data([item], lambda: "0" * 32)
    return identity_hash(datum, USER, scope)


@pytest.mark.parametrize(
    ("item", "scope", "expected"),
    [
        (
            {"type": "cbg", "units": "mg/dL", "value": 119, "time": "2017-02-05T13:26:51.000Z"},
            DEVICE,
            "TDuHrV2JX4DOU3nO83rxvSaVN1DHKvtZOiqS0DVmCVg=",
        ),
        (
            {"type": "cbg", "units": "mg/dL", "value": 119, "time": "2017-02-06T00:26:51.000+11:00"},
            DEVICE,
            "pHZGPi1/A/DHI6sMNdMal435l1Apy/P5jgNfaD58CoY=",
        ),
        (
            {
                "type": "basal",
                "deliveryType": "scheduled",
                "duration": 0,
                "rate": 1,
                "time": "2017-02-05T13:26:51Z",
            },
            DEVICE,
            "pr1Mi4PrE2M1r5lTYfFkI9qTtM+wamABZIoYhy4F+Ic=",
        ),
        (
            {"type": "smbg", "units": "mmol/L", "value": 5, "subType": "manual", "time": "2017-02-05T13:26:51Z"},
            DATA_SET,
            "JxyFn79hV9QJPyaRvi/NF/2AQXWYTcZue+aWsNXroEo=",
        ),
    ],
    ids=["cbg", "cbg with another offset", "basal", "smbg of a data set"],
)
def test_hashes_of_the_original_code(item: dict[str, Any], scope: str, expected: str) -> None:
    assert hash_of(item, scope) == expected


def test_a_value_is_the_same_however_it_was_written() -> None:
    readings = [
        f'{{"type":"cbg","units":"mmol/L","time":"2017-02-05T13:26:51Z","value":{text}}}' for text in ("5", "5.0")
    ]
    assert len({hash_of(json.loads(reading)) for reading in readings}) == 1


def test_bolus_and_device_event_have_their_sub_type_in_it() -> None:
    time = "2017-02-05T13:26:51Z"
    normal = hash_of({"type": "bolus", "subType": "normal", "normal": 1, "time": time})
    assert normal == hash_of({"type": "bolus", "subType": "normal", "normal": 2, "time": time})
    assert normal != hash_of({"type": "bolus", "subType": "square", "extended": 1, "duration": 0, "time": time})


@pytest.mark.parametrize("deduplicator", [DATASET_DROP_HASH, DEVICE_DEACTIVATE_HASH, NONE])
def test_the_scope_is_the_data_set_or_the_device(deduplicator: str) -> None:
    item = {"type": "food", "time": "2017-02-05T13:26:51Z", "deviceId": DEVICE}
    data = check_data([item], lambda: "0" * 32)
    expected = {
        DATASET_DROP_HASH: [identity_hash(data[0], USER, DATA_SET)],
        DEVICE_DEACTIVATE_HASH: [identity_hash(data[0], USER, DEVICE)],
        NONE: None,
    }
    assert identity_hashes(data, deduplicator, USER, DATA_SET) == expected[deduplicator]


def test_the_device_must_be_known() -> None:
    items = [{"type": "food", "time": "2017-02-05T13:26:51Z", "deviceId": DEVICE}]
    items.append({"type": "food", "time": "2017-02-05T13:26:51Z"})
    with pytest.raises(MissingDeviceIdError) as caught:
        identity_hashes(check_data(items, lambda: "0" * 32), DEVICE_DEACTIVATE_HASH, USER, DATA_SET)
    assert caught.value.row == 1
