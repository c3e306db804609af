"""Keys of the data table, but for those of tiles (`tiles/stores/keys.py`). See docs/access-patterns.md."""

import hashlib

from chalicelib.engine.table import Key

MAX_ID_LENGTH = 200
"""Ids come out of paths, and a key has at most 2048 bytes (a limit of DynamoDB)."""
LAST_NUMBER = 10**12 - 1
"""The last that fits into twelve digits."""


def key(pk: str, sk: str) -> Key:
    """The key of an item."""
    return {"pk": pk, "sk": sk}


def head_key(data_set_id: str) -> Key:
    """The head of a data set."""
    return key(f"DS#{id_part(data_set_id)}", "HEAD")


def owner_key(owner_id: str) -> Key:
    """The counters of a user's data."""
    return key(f"USER#{id_part(owner_id)}", "DATA")


def data_sets_partition(owner_id: str, epoch: int) -> str:
    """The descriptions of a user's data sets, by time of creation."""
    return f"USER#{id_part(owner_id)}#{epoch}#DS"


def data_set_key(owner_id: str, epoch: int, created_time_ms: int, data_set_id: str) -> Key:
    """The description of a data set."""
    return key(data_sets_partition(owner_id, epoch), f"{created_time_ms:013d}#{id_part(data_set_id)}")


def continuous_log_partition(owner_id: str, epoch: int) -> str:
    """The logs of all continuous data sets of a user, so that one query reads what is new."""
    return f"LOG#{id_part(owner_id)}#{epoch}"


def normal_log_partition(owner_id: str, epoch: int, data_set_id: str) -> str:
    """The log of a normal data set, apart from all others: one that is never closed costs readers nothing."""
    return f"LOG#{id_part(owner_id)}#{epoch}#{id_part(data_set_id)}"


def entry_key(owner_id: str, epoch: int, data_set_id: str, number: int, *, is_continuous: bool) -> Key:
    """An entry of a log."""
    if is_continuous:
        return key(continuous_log_partition(owner_id, epoch), f"{id_part(data_set_id)}#{entry_number(number)}")
    return key(normal_log_partition(owner_id, epoch, data_set_id), entry_number(number))


def entry_number(number: int) -> str:
    """The number of an entry as it stands in its key: text that sorts as the numbers do."""
    return f"{number:012d}"


def log_of(owner_id: str, epoch: int, data_set_id: str, *, is_continuous: bool) -> tuple[str, str]:
    """The partition of a data set's log, and how its sort keys begin."""
    if is_continuous:
        return continuous_log_partition(owner_id, epoch), f"{id_part(data_set_id)}#"
    return normal_log_partition(owner_id, epoch, data_set_id), ""


def parts_partition(data_set_id: str) -> str:
    """The parts of all bodies of a data set that are too large for their entries."""
    return f"PART#{id_part(data_set_id)}"


def part_key(data_set_id: str, staged: str, index: int) -> Key:
    """A part of a body; `staged` is new for each body."""
    return key(parts_partition(data_set_id), f"{staged}#{index:04d}")


def part_owner(owner_id: str, epoch: int) -> str:
    """The start of the random part of `staged`: it tells the parts of a data set from those of erased data with its id.

    Parts of earlier versions have none; no id was used twice then.
    """
    return f"{hashlib.sha256(f'{owner_id}#{epoch}'.encode()).hexdigest()[:8]}-"


def purge_requests_partition() -> str:
    """All purge requests, by time."""
    return "PURGE"


def purge_request_key(request_id: str) -> Key:
    """A purge request; its id begins with its time."""
    return key(purge_requests_partition(), request_id)


def purge_request_id(time_ms: int, owner_id: str, epoch: int, data_set_id: str = "") -> str:
    """The id of a purge request."""
    return f"{time_ms:013d}#{id_part(owner_id)}#{epoch}#{id_part(data_set_id)}"


def backlogs_partition(shard: str) -> str:
    """The backlogs of the users whose SHA-256 begins with this hexadecimal digit."""
    return f"COMPACT#{shard}"


def backlog_key(owner_id: str) -> Key:
    """The backlog of a user."""
    return key(backlogs_partition(hashlib.sha256(owner_id.encode()).hexdigest()[0]), id_part(owner_id))


def rejections_partition(owner_id: str) -> str:
    """The rejected uploads of a user, by time."""
    return f"REFUSALS#{id_part(owner_id)}"


def rejection_key(owner_id: str, time_ms: int, rejection_id: str) -> Key:
    """A rejected upload."""
    return key(rejections_partition(owner_id), f"{rejection_time(time_ms)}#{id_part(rejection_id)}")


def rejections_of_day_key(date: str) -> Key:
    """The number of uploads that were rejected on a day, of all users."""
    return key(rejections_of_days_partition(), date)


def rejections_of_days_partition() -> str:
    """The numbers of rejected uploads, by day."""
    return "REFUSED"


def rejection_time(time_ms: int) -> str:
    """The prefix of the sort keys of uploads that were rejected at this time."""
    return f"{time_ms:013d}"


def device_statuses_partition(owner_id: str) -> str:
    """The device statuses of a user, by time."""
    return f"NIGHTSCOUT_STATUS#{id_part(owner_id)}"


def device_status_key(owner_id: str, time_ms: int, status_id: str) -> Key:
    """A device status."""
    return key(device_statuses_partition(owner_id), f"{device_status_time(time_ms)}#{status_id}")


def device_status_day_key(owner_id: str, day: int) -> Key:
    """The bytes of device statuses that a user stored on a day, counted from 1970. It sorts before all times."""
    return key(device_statuses_partition(owner_id), f"!{day}")


def device_status_time(time_ms: int) -> str:
    """The prefix of the sort keys of device statuses of this time."""
    return f"{time_ms:015d}"


def source_key(source_id: str) -> Key:
    """A data source."""
    return key(f"SOURCE#{id_part(source_id)}", "SOURCE")


def sources_partition(user_id: str) -> str:
    """The ids of a user's data sources, by time of creation."""
    return f"USER#{id_part(user_id)}#SOURCES"


def source_list_key(user_id: str, created_time_ms: int, source_id: str) -> Key:
    """A data source in the list of its user."""
    return key(sources_partition(user_id), f"{created_time_ms:013d}#{id_part(source_id)}")


def source_session_key(provider_session_id: str) -> Key:
    """The key of the data source of a session with a provider."""
    return key(f"SOURCE_SESSION#{id_part(provider_session_id)}", "SOURCE")


def source_link_key(provider: tuple[str, str], external_id: str) -> Key:
    """The key of the connected data source of what a provider calls its user."""
    return key(f"SOURCE_LINK#{id_part(provider[0])}#{id_part(provider[1])}#{id_part(external_id)}", "SOURCE")


def source_slot_key(user_id: str, provider: tuple[str, str]) -> Key:
    """The one slot of a user for a data source of this provider that is connected or in error."""
    return key(f"SOURCE_PLACE#{id_part(user_id)}#{id_part(provider[0])}#{id_part(provider[1])}", "SOURCE")


def id_part(text: str) -> str:
    """An id as a part of a key: no two give the same, and none reaches into its neighbor."""
    if len(text) > MAX_ID_LENGTH:
        return "sha256=" + hashlib.sha256(text.encode()).hexdigest()
    return text.replace("%", "%25").replace("#", "%23").replace("=", "%3D")
