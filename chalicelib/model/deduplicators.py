"""The deduplicators by name, and the choice of one for a new data set.

If neither the name nor the device decides, a continuous data set replaces records by origin and a normal one keeps
every record. Source: dedup 1 and 2.
"""

from __future__ import annotations

from collections.abc import Sequence

DEVICE_DEACTIVATE_HASH = "org.tidepool.deduplicator.device.deactivate.hash"
DEVICE_TRUNCATE_DATASET = "org.tidepool.deduplicator.device.truncate.dataset"
DATASET_DELETE_ORIGIN = "org.tidepool.deduplicator.dataset.delete.origin"
DATASET_DELETE_ORIGIN_OLDER = "org.tidepool.deduplicator.dataset.delete.origin.older"
DATASET_DROP_HASH = "org.tidepool.deduplicator.dataset.drop.hash"
NONE = "org.tidepool.deduplicator.none"

VERSIONS = {
    DEVICE_DEACTIVATE_HASH: "1.1.0",
    DEVICE_TRUNCATE_DATASET: "1.1.0",
    DATASET_DELETE_ORIGIN: "1.0.0",
    DATASET_DELETE_ORIGIN_OLDER: "1.0.0",
    DATASET_DROP_HASH: "1.0.0",
    NONE: "1.0.0",
}

ALIASES = {
    "org.tidepool.hash-deactivate-old": DEVICE_DEACTIVATE_HASH,
    "org.tidepool.truncate": DEVICE_TRUNCATE_DATASET,
    "org.tidepool.continuous.origin": DATASET_DELETE_ORIGIN,
    "org.tidepool.continuous": NONE,
}

NAMES = (*VERSIONS, *ALIASES)
"""All names that a client may send."""

_HASHED_MODELS = {
    "Abbott": frozenset({"FreeStyle Libre"}),
    "LifeScan": frozenset({"OneTouch Ultra 2", "OneTouch UltraMini", "Verio", "Verio Flex"}),
    "Medtronic": frozenset(
        [
            "523",
            "523K",
            "551",
            "554",
            "723",
            "723K",
            "751",
            "754",
            "1510",
            "1510K",
            "1511",
            "1512",
            "1580",
            "1581",
            "1582",
            "1710",
            "1710K",
            "1711",
            "1712",
            "1714",
            "1714K",
            "1715",
            "1780",
            "1781",
            "1782",
        ]
    ),
    "Trividia Health": frozenset({"TRUE METRIX", "TRUE METRIX AIR", "TRUE METRIX GO"}),
}


def choose(
    name: str | None,
    data_set_type: str | None,
    device_id: str | None,
    manufacturers: Sequence[str] | None,
    model: str | None,
) -> tuple[str, str]:
    """The canonical name and the version of the deduplicator for a new data set.

    `name` may be an alias. A `data_set_type` of None means normal.

    Raises:
        KeyError: the name is not in `NAMES`; `check_data_set` refuses such names.
    """
    canonical = (
        ALIASES.get(name, name) if name is not None else _by_device(data_set_type, device_id, manufacturers, model)
    )
    return canonical, VERSIONS[canonical]


def _by_device(
    data_set_type: str | None, device_id: str | None, manufacturers: Sequence[str] | None, model: str | None
) -> str:
    if data_set_type == "continuous":
        return DATASET_DELETE_ORIGIN
    if device_id is None:
        return NONE
    makers = manufacturers or ()
    if any(model in _HASHED_MODELS.get(maker, ()) for maker in makers):
        return DEVICE_DEACTIVATE_HASH
    return DEVICE_TRUNCATE_DATASET if "Animas" in makers else NONE
